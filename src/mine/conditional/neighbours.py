"""Conditional information by nearest neighbours: one search in the joint space, whichever side is called x."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from mine.conditional.leftover import ROUNDING, without_copies_of_z, without_line
from mine.data.problem import Problem, clustered_stderr
from mine.data.variable import Variable
from mine.errors import NotEnoughDataError
from mine.estimators.gaussian import copula_information
from mine.estimators.ksg import FAR_NEIGHBOURS, KSG, conditional_ksg, conditional_ksg_rows, neighbours_are_far
from mine.estimators.neighbours import disjoint_parts, drift_warnings, jittered, prepared, spread
from mine.estimators.ties import check_neighbours, tied_column
from mine.result import Estimate

__all__ = ["check_sides", "neighbours_given", "neighbours_value"]


def neighbours_given(estimator: KSG, problem: Problem, third: Variable) -> Estimate:
    """``I(X; Y | Z)`` in nats by :func:`mine.estimators.ksg.conditional_ksg`, with the interval that its disjoint parts give.

    What a line in z predicts is taken out of x and y first, which leaves the information as it is: otherwise the neighbours of
    an x that is nearly z would be farther away than the noise is wide. Columns that follow from z up to rounding are left out.

    Raises:
        TiesError: Numbers heaped at one value.
        NotEnoughDataError: Too few distinct rows, or too few groups for the standard error.
    """
    n_before = problem.n
    problem, third = _checked(estimator, problem, third)
    n, k = problem.n, estimator.n_neighbors
    estimator.check(n, n_before)
    name = f"{estimator.name}, conditional"
    left = [without_copies_of_z(side, third) for side in (problem.x, problem.y)]
    for before, after in zip((problem.x, problem.y), left, strict=True):
        if after.determined:
            return follows_from_z(before, name, n)
    rng = np.random.default_rng(problem.seed)
    first, second, z = sides = _spaces(estimator, [after.side.flat for after in left], third, rng)
    contributions = conditional_ksg_rows(first, second, z, k)
    value = float(contributions.mean())

    part_of, n_parts, n_units = disjoint_parts(n, problem.groups, 8 * k + 8, rng)
    if np.bincount(part_of, minlength=n_parts).min() <= k:
        raise NotEnoughDataError(
            f"{n_units} distinct group(s) cannot be dealt into {n_parts} parts of more than {k} rows, which the standard error "
            "needs: use more or smaller groups."
        )

    def on(rows: np.ndarray) -> float:
        return conditional_ksg(first[rows], second[rows], z[rows], min(k, int(rows.sum()) - 1))

    parts = [on(part_of == p) for p in range(n_parts)]
    halves = [on(part_of % 2 == h) for h in (0, 1)]
    stderr, drift, half_width = spread(value, clustered_stderr(contributions, problem.groups), parts, halves)
    low, high = value - half_width, max(value + half_width, 0.0)  # it errs downwards where z explains nearly all
    warnings = drift_warnings(drift, stderr)
    reference = _copula_reference(*sides) if tied_column(problem.x, problem.y, third) is None else None
    if reference is not None and reference > value + 2 * stderr:  # neighbours are far apart in many columns, and KSG reads low
        if reference > high + half_width:
            warnings.append(
                f"KSG misses dependence here: a Gaussian copula alone gives {reference:.2f} nats given z. Use method 'auto'."
            )
        high = max(high, reference + half_width)
    if neighbours_are_far(np.concatenate([first, second, z], 1), k):
        high = math.inf
        warnings.insert(0, FAR_NEIGHBOURS)
    diagnostics = {
        "basis": "nearest neighbours in (x, y, z), counted in (x, z), (y, z) and z (Frenzel and Pompe)",
        "n_neighbors": k,
        "drift_from_half_the_rows": drift,
        "copula_nats": reference,
        "warnings": warnings,
    }
    return Estimate(value, None, stderr, (low, high), name, n, diagnostics=diagnostics)


def neighbours_value(estimator: KSG, problem: Problem, third: Variable) -> float:
    """The value of :func:`neighbours_given` alone, a third of its work: for surrogates, of which many are drawn."""
    problem, third = _checked(estimator, problem, third)
    left = [without_copies_of_z(side, third) for side in (problem.x, problem.y)]
    if any(after.determined for after in left):
        return 0.0
    spaces = _spaces(estimator, [after.side.flat for after in left], third, np.random.default_rng(problem.seed))
    return conditional_ksg(*spaces, estimator.n_neighbors)


def follows_from_z(side: Variable, name: str, n: int) -> Estimate:
    """0, for a side that is a function of z has no information beyond it."""
    warning = f"{', '.join(side.columns)} follows from z up to rounding: given z it says nothing about anything."
    diagnostics = {
        "basis": f"{side.name} is a function of z",
        "bias_correction": 0.0,
        "saturated": False,
        "warnings": [warning],
    }
    return Estimate(0.0, None, 0.0, (0.0, 0.0), name, n, diagnostics=diagnostics)


def check_sides(estimator: KSG, problem: Problem, third: Variable) -> None:
    """Refuse heaps of numbers on any of the three sides, as :func:`mine.estimators.ties.check_neighbours` does on two."""
    for side in (problem.y, third):
        check_neighbours(replace(problem, y=side), estimator.name)


def _checked(estimator: KSG, problem: Problem, third: Variable) -> tuple[Problem, Variable]:
    """Distinct rows of numbers without heaps."""
    if problem.whole is None:  # else all rows have been checked
        check_sides(estimator, problem, third)
    return _without_copies(problem, third)


def _spaces(
    estimator: KSG, sides: list[np.ndarray], third: Variable, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What a line in z leaves of the two sides, and z, each (n, d) at its scale and without ties.

    The sides are sorted by what they hold, whichever is called x: the noise that tells ties apart is drawn in this order.
    """
    ordered = sorted(sides, key=lambda values: (values.shape[1], values.tobytes()))
    z = prepared(third.flat, estimator.preprocess, rng)
    first, second = (_beside(prepared(values, estimator.preprocess, rng), z, rng) for values in ordered)
    return first, second, z


def _without_copies(problem: Problem, third: Variable) -> tuple[Problem, Variable]:
    """Each row of (x, y, z) once: a copy is a neighbour at distance 0, which reads as information."""
    if not problem.copies or problem.groups is None:
        return problem, third
    once = np.unique(problem.groups, return_index=True)[1]
    return replace(problem, x=problem.x.take(once), y=problem.y.take(once), groups=None), third.take(once)


def _beside(side: np.ndarray, z: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What a line in z leaves of the columns of a side (n, d), at the scale that they had, without ties."""
    left, share = without_line(side, z)
    return jittered(left / np.maximum(share, ROUNDING), rng)


def _copula_reference(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> float | None:
    """``I(x; y, z) - I(x; z)`` by Gaussian copulas; None for too few rows."""
    more, less = copula_information(x, np.concatenate([y, z], 1)), copula_information(x, z)
    return None if more is None or less is None else more - less
