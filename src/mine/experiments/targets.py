"""What an experiment has to reach, and whether the records of a run say that it did."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import NamedTuple

from mine.experiments.store import Record

__all__ = ["Target", "Value", "Values", "Verdict", "beats", "judge", "leads", "reaches"]


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


class Verdict(NamedTuple):
    """One thing to be reached.

    Attributes:
        text: The target in a few words, for the page.
        said: ``"met"``, ``"missed"`` or ``"not measured"``.
        measured: The number that decided, as text; empty if there is none.
    """

    text: str
    said: str
    measured: str = ""


@dataclass(frozen=True)
class Target:
    """One thing to be reached; :func:`reaches` and :func:`leads` make the usual kinds.

    Attributes:
        text: The target in a few words, for the page.
        met: Whether it is, from the means of a run; None where they cannot say, as from a single seed.
        measured: The number that decides, as text, so that the page says how far away a missed target is.
    """

    text: str
    met: Callable[[Values], bool | None]
    measured: Callable[[Values], str] | None = None


def reaches(
    text: str, value: Callable[[Values], float], *, least: float = -math.inf, most: float = math.inf, shown: str = "{:.2f}"
) -> Target:
    """A target for one number of a run.

    Arguments:
        text: The target in a few words.
        value: The number, from the means of a run.
        least: The target is met from here on.
        most: The target is met up to here.
        shown: Format of the number on the page.
    """
    return Target(text, lambda of: least <= value(of) <= most, lambda of: shown.format(value(of)))


def leads(text: str, better: str, worse: str, key: str, *, less: bool = False) -> Target:
    """The target that one arm beats another in a metric by more than two standard errors of the difference.

    Arguments:
        text: The target in a few words.
        better: Name of the arm.
        worse: Name of the other arm.
        key: Of the metric.
        less: Whether small numbers are good ones.
    """

    def lead(of: Values) -> str:
        first, second = of(better, key), of(worse, key)
        error = math.hypot(first.error, second.error)
        if not error > 0:
            return "a single seed" if math.isnan(error) else "no spread over the seeds"
        return f"ahead by {(second.mean - first.mean if less else first.mean - second.mean) / error:.1f} standard errors"

    return Target(text, lambda of: beats(of(better, key), of(worse, key), less=less), lead)


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


def judge(targets: Sequence[Target], records: Sequence[Record]) -> list[Verdict]:
    """The verdict on every target; ``"not measured"`` where an arm was not run."""
    values = Values(records)
    out = []
    for target in targets:
        try:
            met = target.met(values)
            measured = "" if target.measured is None else target.measured(values)
        except KeyError:  # an arm was not run
            met, measured = None, ""
        out.append(Verdict(target.text, {True: "met", False: "missed", None: "not measured"}[met], measured))
    return out
