"""Residuals in units of local noise: what they explain against closed forms, and that they neither lose nor make information."""

import math

import numpy as np
import pytest
from scipy.stats import norm

import mine
from mine.data.splits import make_folds
from mine.estimators.local_scale import scaled_by_neighbours
from mine.estimators.residual import best_residual

#: Nats per column of a copy with noise of .15 of the spread: closed form of the normal law.
COPY = 0.5 * math.log1p(0.15**-2)


def bent(u: np.ndarray) -> np.ndarray:
    """An invertible map of (n, 2) whose slopes differ from row to row."""
    return np.sinh(np.stack([u[:, 0] + u[:, 1] ** 2, u[:, 1]], 1))


@pytest.mark.parametrize("seed", [3, 4])
def test_noise_of_a_size_that_x_decides(seed: int):
    """y = exp(x) e has mean 0 for every x: fits explain nothing, in either direction, and the local scale explains it all."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2, 2, (4000, 1))
    y = np.exp(x) * rng.normal(size=x.shape)
    at = np.linspace(-30, 30, 6001)
    density = norm.pdf(at[:, None], 0, np.exp(np.linspace(-2, 2, 801))).mean(1)
    truth = -np.trapezoid(density * np.log(density), at) - norm.entropy()
    found = best_residual(x, y, make_folds(len(x), 3, 0))
    assert found is not None and found.name.endswith("in units of local noise")
    assert found.explained == pytest.approx(float(truth), abs=0.08)
    assert found.rows.mean() == pytest.approx(found.explained)


def test_even_noise_is_left_alone():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3000, 2))
    found = best_residual(x, x + 0.2 * rng.normal(size=x.shape), make_folds(len(x), 3, 0))
    assert found is not None and "local noise" not in found.name


def test_the_scale_of_a_row_does_not_know_its_own_residual():
    rng = np.random.default_rng(1)
    x, e, folds = rng.normal(size=(900, 2)), rng.normal(size=(900, 2)), make_folds(900, 3, 0)
    before = scaled_by_neighbours(x, e, folds)
    changed = e.copy()
    changed[7] *= 50
    after = scaled_by_neighbours(x, changed, folds)
    assert before is not None and after is not None
    np.testing.assert_allclose(after[1][7], before[1][7], atol=0.1)  # only the spread of all rows moved
    assert scaled_by_neighbours(x[:200], e[:200], make_folds(200, 3, 0)) is None


@pytest.mark.parametrize("seed", [11, 12, 13])
def test_local_scale_explains_more_of_a_bent_copy(seed: int):
    rng = np.random.default_rng(seed)
    u = rng.normal(size=(1500, 2))
    x, y = u, bent(u + 0.15 * rng.normal(size=u.shape))
    found = best_residual(x, y, make_folds(len(x), 3, 0))
    assert found is not None and 2 * COPY - 0.6 < found.explained < 2 * COPY + 0.05


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "n", "noise"), [(5, 600, 0.1), (6, 400, 0.05)])
def test_few_rows_of_a_bent_copy_say_that_they_are_few(seed: int, n: int, noise: float):
    """Local fits in several columns take bends for noise: the interval holds the truth, and a sentence says so."""
    rng = np.random.default_rng(seed)
    u = rng.normal(size=(n, 3))
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    y = (u + noise * rng.normal(size=u.shape)) @ turn
    y = np.stack([y[:, 0], y[:, 1] + np.sin(2 * y[:, 0]), y[:, 2] + np.sin(2 * y[:, 1])], 1)
    truth = 1.5 * math.log1p(noise**-2)
    est = mine.estimate(u, y, random_state=0)
    assert est.interval[0] <= truth <= est.interval[1]
    assert est.value > truth - 0.3 or est.warnings
