"""``mine transfer``: the transfer entropy of every ordered pair of columns of a file."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Literal

from mine.cli import options as opt
from mine.cli.columns import choose_pairs
from mine.cli.files import opened
from mine.cli.output import as_asked, check_kept, check_plot, folded, interruptible, one_sentence, print_text, save_figure
from mine.cli.values import checked_seed, method_options, whole_numbers
from mine.errors import InputError

__all__ = ["transfer"]


def transfer(
    file: opt.File,
    table: opt.TableName = None,
    columns: opt.Columns = None,
    lag: opt.Lag = None,
    history: opt.History = None,
    longest: opt.Longest = None,
    order: opt.Order = None,
    groups: opt.Groups = None,
    method: opt.Method = "auto",
    permutations: opt.Permutations[int] = 99,
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
    jobs: opt.Jobs[int | None] = None,
    progress: opt.Progress = None,
) -> None:
    """Estimate which columns drive which: the effective transfer entropy of every ordered pair, tested.

    Rows are taken in the order of the file, or sorted by the column of --order. With --groups the rows of each group are a
    series of their own.

    Examples:

      mine transfer data.csv --columns load,price,wind --order day --lag 2

      mine transfer sensors.parquet --history auto --seed 0 --out kept --plot drivers.png
    """
    with one_sentence(), ExitStack() as files:
        check_plot(plot)
        kept = check_kept(out, seed)
        past = _history(history)
        found = opened(files, file, table=table)
        chosen = choose_pairs(found, columns=columns, target=None, groups=groups, order=order, discrete=discrete)

        from mine.series.transfers import transfer_table

        with interruptible(kept):
            result = transfer_table(
                chosen.columns(chosen.names), lag=lag, history=past, longest=longest, method=method,
                n_permutations=permutations, discrete=chosen.labels, order=chosen.order(), groups=chosen.groups(),
                unit=unit,
                random_state=checked_seed(seed), drop_missing=drop_missing, parse=parse, out=out, n_jobs=jobs,
                progress=progress, **method_options(option or ()),
            )  # fmt: skip
        print_text(as_asked(result.records(), as_json, as_csv, lambda: folded(str(result))))
        if plot is not None:
            save_figure(result.plot, plot, "the table stands")


def _history(text: str | None) -> int | Literal["auto"] | None:
    if text is None:
        return None
    if text == "auto":
        return "auto"
    numbers = whole_numbers("--history", text)
    if len(numbers) > 1:
        raise InputError(f"--history takes one whole number or 'auto', got {text!r}.")
    return numbers[0]
