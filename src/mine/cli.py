"""The command line: thin. Heavy modules are imported by the command that needs them."""

from __future__ import annotations

import ast
import inspect
import io
import json
import os
import shutil
import sys
import textwrap
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mine import __version__
from mine.errors import InputError, MineError, NotEnoughDataError

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
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a console without ± shows a question mark, not a traceback
    try:
        app()
    except SystemExit as stopped:
        if isinstance(stopped.__context__, BrokenPipeError):  # `| head` has read what it wanted: typer would say 1
            raise SystemExit(0) from None
        raise


@contextmanager
def _one_sentence() -> Iterator[None]:
    """Errors the user can mend end in one sentence and exit code 2, Ctrl-C in one line and 130."""
    try:
        yield
    except MineError as error:
        sentence, code = f"error: {_one_line(str(error))}", EXIT_INPUT
    except KeyboardInterrupt:
        sentence, code = "interrupted", EXIT_INTERRUPTED
    else:
        return
    with suppress(OSError):  # nobody reads stderr: the exit code still tells
        typer.echo(f"mine: {sentence}", err=True)
    raise typer.Exit(code)


def _one_line(text: str) -> str:
    return " ".join(text.split())  # a column's name may hold a line break


def _print(text: str) -> None:
    """Print to stdout; that it cannot be written is an error of one sentence too."""
    try:
        typer.echo(text)
    except BrokenPipeError:
        raise
    except OSError as error:
        with suppress(OSError):  # what is left unwritten would be tried again, and fail loudly, when Python ends
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise InputError(f"Standard output cannot be written: {error.strerror or error}.") from error


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
    x: Annotated[list[str], typer.Option("--x", metavar="COLUMNS", help="Columns of x: names or globs, comma-separated.")],
    y: Annotated[list[str], typer.Option("--y", metavar="COLUMNS", help="Columns of y, likewise.")],
    given: Annotated[
        list[str] | None, typer.Option("--given", metavar="COLUMNS", help="What is given: I(x; y | these columns).")
    ] = None,
    method: Annotated[str, typer.Option(metavar="NAME", help="See 'mine methods'.")] = "auto",
    effort: Annotated[
        str | None, typer.Option(metavar="NAME", help="fast, default or thorough: how long training may take.")
    ] = None,
    unit: Annotated[str, typer.Option(metavar="UNIT", help="nats or bits.")] = "nats",
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON.")] = False,
    plot: Annotated[Path | None, typer.Option(metavar="PATH", help="Write a figure: .png, .pdf or .svg.")] = None,
    device: Annotated[str, typer.Option(metavar="NAME", help="auto, cpu, cuda, ...")] = "auto",
    seed: Annotated[int | None, typer.Option(metavar="N", help="The same seed gives the same digits.")] = None,
    discrete: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMNS", help="The columns of numbers that are labels; otherwise decided by their values."),
    ] = None,
    groups: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Column that says which rows belong together (a patient, a session)."),
    ] = None,
    drop_missing: Annotated[bool, typer.Option("--drop-missing", help="Leave out rows with a missing value.")] = False,
    test: Annotated[bool, typer.Option("--test", help="Add the p-value of a permutation test of independence.")] = False,
    permutations: Annotated[int, typer.Option(metavar="N", help="Permutations of --test.")] = 999,
    option: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Option of the method, for example steps=2000; repeatable.")
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Where the columns of a Parquet file larger than memory are kept meanwhile."),
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
    with _one_sentence(), ExitStack() as files:
        if plot is not None:
            _check_plot(plot)
        from mine.tables import read_table

        table = files.enter_context(read_table(file, cache))
        group = None if groups is None else _group_column(table, groups)
        names_x, names_y = _sides(table, ",".join(x), ",".join(y), group)
        names_z = [] if given is None else _given(table, ",".join(given), names_x, names_y, group)
        labels = None if discrete is None else _labels(table, ",".join(discrete), [*names_x, *names_y, *names_z])

        from mine.api import MIN_ROWS
        from mine.api import estimate as run

        if table.n_rows < MIN_ROWS:
            raise NotEnoughDataError(f"{file} has {table.n_rows} rows: an honest estimate needs at least {MIN_ROWS}.")
        result = run(
            table.select(names_x, labels or ()),
            table.select(names_y, labels or ()),
            table.select(names_z, labels or ()) if names_z else None,
            method=method,
            discrete=labels,
            groups=None if group is None else table.select([group]),
            device=device,
            unit=unit,
            random_state=_seed(seed),
            drop_missing=drop_missing,
            progress=progress,
            **{**({} if effort is None else {"effort": effort}), **_options(option or [])},
        )
        tested = None
        if test:
            from mine.statistics.independence import independence_test

            tested = independence_test(
                table.select(names_x, labels or ()),
                table.select(names_y, labels or ()),
                table.select(names_z, labels or ()) if names_z else None,
                n_permutations=permutations,
                discrete=labels,
                groups=None if group is None else table.select([group]),
                device=device,
                random_state=_seed(seed),
                drop_missing=drop_missing,
            )
        if as_json:
            more = {} if tested is None else {"test": tested.to_dict()}
            _print(json.dumps({**result.to_dict(), **more}, allow_nan=False))
        else:
            more = "" if tested is None else f"\n  test of independence: {tested}"
            if names_z:
                more = f"\n  given: {_listed(names_z)}" + more
            _print(_folded(_readable(result, names_x, names_y, group) + more))
        if plot is not None:
            _save_plot(result, plot)


@app.command()
def methods() -> None:
    """List the methods, one line each."""
    from mine.estimators import methods as listed

    width = max(map(len, listed())) + 2
    with _one_sentence():
        _print(_folded("\n".join(f"{name:<{width}}{about}" for name, about in listed().items()), indent=width))


@app.command()
def examples() -> None:
    """List the data sets that ship with the package."""
    from mine.datasets import EXAMPLES

    with _one_sentence():
        for example in EXAMPLES.values():
            _print(f"example:{example.name}   {example.rows:,} rows x {example.columns} columns")
            _print(_folded(f"  {example.summary}\n  {example.source}", indent=2))
            _print(f"  try: {example.command}\n")  # one line, to be copied


@app.command()
def benchmark(
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for cells, tables and figures; the same command goes on there.")
    ] = None,
    suite: Annotated[str, typer.Option(metavar="NAME", help="Suite of tasks; 'all' for every one.")] = "published",
    tasks: Annotated[
        str | None,
        typer.Option(metavar="GLOBS", help="Tasks of the suite, comma-separated; a full name is known in any."),
    ] = None,
    methods: Annotated[
        str,
        typer.Option(
            metavar="METHODS", help="Comma-separated: NAME, NAME[option=value,...], package.module:Estimator, file.py:function."
        ),
    ] = "auto",
    n: Annotated[str, typer.Option("--n", metavar="ROWS", help="Numbers of rows, comma-separated.")] = "1000,5000,10000",
    seeds: Annotated[int, typer.Option(metavar="N", help="Draws of every task.")] = 3,
    first_seed: Annotated[int, typer.Option(metavar="N", help="Number of the first draw.")] = 0,
    effort: Annotated[
        str | None, typer.Option(metavar="EFFORTS", help="One or more, comma-separated, for the methods that take it.")
    ] = None,
    jobs: Annotated[int, typer.Option(metavar="N", help="Worker processes of one thread each.")] = 1,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Measure failed cells again.")] = False,
    list_tasks: Annotated[bool, typer.Option("--list", help="List the tasks and end.")] = False,
    progress: Annotated[
        bool | None, typer.Option("--progress/--no-progress", help="Progress bar; by default on a terminal, after two seconds.")
    ] = None,
) -> None:
    """Measure methods on tasks whose mutual information is known.

    Every finished estimate is written at once; the same command takes over what is there and does the rest.

    Examples:

      mine benchmark --list

      mine benchmark --methods auto,ksg --n 1000 --seeds 1 --out results

      mine benchmark --tasks "student-*" --methods "auto,rival.py:Estimator[k=5]" --jobs 4 --out results
    """
    with _one_sentence():
        from mine import benchmarking
        from mine.benchmarking.grid import chosen_tasks
        from mine.benchmarking.summary import as_listing, as_terminal

        within = None if suite == "all" else suite
        if list_tasks:
            _print(as_listing(chosen_tasks(tasks, within)))
            return
        if out is None:
            raise InputError("--out is missing: name the folder that keeps what is measured, for example --out results.")
        if seeds < 1 or first_seed < 0:
            raise InputError(f"--seeds must be 1 or more and --first-seed 0 or more, got {seeds} and {first_seed}.")
        _check_figures()
        try:
            result = benchmarking.benchmark(
                tasks,
                methods,
                suite=within,
                n=_whole_numbers("--n", n),
                seeds=range(first_seed, first_seed + seeds),
                effort=None if effort is None else [part.strip() for part in effort.split(",")],
                jobs=jobs,
                out=out,
                retry_failed=retry_failed,
                progress=progress,
            )
        except KeyboardInterrupt:
            typer.echo(
                f"mine: interrupted; finished cells are kept in {out}, and the same command goes on from there", err=True
            )
            raise typer.Exit(EXIT_INTERRUPTED) from None
        files = result.save(out)
        terminal = sys.stdout is not None and sys.stdout.isatty()
        _print(as_terminal(result.lines, result.title, max(shutil.get_terminal_size().columns, 80) if terminal else 150))
        _print("\n".join([*result.notes, f"Written: {', '.join(str(file) for file in files)}"]))


@app.command()
def reproduce(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="An experiment, or 'all'; see --list.")] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for results and figures; the same command goes on there.")
    ] = None,
    scale: Annotated[
        str, typer.Option(metavar="NAME", help="smoke: does it run; default: two CPU cores; paper: the paper's size.")
    ] = "default",
    seeds: Annotated[int, typer.Option(metavar="N", help="Repetitions of every arm.")] = 1,
    arms: Annotated[str | None, typer.Option(metavar="ARMS", help="Some of the arms, separated by semicolons.")] = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Run again what diverged.")] = False,
    list_experiments: Annotated[bool, typer.Option("--list", help="Say what each experiment shows, and end.")] = False,
    progress: Annotated[
        bool | None, typer.Option("--progress/--no-progress", help="Progress bar; by default on a terminal, after two seconds.")
    ] = None,
) -> None:
    """Run a paper's experiment again: table, figure, and one line of its numbers beside this run's.

    Every arm and seed is written when it is finished, training in between; the same command goes on after a kill.

    Examples:

      mine reproduce --list

      mine reproduce gan-25-gaussians --scale smoke --out results

      mine reproduce gan-25-gaussians --seeds 5 --out results
    """
    with _one_sentence():
        from mine import experiments

        if list_experiments:
            _print(_folded(experiments.as_listing([experiments.get_experiment(one) for one in experiments.names()]), indent=4))
            return
        if name is None:
            raise InputError("NAME is missing: name an experiment ('mine reproduce --list' shows them), or 'all'.")
        if out is None:
            raise InputError("--out is missing: name the folder that keeps the results, for example --out results.")
        if seeds < 1:
            raise InputError(f"--seeds must be 1 or more, got {seeds}.")
        chosen = [experiments.get_experiment(one) for one in (experiments.names() if name == "all" else [name])]
        _check_figures()
        try:
            for experiment in chosen:
                found = experiments.reproduce(
                    experiment,
                    out=out,
                    scale=scale,
                    seeds=seeds,
                    arms=None if arms is None else [arm.strip() for arm in arms.split(";")],
                    retry_failed=retry_failed,
                    progress=progress,
                )
                _print(f"{found}\nWritten: {', '.join(map(str, found.files))}")
        except KeyboardInterrupt:
            typer.echo(f"mine: interrupted; what is finished is kept in {out}, and the same command goes on", err=True)
            raise typer.Exit(EXIT_INTERRUPTED) from None


def _whole_numbers(flag: str, text: str) -> list[int]:
    try:
        return [int(part.strip().replace("_", "")) for part in text.split(",")]
    except ValueError:
        raise InputError(f"{flag} takes whole numbers, comma-separated, for example 1000,5000; got {text!r}.") from None


def _group_column(table: Table, groups: str) -> str:
    names = table.names(groups, "--groups column")
    if len(names) != 1:
        raise InputError(f"--groups takes one column, {groups!r} is {len(names)}: name the column that identifies a group.")
    return names[0]


def _sides(table: Table, x: str, y: str, group: str | None) -> tuple[list[str], list[str]]:
    """Columns of both sides, without the group column where it was only a glob that caught it."""
    from mine.tables import split_names

    sides: list[list[str]] = []
    for flag, spec in (("--x", x), ("--y", y)):
        names = table.names(spec, f"{flag} column")
        if group in split_names(spec):
            raise InputError(f"Column {group!r} is named in {flag} and in --groups: leave it out of one of them.")
        sides.append([name for name in names if name != group])
        if not sides[-1]:
            raise InputError(f"{flag} matches only the --groups column {group!r}: name a column of data.")
    shared = [name for name in sides[0] if name in sides[1]]
    if shared:
        raise InputError(
            f"Column {shared[0]!r} is on both sides, and a column tells everything about itself: leave it out of --x or --y."
        )
    return sides[0], sides[1]


def _given(table: Table, spec: str, x: list[str], y: list[str], group: str | None) -> list[str]:
    """Columns of --given, none of which is in x or y; a glob means the others."""
    from mine.tables import split_names

    taken = {*x, *y, *([] if group is None else [group])}
    named = [name for name in split_names(spec) if name in taken]
    names = [name for name in table.names(spec, "--given column") if name not in taken]
    if named or not names:
        raise InputError(
            f"Column {(named or sorted(taken))[0]!r} is given and in --x, --y or --groups: leave it out of one of them."
        )
    return names


def _labels(table: Table, spec: str, chosen: list[str]) -> list[str]:
    """Columns of --discrete, which must be among those chosen; a glob means those of them that it matches."""
    families = {name: columns for name, columns in table.families.items() if set(columns) <= set(chosen)}
    within = replace(table, columns=tuple(chosen), blocks={}, families=families)
    return within.names(spec, "--discrete column")


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
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):  # all that literal_eval may raise
            out[key.strip()] = value.strip()  # a bare word is text: bound=nwj
    from mine.api import estimate as run

    reserved = [key for key in out if key in inspect.signature(run).parameters]
    if reserved:
        raise InputError(f"--option cannot set {reserved[0]}: it has a flag of its own, or needs Python.")
    return out


def _check_plot(path: Path) -> None:
    """Fail before the estimation, not after it."""
    if path.suffix.lower() not in _PLOT_FORMATS:
        raise InputError(f"--plot cannot write {path.name!r}: end the name in {', '.join(_PLOT_FORMATS)}.")
    if not path.absolute().parent.is_dir():
        raise InputError(f"--plot cannot write into {path.parent}: there is no such folder.")
    if path.is_dir():
        raise InputError(f"--plot cannot write {path}: it is a folder.")
    _check_figures()


def _check_figures() -> None:
    """That figures can be drawn at all."""
    from mine.report.figures import new_figure

    new_figure(1, 1, (1, 1))


def _save_plot(result: Estimate, path: Path) -> None:
    try:
        result.plot().savefig(path)
    except OSError as error:
        raise InputError(f"--plot cannot write {path}: {error.strerror or error}; the estimate stands.") from error


def _readable(result: Estimate, names_x: list[str], names_y: list[str], group: str | None) -> str:
    lines = [repr(result), f"  x: {_listed(names_x)}", f"  y: {_listed(names_y)}"]
    found = result.diagnostics
    if found.get("discrete_columns"):
        lines.append(f"  read as labels: {_listed(found['discrete_columns'])}")
    if group is not None:
        lines.append(f"  groups: {group}")
    if found.get("dropped_missing_rows"):
        lines.append(f"  rows left out for missing values: {found['dropped_missing_rows']:,}")
    return "\n".join(lines)


def _listed(names: list[str]) -> str:
    shown = ", ".join(_one_line(f'"{name}"' if "," in name else name) for name in names[:6])
    return f"{shown}, ... ({len(names)} columns)" if len(names) > 6 else shown


def _folded(text: str, indent: int = 4) -> str:
    """Text whose lines are folded to the terminal, what follows indented; as it is in a pipe, where lines are records."""
    if sys.stdout is None or not sys.stdout.isatty():
        return text
    width = max(shutil.get_terminal_size().columns, indent + 30)
    lines = (
        textwrap.wrap(line, width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False)
        for line in text.splitlines()
    )
    return "\n".join("\n".join(line) for line in lines)
