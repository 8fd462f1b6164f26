"""The test by ranks: covariances by hand, levels, power on shapes that do not correlate, groups, and sequential p-values."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

from mine.conditional.shuffles import Shuffles
from mine.independence.permutations import sequential_p
from mine.independence.rank_test import (
    COSINES,
    LEVELS,
    covariances,
    null_statistics,
    rank_cosines,
    rank_test,
    shared_p,
    statistics,
)


def statistic(x: np.ndarray, y: np.ndarray, seed: int = 0) -> float:
    rng = np.random.default_rng(seed)
    return float(statistics(covariances(rank_cosines(x, rng), rank_cosines(y, rng)[None]))[0])


def test_the_statistic_by_hand() -> None:
    rng = np.random.default_rng(0)
    n = 50
    x, y = rng.normal(size=(2, n))
    u, v = ((np.argsort(np.argsort(side)) + 0.5) / n for side in (x, y))
    j = np.arange(1, COSINES + 1)
    sums = 2 * np.cos(np.pi * np.outer(j, u)) @ np.cos(np.pi * np.outer(v, j)) / np.sqrt(n)
    tails = [chi2.sf((sums[:k, :k] ** 2).sum(), k * k) for k in LEVELS]
    assert statistic(x, y) == pytest.approx(-np.log(min(tails)), rel=1e-4)


def test_random_orders_give_the_distribution_of_independent_columns() -> None:
    n = 60
    null = np.concatenate(list(null_statistics(n, 4000, 1)))
    rng = np.random.default_rng(2)
    drawn = np.array([statistic(rng.exponential(size=n), rng.standard_cauchy(n), seed) for seed in range(1500)])
    for share in (0.5, 0.9, 0.99):
        above = (drawn >= np.quantile(null, share)).mean()
        assert above == pytest.approx(1 - share, abs=3.5 * np.sqrt(share * (1 - share) * (1 / 1500 + 1 / 4000)))


def test_ties_stay_exact() -> None:
    n = 80
    rng = np.random.default_rng(3)
    observed = [statistic(rng.integers(0, 3, n), np.maximum(rng.normal(size=n), 0.5), seed) for seed in range(400)]
    p = np.array([p for p, _ in shared_p(np.array(observed), null_statistics(n, 999, 4), 999)])
    assert (p <= 0.05).mean() <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)
    assert (p <= 0.5).mean() == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("shape", ["line", "parabola", "wave", "ring", "chequers"])
def test_shapes_are_found(shape: str) -> None:
    rng = np.random.default_rng(5)
    n = 400
    t, e = rng.uniform(-1, 1, n), rng.normal(size=n)
    i = rng.integers(0, 4, n)
    x, y = {
        "line": (t, t + 2 * e),
        "parabola": (t, t**2 + 0.5 * e),
        "wave": (t, np.sin(2 * np.pi * t) + e),
        "ring": (np.cos(np.pi * t) + 0.2 * e, np.sin(np.pi * t) + 0.2 * rng.normal(size=n)),
        "chequers": (i + rng.random(n), (2 * rng.integers(0, 2, n) + i) % 4 + rng.random(n)),
    }[shape]
    assert shared_p(np.array([statistic(x, y)]), null_statistics(n, 999, 6), 999)[0] == (0.001, 999)


def test_each_p_value_is_that_of_its_own_sequence() -> None:
    null = [np.random.default_rng(seed).exponential(size=70) for seed in range(20)]
    observed = np.array([0.1, 1.0, 2.0, 3.0, 5.0, 50.0])
    whole = np.concatenate(null)
    alone = [sequential_p(whole >= one, (0, 0), len(whole))[:2] for one in observed]
    assert shared_p(observed, null, len(whole)) == alone


def test_whole_groups_are_exchanged() -> None:
    groups = np.repeat(np.arange(30), 10)
    p = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        x, y = (rng.normal(size=30)[groups] + 0.1 * rng.normal(size=300) for _ in range(2))
        p.append(rank_test(x, y, Shuffles.of(300, groups), most=199, seed=seed)[0])
    assert np.mean(np.array(p) <= 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 60)
    x = np.random.default_rng(60).normal(size=30)[groups]
    assert rank_test(x, x + 0.1, Shuffles.of(300, groups), most=199, seed=0) == (0.005, 199)
