"""The summary of a benchmark: errors, coverage and seconds by method and n, next to the sampling error of the rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from mine.benchmarking.store import Record
from mine.escapes import for_spreadsheet
from mine.tasks import Task

__all__ = ["Line", "as_csv", "as_listing", "as_markdown", "as_terminal", "summarise"]


@dataclass(frozen=True)
class Line:
    """One method at one n; errors in nats, None where no cell gives the number.

    Attributes:
        method: The entrant's label.
        n: Rows.
        cells: Finished cells.
        failed: Of these, how many raised; they enter none of the numbers below.
        mae: Mean absolute error over the cells.
        oracle_mae: Mean absolute error of the mean true log-ratio over those of the same samples whose task knows it.
        oracle_cells: How many these are.
        bias: Mean of estimate minus truth.
        worst_task: The task with the largest mean absolute error over its draws.
        worst_error: That error.
        worst_bias: Mean of estimate minus truth on that task.
        coverage: Share of the intervals that hold the truth.
        intervals: How many intervals there are.
        bound_above: Share of the lower bounds that lie above the truth by more than two standard errors.
        mean_seconds: Mean wall time of an estimate.
        max_seconds: Longest wall time.
    """

    method: str
    n: int
    cells: int
    failed: int
    mae: float | None = None
    oracle_mae: float | None = None
    oracle_cells: int = 0
    bias: float | None = None
    worst_task: str | None = None
    worst_error: float | None = None
    worst_bias: float | None = None
    coverage: float | None = None
    intervals: int = 0
    bound_above: float | None = None
    mean_seconds: float | None = None
    max_seconds: float | None = None


def summarise(records: Iterable[Record]) -> list[Line]:
    """A line for each n and method, in the order of the records, n rising."""
    groups: dict[tuple[int, str], list[Record]] = {}
    for record in records:
        groups.setdefault((record.n, record.method), []).append(record)
    return [_line(method, n, groups[n, method]) for n, method in sorted(groups, key=lambda key: key[0])]


def _line(method: str, n: int, records: Sequence[Record]) -> Line:
    good = [record for record in records if not record.failed]
    if not good:
        return Line(method, n, len(records), len(records))
    tasks: dict[str, list[float]] = {}
    for record in good:
        tasks.setdefault(record.task, []).append(record.signed_error or 0.0)
    worst = max(tasks, key=lambda task: fmean(map(abs, tasks[task])))
    errors = [error for of_task in tasks.values() for error in of_task]
    oracle = [abs(record.oracle_error) for record in good if record.oracle_error is not None]
    seconds = [record.seconds for record in good if record.seconds is not None]
    covered = [record.covered for record in good if record.covered is not None]
    above = [r.lower_bound > r.truth + 2 * r.stderr for r in good if r.lower_bound is not None and r.stderr is not None]
    return Line(
        method, n, len(records), len(records) - len(good),
        mae=fmean(map(abs, errors)), bias=fmean(errors),
        oracle_mae=_mean(oracle), oracle_cells=len(oracle),
        worst_task=worst, worst_error=fmean(map(abs, tasks[worst])), worst_bias=fmean(tasks[worst]),
        coverage=_mean(covered), intervals=len(covered), bound_above=_mean(above),
        mean_seconds=_mean(seconds), max_seconds=max(seconds, default=None),
    )  # fmt: skip


def _mean(numbers: Sequence[float]) -> float | None:
    return fmean(numbers) if numbers else None


#: Headings of the columns, as :func:`_cells_of` fills them.
_COLUMNS = (
    "n", "method", "MAE", "oracle", "bias", "worst task", "its MAE", "its bias", "coverage", "high bounds",
    "mean s", "max s", "failed",
)  # fmt: skip
_TEXTUAL = ("method", "worst task")

LEGEND = (
    "Errors in nats over cells that did not fail; MAE: mean absolute error; oracle: error of the mean true log-ratio of the "
    "same samples, where the task knows it; bias: mean of estimate minus truth; worst task: largest MAE over its draws; "
    "coverage: share of 95 % intervals that hold the truth; high bounds: share of the lower bounds above the truth by more "
    "than two standard errors; seconds: wall time of one estimate, warm, one thread."
)


def _cells_of(line: Line) -> list[str]:
    return [
        f"{line.n:,}",
        line.method,
        _text(line.mae, ".4f"),
        _text(line.oracle_mae, ".4f"),
        _text(line.bias, "+.4f"),
        line.worst_task or "-",
        _text(line.worst_error, ".3f"),
        _text(line.worst_bias, "+.3f"),
        _text(line.coverage, ".1%"),
        _text(line.bound_above, ".1%"),
        _text(line.mean_seconds, ".2f"),
        _text(line.max_seconds, ".2f"),
        f"{line.failed} of {line.cells}" if line.failed else "0",
    ]


def _text(number: float | None, form: str) -> str:
    return "-" if number is None else format(number, form)


def as_terminal(lines: Sequence[Line], title: str, width: int) -> str:
    """The table as text of ``width`` columns, with its legend."""
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", box=SIMPLE, padding=(0, 1), collapse_padding=True, title_style="")
    for name in _COLUMNS:
        textual = name in _TEXTUAL
        table.add_column(name, justify="left" if textual else "right", overflow="fold", no_wrap=not textual)
    for before, line in zip([None, *lines[:-1]], lines, strict=True):
        if before is not None and before.n != line.n:
            table.add_section()
        table.add_row(*(Text(text) for text in _cells_of(line)))  # brackets of options are not markup
    out = io.StringIO()
    console = Console(file=out, width=width, color_system=None)
    console.print(table)
    console.print(Text(LEGEND))
    return out.getvalue()


def as_listing(tasks: Sequence[Task]) -> str:
    """A line a task, by suite: name, dimensions, information, description and source."""
    lines: list[str] = []
    width = max(len(task.name) for task in tasks)
    for suite in dict.fromkeys(task.suite for task in tasks):
        suite_tasks = [task for task in tasks if task.suite == suite]
        lines.append(f"suite {suite}: {len(suite_tasks)} {'task' if len(suite_tasks) == 1 else 'tasks'}")
        lines += [
            f"  {t.name:<{width}}  {f'{t.dx} x {t.dy}':>7}  {t.mutual_information:7.4f} nats  {t.description} ({t.source})"
            for t in suite_tasks
        ]
    return "\n".join(lines)


def as_markdown(lines: Sequence[Line], title: str, notes: Sequence[str]) -> str:
    """The same table, with what to know about it."""
    rows = [
        f"# {title}",
        "",
        LEGEND,
        "",
        "| " + " | ".join(_COLUMNS) + " |",
        "|" + "|".join("---" if name in _TEXTUAL else "--:" for name in _COLUMNS) + "|",
        *("| " + " | ".join(text.replace("|", "\\|") for text in _cells_of(line)) + " |" for line in lines),
        "",
        *(f"- {note}" for note in notes),
    ]
    return "\n".join(rows).rstrip() + "\n"


def as_csv(records: Iterable[Record]) -> str:
    """One row per cell, tidy: nats and seconds; an empty field is a missing number."""
    out = io.StringIO()
    names = (
        "task", "method", "n", "seed", "truth", "value", "error", "lower_bound", "stderr", "interval_low", "interval_high",
        "covered", "oracle_error", "seconds", "failure", "warnings", "numerics", "method_version", "task_version",
        "environment",
    )  # fmt: skip
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    for r in records:
        high = "inf" if r.has_interval and r.high is None else r.high
        low = "-inf" if r.has_interval and r.low is None else r.low
        writer.writerow(
            for_spreadsheet(value)
            for value in (
                r.task, r.method, r.n, r.seed, r.truth, r.value, r.signed_error, r.lower_bound, r.stderr, low, high,
                r.covered, r.oracle_error, r.seconds, r.error, " | ".join(r.diagnostics.get("warnings", ())),
                r.numerics, r.method_version, r.task_version, r.environment,
            )
        )  # fmt: skip
    return out.getvalue()
