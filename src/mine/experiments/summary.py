"""The summary of an experiment: a table over the seeds with published numbers in rows of their own."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from statistics import fmean, stdev

from mine.experiments.experiment import Experiment, Metric
from mine.experiments.store import Record

__all__ = [
    "PUBLISHED",
    "as_csv",
    "as_listing",
    "as_markdown",
    "by_arm",
    "code_notes",
    "markdown_table",
    "mean_and_error",
    "shown",
    "table",
]

#: End of the first cell in a row of published numbers.
PUBLISHED = ", published"


def mean_and_error(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean over the seeds and its standard error, None of a single seed.

    >>> mean_and_error([1.0, 3.0])
    (2.0, 1.0)
    """
    return fmean(values), stdev(values) / math.sqrt(len(values)) if len(values) > 1 else None


def shown(metric: Metric, records: Sequence[Record]) -> str:
    """A metric over the seeds of an arm: mean ± standard error; empty where no seed has it."""
    values = [record.metrics[metric.key] * metric.scale for record in records if metric.key in record.metrics]
    if not values:
        return ""
    mean, error = mean_and_error(values)
    return f"{mean:.{metric.digits}f}" + ("" if error is None else f" ± {error:.{metric.digits}f}")


def by_arm(records: Sequence[Record]) -> dict[str, list[Record]]:
    """The records of each arm, in the order in which arms come."""
    arms: dict[str, list[Record]] = {}
    for record in records:
        arms.setdefault(record.arm, []).append(record)
    return arms


def table(experiment: Experiment, records: Sequence[Record]) -> tuple[list[str], list[list[str]]]:
    """Header and rows: one row per arm, mean ± standard error, followed by a row of published numbers where there are any."""
    header = ["arm", "seeds", *(metric.label for metric in experiment.metrics), "minutes"]
    rows = []
    for arm, arm_records in by_arm(records).items():
        good = [record for record in arm_records if not record.failed]
        minutes = f"{fmean(record.seconds for record in good) / 60:.1f}" if good else ""
        rows.append([arm, str(len(good)), *(shown(metric, good) for metric in experiment.metrics), minutes])
        published = [metric.published.get(arm, "") for metric in experiment.metrics]
        if any(number not in ("", "–") for number in published):
            rows.append([f"{arm}{PUBLISHED}", "", *published, ""])
    return header, rows


def markdown_table(rows: Sequence[Sequence[str]], *, numbers_from: int) -> str:
    """Rows of Markdown, the first of them the header; columns from ``numbers_from`` on are aligned to the right."""
    align = ["--:" if column >= numbers_from else "---" for column in range(len(rows[0]))]
    lines = [rows[0], align, *rows[1:]]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in lines)


def as_markdown(experiment: Experiment, records: Sequence[Record]) -> str:
    """The table, one row per arm, mean ± standard error over the seeds, with published numbers below; the notes."""
    header, rows = table(experiment, records)
    notes = [f"Failed: {record.arm}, seed {record.seed}: {record.error}" for record in records if record.error is not None]
    notes += [f"Measured with {environment}." for environment in dict.fromkeys(r.environment for r in records) if environment]
    notes += code_notes(records)
    notes += [f"Source: {experiment.source}."]
    return "\n\n".join([markdown_table([header, *rows], numbers_from=1), "\n".join(f"- {note}" for note in notes)]) + "\n"


def code_notes(records: Sequence[Record]) -> list[str]:
    """The code that gave the numbers; which arms are from which code if they differ."""
    arms: dict[str, dict[str, None]] = {}
    for record in records:
        arms.setdefault(record.code, {})[record.arm] = None
    alike = len({tuple(of) for of in arms.values()}) == 1  # all arms are from every code
    return [f"Code: {code}." if alike else f"Code of {'; '.join(of)}: {code}." for code, of in arms.items()]


def as_listing(experiments: Sequence[Experiment]) -> str:
    """List experiments: what each shows, its arms, and how long one arm and seed takes."""
    lines = []
    for experiment in experiments:
        times = ", ".join(f"{scale} {_duration(experiment.minutes[scale])}" for scale in experiment.scales)
        lines += [f"{experiment.name}", f"  {experiment.shows}", f"  arms: {'; '.join(experiment.arms)}"]
        lines += [f"  an arm and seed on two cores: {times}"]
    return "\n".join(lines)


def _duration(minutes: float) -> str:
    if minutes < 1:
        return f"{60 * minutes:.0f} s"
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"


def as_csv(experiment: Experiment, records: Sequence[Record]) -> str:
    """One row per cell, all its numbers."""
    known = [metric.key for metric in experiment.metrics]
    keys = known + sorted({key for record in records for key in record.metrics} - set(known))
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["experiment", "scale", "arm", "seed", *keys, "seconds", "failure", "version", "numerics", "package"])
    for r in records:
        numbers = [r.metrics.get(key, "") for key in keys]
        about = [round(r.seconds, 1), r.error or "", r.version, r.numerics, r.package]
        writer.writerow([r.experiment, r.scale, r.arm, r.seed, *numbers, *about])
    return stream.getvalue()
