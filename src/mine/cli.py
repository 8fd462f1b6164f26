"""The command line: thin. Heavy modules are imported by the command that needs them."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mine import __version__
from mine.errors import InputError, MineError, UnknownNameError

if TYPE_CHECKING:
    from mine.result import Estimate
    from mine.tables import Table

__all__ = ["app", "main"]

app = typer.Typer(
    name="mine",
    help="Neural mutual information: how much one set of columns tells about another, with an honest error bar.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

EXIT_INPUT, EXIT_INTERRUPTED = 2, 130
_PLOT_FORMATS = (".png", ".pdf", ".svg")


def main() -> None:
    """Entry point of the command ``mine``."""
    try:
        app()
    except BrokenPipeError:  # the reader of our output has left: that is its right
        sys.stderr.close()
        raise SystemExit(0) from None


@contextmanager
def _one_sentence() -> Iterator[None]:
    """Errors the user can mend end in one sentence and exit code 2, Ctrl-C in one line and 130."""
    try:
        yield
    except MineError as error:
        typer.echo(f"mine: error: {error}", err=True)
        raise typer.Exit(EXIT_INPUT) from None
    except KeyboardInterrupt:
        typer.echo("mine: interrupted", err=True)
        raise typer.Exit(EXIT_INTERRUPTED) from None


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mine {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    del version  # its callback has printed it


@app.command()
def estimate(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="CSV, TSV, Parquet, NPY or NPZ; '-' reads CSV from stdin; example:NAME is shipped data."
        ),
    ],
    x: Annotated[str, typer.Option("--x", help="Columns of x: names or globs, comma-separated.")],
    y: Annotated[str, typer.Option("--y", help="Columns of y, likewise.")],
    method: Annotated[str, typer.Option(help="See 'mine methods'.")] = "auto",
    unit: Annotated[str, typer.Option(help="nats or bits.")] = "nats",
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON.")] = False,
    plot: Annotated[Path | None, typer.Option(help="Write a figure: .png, .pdf or .svg.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, ...")] = "auto",
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same digits.")] = None,
    discrete: Annotated[
        str | None, typer.Option(help="Columns that are labels, comma-separated; otherwise decided by their values.")
    ] = None,
    groups: Annotated[
        str | None, typer.Option(help="Column that says which rows belong together (a patient, a session).")
    ] = None,
    drop_missing: Annotated[bool, typer.Option("--drop-missing", help="Leave out rows with a missing value.")] = False,
    option: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Option of the method, for example steps=2000; repeatable.")
    ] = None,
    progress: Annotated[
        bool | None, typer.Option("--progress/--no-progress", help="Progress bar; by default on a terminal, after two seconds.")
    ] = None,
) -> None:
    """Estimate the mutual information between columns of a table.

    Examples:

      mine estimate example:breast-cancer --x "mean *" --y diagnosis

      mine estimate data.parquet --x age,income --y churned --unit bits --json

      cut -d, -f2,7 data.csv | mine estimate - --x height --y weight
    """
    with _one_sentence():
        if plot is not None:
            _check_plot(plot)
        from mine.tables import read_table

        table = read_table(file)
        names_x, names_y = _sides(table, x, y, groups)
        label_names = None if discrete is None else table.names(discrete)
        _check_within(label_names, names_x, names_y)
        group_rows = None if groups is None else _group_rows(table, groups)

        from mine.api import estimate as run

        result = run(
            table.select(names_x),
            table.select(names_y),
            method=method,
            discrete=label_names,
            groups=group_rows,
            device=device,
            unit=unit,
            random_state=_seed(seed),
            drop_missing=drop_missing,
            progress=progress,
            **_options(option or []),
        )
        if plot is not None:
            result.plot().savefig(plot)
        if as_json:
            typer.echo(json.dumps(result.to_dict(), allow_nan=False))
        else:
            typer.echo(_readable(result, names_x, names_y))


@app.command()
def methods() -> None:
    """List the methods, one line each."""
    from mine.estimators import methods as listed

    _print_columns([(name, about) for name, about in listed().items()])


@app.command()
def examples() -> None:
    """List the data sets that ship with the package."""
    from mine.datasets import EXAMPLES

    for example in EXAMPLES.values():
        typer.echo(f"example:{example.name}   {example.rows:,} rows x {example.columns} columns")
        typer.echo(f"  {example.summary}\n  {example.source}\n  try: {example.command}\n")


def _sides(table: Table, x: str, y: str, groups: str | None) -> tuple[list[str], list[str]]:
    """Columns of both sides; the group column never counts as data because a glob caught it."""
    sides = [[name for name in table.names(spec) if name != groups] for spec in (x, y)]
    shared = [name for name in sides[0] if name in sides[1]]
    if shared:
        raise InputError(
            f"Column {shared[0]!r} is on both sides, and a column tells everything about itself: leave it out of --x or --y."
        )
    for flag, names in zip(("--x", "--y"), sides, strict=True):
        if not names:
            raise InputError(f"{flag} names only the --groups column: pass a column of data.")
    return sides[0], sides[1]


def _check_within(labels: list[str] | None, *sides: list[str]) -> None:
    chosen = [name for side in sides for name in side]
    for name in labels or []:
        if name not in chosen:
            raise UnknownNameError("column in --discrete (it must be one of --x or --y)", name, chosen)


def _group_rows(table: Table, groups: str) -> Any:
    names = table.names(groups)
    if len(names) != 1:
        raise InputError(f"--groups takes one column, {groups!r} is {len(names)}: name the column that identifies a group.")
    return table.select(names)


def _seed(seed: int | None) -> int | None:
    if seed is not None and seed < 0:
        raise InputError(f"--seed must be 0 or more, got {seed}.")
    return seed


def _options(pairs: list[str]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for pair in pairs:
        key, found, value = pair.partition("=")
        if not found or not key.strip().isidentifier():
            raise InputError(f"--option takes KEY=VALUE, for example steps=2000; got {pair!r}.")
        try:
            out[key.strip()] = ast.literal_eval(value.strip())
        except (ValueError, SyntaxError):
            out[key.strip()] = value.strip()  # a bare word is text: bound=nwj
    reserved = set(out) & {"critic", "x", "y", "method", "progress", "unit", "device", "groups", "random_state"}
    if reserved:
        raise InputError(f"--option cannot set {sorted(reserved)[0]}: it has a flag of its own, or needs Python.")
    return out


def _check_plot(path: Path) -> None:
    """Fail before the estimation, not after it."""
    if path.suffix.lower() not in _PLOT_FORMATS:
        raise InputError(f"--plot cannot write {path.name!r}: end the name in {', '.join(_PLOT_FORMATS)}.")
    if not path.absolute().parent.is_dir():
        raise InputError(f"--plot cannot write into {path.parent}: there is no such folder.")
    from mine.report.figures import new_figure

    new_figure(1, 1, (1, 1))


def _readable(result: Estimate, names_x: list[str], names_y: list[str]) -> str:
    lines = [repr(result), f"  x: {_listed(names_x)}", f"  y: {_listed(names_y)}"]
    found = result.diagnostics
    if found.get("discrete_columns"):
        lines.append(f"  read as labels: {_listed(found['discrete_columns'])}")
    if found.get("dropped_missing_rows"):
        lines.append(f"  left out for missing values: {found['dropped_missing_rows']:,} rows")
    return "\n".join(lines)


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:6])
    return f"{shown}, ... ({len(names)} columns)" if len(names) > 6 else shown


def _print_columns(rows: list[tuple[str, str]]) -> None:
    width = max(len(name) for name, _ in rows)
    for name, about in rows:
        typer.echo(f"{name:<{width}}  {about}")
