"""What the stacked critics of a pair cannot see: sharp edges, copied numbers, relations without noise."""

from __future__ import annotations

import math
from dataclasses import replace

from mine.data.problem import Problem
from mine.errors import NotEnoughDataError
from mine.estimators.copied_rows import open_without_noise
from mine.estimators.screen import Screen
from mine.estimators.thinned import run_in_order
from mine.result import Estimate
from mine.tables.stack import StackedPair

__all__ = ["with_checks"]


def with_checks(one: StackedPair, problem: Problem, method: str) -> tuple[StackedPair, list[str]]:
    """``one`` with an upper end that holds what other views of the same rows find, and sentences that say why.

    Nearest neighbours on ranks see edges that small networks round off: where they surely find more than the value, the
    interval reaches up to theirs. Columns that share numbers, or of which one determines the other, leave it open above.

    Arguments:
        one: The pair by critics.
        problem: Its rows, one column of numbers on each side.
        method: The name of the critics.
    """
    high, sentences = one.high, list[str]()
    found = _by_neighbours(problem) if math.isfinite(high) else None
    if found is not None and found.interval[0] > one.value and found.interval[1] > high:
        high = found.interval[1]
        sentences.append(f"The critics miss dependence: nearest neighbours find {found.value:.2f} nats.")
    estimate = Estimate(one.value, one.lower_bound, one.stderr, (one.low, high), method, one.n)
    checked = open_without_noise(estimate, problem)
    if math.isinf(checked.interval[1]) and checked.warnings:
        sentences = checked.warnings
    return replace(one, high=checked.interval[1]), sentences


def _by_neighbours(problem: Problem) -> Estimate | None:
    """Neighbours on ranks, or None where copies leave too few rows."""
    try:
        return run_in_order(Screen(), problem)
    except NotEnoughDataError:
        return None
