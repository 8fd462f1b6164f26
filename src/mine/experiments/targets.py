"""What an experiment has to reach, and whether the records of a run say that it did."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from mine.experiments.store import Record

__all__ = ["Target", "Value", "Values", "beats", "judge"]


@dataclass(frozen=True)
class Value:
    """A mean over seeds, and its standard error; NaN of a single seed."""

    mean: float
    error: float


class Values:
    """Means of a run by arm and metric, at the scale of the result files (a share is 0 to 1)."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = [record for record in records if not record.failed]

    def __call__(self, arm: str, key: str) -> Value:
        """Raises KeyError where no seed of the arm has the metric."""
        values = [record.metrics[key] for record in self.records if record.arm == arm and key in record.metrics]
        if not values:
            raise KeyError(f"{arm}, {key}")
        return Value(fmean(values), stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan)


@dataclass(frozen=True)
class Target:
    """One thing to be reached.

    Attributes:
        text: What, in a few words, for the page.
        met: Whether it is, from the means of a run; None where they cannot say, as from a single seed.
    """

    text: str
    met: Callable[[Values], bool | None]


def beats(better: Value, worse: Value, *, less: bool = False) -> bool | None:
    """Whether means differ in the right direction by more than two standard errors of the difference; None of a single seed.

    Example:
        >>> beats(Value(24.0, 0.3), Value(17.0, 0.4)), beats(Value(0.5, 0.3), Value(0.9, 0.4), less=True)
        (True, False)
    """
    error = math.hypot(better.error, worse.error)
    if math.isnan(error):
        return None
    return (worse.mean - better.mean if less else better.mean - worse.mean) > 2 * error


def judge(targets: Sequence[Target], records: Sequence[Record]) -> list[tuple[str, str]]:
    """Every target's text with ``"met"``, ``"missed"`` or ``"not measured"``."""
    values = Values(records)
    out = []
    for target in targets:
        try:
            met = target.met(values)
        except KeyError:  # an arm was not run
            met = None
        out.append((target.text, {True: "met", False: "missed", None: "not measured"}[met]))
    return out
