"""The mixture of ratios, against closed forms and another optimiser."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.optimize import minimize

from mine.estimators.counts.mixture import fit_ratios, mixing_weights
from mine.estimators.counts.table import Table, distinct_codes


def test_weights_maximise_the_likelihood():
    rng = np.random.default_rng(0)
    likelihood, weights = rng.uniform(0.05, 1, (30, 4)), rng.integers(1, 9, 30).astype(float)

    def loss(a: np.ndarray) -> float:
        pi = np.exp(a - a.max())
        return -float(weights @ np.log(likelihood @ (pi / pi.sum())))

    best = min(minimize(loss, start, method="Nelder-Mead", options={"maxiter": 20_000}).fun for start in np.eye(4))
    pi = mixing_weights(likelihood, weights, start=0)
    assert pi.sum() == pytest.approx(1.0)
    assert -float(weights @ np.log(likelihood @ pi)) == pytest.approx(best, abs=1e-3)


def test_independent_columns_have_no_information():
    rng = np.random.default_rng(0)
    values = [fit_ratios(Table.of(*(distinct_codes(rng.integers(0, 60, 600)) for _ in "xy"))).value for _ in range(10)]
    assert np.mean(values) == pytest.approx(0.0, abs=0.03)


def test_noisy_copy_of_a_hundred_levels_at_one_row_per_cell():
    rng = np.random.default_rng(0)
    values = []
    for _ in range(6):
        x = rng.integers(0, 100, 10_000)
        y = np.where(rng.random(10_000) < 0.3, rng.integers(0, 100, 10_000), x)
        values.append(fit_ratios(Table.of(x, y)).value)
    q = 0.7 + 0.3 / 100
    truth = math.log(100) + q * math.log(q) + (1 - q) * math.log((1 - q) / 99)
    assert np.mean(values) == pytest.approx(truth, abs=0.05)


def test_large_counts_are_taken_as_they_are():
    table = np.array([[4000, 1000], [1000, 4000]])
    x, y = (np.repeat(codes.ravel(), table.ravel()) for codes in np.indices((2, 2)))
    truth = 0.8 * math.log(1.6) + 0.2 * math.log(0.4)
    assert fit_ratios(Table.of(x, y)).value == pytest.approx(truth, abs=1e-3)
