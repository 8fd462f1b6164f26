"""``mine report``: a page on a whole table."""

from __future__ import annotations

import shlex
import sys
from contextlib import ExitStack
from pathlib import Path

from mine.cli import options as opt
from mine.cli.output import check_writable, one_sentence, print_text
from mine.cli.pairwise import measure_pairs
from mine.cli.values import checked_seed
from mine.errors import InputError
from mine.storage.versions import __version__

__all__ = ["report"]


def report(
    file: opt.File,
    output: opt.Page,
    table: opt.TableName = None,
    columns: opt.Columns = None,
    target: opt.Target = None,
    test: opt.Test = True,
    title: opt.Title = None,
    effort: opt.TableEffort = "screen",
    out: opt.Checkpoint = None,
    unit: opt.Unit = "nats",
    seed: opt.Seed[int] = 0,
    discrete: opt.Discrete = None,
    groups: opt.Groups = None,
    order: opt.Order = None,
    drop_missing: opt.SkipMissing = True,
    parse: opt.Parse = False,
    jobs: opt.Jobs[int | None] = None,
    progress: opt.Progress = None,
) -> None:
    """Write one HTML page on a table: strongest dependences, matrix, dependences that correlation misses, all pairs.

    The page contains everything that it needs and loads nothing from the network.

    Examples:

      mine report example:diabetes -o report.html

      mine report data.csv --target churned --jobs 2 -o report.html
    """
    with one_sentence(), ExitStack() as files:
        check_writable("--output", output, (".html", ".htm"), ".html")
        pairs = measure_pairs(
            files, file, table=table, columns=columns, target=target, groups=groups, order=order, discrete=discrete, test=test,
            effort=effort, drop_missing=drop_missing, parse=parse, unit=unit, random_state=checked_seed(seed), out=out,
            n_jobs=jobs, progress=progress,
        )  # fmt: skip

        from mine.reporting.page import render_report

        settings = {"torch-mine": __version__, "effort": effort, "seed": str(seed), "unit": unit}
        page = render_report(pairs, title=title or _title(file), command=_command_line(), settings=settings)
        _write(output, page)
        print_text(f"Written: {output} ({len(page) / 1024:,.0f} KiB, {len(pairs.cells):,} pairs)")


def _title(file: str) -> str:
    if file.startswith("example:"):
        return file
    return "standard input" if file == "-" else Path(file).name


def _command_line() -> str:
    """The command as it was given, to be pasted into a shell."""
    return shlex.join(["mine", *sys.argv[1:]])


def _write(output: Path, page: str) -> None:
    from mine.reporting.report import write_page

    try:
        write_page(output, page)
    except OSError as error:
        raise InputError(f"--output cannot write {output}: {error.strerror or error}.") from error
