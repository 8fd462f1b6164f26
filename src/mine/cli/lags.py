"""``mine lags``: the information between two series of a file against the lag between them."""

from __future__ import annotations

from contextlib import ExitStack

from mine.cli import options as opt
from mine.cli.columns import choose_sides
from mine.cli.files import opened
from mine.cli.output import (
    as_asked,
    check_kept,
    check_plot,
    folded,
    interruptible,
    listed,
    one_sentence,
    print_text,
    save_figure,
)
from mine.cli.values import checked_seed, method_options, whole_numbers

__all__ = ["lags"]


def lags(
    file: opt.File,
    x: opt.X,
    y: opt.Y,
    lags: opt.Lags,
    table: opt.TableName = None,
    order: opt.Order = None,
    groups: opt.Groups = None,
    method: opt.Method = "auto",
    effort: opt.Effort[str] = "fast",
    unit: opt.Unit = "nats",
    as_json: opt.Json = False,
    as_csv: opt.Csv = False,
    plot: opt.Plot = None,
    out: opt.Checkpoint = None,
    seed: opt.Seed[int | None] = None,
    discrete: opt.Discrete = None,
    drop_missing: opt.DropMissing = False,
    parse: opt.Parse = False,
    option: opt.MethodOptions = None,
    progress: opt.Progress = None,
) -> None:
    """Estimate the information between two series at many lags, and test which lags stand out.

    Rows are taken in the order of the file, or sorted by the column of --order. At a positive lag x comes first. With --groups
    the rows of each group are a series of their own, and no lag crosses from one to another.

    Examples:

      mine lags example:climate --x sea_temperature --y co2 --lags 12 --order month --drop-missing

      mine lags spikes.parquet --x stimulus --y rate --lags 0,1,2,5,10 --csv
    """
    with one_sentence(), ExitStack() as files:
        check_plot(plot)
        kept = check_kept(out, seed)
        wanted = whole_numbers("--lags", lags)
        found = opened(files, file, table=table)
        sides = choose_sides(found, x=x, y=y, given=None, groups=groups, order=order, discrete=discrete)
        of_x, of_y, _ = sides.data()

        from mine.series.lags import lag_scan

        with interruptible(kept):
            scan = lag_scan(
                of_x, of_y, wanted if "," in lags else wanted[0], method=method, effort=effort, discrete=sides.labels,
                order=sides.order(), groups=sides.groups(), unit=unit, random_state=checked_seed(seed),
                drop_missing=drop_missing, parse=parse, out=out, progress=progress, **method_options(option or ()),
            )  # fmt: skip
        text = f"{scan}\n  x: {listed(sides.x)}\n  y: {listed(sides.y)}"
        print_text(as_asked(scan.records(), as_json, as_csv, lambda: folded(text)))
        if plot is not None:
            save_figure(scan.plot, plot, "the scan stands")
