"""Estimates that need joint rows only: shuffled pairs resolve no more, or an edge or a heap is sharper than critics are."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from mine.data.problem import Problem, clustered_stderr
from mine.data.sides import as_variable
from mine.data.splits import make_folds
from mine.data.variable import Variable
from mine.errors import NotEnoughDataError
from mine.estimators.crossfit import FALLS_SHORT, interval_half_width
from mine.estimators.fit import CrossFit
from mine.estimators.neighbours import prepared
from mine.estimators.rank_neighbours import Scores
from mine.estimators.reference import base_partition, base_ratio
from mine.estimators.residual import MOST_COLUMNS, Residual, best_residual, fit_neighbors
from mine.estimators.ross import merge_rare, ross_rows
from mine.estimators.screen import screened
from mine.estimators.ties import is_heaped, tied_column
from mine.result import Estimate

__all__ = ["by_copula", "by_heaps", "by_residual", "by_ross"]

#: From this many nats on a partition term over shuffled pairs is noisy; below, a residual is only tried on a few columns.
STRONG, FEW_COLUMNS = 3.0, 3
#: Within so many nats of what shuffled pairs can resolve, a bound from them already falls short.
NEAR_LIMIT = 3.0
#: Fewest rows, and as many as nearest neighbours are asked about.
FEWEST_ROWS, MOST_ROWS = 200, 20_000
#: Rows from which a residual is tried where the critics could do as well: fewer make its entropies the noisier of the two.
ROWS_TO_SPARE = 2000
#: Uncertainty (nats a coordinate) of the difference of two entropies from nearest neighbours.
ENTROPY_MISFIT = 0.015
#: And of a curve whose noise is hardly wider than its rows are apart: within so many nats of the log of their number.
BENT_MISFIT, BENT_MARGIN = 0.15, 2.0
#: And of scores that follow many quantiles, times the root of the rows: so few rows between two of them give their own shape.
FINE_MISFIT = 3.0
#: How much less (nats) local fits find, since they err themselves: at the log of the number of rows, and least, which is
#: reached so many nats below.
FIT_ERROR, LEAST_FIT_ERROR, FIT_RANGE = 0.3, 0.06, 4.0
#: How strongly relations in several columns bend, as a squared second derivative in units of the spread; and from how many nats
#: between the value and the upper end on a warning says why.
BENDS, FAR_ABOVE = 1.3, 0.5
#: How many times further what is explained may fall than it fell from half of the rows to all, for several coordinates.
STILL_TO_FALL = 3.0
#: Coordinates of a target from which on both ways of explaining should agree, and critics or a copula too, or the interval
#: holds all of them; and what critics may always miss (nats).
SEVERAL, LEAST_SHORT = 3, 0.25
#: First words of warnings that are about the bound, and are left out where it is not the value.
ON_THE_BOUND = ("Saturated", "The bias", "The bound is", "The bound on held-out rows")
#: The warning of fits whose neighbours are far apart.
FIT_IN_COLUMNS = (
    "The relation bends, and local fits in several columns to so few rows take a part of the bend for noise: the value may be "
    "too low, as far as the interval says. More rows would help."
)
#: Most columns of numbers beside a label in which nearest neighbours are asked; and how many of them.
ROSS_COLUMNS, ROSS_NEIGHBORS = 2, 5


def by_residual(estimate: Estimate, problem: Problem, remainder: Callable[[Problem], Estimate]) -> Estimate | None:
    """``h(y) - h(e) + I(x; e)`` with ``e`` what a regression leaves of y, where that tells more than ``estimate``.

    Arguments:
        estimate: The bound from shuffled pairs, in nats.
        problem: The data.
        remainder: Estimates I(x; e).

    Returns:
        The estimate, or None where the sides are not both continuous, narrow and long enough, or the critics have found as
        much themselves.
    """
    if problem.order is not None:  # its neighbours would be rows near in time
        return None
    x, y = problem.x, problem.y
    dims = (x.n_continuous, y.n_continuous)
    strong = estimate.diagnostics["saturated"] or estimate.value > STRONG
    if x.n_discrete or y.n_discrete or problem.n < FEWEST_ROWS or min(dims) > MOST_COLUMNS:
        return None
    if not strong and (max(dims) > FEW_COLUMNS or problem.n < ROWS_TO_SPARE):
        return None
    (seed,) = problem.seeds(1)
    rows = np.arange(problem.n)
    if problem.n > MOST_ROWS:
        rows = np.sort(np.random.default_rng(seed).choice(problem.n, MOST_ROWS, replace=False))
    groups = None if problem.groups is None else problem.groups[rows]
    try:
        folds = make_folds(len(rows), 3, seed, groups)
    except NotEnoughDataError:
        return None
    residual = best_residual(x.take(rows).flat, y.take(rows).flat, folds)
    if residual is None:
        return None
    stderr = clustered_stderr(residual.rows, groups)
    if not estimate.diagnostics["saturated"] and not _surely_more(residual.rows, estimate, rows, groups):
        return None
    target = (x if residual.swapped else y).name
    predictor = (y if residual.swapped else x).take(rows)
    rest = remainder(replace(problem, x=predictor, y=as_variable(residual.e, f"residual of {target}"), groups=groups))
    return _joined(estimate, residual, stderr, rest, len(rows), target, predictor)


def by_ross(estimate: Estimate, problem: Problem) -> Estimate | None:
    """Ross' estimate between a label and a number or two, where it surely tells more: no network draws an edge that sharp.

    Arguments:
        estimate: The bound from shuffled pairs, in nats.
        problem: The data.

    Returns:
        The estimate, or None where the data are not of that kind, or the critics have found as much themselves.
    """
    if problem.groups is not None or problem.n > MOST_ROWS:  # neighbours within a group are near for other reasons
        return None
    for numbers, label in ((problem.x, problem.y), (problem.y, problem.x)):
        if not label.is_label or numbers.n_discrete or not 1 <= numbers.n_continuous <= ROSS_COLUMNS:
            continue
        labels, _ = merge_rare(label.row_ids(), ROSS_NEIGHBORS + 1)
        if np.bincount(labels).min() <= ROSS_NEIGHBORS:
            return None
        values = prepared(numbers.flat, "robust", np.random.default_rng(problem.seeds(1)[0]))
        rows = ross_rows(values, labels, ROSS_NEIGHBORS)
        if not _surely_more(rows, estimate, np.arange(problem.n), None):
            return None
        value, stderr = float(rows.mean()), clustered_stderr(rows, None)
        half_width = math.hypot(interval_half_width(stderr, 0.0, problem.n), ENTROPY_MISFIT * numbers.n_continuous)
        diagnostics: dict[str, Any] = {
            **estimate.diagnostics,
            "basis": f"nearest neighbours in {numbers.name} within the labels of {label.name} (Ross)",
            "bias_correction": 0.0,
            "shuffled_pairs_nats": estimate.value,
        }
        interval = (value - half_width, value + half_width)
        return replace(estimate, value=value, stderr=stderr, interval=interval, diagnostics=diagnostics)
    return None


def by_heaps(estimate: Estimate, problem: Problem) -> Estimate | None:
    """Nearest neighbours on ranks of two columns of numbers with a heap at one value, where they surely find more.

    Rainfall's zeros are one point among numbers. Critics that see few other rows put its edge in the wrong place, or go
    astray; neighbours count the heap. Surely more: the lower end of their interval is above the held-out bound.

    Arguments:
        estimate: The bound from shuffled pairs, in nats.
        problem: The data.

    Returns:
        The estimate, or None where the data are not of that kind, or the critics have found as much themselves.
    """
    x, y = problem.x, problem.y
    single = all(side.n_continuous == 1 and not side.n_discrete for side in (x, y))
    if not single or problem.order is not None or problem.groups is not None or problem.n > MOST_ROWS:
        return None
    if tied_column(x, y, tied=is_heaped) is None:
        return None
    rng = np.random.default_rng(problem.seeds(1)[0])
    found = screened(*(Scores.of(side.flat[:, 0], rng) for side in (x, y)))
    if found.value <= estimate.value or (estimate.lower_bound is not None and found.low <= estimate.lower_bound):
        return None
    diagnostics: dict[str, Any] = {
        **estimate.diagnostics,
        "basis": found.basis,
        "bias_correction": 0.0,
        "saturated": bool(found.unresolved),
        "shuffled_pairs_nats": estimate.value,
        "warnings": [w for w in estimate.warnings if not w.startswith(ON_THE_BOUND)],
    }
    if found.unresolved:
        diagnostics["warnings"].insert(0, f"{found.unresolved[0].upper()}{found.unresolved[1:]}.")
    interval = (found.low, found.high)
    return replace(estimate, value=found.value, stderr=found.stderr, interval=interval, diagnostics=diagnostics)


def _surely_more(row_values: np.ndarray, estimate: Estimate, rows: np.ndarray, groups: np.ndarray | None) -> bool:
    """Whether the contributions ``row_values`` of ``rows`` exceed the critics' by three standard errors of their difference.

    Both are means of an estimate of the same log-ratio on the same rows: their difference is known far better than either.
    The largest of a dozen residuals is too large by luck, hence three and not two.
    """
    noise = 0.0 if estimate.pointwise_values is None else clustered_stderr(row_values - estimate.pointwise_values[rows], groups)
    return float(row_values.mean()) > estimate.value + 3 * noise


def _joined(
    estimate: Estimate, residual: Residual, stderr: float, rest: Estimate, n: int, target: str, predictor: Variable
) -> Estimate | None:
    value, columns = residual.explained + rest.value, predictor.n_continuous
    if value <= estimate.value and not estimate.diagnostics["saturated"]:
        return None
    stderr = math.hypot(stderr, rest.stderr)
    bent, fine = not residual.name.startswith("linear"), "fine" in residual.name
    half_width = math.hypot(
        interval_half_width(stderr, rest.diagnostics["bias_correction"], n),
        ENTROPY_MISFIT * residual.e.shape[1],
        BENT_MISFIT if bent and value > math.log(n) - BENT_MARGIN else 0.0,
        FINE_MISFIT / math.sqrt(n) if fine else 0.0,
    )
    below = math.hypot(half_width, _unresolved(residual))
    # So small a residual may be the error of the regression alone: the relation may be deterministic, of infinite information.
    # A line has few coefficients to err by; local fits err as soon as their neighbours are as far apart as the noise is wide.
    endless = value > math.log(n) + (-1 if bent else 2 * residual.e.shape[1])
    determined = estimate.diagnostics["determined"] is not None
    open_above = endless or determined or rest.diagnostics["saturated"] or not math.isfinite(rest.interval[1])
    warnings = [w for w in estimate.warnings if not w.startswith((*ON_THE_BOUND, "The critic misses"))]
    if endless and not determined:
        warnings.insert(
            0, "The relation may be deterministic, of infinite information: the value only says how closely it was fitted."
        )
    diagnostics: dict[str, Any] = {
        **estimate.diagnostics,
        "basis": f"residual: h({target}) - h(e) + I({predictor.name}; e), e = {target} minus a {residual.name}",
        "explained_nats": residual.explained,
        "remainder_nats": rest.value,
        "bias_correction": rest.diagnostics["bias_correction"],
        "converged": rest.diagnostics["converged"],
        "saturated": open_above,
        "shuffled_pairs_nats": estimate.value,
        "warnings": warnings,
    }
    missable = max(half_width, rest.interval[1] - rest.value)  # what critics may miss of the remainder is missing here too
    above = math.hypot(missable, _fit_error(value, n) if bent or "scores" in residual.name else 0.0)
    if bent and columns > 1:
        above = math.hypot(above, _bends_unresolved(residual, columns, n))
    low = value - below
    if residual.e.shape[1] >= SEVERAL:
        low = min(low, _supported(estimate, n))
    high = max(value + above, (estimate.diagnostics["regression_nats"] or 0.0) + half_width)  # another fit, of one column
    if bent and columns > 1 and not open_above:
        high = max(high, estimate.interval[1])  # local fits found more than critics, which does not mean that they found all
        if high > value + FAR_ABOVE:
            warnings.append(FIT_IN_COLUMNS)
    interval = (low, math.inf if open_above else high)
    return replace(estimate, value=value, stderr=stderr, interval=interval, diagnostics=diagnostics)


def _supported(estimate: Estimate, n: int) -> float:
    """The most (nats) that is known without entropies of several coordinates: by the critics, or by a copula that fits.

    Critics far below what ``n`` shuffled pairs resolve miss little; nearer to it they miss as much again as they went beyond.
    """
    short = max(LEAST_SHORT, estimate.value - math.log(n) + FALLS_SHORT)
    return max(estimate.value + 2 * short, estimate.diagnostics["copula_nats"] or 0.0)


def _unresolved(residual: Residual) -> float:
    """How far (nats) the truth may lie below what was found because the entropies of several coordinates are too large."""
    d = residual.e.shape[1]
    if d == 1:
        return 0.0
    disagreement = residual.explained - residual.other_way if d >= SEVERAL and residual.other_way is not None else 0.0
    return max(STILL_TO_FALL * residual.fall, disagreement, 0.0)


def _fit_error(value: float, n: int) -> float:
    """How far (nats) the truth may lie above what a local fit to ``n`` rows finds."""
    return max(LEAST_FIT_ERROR, FIT_ERROR * min(1.0, (value - math.log(n) + FIT_RANGE) / FIT_RANGE))


def _bends_unresolved(residual: Residual, columns: int, n: int) -> float:
    """How far (nats) the truth may lie above because a local fit in several columns takes bends for noise; infinite at worst.

    A fit to k of n rows in p columns reaches as far as ``(k / n)^(1 / p)`` of their spread, and errs by the square of that if
    the relation bends once over the spread. What part of the residual's variance that error may be is the question.
    """
    d = residual.e.shape[1]
    bend = BENDS * (fit_neighbors(columns) / (2 * n / 3)) ** (4 / columns)
    noise = 1 - bend * math.exp(min(2 * residual.explained / d, 700.0))
    return -0.5 * d * math.log(noise) if noise > 0 else math.inf


def by_copula(estimate: Estimate, fit: CrossFit) -> Estimate:
    """Where shuffled pairs are saturated, or near it: the mean log-ratio of the fitted copula, if it exceeds the bound.

    The partition function of a copula that fits is known (1), so its log-ratio needs joint rows only and has no limit. If
    shuffled pairs of held-out rows show that it does not fit, the bound stays. It is a model in any case: the interval stays
    open above, and below it ends where the bound does.
    """
    saturated, limit = estimate.diagnostics["saturated"], estimate.diagnostics["largest_resolvable_nats"]
    copula_ratio = base_ratio(fit) if saturated or estimate.value > limit - NEAR_LIMIT else None
    if copula_ratio is None:
        return estimate
    partition = base_partition(fit)
    if partition is None or not partition.fits:
        return estimate
    ratio, on_train = copula_ratio
    held = float(ratio.mean()) - partition.excess
    on_train -= partition.excess
    correction = 0.5 * (on_train - held)
    if held + correction <= estimate.value:
        return estimate
    copula = estimate.diagnostics["copula"]
    warning = (
        f"Shuffled pairs of {estimate.n:,} rows resolve at most {limit:.1f} nats. "
        f"The value comes from a fitted {copula} and is right only if the dependence has that form; the interval "
        "is what the data alone support."
    )
    diagnostics = {
        **estimate.diagnostics,
        "basis": f"model-based: {copula}",
        "bias_correction": correction,
        "warnings": [warning, *(w for w in estimate.warnings if not w.startswith(ON_THE_BOUND))],
    }
    stderr = fit.problem.stderr(ratio)
    low, high = estimate.interval
    high = max(high, held + correction + interval_half_width(stderr, correction, fit.problem.independent_rows))
    return replace(estimate, value=held + correction, stderr=stderr, interval=(low, high), diagnostics=diagnostics)
