"""Whether a part of the rows has the same number in both sides: the information of two numeric columns is then infinite."""

from __future__ import annotations

import math

import numpy as np

from mine.data.problem import Problem
from mine.estimators.noiseless import opened, without_upper_end
from mine.result import Estimate

__all__ = ["open_where_copied", "open_without_noise"]

#: Rows and columns of a side that are compared.
ROWS, COLUMNS = 20_000, 30
#: Fewest equal rows, in all and as a share. Numbers that are not copied are never equal, unless they are rounded.
FEWEST, SHARE = 10, 0.01
#: Rounded numbers that are close have as many rows one step apart as equal ones: copies have this many times more equal ones.
BEYOND_ROUNDING, STEP = 5, 1.5
#: Share of the rows outside heaps (values of more than a fiftieth of the rows) whose number occurs once. Rounding leaves fewer.
ONCE, HEAP = 0.95, 0.02


def open_without_noise(estimate: Estimate, problem: Problem) -> Estimate:
    """``estimate`` with an interval open above where the sides share numbers, or one determines a column of the other."""
    return open_where_copied(opened(estimate, problem), problem)


def open_where_copied(estimate: Estimate, problem: Problem) -> Estimate:
    """``estimate`` with an interval open above if a column of x equals a column of y in a part of the rows."""
    if not math.isfinite(estimate.interval[1]) or not (problem.x.n_continuous and problem.y.n_continuous):
        return estimate
    x, y = (side.flat[:ROWS, :COLUMNS] for side in (problem.x, problem.y))
    for i, a in enumerate(x.T):
        for j, b in enumerate(y.T):
            share = _copied_share(a, b)
            if share:
                names = f"{problem.x.columns[i]} and {problem.y.columns[j]}"
                warning = (
                    f"The information may be infinite: {names} have exactly the same number in {share:.0%} of the rows. "
                    "Copied numbers have no noise. The interval has no upper end."
                )
                return without_upper_end(estimate, warning)
    return estimate


def _copied_share(a: np.ndarray, b: np.ndarray) -> float:
    """Share of the rows with one number in both columns that occurs nowhere else in either; 0 if it may be chance."""
    equal = a == b
    if equal.sum() < max(FEWEST, SHARE * len(a)):
        return 0.0
    values, counts = np.unique(a, return_counts=True)
    others, times = np.unique(b, return_counts=True)
    if not (_is_fine(counts) and _is_fine(times)):
        return 0.0
    equal &= (counts[np.searchsorted(values, a)] == 1) & (times[np.searchsorted(others, b)] == 1)
    copied = int(equal.sum())
    step = STEP * np.diff(np.unique(np.concatenate([values, others]))).min()
    near = int(((a != b) & (np.abs(a - b) <= step)).sum())
    return copied / len(a) if copied >= max(FEWEST, SHARE * len(a), BEYOND_ROUNDING * near) else 0.0


def _is_fine(counts: np.ndarray) -> bool:
    """Whether nearly all numbers that occur ``counts`` times, shape (levels,), occur once, apart from heaps."""
    n = counts.sum()
    return bool((counts == 1).sum() >= ONCE * counts[counts <= max(3, HEAP * n)].sum())
