"""The command line: thin. Heavy modules are imported by the command that needs them."""

from __future__ import annotations

import ast
import inspect
import io
import json
import os
import shlex
import shutil
import sys
import textwrap
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mine.errors import InputError, MineError, NotEnoughDataError
from mine.storage.versions import __version__

if TYPE_CHECKING:
    from mine.data.readers import Table
    from mine.result import Estimate
    from mine.tables.pairwise import Pairwise

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
    conditional: Annotated[
        str | None, typer.Option(metavar="NAME", help="How, with --given: chain (default) or shuffle.")
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
    devices: Annotated[
        str | None, typer.Option(metavar="N", help="Processes that train this estimate together; needs Lightning.")
    ] = None,
    strategy: Annotated[
        str | None, typer.Option(metavar="NAME", help="How Lightning Fabric connects them: ddp, ddp_spawn, ...")
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
        if file == "-" and (devices or strategy):
            raise InputError("Several processes cannot read one standard input: write it to a file, and name that.")
        from mine.data.readers import read_table

        table = files.enter_context(read_table(file, cache))
        group = None if groups is None else _group_column(table, groups)
        names_x, names_y = _sides(table, ",".join(x), ",".join(y), group)
        names_z = [] if given is None else _given(table, ",".join(given), names_x, names_y, group)
        labels = None if discrete is None else _labels(table, ",".join(discrete), [*names_x, *names_y, *names_z])

        from mine.api import estimate as run
        from mine.data.rows import MIN_ROWS

        if table.n_rows < MIN_ROWS:
            raise NotEnoughDataError(f"{file} has {table.n_rows} rows: an honest estimate needs at least {MIN_ROWS}.")
        data = (
            table.select(names_x, labels or ()),
            table.select(names_y, labels or ()),
            table.select(names_z, labels or ()) if names_z else None,
        )
        settings = {
            "method": method,
            "discrete": labels,
            "groups": None if group is None else table.select([group]),
            "unit": unit,
            "random_state": _seed(seed),
            "drop_missing": drop_missing,
            "progress": progress,
            **{name: value for name, value in (("effort", effort), ("conditional", conditional)) if value is not None},
            **_options(option or []),
        }
        if devices is None and strategy is None:
            result = run(*data, device=device, **settings)
        else:
            from mine.cli.launch import estimate_on_ranks

            result = estimate_on_ranks(data, settings, devices=devices or "auto", strategy=strategy or "auto", device=device)
            if result is None:
                return
        tested = None
        if test:
            from mine.independence.test import independence_test

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
def pairwise(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="CSV, TSV, Parquet, NPY or NPZ; '-' reads CSV from stdin; example:NAME is shipped data."
        ),
    ],
    columns: Annotated[
        list[str] | None, typer.Option("--columns", metavar="COLUMNS", help="Columns to take: names or globs; all by default.")
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option("--target", metavar="COLUMNS", help="Set every other column against these, instead of all pairs."),
    ] = None,
    test: Annotated[bool, typer.Option("--test", help="Permutation tests: p, and q over all pairs.")] = False,
    permutations: Annotated[int | None, typer.Option(metavar="N", help="Most permutations a pair.")] = None,
    method: Annotated[str, typer.Option(metavar="NAME", help="One method for every pair, for example ksg.")] = "auto",
    effort: Annotated[str, typer.Option(metavar="NAME", help="fast, default or thorough.")] = "fast",
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for pairs.csv, matrix.png and what is finished; needs --seed.")
    ] = None,
    unit: Annotated[str, typer.Option(metavar="UNIT", help="nats or bits.")] = "nats",
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON a pair.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print all pairs as CSV.")] = False,
    plot: Annotated[Path | None, typer.Option(metavar="PATH", help="Write the heat map: .png, .pdf or .svg.")] = None,
    top: Annotated[int, typer.Option(metavar="N", help="Pairs to print, the strongest first.")] = 20,
    seed: Annotated[int | None, typer.Option(metavar="N", help="The same seed gives the same digits.")] = None,
    discrete: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMNS", help="The columns of numbers that are labels; otherwise decided by their values."),
    ] = None,
    groups: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Column that says which rows belong together (a patient, a session)."),
    ] = None,
    drop_missing: Annotated[
        bool, typer.Option("--drop-missing", help="Leave rows with a missing value out, pair by pair.")
    ] = False,
    jobs: Annotated[int | None, typer.Option(metavar="N", help="Worker processes.")] = None,
    progress: Annotated[
        bool | None, typer.Option("--progress/--no-progress", help="Progress bar; by default on a terminal, after two seconds.")
    ] = None,
) -> None:
    """Measure every pair of columns of a table.

    With --out each finished block of pairs is written at once; the same command goes on from there.

    Examples:

      mine pairwise example:breast-cancer --columns "mean *" --target diagnosis --test

      mine pairwise data.csv --seed 0 --out results --jobs 2
    """
    with _one_sentence(), ExitStack() as files:
        if plot is not None:
            _check_plot(plot)
        if out is not None and seed is None:
            raise InputError("--out needs --seed, for example --seed 0: the same command, going on there, must draw the same.")
        found = _measured(
            files, file, columns, target, groups, discrete, test=test, n_permutations=permutations, method=method,
            effort=effort, drop_missing=drop_missing, unit=unit, random_state=_seed(seed), out=out, n_jobs=jobs,
            progress=progress,
        )  # fmt: skip
        from mine.reporting.folder import save
        from mine.tables import listing

        if as_json or as_csv:
            _print(listing.as_json(found) if as_json else listing.as_csv(found).rstrip("\n"))
        else:
            terminal = sys.stdout is not None and sys.stdout.isatty()
            _print(listing.as_terminal(found, top, shutil.get_terminal_size().columns if terminal else 150))
        written = [] if out is None else save(found, out)
        if plot is not None:
            _save_matrix(found, plot)
            written.append(plot)
        if written and not (as_json or as_csv):
            _print(f"Written: {', '.join(map(str, written))}")


@app.command()
def report(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="CSV, TSV, Parquet, NPY or NPZ; '-' reads CSV from stdin; example:NAME.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="PATH", help="The page to write, for example report.html.")],
    columns: Annotated[
        list[str] | None, typer.Option("--columns", metavar="COLUMNS", help="Columns to take: names or globs; all by default.")
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option("--target", metavar="COLUMNS", help="Set every other column against these, instead of all pairs."),
    ] = None,
    test: Annotated[bool, typer.Option("--test/--no-test", help="Permutation tests.")] = True,
    title: Annotated[str | None, typer.Option(metavar="TEXT", help="Title of the page; the file's name by default.")] = None,
    effort: Annotated[str, typer.Option(metavar="NAME", help="fast, default or thorough.")] = "fast",
    keep: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for what is finished; the same command goes on there.")
    ] = None,
    unit: Annotated[str, typer.Option(metavar="UNIT", help="nats or bits.")] = "nats",
    seed: Annotated[int, typer.Option(metavar="N", help="The same seed gives the same digits.")] = 0,
    discrete: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMNS", help="The columns of numbers that are labels; otherwise decided by their values."),
    ] = None,
    drop_missing: Annotated[
        bool, typer.Option("--drop-missing", help="Leave rows with a missing value out, pair by pair.")
    ] = False,
    jobs: Annotated[int | None, typer.Option(metavar="N", help="Worker processes.")] = None,
    progress: Annotated[
        bool | None, typer.Option("--progress/--no-progress", help="Progress bar; by default on a terminal, after two seconds.")
    ] = None,
) -> None:
    """Write one HTML page on a table: strongest dependences, matrix, what correlation misses, all pairs.

    The page holds all that it needs and loads nothing from the network.

    Examples:

      mine report example:diabetes -o report.html

      mine report data.csv --target churned --drop-missing --jobs 2 -o report.html
    """
    with _one_sentence(), ExitStack() as files:
        if output.suffix.lower() not in (".html", ".htm"):
            raise InputError(f"--output cannot write {output.name!r}: end the name in .html.")
        if not output.absolute().parent.is_dir():
            raise InputError(f"--output cannot write into {output.parent}: there is no such folder.")
        if output.is_dir():
            raise InputError(f"--output cannot write {output}: it is a folder.")
        found = _measured(
            files, file, columns, target, None, discrete, test=test, effort=effort, drop_missing=drop_missing, unit=unit,
            random_state=_seed(seed), out=keep, n_jobs=jobs, progress=progress,
        )  # fmt: skip
        from mine.reporting.page import render_report
        from mine.storage.files import write_whole

        settings = {"torch-mine": __version__, "effort": effort, "seed": str(seed), "unit": unit}
        page = render_report(
            found,
            title=title or (file if file.startswith("example:") else "standard input" if file == "-" else Path(file).name),
            command=_command_line(),
            settings=settings,
        )
        try:
            write_whole(output, lambda stream: stream.write(page.encode()))
        except OSError as error:
            raise InputError(f"--output cannot write {output}: {error.strerror or error}.") from error
        _print(f"Written: {output} ({len(page) / 1024:,.0f} KiB, {len(found.cells):,} pairs)")


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
        numbers = _seed_numbers(seeds, first_seed)
        _check_figures()
        try:
            result = benchmarking.benchmark(
                tasks,
                methods,
                suite=within,
                n=_whole_numbers("--n", n),
                seeds=numbers,
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
    first_seed: Annotated[int, typer.Option(metavar="SEED", help="Number of the first repetition.")] = 0,
    arms: Annotated[str | None, typer.Option(metavar="ARMS", help="Some of the arms, separated by semicolons.")] = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Run again what diverged.")] = False,
    device: Annotated[str, typer.Option(metavar="NAME", help="auto, cpu, cuda, ...")] = "auto",
    list_experiments: Annotated[bool, typer.Option("--list", help="Say what each experiment shows, and end.")] = False,
    progress: Annotated[
        bool | None, typer.Option("--progress/--no-progress", help="Progress bar; by default on a terminal, after two seconds.")
    ] = None,
) -> None:
    """Run a paper's experiment again: table, figure, and one line of its numbers beside this run's.

    Every arm and seed is written when it is finished, training in between; the same command goes on after a kill. "all" also
    writes one page, reproduction.html, that holds every table, verdict and figure.

    Examples:

      mine reproduce --list

      mine reproduce gan-25-gaussians --scale smoke --out results

      mine reproduce gan-25-gaussians --seeds 5 --out results

      mine reproduce all --scale default --seeds 3 --out results
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
        numbers = _seed_numbers(seeds, first_seed)
        chosen = [experiments.get_experiment(one) for one in (experiments.names() if name == "all" else [name])]
        _check_figures()
        try:
            for experiment in chosen:
                found = experiments.reproduce(
                    experiment,
                    out=out,
                    scale=scale,
                    seeds=numbers,
                    arms=None if arms is None else [arm.strip() for arm in arms.split(";")],
                    retry_failed=retry_failed,
                    device=device,
                    progress=progress,
                )
                _print(f"{found}\nWritten: {', '.join(map(str, found.files))}")
            if name == "all":
                _print(f"All on one page: {', '.join(map(str, experiments.write_pages(out)))}")
        except KeyboardInterrupt:
            typer.echo(f"mine: interrupted; what is finished is kept in {out}, and the same command goes on", err=True)
            raise typer.Exit(EXIT_INTERRUPTED) from None


def _seed_numbers(count: int, first: int) -> range:
    if count < 1 or first < 0:
        raise InputError(f"--seeds must be 1 or more and --first-seed 0 or more, got {count} and {first}.")
    return range(first, first + count)


def _whole_numbers(flag: str, text: str) -> list[int]:
    try:
        return [int(part.strip().replace("_", "")) for part in text.split(",")]
    except ValueError:
        raise InputError(f"{flag} takes whole numbers, comma-separated, for example 1000,5000; got {text!r}.") from None


def _measured(
    files: ExitStack,
    file: str,
    columns: list[str] | None,
    target: list[str] | None,
    groups: str | None,
    discrete: list[str] | None,
    *,
    out: Path | None,
    **options: Any,
) -> Pairwise:
    """The pairs of a file's columns, as ``mine pairwise`` and ``mine report`` want them."""
    from mine.data.readers import read_table

    table = files.enter_context(read_table(file))
    group = None if groups is None else _group_column(table, groups)
    names = list(table.columns) if columns is None else table.names(",".join(columns), "--columns column")
    targets = None if target is None else table.names(",".join(target), "--target column")
    names += [name for name in targets or () if name not in names]
    names = [name for name in names if name != group]
    labels = None if discrete is None else _labels(table, ",".join(discrete), names)

    from mine.tables.pairwise import measure

    try:
        return measure(
            table.select(names, labels or ()),
            targets,
            discrete=labels,
            groups=None if group is None else table.select([group]),
            out=out,
            **options,
        )
    except KeyboardInterrupt:
        kept = f"; finished blocks are kept in {out}, and the same command goes on from there" if out is not None else ""
        typer.echo(f"mine: interrupted{kept}", err=True)
        raise typer.Exit(EXIT_INTERRUPTED) from None


def _command_line() -> str:
    """The command as it was given, to be pasted into a shell."""
    return shlex.join(["mine", *sys.argv[1:]])


def _group_column(table: Table, groups: str) -> str:
    names = table.names(groups, "--groups column")
    if len(names) != 1:
        raise InputError(f"--groups takes one column, {groups!r} is {len(names)}: name the column that identifies a group.")
    return names[0]


def _sides(table: Table, x: str, y: str, group: str | None) -> tuple[list[str], list[str]]:
    """Columns of both sides, without the group column where it was only a glob that caught it."""
    from mine.data.readers import split_names

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
    from mine.data.readers import split_names

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
    from mine.reporting.figures import new_figure

    new_figure(1, 1, (1, 1))


def _save_plot(result: Estimate, path: Path) -> None:
    try:
        result.plot().savefig(path)
    except OSError as error:
        raise InputError(f"--plot cannot write {path}: {error.strerror or error}; the estimate stands.") from error


def _save_matrix(found: Pairwise, path: Path) -> None:
    from mine.reporting.matrix import plot_pairwise

    try:
        plot_pairwise(found.records()).savefig(path)
    except OSError as error:
        raise InputError(f"--plot cannot write {path}: {error.strerror or error}; the pairs stand.") from error


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
