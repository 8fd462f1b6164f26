"""What the estimators by nearest neighbours share: rows without copies, columns without ties, and the error of parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.special import stdtrit

from mine.data.preprocessing import RobustLogScaler, rank_gaussianize
from mine.data.problem import Problem

__all__ = ["disjoint_parts", "drift_warnings", "jittered", "neighbours_tell", "prepared", "spread", "without_copies"]

#: Rows that are neighbours rise and fall together: the spread of their contributions is the standard error only times this
#: (1.0 to 1.5 on normal pairs, waves and heavy tails of one to five columns, 100 to 1,500 rows).
SHARED_NEIGHBOURS = 1.25
#: Degrees of freedom that the spread of the rows counts for beside that of the parts.
ROWS_COUNT_FOR = 10


def neighbours_tell(problem: Problem) -> bool:
    """Whether what neighbours find is information: of numbers on both sides, and of rows that do not belong together.

    Rows of a group resemble each other, and neighbours would count that as information.
    """
    x, y = problem.x, problem.y
    numbers = x.n_continuous and y.n_continuous and not x.n_discrete and not y.n_discrete
    return bool(numbers) and (problem.groups is None or bool(problem.copies))


def without_copies(problem: Problem) -> Problem:
    """The problem with each row once: a copy is a neighbour at distance 0, which reads as information."""
    if not problem.copies or problem.groups is None:
        return problem
    once = np.unique(problem.groups, return_index=True)[1]
    return replace(problem, x=problem.x.take(once), y=problem.y.take(once), groups=None)


def prepared(values: np.ndarray, preprocess: str | None, rng: np.random.Generator) -> np.ndarray:
    """Values (n, d) as ``"rank"``, ``"robust"`` or no map at all makes them, without ties."""
    if preprocess == "rank":
        values = rank_gaussianize(values)
    elif preprocess == "robust":
        values = RobustLogScaler().fit(values).transform(values)
    return jittered(values, rng)


def jittered(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Values (n, d) with noise of 1e-10 of a column's scale, which tells tied ones apart as Kraskov et al. advise.

    Users give their data and the estimate one seed: noise in the order in which ``rng`` draws it could be the numbers that the
    data were made of, and ties would be told apart by what they hide. So its rows change places by another generator.
    """
    scale = np.maximum(values.std(0), np.finfo(float).tiny)
    noise = rng.normal(size=values.shape)
    return values + 1e-10 * scale * rng.spawn(1)[0].permutation(noise)


def disjoint_parts(n: int, groups: np.ndarray | None, rows: int, rng: np.random.Generator) -> tuple[np.ndarray, int, int]:
    """Two to ten parts of about ``rows`` rows or more, whole groups each: the part of each row (n,), how many, and the groups.

    Disjoint parts share no row, and the variance of an estimate falls as 1 / n (Holmes & Nemenman, 2019): resampling with
    replacement would read its own duplicates as information.
    """
    units = np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1].ravel()
    n_units = int(units.max()) + 1
    n_parts = int(np.clip(min(n // rows, n_units), 2, 10))
    return _deal(units, n_parts, rng)[units], n_parts, n_units


def _deal(units: np.ndarray, n_parts: int, rng: np.random.Generator) -> np.ndarray:
    """Part of each unit, the largest dealt first, each to the part with fewest rows so far."""
    sizes = np.bincount(units)
    order = rng.permutation(len(sizes))
    part, filled = np.empty(len(sizes), dtype=np.int64), np.zeros(n_parts, dtype=np.int64)
    for unit in order[np.argsort(-sizes[order], kind="stable")]:
        part[unit] = filled.argmin()
        filled[part[unit]] += sizes[unit]
    return part


def spread(
    value: float, rows_stderr: float, parts: Sequence[float] | np.ndarray, halves: Sequence[float]
) -> tuple[float, float, float]:
    """Standard error, drift of ``value`` from the estimates of halves, half of the 95 % interval.

    The variance is a weighted mean of what the spread of the rows' contributions gives and what the estimates of disjoint parts
    give: two or three parts alone are near each other by chance often enough, and the interval would be absurdly narrow.

    References:
        Smyth, 2004, 'Linear models and empirical Bayes methods' (doi 10.2202/1544-6115.1027), section 3, for the weights.

    Arguments:
        value: The estimate of all rows.
        rows_stderr: Standard error by the rows' contributions as if they were independent.
        parts: Estimates of disjoint parts.
        halves: Estimates of two halves.
    """
    by_rows, by_parts = SHARED_NEIGHBOURS * rows_stderr, float(np.std(parts, ddof=1) / np.sqrt(len(parts)))
    freedom = len(parts) - 1
    stderr = float(np.sqrt((ROWS_COUNT_FOR * by_rows**2 + freedom * by_parts**2) / (ROWS_COUNT_FOR + freedom)))
    drift = value - float(np.mean(halves))
    return stderr, drift, float(np.hypot(stdtrit(ROWS_COUNT_FOR + freedom, 0.975) * stderr, 2 * drift))


def drift_warnings(drift: float, stderr: float) -> list[str]:
    """A sentence where the estimate moved with the number of rows."""
    if abs(drift) <= max(0.02, 2 * stderr):
        return []
    return [f"The estimate moved by {drift:+.3f} nats from half of the rows to all: it is biased at this n."]
