"""The table and the figure of ``docs/structured.md``, from the cells of a benchmark."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import TYPE_CHECKING, Any

from mine.benchmarking.store import Record
from mine.formats import bracket, fixed
from mine.reporting.figures import new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["as_table", "inserted", "plot_values"]

START, END = "<!-- table: start -->", "<!-- table: end -->"
COLOURS = ("#8a8a8a", "#e69f00", "#56b4e9", "#0072b2", "#cc79a7", "#009e73")
#: The figure ends here: an interval may be open.
MOST_NATS = 6.0


def inserted(page: str, table: str) -> str:
    """The page with the table between its two marks.

    Raises:
        ValueError: The page has no such marks.
    """
    if page.count(START) != 1 or page.count(END) != 1:
        raise ValueError(f"The page needs one line {START} and one line {END}.")
    before, rest = page.split(START)
    return f"{before}{START}\n{table}\n{END}{rest.split(END)[1]}"


def as_table(records: Sequence[Record], figure: str) -> str:
    """A row per task: the truth, and per method the value with its interval; of several draws their mean and coverage."""
    methods, cells = _by_place(records)
    draws = len({r.seed for r in records})
    what = f"{records[0].n:,} rows, {draws} {'draw' if draws == 1 else 'draws'}, in nats"
    named = " | ".join(f"`{_short(method)}`" for method in methods)
    lines = [
        f"{what}. An interval that misses the truth is marked !.",
        "",
        f"| task | truth | {named} |",
        "|---|--:|" + "---|" * len(methods),
    ]
    truths = {record.task: record.truth for record in records}
    for task, truth in truths.items():
        texts = [_cell(cells.get((task, method), [])) for method in methods]
        lines.append(f"| `{task.removeprefix('structured-')}` | {truth:.2f} | {' | '.join(texts)} |")
    summary: dict[str, Callable[[list[Record]], str]] = {
        "mean absolute error": lambda found: _mean([abs(r.signed_error or 0.0) for r in found], ".2f"),
        "intervals with the truth": _covered,
        "tasks": lambda found: str(len({r.task for r in found})),
        "seconds per estimate, mean": lambda found: _mean([r.seconds or 0.0 for r in found], ".0f"),
    }
    finished = {method: [r for r in records if r.method == method and r.value is not None] for method in methods}
    lines += [f"| {name} | | {' | '.join(text(finished[m]) for m in methods)} |" for name, text in summary.items()]
    lines += [
        "",
        f"![Value and interval of each method on each task, next to the truth](_static/{figure})",
        "",
        f"Measured with {'; '.join(dict.fromkeys(r.environment for r in records if r.environment))}; one thread per estimate.",
    ]
    return "\n".join(lines)


def _by_place(records: Sequence[Record]) -> tuple[list[str], dict[tuple[str, str], list[Record]]]:
    cells: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        cells.setdefault((record.task, record.method), []).append(record)
    return list(dict.fromkeys(record.method for record in records)), cells


def _short(method: str) -> str:
    """Without the folder and the file of a rival."""
    return method.rpartition(":")[2] if method.split("[")[0].count(":") else method


def _cell(records: list[Record]) -> str:
    good = [r for r in records if r.value is not None]
    if not good:
        return "failed" if records else ""
    if len(good) > 1:
        covered = [r.covered for r in good if r.covered is not None]
        return fixed(fmean(r.value or 0.0 for r in good), 2) + (f" ({sum(covered)} of {len(covered)})" if covered else "")
    (record,) = good
    if not record.has_interval:
        return fixed(record.value or 0.0, 2)
    return f"{fixed(record.value or 0.0, 2)} {bracket(*_ends(record), 2)}{'' if record.covered else ' !'}"


def _ends(record: Record) -> tuple[float, float]:
    return (-math.inf if record.low is None else record.low), (math.inf if record.high is None else record.high)


def _mean(numbers: list[float], form: str) -> str:
    return format(fmean(numbers), form) if numbers else ""


def _covered(records: list[Record]) -> str:
    covered = [r.covered for r in records if r.covered is not None]
    return f"{sum(covered)} of {len(covered)}" if covered else ""


def plot_values(records: Sequence[Record]) -> Figure:
    """A row per task: a black tick for the truth, and a dot with its interval per method (the first draw)."""
    methods, cells = _by_place(records)
    truths = {record.task: record.truth for record in records}
    figure, axes = new_figure(1, 1, (7.5, 0.36 * len(truths) + 1.2))
    axis = axes[0][0]
    for i, (task, truth) in enumerate(truths.items()):
        axis.plot([truth, truth], [i - 0.42, i + 0.42], color="black", lw=2, label="truth" if i == 0 else None)
        for j, method in enumerate(methods):
            place = i + 0.7 * ((j + 0.5) / len(methods) - 0.5)
            for record in cells.get((task, method), [])[:1]:
                _draw(axis, record, place, COLOURS[j % len(COLOURS)])
    for j, method in enumerate(methods):
        axis.plot([], [], "o", color=COLOURS[j % len(COLOURS)], ms=5, label=_short(method))
    axis.set_yticks(range(len(truths)), [task.removeprefix("structured-") for task in truths], fontsize=8)
    axis.set_ylim(len(truths) - 0.4, -0.6)
    axis.set_xlim(-0.3, MOST_NATS)
    axis.set_xlabel("nats")
    figure.legend(loc="outside upper center", ncols=len(methods) + 1, fontsize=8, frameon=False)
    return figure


def _draw(axis: Any, record: Record, place: float, colour: str) -> None:
    if record.value is None:
        return
    if record.has_interval:
        low, high = _ends(record)
        axis.plot([max(low, -0.3), min(high, MOST_NATS)], [place, place], color=colour, lw=1.2, alpha=0.6)
    axis.plot(min(record.value, MOST_NATS), place, "o", color=colour, ms=3.5)
