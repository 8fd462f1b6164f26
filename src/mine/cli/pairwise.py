"""``mine pairwise``: every pair of columns of a file; ``mine report`` measures by the same function."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mine.cli import options as opt
from mine.cli.columns import choose_pairs
from mine.cli.files import opened
from mine.cli.output import (
    as_asked,
    check_folder,
    check_kept,
    check_plot,
    interruptible,
    load_figures,
    one_sentence,
    print_text,
    save_figure,
    table_width,
)
from mine.cli.values import checked_seed

if TYPE_CHECKING:
    from mine.tables.measured import Pairwise

__all__ = ["measure_pairs", "pairwise"]


def pairwise(
    file: opt.File,
    table: opt.TableName = None,
    columns: opt.Columns = None,
    target: opt.Target = None,
    test: opt.Test = False,
    permutations: opt.Permutations[int | None] = None,
    method: opt.Method = "auto",
    effort: opt.TableEffort = "screen",
    out: opt.Out = None,
    unit: opt.Unit = "nats",
    as_json: opt.Json = False,
    as_csv: opt.Csv = False,
    plot: opt.Plot = None,
    top: opt.Top = 20,
    seed: opt.Seed[int | None] = None,
    discrete: opt.Discrete = None,
    groups: opt.Groups = None,
    order: opt.Order = None,
    drop_missing: opt.SkipMissing = True,
    parse: opt.Parse = False,
    jobs: opt.Jobs[int | None] = None,
    progress: opt.Progress = None,
) -> None:
    """Measure every pair of columns of a table.

    With --out, which needs --seed, each finished block of pairs is written at once; rerun the command to resume. The folder
    then holds pairs.csv and matrix.png. A --plot is the heat map of all pairs.

    Examples:

      mine pairwise example:breast-cancer --columns "mean *" --target diagnosis --test

      mine pairwise data.csv --seed 0 --out results --jobs 2
    """
    with one_sentence(), ExitStack() as files:
        check_plot(plot)
        check_folder("--out", out, ("pairs.csv", "matrix.png"))
        pairs = measure_pairs(
            files, file, table=table, columns=columns, target=target, groups=groups, order=order, discrete=discrete, test=test,
            n_permutations=permutations, method=method, effort=effort, drop_missing=drop_missing, parse=parse, unit=unit,
            random_state=checked_seed(seed), out=out, n_jobs=jobs, progress=progress,
        )  # fmt: skip

        from mine.tables.listing import as_terminal

        print_text(as_asked(pairs.records(), as_json, as_csv, lambda: as_terminal(pairs, top, table_width())))
        written = _written(pairs, out, plot)
        if written and not (as_json or as_csv):
            print_text(f"Written: {', '.join(map(str, written))}")


def measure_pairs(
    files: ExitStack,
    file: str,
    *,
    table: str | None,
    columns: list[str] | None,
    target: list[str] | None,
    groups: str | None,
    order: str | None,
    discrete: list[str] | None,
    out: Path | None,
    **options: Any,
) -> Pairwise:
    """Measure the pairs of a file's columns.

    Arguments:
        files: Closes the file when the result is no longer needed.
        file: The file, as :func:`mine.data.readers.read_table` takes it.
        table: Sheet of a workbook, or table of a database.
        columns: Lists of names and globs; None takes all columns.
        target: Likewise; None pairs all with all.
        groups: Name of one column.
        order: Name of one column, or ``"time"``.
        discrete: As ``columns``; None where the values decide.
        out: Folder that keeps finished blocks.
        **options: Further arguments of :func:`mine.tables.pairwise.measure`.

    Raises:
        InputError: The file, a column or an option cannot be used.
    """
    kept = check_kept(out, options["random_state"])
    found = opened(files, file, table=table)
    chosen = choose_pairs(found, columns=columns, target=target, groups=groups, order=order, discrete=discrete)

    from mine.tables.pairwise import measure

    with interruptible(kept):
        return measure(
            chosen.columns(chosen.names),
            chosen.targets,
            discrete=chosen.labels,
            groups=chosen.groups(),
            order=chosen.order(),
            out=out,
            **options,
        )


def _written(pairs: Pairwise, out: Path | None, plot: Path | None) -> list[Path]:
    """The files of ``--out`` and ``--plot``, after writing them."""
    load_figures()
    from mine.reporting.folder import save
    from mine.reporting.matrix import plot_pairwise

    written = [] if out is None else save(pairs, out)
    if plot is not None:
        save_figure(lambda: plot_pairwise(pairs.records()), plot, "the pairs stand")
        written.append(plot)
    return written
