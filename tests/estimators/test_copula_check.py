"""Whether a Gaussian copula describes the rows: it does for normal sides and monotone maps, and not for bent ones."""

from __future__ import annotations

import math

import numpy as np
import pytest

import mine
from mine.data.problem import make_problem
from mine.estimators.copula_check import copula_describes


def _normal_pairs(n: int, d: int, nats: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    r = math.sqrt(1 - math.exp(-2 * nats / d))
    z = rng.normal(size=(n, d))
    return z, r * z + math.sqrt(1 - r * r) * rng.normal(size=(n, d))


def _describes(x: np.ndarray, y: np.ndarray) -> bool:
    return copula_describes(make_problem(x, y, random_state=0)[0])


@pytest.mark.parametrize("d", [1, 2, 4])
def test_normal_pairs_and_monotone_maps(d: int):
    kept = 0
    for seed in range(20):
        x, y = _normal_pairs(800, d, 2.5, seed)
        kept += _describes(np.exp(x), y**3)
    assert kept >= 18


def test_powers_of_a_latent_are_no_gaussian_copula():
    for seed in range(10):
        x, y = _normal_pairs(600, 2, 3.0, seed)
        assert not _describes(*(np.concatenate([v, v**2, v**3], 1) for v in (x, y)))


def test_a_bend_after_a_rotation():
    found = []
    for seed in range(10):
        x, y = _normal_pairs(1000, 2, 3.0, seed)
        turned = np.array([[0.8, -0.6], [0.6, 0.8]])
        u = x @ turned
        found.append(_describes((u + np.sin(2 * u)) @ turned.T, y))
    assert sum(found) <= 1


def test_few_rows_show_nothing():
    x, y = _normal_pairs(40, 5, 1.0, 0)
    assert _describes(x, y**2)


def test_a_copula_that_agrees_by_chance_does_not_close_the_interval():
    x, y = _normal_pairs(600, 2, 3.2, 7)
    powers = [np.concatenate([v**k for k in range(1, 5)], 1) for v in (x, y)]
    found = mine.estimate(*powers, effort="fast", random_state=0)
    assert found.interval[0] <= 3.2 <= found.interval[1]
