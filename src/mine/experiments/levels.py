"""Published numbers as levels that a run reaches or misses."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mine.experiments.experiment import Experiment
from mine.experiments.store import Record
from mine.experiments.targets import Values, Verdict

__all__ = ["published_levels"]

#: A number in a published cell; neither the 1 of "(v1)" nor the standard error behind "±".
_NUMBER = re.compile(r"(?<![\w.])(?<!± )\d[\d,]*(?:\.\d+)?")


def published_levels(experiment: Experiment, records: Sequence[Record]) -> list[Verdict]:
    """Whether the mean of each arm reaches the number that was published for it, of the metrics that say what is better.

    Of several published numbers the best one counts. Arms that were not run are left out.
    """
    values = Values(records)
    out = []
    for metric in experiment.metrics:
        for arm, text in metric.published.items():
            numbers = [float(number.replace(",", "")) for number in _NUMBER.findall(text)]
            if not numbers or not metric.better:
                continue
            try:
                ours = metric.scale * values(arm, metric.key).mean
            except KeyError:
                continue
            met = ours >= max(numbers) if metric.better == "more" else ours <= min(numbers)
            measured = f"{ours:.{metric.digits}f}"
            out.append(Verdict(f"{arm}, {metric.label}: published {text}", "met" if met else "missed", measured))
    return out
