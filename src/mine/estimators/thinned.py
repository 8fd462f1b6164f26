"""Methods for independent rows on rows in the order of time: on every k-th row, and again on the rows between."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from mine.data.problem import Problem
from mine.data.rows import MIN_ROWS
from mine.estimators.neural import Neural
from mine.result import Estimate

__all__ = ["run_in_order", "thinned"]

#: Sets of rows that are estimated apart at most.
MOST_SETS = 8


def _run(estimator: Any, problem: Problem) -> Estimate:
    return estimator.run(problem)


def run_in_order(estimator: Any, problem: Problem, run: Callable[[Any, Problem], Estimate] = _run) -> Estimate:
    """``run(estimator, problem)``, by :func:`thinned` where rows have an order of which the method knows nothing.

    Neural methods know: their folds are stretches of time.
    """
    if problem.order is None or isinstance(estimator, Neural):
        return run(estimator, problem)
    return thinned(lambda part, _: run(estimator, part), problem)


def thinned(run: Callable[[Problem, np.ndarray], Estimate], problem: Problem) -> Estimate:
    """The mean of ``run`` on sets of rows far enough apart in time to count as independent.

    A series' neighbours are near one another because little time has passed: nearest neighbours and small samples' corrections
    would take that for information. Rows of one set stand ``order.time`` apart, so that both are right; the mean over the
    sets that lie between one another uses every row. Its interval is that of one set: neighbouring sets tell nearly the same.

    Arguments:
        run: An estimate of a problem without order, which is told its row numbers (m,) in ``problem`` too.
        problem: The problem, with order.

    Returns:
        The estimate, of all rows.
    """
    order = problem.order
    assert order is not None
    count = max(1, min(math.ceil(order.time), problem.n // MIN_ROWS))
    count = next((near for near in _nearby(count, problem.n // MIN_ROWS) if _both_vary(problem, order.rows(near))), count)
    sets = order.rows(count)
    chosen = sorted({round(k) for k in np.linspace(0, count - 1, min(count, MOST_SETS))})
    parts = [run(_part(problem, sets[k]), sets[k]) for k in chosen]
    value = float(np.mean([part.value for part in parts]))
    # Sets that stand too near, for want of rows, tell less than they seem to.
    factor = math.sqrt(max(1.0, order.time / count))
    below, above = (factor * float(np.mean([side(part) for part in parts])) for side in (_below, _above))
    bounds = [part.lower_bound for part in parts]
    first = parts[0]
    diagnostics: dict[str, Any] = {
        **first.diagnostics,
        "rows_apart": count,
        "sets_of_rows": len(parts),
        "warnings": _shared_warnings([part.warnings for part in parts]),
    }
    return replace(
        first,
        value=value,
        lower_bound=float(np.mean([b for b in bounds if b is not None])) if None not in bounds else None,
        stderr=factor * float(np.mean([part.stderr for part in parts])),
        interval=(value - below, value + above),
        n=problem.n,
        diagnostics=diagnostics,
        pointwise_values=None,
        influence=None,
    )


def _nearby(count: int, most: int) -> list[int]:
    """The distance and those next to it, the nearest first: a side whose period divides it is constant in every set."""
    return sorted((near for near in range(max(1, count - 4), count + 5) if near <= max(most, 1)), key=lambda c: abs(c - count))


def _both_vary(problem: Problem, sets: list[np.ndarray]) -> bool:
    """Whether the numbers of either side vary in each set of rows."""
    sides = [side.flat for side in (problem.x, problem.y) if side.n_continuous]
    return all((side[rows] != side[rows[0]]).any() for side in sides for rows in sets)


def _shared_warnings(parts: list[list[str]]) -> list[str]:
    """One of each kind of warning that half of the parts or more give; a kind is told by its first words, before any number."""
    kinds: dict[str, list[str]] = {}
    for warning in (warning for part in parts for warning in part):
        kinds.setdefault(" ".join(warning.split()[:4]), []).append(warning)
    return [found[0] for found in kinds.values() if 2 * len(found) >= len(parts)]


def _below(part: Estimate) -> float:
    return part.value - part.interval[0]


def _above(part: Estimate) -> float:
    return part.interval[1] - part.value


def _part(problem: Problem, rows: np.ndarray) -> Problem:
    """These rows as a problem of independent ones; of many subjects each keeps together."""
    order = problem.order
    groups = None if order is None or order.series is None or order.in_stretches else order.series[rows]
    return replace(problem, x=problem.x.take(rows), y=problem.y.take(rows), groups=groups, copies=0, order=None, whole=problem)
