"""The test of a lag scan of several series: each is shifted by itself, so that no shift sets one against another."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from mine.data.serial import slowest_autocorrelation, summed_time
from mine.data.subjects import Subjects
from mine.information.series import Series
from mine.series.lag_test import FEWEST_SPANS, MISSES, LagTest, functions, gumbel_test

__all__ = ["ENOUGH_INDEPENDENT", "subject_lag_test"]

#: Rows that a typical series must be worth: where its end meets its beginning counts too much below. Autoregressions of phi .97
#: with 60 rows were rejected at 11 %, of phi .9 with 40 rows at 5 %.
ENOUGH_INDEPENDENT = 7.0

#: Joint shifts that are drawn, the fewest, and the additions that they may take.
DRAWS, FEWEST_DRAWS, MOST_ADDITIONS = 999, 199, 1e9


def subject_lag_test(x: Series, y: Series, lags: np.ndarray, subjects: Subjects, seed: int) -> LagTest:
    """Compare the lags with windows of lags in which every series is shifted by a random length of its own.

    The statistic is that of :func:`mine.series.lag_test.lag_test`, of products that are summed over the series. Functions have
    mean 0 within each of them. So a difference between series, which every shift leaves as it is, adds nothing.

    Arguments:
        x: The series that come first at positive lags, one after the other.
        y: The other ones.
        lags: Whole numbers, shape (k,).
        subjects: Which rows are whose.
        seed: Of the shifts.
    """
    codes = subjects.codes
    (left, weights_x, present_x), (right, weights_y, present_y) = (functions(series, codes) for series in (x, y))
    time = summed_time(slowest_autocorrelation(left) * slowest_autocorrelation(right)) if left.size and right.size else 1.0
    worth = float(np.median(subjects.lengths)) / time
    span = int(lags.max() - lags.min()) + 1
    possible = [_possible(int(length), span, time) for length in subjects.lengths]
    spans = math.exp(min(30.0, sum(math.log(max(1.0, len(shifts) / (span + time))) for shifts in possible)))
    cost = len(lags) * len(possible) * left.shape[1] * right.shape[1]
    draws = int(np.clip(MOST_ADDITIONS / max(1, cost), FEWEST_DRAWS, DRAWS))
    rng = np.random.default_rng(seed)
    shifts = np.stack([np.append(0, rng.choice(each, draws)) for each in possible], 1)  # (1 + m, s), the true ones first
    windows = np.zeros((len(shifts), len(lags)))
    counts = np.maximum(_windows(present_x, present_y[:, None], subjects, shifts, lags)[..., 0], 1)
    for column, weight in zip(left.T, weights_x, strict=True):
        products = _windows(column, right, subjects, shifts, lags) / counts[..., None]
        windows += weight * (products**2 @ weights_y) / 2
    chance = float(windows[1:].mean())
    if spans < FEWEST_SPANS:
        return LagTest(windows[0] - chance, np.full(len(lags), np.nan), math.nan, spans, worth)
    return replace(gumbel_test(windows[0], windows[1:].max(1), chance, min(spans, float(draws))), independent_rows=worth)


def _possible(length: int, span: int, time: float) -> np.ndarray:
    """Shifts of one series: those that miss the lags, or all of them where that leaves less than half."""
    misses = span + math.ceil(MISSES * time)
    return np.arange(length) if length < 4 * misses else np.arange(misses, length - misses + 1)


def _windows(x: np.ndarray, y: np.ndarray, subjects: Subjects, shifts: np.ndarray, lags: np.ndarray) -> np.ndarray:
    """Sums of the products of x (n,) with each column of y (n, g) at the lags, by joint shift: shape (m, k, g)."""
    out = np.zeros((len(shifts), len(lags), y.shape[1]))
    for part, shift in zip(subjects.parts(), shifts.T, strict=True):
        n = part.stop - part.start
        spectrum = np.conj(np.fft.rfft(x[part]))[:, None] * np.fft.rfft(y[part], axis=0)
        out += np.fft.irfft(spectrum, n, axis=0)[(shift[:, None] + lags) % n]
    return out
