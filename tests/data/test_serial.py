"""Rows that resemble their neighbours: noticed where they do, and only there; how long the resemblance lasts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from mine.data.serial import (
    autocorrelations,
    is_sorted,
    joint_autocorrelations,
    same_season,
    serial_features,
    serial_sides,
    summed_time,
)  # fmt: skip
from mine.data.sides import as_variable
from mine.data.variable import Variable

Series = Callable[[int, float, np.random.Generator], np.ndarray]


def side(values: np.ndarray, name: str = "x") -> Variable:
    return as_variable(values, name)


def test_autocorrelations_are_those_of_the_definition():
    values = np.random.default_rng(0).normal(size=(60, 2)).cumsum(0)
    centred = values - values.mean(0)
    expected = [(centred[: 60 - k] * centred[k:]).sum(0) / (centred**2).sum(0) for k in range(8)]
    np.testing.assert_allclose(autocorrelations(values, 7), expected, atol=1e-12)


@pytest.mark.parametrize("phi", [0.5, 0.9])
def test_the_time_of_two_autoregressions_is_the_closed_form(autoregression: Series, phi: float):
    rng = np.random.default_rng(3)
    times = []
    for _ in range(10):
        x, y = (serial_features(side(autoregression(5000, phi, rng))) for _ in range(2))
        times.append(summed_time(joint_autocorrelations(x, y)))
    truth = (1 + phi**2) / (1 - phi**2)  # of the product of the two
    assert np.mean(times) == pytest.approx(truth, rel=0.15)


def test_independent_rows_are_never_called_a_series():
    rng = np.random.default_rng(1)
    for _ in range(150):
        x = rng.standard_t(2, size=(200, 3))
        assert not serial_sides(side(x), side(np.abs(x[:, :1]) + rng.normal(size=(200, 1)), "y"))


def test_both_sides_must_resemble_themselves(autoregression: Series):
    rng = np.random.default_rng(2)
    x, y = autoregression(600, 0.8, rng), autoregression(600, 0.8, rng)
    assert serial_sides(side(x), side(y, "y"))
    assert not serial_sides(side(x), side(rng.permutation(y), "y"))


def test_wild_and_calm_stretches_are_seen(autoregression: Series):
    """Signs that are independent, of an amplitude that is not: as returns of markets."""
    rng = np.random.default_rng(4)
    x, y = (np.exp(autoregression(3000, 0.97, rng)) * rng.normal(size=3000) for _ in range(2))
    assert serial_sides(side(x), side(y, "y"))


def test_states_are_seen(autoregression: Series):
    rng = np.random.default_rng(5)
    x, y = (np.where(autoregression(1000, 0.9, rng) > 0, "up", "down") for _ in range(2))
    assert serial_sides(side(x), side(y, "y"))


@pytest.mark.parametrize("shape", ["counts", "rounded"])
def test_slow_counts_are_seen(autoregression: Series, shape: str):
    """Labels of a dozen levels, none of which lasts: only their order tells that they move slowly."""
    rng = np.random.default_rng(8)
    for _ in range(5):
        slow = [autoregression(800, 0.93, rng) for _ in range(2)]
        x, y = (rng.poisson(np.exp(1 + 0.8 * s)) if shape == "counts" else np.round(s) for s in slow)
        labels = [as_variable(values, name, True) for values, name in ((x, "x"), (y, "y"))]
        assert labels[0].is_label and serial_sides(*labels)
        shuffled = [as_variable(rng.permutation(values), name, True) for values, name in ((x, "x"), (y, "y"))]
        assert not serial_sides(*shuffled)


def test_a_sorted_table_is_no_series():
    rng = np.random.default_rng(6)
    x = np.linspace(-3, 3, 500)
    assert is_sorted(side(x)) and is_sorted(side(-x)) and is_sorted(side(np.repeat(["b", "a"], 50)))
    assert not serial_sides(side(x), side(np.sin(x) + 0.3 * rng.normal(size=500), "y"))


def _season(n: int, period: float, rng: np.random.Generator) -> np.ndarray:
    """A sine of an unknown phase with autoregressive noise, as a feature (n, 1)."""
    noise = rng.normal(size=n)
    for t in range(1, n):
        noise[t] += 0.5 * noise[t - 1]
    return (2 * np.sin(2 * np.pi * np.arange(n) / period + rng.uniform(0, 6)) + noise)[:, None]


@pytest.mark.parametrize(("n", "period"), [(240, 12), (400, 50), (600, 24), (1500, 7), (1000, 365.25 / 7)])
def test_two_series_of_one_period_have_the_same_season(n: int, period: float):
    rng = np.random.default_rng(int(n + period))
    assert same_season(_season(n, period, rng), _season(n, period, rng))


def test_other_periods_and_long_memories_are_no_common_season():
    rng = np.random.default_rng(5)
    for n in (200, 400, 1000):
        walk, white = rng.normal(size=(n, 1)).cumsum(0), rng.normal(size=(n, 1))
        wave = _season(n, 20, rng)
        assert not any(same_season(wave, other) for other in (walk, white, _season(n, 13, rng)))
        assert not same_season(walk, rng.normal(size=(n, 1)).cumsum(0))
