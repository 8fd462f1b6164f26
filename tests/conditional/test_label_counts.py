"""Conditional information of labels against tables summed level by level, truth tables and entropies."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

import mine


def noisy_copies(n: int, levels_of_z: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """y is x, turned by z, with three in ten drawn anew; x and y of four levels."""
    rng = np.random.default_rng(seed)
    z = rng.integers(0, levels_of_z, n)
    x = rng.integers(0, 4, n)
    y = np.where(rng.random(n) < 0.3, rng.integers(0, 4, n), (x + z) % 4)
    same = 0.7 + 0.3 / 4
    return x, y, z, math.log(4) + same * math.log(same) + (1 - same) * math.log((1 - same) / 3)


def test_the_sum_over_the_levels_of_z() -> None:
    x, y, z, _ = noisy_copies(4000, 3, 1)
    shares = np.bincount(z) / len(z)
    by_level = sum(share * mutual_info_score(x[z == k], y[z == k]) for k, share in enumerate(shares))
    bias = 3 * (4 - 1) * (4 - 1) / (2 * len(z))  # Miller and Madow: all cells are occupied
    assert mine.estimate(x, y, z).value == pytest.approx(by_level - bias, abs=1e-10)


@pytest.mark.parametrize(("n", "levels_of_z"), [(3000, 2), (3000, 60), (600, 20)])
@pytest.mark.parametrize("method", ["auto", "discrete"])
def test_noisy_copies_given_few_or_many_levels(n: int, levels_of_z: int, method: str) -> None:
    covered = 0
    for seed in range(5):
        x, y, z, truth = noisy_copies(n, levels_of_z, seed)
        est = mine.estimate(x, y, z.astype(str), method=method, discrete=True)
        other = mine.estimate(y, x, z.astype(str), method=method, discrete=True)
        assert [est.value, *est.interval] == pytest.approx([other.value, *other.interval])
        assert abs(est.value - truth) < 0.12
        covered += est.interval[0] <= truth <= est.interval[1]
    assert covered >= 4


def test_independent_given_many_levels_that_tell_both() -> None:
    covered, values = 0, []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        z = rng.integers(0, 100, 800)
        centre = rng.integers(0, 3, (2, 100))
        x, y = (np.where(rng.random(800) < 0.6, side[z], rng.integers(0, 3, 800)) for side in centre)
        est = mine.estimate(x.astype(str), y.astype(str), z.astype(str))
        values.append(est.value)
        covered += est.interval[0] <= 0 <= est.interval[1]
    assert covered >= 9 and abs(np.mean(values)) < 0.03


def test_neither_value_nor_interval_beyond_the_entropy() -> None:
    rng = np.random.default_rng(5)
    x = (rng.random(500) < 0.2).astype(int)  # its entropy is .500 nats
    z = rng.integers(0, 30, 500).astype(str)
    est = mine.estimate(x, 3 * x + rng.integers(0, 3, 500), z)
    entropy = -0.2 * math.log(0.2) - 0.8 * math.log(0.8)
    assert abs(est.value - entropy) < 0.08 and est.interval[1] < entropy + 0.1


def test_a_function_of_z_says_nothing() -> None:
    rng = np.random.default_rng(6)
    z = rng.integers(0, 6, 600)
    est = mine.estimate(z % 2, (z + rng.integers(0, 2, 600)) % 3, z)
    assert est.value == 0 and est.interval[0] == 0 < est.interval[1] < 0.05


def test_an_identifier_given_leaves_it_unknown() -> None:
    rng = np.random.default_rng(7)
    x, y = rng.integers(0, 2, (2, 300))
    est = mine.estimate(x, y, np.array([f"id{i}" for i in range(300)]))
    assert est.interval[0] == 0 and est.interval[1] == pytest.approx(math.log(2), abs=0.02)
    assert est.diagnostics["unidentifiable"] and "different label in (nearly) every row" in est.warnings[0]


def test_rows_of_a_group_count_as_one_where_they_are_copies() -> None:
    x, y, z, _ = noisy_copies(300, 2, 8)
    groups = np.repeat(np.arange(300), 10)
    copied = mine.estimate(*(np.repeat(side, 10) for side in (x, y, z)), groups=groups, discrete=True)
    alone = mine.estimate(x, y, z, discrete=True)
    width, once = (est.interval[1] - est.interval[0] for est in (copied, alone))
    assert 0.8 < width / once < 1.6


def test_labels_given_labels_and_numbers_stay_within_the_entropy() -> None:
    rng = np.random.default_rng(9)
    x = rng.integers(0, 2, 300)
    est = mine.estimate(x, 1 - x, rng.normal(size=300), random_state=0, effort="fast", steps=60)
    assert abs(est.value - math.log(2)) < 0.05 and est.interval[1] < math.log(2) + 0.02
