"""The test of a lag scan: whether any lag shows more than unrelated series of such memory show by chance."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import legendre
from scipy.stats import rankdata

from mine.information.series import Series

__all__ = ["FEWEST_SPANS", "LagTest", "functions", "gumbel_test", "lag_test"]

#: Polynomials of a number's ranks, and functions of a side at most.
DEGREES, MOST_FUNCTIONS = 6, 32
#: Share of a function's variance that must be its own: functions of few distinct values repeat one another.
OWN_VARIANCE = 1e-3
#: Levels of a label that are told apart.
MOST_LEVELS = 12
#: Times that rows remember, by which a shift must miss the lags; and the share of the rows that this may take.
MISSES, MOST_MISSED = 2.0, 0.1
#: Spans of lags that must fit into the shifts: fewer say nothing about the largest of a span.
FEWEST_SPANS = 6.0
#: By how much a spread that is measured on few spans is taken to be larger, for one span: chosen on autoregressions.
FEW_SPANS_DOUBT = 3.0
#: Level of the null band.
LEVEL = 0.05


@dataclass(frozen=True)
class LagTest:
    """What the test found, in nats.

    Attributes:
        statistics: Of each lag, shape (k,): the information that the functions show if it is weak, less that by chance.
        p_values: Of each lag, shape (k,), adjusted for all lags; NaN where the rows are too few for a test.
        band: What the strongest of the lags shows by chance, in one of twenty pairs of unrelated series; NaN likewise.
        spans: How many spans of lags fit into the shifts that were compared.
        independent_rows: How many rows a typical one of several series is worth.
    """

    statistics: np.ndarray
    p_values: np.ndarray
    band: float
    spans: float
    independent_rows: float = math.inf


def lag_test(x: Series, y: Series, lags: np.ndarray, time: float) -> LagTest:
    """Compare the lags with all other shifts of y against x, each window of lags by its maximum.

    The statistic of a lag is ``sum w_i w_j C_ij^2 / 2``, where ``C_ij`` is the mean product of function i of x and function j
    of y that much later. Functions are orthonormal polynomials of ranks, weighted by one over their degree, and indicators of
    labels. If all weights were 1, this would be the information of a weak dependence, to second order. One Fourier transform
    gives it for all circular shifts, which keep what each series is by itself.

    Under independence the window of the lags is like any other window of shifts. The p-value of a lag is the probability that
    the maximum of a window reaches the lag's statistic: the larger of the share of windows that do, and the tail of a Gumbel
    distribution with the mean and spread of their maxima.

    References:
        Kallenberg & Ledwina, 1999, 'Data-driven rank tests for independence' (doi 10.1080/01621459.1999.10473844), for the
        polynomials; Harris, 2020, 'A shift test for independence in generic time series' (arXiv 2012.06862); Westfall & Young,
        1993, 'Resampling-based multiple testing', for the maximum.

    Arguments:
        x: The series that comes first at positive lags, n rows.
        y: The other series.
        lags: Whole numbers, shape (k,).
        time: Rows that tell as much as one independent row.
    """
    every = shift_statistics(x, y)
    n = len(every)
    span = int(lags.max() - lags.min()) + 1
    misses = span + min(math.ceil(MISSES * time), int(MOST_MISSED * n))
    shifts = np.arange(misses, n - misses + 1)
    spans = len(shifts) / (span + time)
    observed = every[lags % n]
    if spans < FEWEST_SPANS:
        unknown = np.full(len(lags), np.nan)
        return LagTest(observed - every.mean(), unknown, math.nan, max(spans, 0.0))
    maxima = np.full(len(shifts), -np.inf)
    for lag in lags:
        np.maximum(maxima, every[(shifts + lag) % n], out=maxima)
    chance = float(every[(shifts[:, None] + lags[[0, -1]]) % n].mean())
    return gumbel_test(observed, maxima, chance, spans)


def gumbel_test(observed: np.ndarray, maxima: np.ndarray, chance: float, spans: float) -> LagTest:
    """What statistics of lags (k,) are worth against the maxima (m,) of windows that show chance alone.

    Arguments:
        observed: The statistic of each lag.
        maxima: The largest one of each window.
        chance: The mean of a single one by chance.
        spans: How many windows are independent.
    """
    scale = float(maxima.std()) * math.sqrt(6) / math.pi * (1 + FEW_SPANS_DOUBT / spans)
    centre = float(maxima.mean()) - np.euler_gamma * scale
    fitted = -np.expm1(-np.exp(-(observed - centre) / max(scale, 1e-300)))
    counted = (len(maxima) - np.searchsorted(np.sort(maxima), observed) + 1) / (len(maxima) + 1)
    edge = max(centre - scale * math.log(-math.log1p(-LEVEL)), float(np.quantile(maxima, 1 - LEVEL)))
    return LagTest(observed - chance, np.maximum(fitted, counted), edge - chance, spans)


def shift_statistics(x: Series, y: Series) -> np.ndarray:
    """The statistic (nats) of y shifted by every number of rows against x, shape (n,): entry s sets x_t against y_{t+s}."""
    (left, weights_x, present_x), (right, weights_y, present_y) = (functions(series) for series in (x, y))
    n = len(left)
    counts = np.fft.irfft(np.conj(np.fft.rfft(present_x)) * np.fft.rfft(present_y), n).round().clip(1)
    after = np.fft.rfft(right, axis=0)
    out = np.zeros(n)
    for column, weight in zip(left.T, weights_x, strict=True):
        products = np.fft.irfft(np.conj(np.fft.rfft(column))[:, None] * after, n, axis=0) / counts[:, None]
        out += weight * (products**2 @ weights_y)
    return out / 2


def functions(series: Series, codes: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Orthonormal functions (n, f) of the rows, 0 where a value is missing, their weights (f,), and where none is (n,).

    Arguments:
        series: The series, n rows.
        codes: Number of each row's part (n,), within which the functions have mean 0; None takes all rows as one.
    """
    groups, present = _raw_functions(series)
    part = np.zeros(int(present.sum()), np.int64) if codes is None else codes[present]
    n, m = len(present), int(present.sum())
    kept, weights = np.empty((m, 0)), []
    for degree, group in enumerate(groups, 1):
        values = group[present] - _means(group[present], part)
        scale = values.std(0)
        values = values[:, scale > 1e-9] / scale[scale > 1e-9]
        values -= kept @ (kept.T @ values) / m
        if not values.shape[1]:
            continue
        left, sizes, _ = np.linalg.svd(values, full_matrices=False)
        own = left[:, sizes**2 > OWN_VARIANCE * m][:, : MOST_FUNCTIONS - kept.shape[1]] * math.sqrt(m)
        kept = np.concatenate([kept, own], 1)
        weights += [1 / degree] * own.shape[1]
    out = np.zeros((n, kept.shape[1]))
    out[present] = kept
    return out, np.array(weights), present.astype(float)


def _means(values: np.ndarray, part: np.ndarray) -> np.ndarray:
    """The mean of each column of ``values`` (n, f), or of the rows of each part (n,) by itself, in its rows."""
    if not len(part) or not part.any():
        return values.mean(0)
    counts = np.bincount(part)
    sums = np.stack([np.bincount(part, weights=column) for column in values.T], 1)
    return (sums / np.maximum(counts, 1)[:, None])[part]


def _raw_functions(series: Series) -> tuple[list[np.ndarray], np.ndarray]:
    """Groups of functions (n, f) of rising degree, indicators of labels among the first; and the rows without a gap (n,)."""
    present = np.ones(len(series), bool)
    degrees: list[list[np.ndarray]] = [[] for _ in range(DEGREES)]
    for values, is_label in zip(series.values.T, series.labels, strict=True):
        if is_label:
            missing = np.array([value is None for value in values])
            codes = np.unique(np.where(missing, "", values).astype(str), return_inverse=True)[1]
            commonest = np.argsort(-np.bincount(codes[~missing]), kind="stable")[:MOST_LEVELS]
            degrees[0] += list((codes[:, None] == commonest).T.astype(float))
        else:
            numbers = values.astype(float)
            missing = ~np.isfinite(numbers)
            ranks = np.zeros(len(numbers))
            ranks[~missing] = (rankdata(numbers[~missing]) - 0.5) / max(1, int((~missing).sum()))
            for degree in range(DEGREES):
                degrees[degree].append(legendre.legval(2 * ranks - 1, np.eye(DEGREES + 1)[degree + 1]))
        present &= ~missing
    return [np.stack(group, 1) for group in degrees if group], present
