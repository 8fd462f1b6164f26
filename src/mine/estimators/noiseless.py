"""Whether a column of one side is a function of the other side without noise: the information is then infinite.

A smooth fit tells: without noise its error falls with every smaller assumption about noise, and with every row; with noise it
stops at the noise. A function made of flat pieces is fitted without any error by the nearest rows alone, however many pieces.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import KDTree

from mine.data.preprocessing import RobustLogScaler
from mine.data.problem import Problem
from mine.estimators.residual import entropy_rows
from mine.estimators.smooth_fit import SmoothFit, smooth_fits
from mine.result import Estimate

__all__ = ["STRONG_ENOUGH", "Regression", "noiseless_regression", "opened", "without_upper_end"]

#: Nats from which a relation may be one without noise: a closer look is worth its time.
STRONG_ENOUGH = 0.7

#: Rows of the first fit, which sorts out what is hardly predicted, and of the second.
FEW, MANY = 150, 450
#: Rows that are looked at in all, and fewest whose value occurs once. Values that repeat (the zeros of a ReLU) are left out.
ROWS, FEWEST = 2000, 60
#: Shares of the rows that have a value once: of all, and of those outside heaps (values of more than a fiftieth of the rows).
#: Rounded numbers have fewer: they tell no more than the logarithm of how many there are.
ONCE, ONCE_OUTSIDE_HEAPS, HEAP = 0.05, 0.6, 0.02
#: Most columns of a predictor, most columns of a target in the first and in the second fit.
PREDICTOR_COLUMNS, FIRST_COLUMNS, SECOND_COLUMNS = 30, 64, 6
#: Kernels of the second fit: the best ones of the first.
SECOND_KERNELS = 3
#: Error of the first fit, as a share of the target's spread, above which no second is made.
PREDICTED = 0.4
#: Error that is rounding, relative to the target's spread.
ROUNDING = 1e-6
#: Without noise the logarithm of the error falls by this much with three times the rows. Up to this error: a larger one can
#: hide noise of a few per cent. And up to this ratio of the largest errors to it: noise may be in a part of the rows only.
LEAST_FALL, FALL_ERROR, UNEVEN = 0.6, 0.04, 10.0
#: Or it falls by this much if the fit assumes (nearly) no noise, and somewhat with the rows; up to this error. Above the small
#: error it must gain more, in proportion: noise is not equally strong everywhere.
LEAST_GAIN, SOME_FALL, GAIN_ERROR, SMALL_ERROR = 0.15, 0.05, 0.1, 0.02
#: Local fits: columns of the predictor, rows asked about, largest error relative to how much the target varies between the rows
#: of the fit, and the share of rows without error that says there is no noise.
LOCAL_COLUMNS, LOCAL_ROWS, LOCAL_ERROR, EXACT_SHARE = 6, 200, 1e-7, 0.05


@dataclass(frozen=True)
class Regression:
    """What regressions of single columns on the other side found.

    Attributes:
        determined: A column and the side that determines it, ``"y1 by x"``, or None.
        nats: Information (nats) of the best predicted column by ``h(y) - h(e)``; None without a fit close enough.
        stderr: Its standard error.
    """

    determined: str | None = None
    nats: float | None = None
    stderr: float = 0.0

    @property
    def warnings(self) -> list[str]:
        """A sentence if the information may be infinite."""
        if self.determined is None:
            return []
        sentence = (
            "The relation may be deterministic, of infinite information: one side seems to determine a column of the other "
            f"without noise ({self.determined}). The value says only how closely the relation was fitted, and the interval has "
            "no upper end."
        )
        return [sentence]


def noiseless_regression(problem: Problem, *, both_ways: bool = True) -> Regression:
    """Look for a column that the other side determines; without ``both_ways`` only for one of y that x determines."""
    x, y = problem.x, problem.y
    if not x.n_continuous or not y.n_continuous:
        return Regression()
    rng = np.random.default_rng(problem.seed)
    rows = _strangers(problem, rng)
    if len(rows) > ROWS:
        rows = np.sort(rng.choice(rows, ROWS, replace=False))
    sides = [side.take(rows) for side in (x, y)]
    told: list[tuple[float, float]] = []
    for predictor, target in (sides, sides[::-1])[: 1 + both_ways]:
        if predictor.n_continuous > PREDICTOR_COLUMNS:
            continue
        values = target.flat
        for kept, columns in _targets(values[:, :FIRST_COLUMNS]):
            order = rng.permutation(kept)
            found, more = _regress(predictor.flat, values, order, columns)
            told += more if len(kept) == len(rows) else []
            if found is not None:
                return Regression(f"{target.columns[found]} by {predictor.name}")
    nats, stderr = max(told, default=(None, 0.0))
    return Regression(None, nats, stderr)


def _strangers(problem: Problem, rng: np.random.Generator) -> np.ndarray:
    """All rows, or one of each group or block of time: rows that are alike for another reason predict each other."""
    if problem.groups is None or problem.copies:
        return np.arange(problem.n)
    mixed = rng.permutation(problem.n)
    return np.sort(mixed[np.unique(problem.groups[mixed], return_index=True)[1]])


def opened(estimate: Estimate, problem: Problem) -> Estimate:
    """``estimate`` with an interval open above if one side determines a column of the other; for methods that do not ask."""
    if "determined" in estimate.diagnostics or estimate.value < STRONG_ENOUGH:
        return estimate
    regression = noiseless_regression(problem)
    estimate = replace(estimate, diagnostics={**estimate.diagnostics, "determined": regression.determined})
    return estimate if regression.determined is None else without_upper_end(estimate, *regression.warnings)


def without_upper_end(estimate: Estimate, *sentences: str) -> Estimate:
    """``estimate`` with an interval open above, and sentences that say why before its own warnings."""
    diagnostics = {**estimate.diagnostics, "warnings": [*sentences, *estimate.warnings]}
    return replace(estimate, interval=(estimate.interval[0], math.inf), diagnostics=diagnostics)


def _targets(values: np.ndarray) -> Iterator[tuple[np.ndarray, list[int]]]:
    """Rows (m,) whose value occurs once, and the columns of ``values`` (n, d) which that holds for."""
    columns: dict[bytes, tuple[np.ndarray, list[int]]] = {}
    for j, column in enumerate(values.T):
        _, inverse, counts = np.unique(column, return_inverse=True, return_counts=True)
        once, heaped = (counts == 1)[inverse.ravel()], (counts > max(3, HEAP * len(column)))[inverse.ravel()]
        if once.sum() < max(FEWEST, ONCE * len(column)) or once.sum() < ONCE_OUTSIDE_HEAPS * (~heaped).sum():
            continue
        columns.setdefault(once.tobytes(), (np.flatnonzero(once), []))[1].append(j)
    yield from columns.values()


def _regress(
    predictor: np.ndarray, values: np.ndarray, order: np.ndarray, columns: Sequence[int]
) -> tuple[int | None, list[tuple[float, float]]]:
    """A column out of ``columns`` of ``values`` that ``predictor`` determines, or None; nats and error of those it predicts."""
    first = _best_spaces(predictor, values, order[:FEW], columns)
    predicted = sorted((c for c in columns if first[c].error < PREDICTED), key=lambda c: first[c].error)[:SECOND_COLUMNS]
    exact = next((c for c in predicted if first[c].error < ROUNDING), None)
    if exact is None:  # a sawtooth of many teeth has pieces without noise that no smooth fit predicts
        jagged = [c for c in columns if c not in predicted][:SECOND_COLUMNS]
        exact = next((c for c in jagged if _is_piecewise(predictor[order], values[order, c])), None)
    if exact is not None or not predicted:
        return exact, []
    kernels = first[predicted[0]].kernels[:SECOND_KERNELS]
    second = _best_spaces(predictor, values, order[:MANY], predicted, kernels)
    told: list[tuple[float, float]] = []
    for column in predicted:
        fall = math.log(first[column].error / second[column].error)
        if _is_noiseless(second[column], fall) or _is_piecewise(predictor[order], values[order, column]):
            return column, []
        told.append(_told(second[column]))
    return None, told


def _is_noiseless(fit: SmoothFit, fall: float) -> bool:
    """Whether the error of ``fit``, whose logarithm fell by ``fall`` with three times the rows, shows no floor of noise."""
    even = fit.largest < UNEVEN * fit.error
    least_gain = LEAST_GAIN * max(1.0, fit.error / SMALL_ERROR)
    return (
        fit.error < ROUNDING
        or (fit.error < FALL_ERROR and fall > LEAST_FALL and even)
        or (fit.error < GAIN_ERROR and fit.gain > least_gain and fall > SOME_FALL)
    )


def _best_spaces(
    predictor: np.ndarray, values: np.ndarray, rows: np.ndarray, columns: Sequence[int], kernels: tuple | None = None
) -> dict[int, SmoothFit]:
    """The better fit of each column, to its scaled values or to the logits of its range: a saturated curve is steep in them."""
    u = predictor[rows]
    u = RobustLogScaler().fit_transform(u[:, (u != u[0]).any(0)])
    v = values[rows][:, list(columns)]
    targets = np.concatenate([RobustLogScaler().fit_transform(v), _logits(v)], 1)
    fits = smooth_fits(u, targets) if kernels is None else smooth_fits(u, targets, kernels)
    pairs = zip(columns, fits[: len(columns)], fits[len(columns) :], strict=True)
    return {column: min(a, b, key=lambda fit: fit.error) for column, a, b in pairs}


def _logits(values: np.ndarray) -> np.ndarray:
    """``log((v - lowest) / (highest - v))`` of each column; the lowest and the highest row lie a step beyond the others."""
    low, high = values.min(0), values.max(0)
    inside = (values > low) & (values < high)
    logits = np.log(np.where(inside, values - low, 1.0)) - np.log(np.where(inside, high - values, 1.0))
    ends = (np.where(inside, logits, np.inf).min(0) - 1, np.where(inside, logits, -np.inf).max(0) + 1)
    return np.where(inside, logits, np.where(values <= low, ends[0], ends[1]))


def _is_piecewise(predictor: np.ndarray, target: np.ndarray) -> bool:
    """Whether planes through the nearest rows meet a share of the rows exactly: no noise leaves that."""
    scaled = predictor / np.maximum(predictor.std(0), np.finfo(float).tiny)
    n, d = scaled.shape
    neighbors = 2 * (d + 1)
    if d > LOCAL_COLUMNS or n < 4 * neighbors:
        return False
    asked = slice(0, LOCAL_ROWS)
    index = KDTree(scaled).query(scaled[asked], neighbors + 1)[1]
    around = scaled[index] - scaled[asked, None]
    basis = np.linalg.svd(np.concatenate([np.ones((*index.shape, 1)), around], -1), full_matrices=False)[0]
    heights = (target[index] - target[asked, None])[..., None]
    error = np.abs(heights - basis @ (np.swapaxes(basis, 1, 2) @ heights)).max((1, 2))
    return float((error < LOCAL_ERROR * np.abs(heights).max((1, 2))).mean()) >= EXACT_SHARE


def _told(fit: SmoothFit) -> tuple[float, float]:
    """``h(y) - h(e)`` in nats, not above the information whatever the fit, and its standard error."""
    rows = entropy_rows(fit.target[:, None]) - entropy_rows(fit.residuals[:, None])
    return float(rows.mean()), float(rows.std() / math.sqrt(len(rows)))
