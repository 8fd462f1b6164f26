"""Frenzel and Pompe's estimator against distances counted one by one, partial correlations, and sides that z tells."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import digamma

import mine
from mine.errors import InputError
from mine.estimators.ksg import conditional_ksg


def test_the_formula_by_all_distances() -> None:
    x, y, z = np.random.default_rng(0).normal(size=(3, 60, 2))
    apart = [np.abs(side[:, None] - side).max(-1) for side in (x, y, z)]
    radius = np.sort(np.maximum.reduce(apart), 1)[:, 4, None]  # its own row is the first, at 0
    near = [(distance < radius) for distance in apart]
    of_x, of_y, of_z = ((a & near[2]).sum(1) for a in (near[0], near[1], near[2]))
    expected = digamma(4) - np.mean(digamma(of_x) + digamma(of_y) - digamma(of_z))
    assert conditional_ksg(x, y, z, 4) == pytest.approx(expected)


def partial(n: int, eps: float, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x and y near z, what is left of them correlated by .6."""
    rng = np.random.default_rng(seed)
    z = rng.gamma(3.0, size=n)
    own = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], n)
    return z + eps * own[:, 0], 2 * z - eps * own[:, 1], z


@pytest.mark.parametrize("eps", [1.0, 0.1, 1e-4])
def test_a_partial_correlation_however_near_the_copies(eps: float) -> None:
    truth = -0.5 * math.log(1 - 0.36)
    for seed in range(3):
        x, y, z = partial(1500, eps, seed)
        est = mine.estimate(x, y, z, method="ksg", random_state=0)
        assert abs(est.value - truth) < 0.1 and est.interval[0] - 0.03 < truth < est.interval[1] + 0.03


@pytest.mark.parametrize("eps", [1.0, 0.1, 0.01, 1e-3])
def test_independent_given_a_near_copy(eps: float) -> None:
    rng = np.random.default_rng(3)
    z, e, other = rng.normal(size=(3, 900))
    for y in (other, z + 0.5 * other, z + eps * other):
        est = mine.estimate(z + eps * e, y, z, method="ksg", random_state=0)
        assert abs(est.value) < 0.06 and est.interval[0] <= 0 <= est.interval[1]


def test_either_way_round() -> None:
    x, y, z = partial(400, 0.3, 4)
    one, other = (mine.estimate(a, b, np.c_[z, z**2], method="ksg", random_state=1) for a, b in ((x, y), (y, x)))
    assert (one.value, one.interval) == (other.value, other.interval)


@pytest.mark.parametrize("x", [lambda z: z, lambda z: 3 - 2 * z, lambda z: z.astype(np.float32), np.log, np.exp])
def test_a_side_that_follows_from_z_says_nothing(x) -> None:
    z = np.random.default_rng(5).gamma(2.0, size=300)
    y = z + np.random.default_rng(6).normal(size=300)
    est = mine.estimate(x(z), y, z, method="ksg")
    assert est.value == 0 and est.interval == (0, 0) and "x follows from z" in est.warnings[0]


def test_heaped_numbers_are_refused() -> None:
    rng = np.random.default_rng(7)
    z = np.maximum(rng.normal(size=300), 0)
    with pytest.raises(InputError, match="'z' has"):
        mine.estimate(rng.normal(size=300), rng.normal(size=300), z, method="ksg")


def test_few_distinct_numbers() -> None:
    x, y = np.random.default_rng(8).integers(0, 2, (2, 2000))
    est = mine.estimate(x, y, x ^ y, method="ksg", discrete=False, random_state=0)
    assert est.value == pytest.approx(math.log(2), abs=0.06)


def test_copies_of_rows_count_once() -> None:
    x, y, z = partial(400, 1.0, 9)
    copied = mine.estimate(*(np.concatenate([side, side]) for side in (x, y, z)), method="ksg", random_state=0)
    assert copied.n == 400 and copied.value == pytest.approx(
        mine.estimate(x, y, z, method="ksg", random_state=0).value, abs=1e-6
    )


@pytest.mark.parametrize(("n", "columns", "rho"), [(1000, 3, 0.9), (600, 3, 0.8), (700, 3, 0.0)])
def test_the_interval_knows_that_neighbours_read_low_given_several_columns(n: int, columns: int, rho: float) -> None:
    truth, covered, widths = -0.5 * math.log(1 - rho**2), 0, []
    for seed in range(8):
        rng = np.random.default_rng(60 + seed)
        z, e, f = rng.normal(size=(n, columns)), rng.normal(size=n), rng.normal(size=n)
        x, y = z.sum(1) + e, z.sum(1) + rho * e + math.sqrt(1 - rho**2) * f
        low, high = mine.estimate(x, y, z, method="ksg", random_state=0).interval
        covered += low <= truth <= high
        widths.append(high - low)
    assert covered >= 7
    assert np.median(widths) < 0.45
