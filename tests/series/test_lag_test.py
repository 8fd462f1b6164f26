"""The test over all lags: its statistic against sums written out, its level, and its power."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from mine.information.series import Series
from mine.series.lag_test import lag_test, shift_statistics


def series(values: np.ndarray) -> Series:
    label = values.dtype.kind not in "fiu"
    return Series(values.astype(object if label else float)[:, None], (label,))


def autoregression(seed: list[int], n: int, phi: float) -> np.ndarray:
    return np.asarray(lfilter([1], [1, -phi], np.random.default_rng(seed).normal(size=n + 1000)))[1000:]


def test_two_labels_give_half_the_chi_square_over_n() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.choice(["a", "b"], 80), rng.choice(["u", "v", "w"], 80)
    found = shift_statistics(series(x), series(y))
    for shift in (0, 1, 37):
        counts = np.array([[((x == a) & (np.roll(y, -shift) == b)).sum() for b in "uvw"] for a in "ab"])
        expected = np.outer(counts.sum(1), counts.sum(0)) / 80
        assert found[shift] == pytest.approx(((counts - expected) ** 2 / expected).sum() / 80 / 2, abs=1e-9)


def test_a_weak_monotone_dependence_shows_its_information() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=200_000)
    y = 0.2 * np.roll(x, 5) + rng.normal(size=200_000)
    found = shift_statistics(series(x), series(y))[:8]
    assert found[5] == pytest.approx(0.5 * np.log(1 + 0.2**2), rel=0.15) and np.delete(found, 5).max() < 1e-4


def test_missing_values_take_no_part() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=3000)
    y = np.roll(x, 3) + rng.normal(size=3000)
    holes = x.copy()
    holes[::7] = np.nan
    whole, holed = (shift_statistics(series(side), series(y))[3] for side in (x, holes))
    assert holed == pytest.approx(whole, rel=0.1)


@pytest.mark.parametrize("phi", [0.0, 0.9])
def test_level(phi: float) -> None:
    """Of 120 pairs of unrelated series about six have a lag at 5 %: 14 or more have a probability below 0.3 %."""
    lags, time = np.arange(-10, 11), (1 + phi**2) / (1 - phi**2)
    smallest = [
        lag_test(series(autoregression([s, 0], 600, phi)), series(autoregression([s, 1], 600, phi)), lags, time).p_values.min()
        for s in range(120)
    ]
    assert sum(p <= 0.05 for p in smallest) < 14 and sum(p <= 0.5 for p in smallest) > 40


@pytest.mark.parametrize("kind", ["line", "square", "spread", "label"])
def test_power(kind: str) -> None:
    found = 0
    for seed in range(5):
        rng = np.random.default_rng(seed)
        x, noise = rng.normal(size=(2, 800))
        later = np.roll(x, 4)
        y = {
            "line": 0.35 * later + noise,
            "square": 0.5 * later**2 + noise,
            "spread": np.exp(0.5 * later) * noise,
            "label": np.where(later + noise > 0, "up", "down"),
        }[kind]
        test = lag_test(series(x), series(y), np.arange(-20, 21), 1.0)
        found += test.p_values[24] <= 0.05 and np.delete(test.p_values, 24).min() > 0.005
    assert found >= 4


def test_too_few_rows_for_so_many_lags_give_no_p_value() -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 300))
    test = lag_test(series(x), series(y), np.arange(-40, 41), 1.0)
    assert np.isnan(test.p_values).all() and np.isnan(test.band)
