"""Value and interval of any table: bounds, coverage, invariances."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mine.estimators.counts.choose import information
from mine.estimators.counts.entropy import population_entropy
from mine.estimators.counts.interval import effective_rows, noncentrality
from mine.estimators.counts.table import distinct_codes


@given(
    n=st.integers(2, 300),
    x_levels=st.integers(1, 300),
    y_levels=st.integers(1, 300),
    same=st.floats(0, 1),
    seed=st.integers(0, 99),
)
@settings(max_examples=80, deadline=None)
def test_any_table_is_finite_and_within_its_entropies(n: int, x_levels: int, y_levels: int, same: float, seed: int):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, x_levels, n)
    y = np.where(rng.random(n) < same, x, rng.integers(0, y_levels, n))
    x, y = distinct_codes(x), distinct_codes(y)
    found = information(x, y)
    limits = [population_entropy(np.bincount(side)) for side in (x, y)]
    assert np.isfinite([found.value, found.low, found.high, found.stderr]).all()
    assert found.low <= found.value <= found.high
    assert found.value <= min(limit.value for limit in limits) + 1e-12
    assert found.high <= max(min(limit.upper for limit in limits), found.value) + 1e-12
    assert found.value >= -5 / math.sqrt(n) and found.low >= -5 / math.sqrt(n)


def test_sides_can_be_exchanged_and_labels_renamed():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 40, 500)
    y = np.where(rng.random(500) < 0.4, rng.integers(0, 40, 500), x)
    a, b = distinct_codes(x), distinct_codes(y)
    found, turned = information(a, b), information(b, a)
    renamed = information(distinct_codes(-x), distinct_codes(y * 37 % 997))
    for other in (turned, renamed):
        assert (other.value, other.low, other.high) == pytest.approx((found.value, found.low, found.high), abs=1e-6)


def _copy(levels: int, noise: float, weights: np.ndarray, n: int, seed: int) -> tuple[float, float, float, float]:
    rng = np.random.default_rng([seed, levels, n])
    p = weights / weights.sum()
    x = rng.choice(levels, n, p=p)
    y = np.where(rng.random(n) < noise, rng.choice(levels, n, p=p), x)
    found = information(distinct_codes(x), distinct_codes(y))
    same = (1 - noise) * p + noise * p**2
    rest = noise * (1 - (p**2).sum())
    truth = float((same * np.log(same / p**2)).sum()) + (rest * math.log(noise) if rest else 0.0)
    return truth, found.value, found.low, found.high


@pytest.mark.parametrize("zipf", [False, True])
@pytest.mark.parametrize("noise", [0.0, 0.3, 1.0])
@pytest.mark.parametrize(("levels", "n"), [(2, 100), (20, 200), (60, 600), (120, 300), (1000, 1000)])
def test_intervals_hold_the_truth(levels: int, n: int, noise: float, zipf: bool):
    weights = 1 / np.arange(1, levels + 1) if zipf else np.ones(levels)
    runs = np.array([_copy(levels, noise, weights, n, seed) for seed in range(20)])
    truth, value, low, high = runs.T
    assert np.mean((low <= truth + 1e-9) & (truth <= high + 1e-9)) >= 0.75
    if noise == 1.0:
        assert abs(value.mean()) < 0.03
    elif noise == 0.0:
        assert abs(value - truth).mean() < 0.25
    else:
        assert abs(value - truth).mean() < 0.25 + 0.15 * (n < 10 * levels)


def test_the_interval_says_something():
    # as wide as sampling at 25 rows per cell, and far from [0, H] at half a row per cell
    *_, low, high = _copy(20, 0.3, np.ones(20), 10_000, 0)
    assert high - low < 0.1
    *_, low, high = _copy(40, 0.3, np.ones(40), 800, 0)
    assert high - low < 0.6


@pytest.mark.parametrize("levels", [2, 100, 3000, 10_000])
def test_ten_thousand_rows_take_less_than_half_a_second(levels: int):
    rng = np.random.default_rng(0)
    x, y = (distinct_codes(np.minimum(rng.zipf(1.2, 10_000), levels)) for _ in "xy")
    started = time.process_time()
    information(x, y)
    assert time.process_time() - started < 0.5


def test_groups_widen_the_interval():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 5, 200)
    y = np.where(rng.random(200) < 0.5, rng.integers(0, 5, 200), x)
    single = information(x, y)
    copied = information(np.repeat(x, 5), np.repeat(y, 5), np.repeat(np.arange(200), 5))
    assert copied.stderr == pytest.approx(single.stderr, rel=0.1)
    assert effective_rows(1000, np.repeat(np.arange(200), 5)) == pytest.approx(200)
    assert copied.high - copied.low > 0.8 * (single.high - single.low)


def test_noncentrality_inverts_the_chi_square():
    from scipy.stats import ncx2

    for degrees, statistic, p in ((1, 9.0, 0.025), (30, 60.0, 0.975), (5000, 9000.0, 0.025)):
        nc = noncentrality(statistic, degrees, p)
        assert ncx2.cdf(statistic, degrees, nc) == pytest.approx(p, abs=0.004)


def test_identifiers_are_named():
    x, y = np.arange(100), np.arange(100) % 4
    found = information(x, y)
    assert found.identifiers == ("x",) and found.low == 0.0 and found.high == pytest.approx(math.log(4), abs=0.05)
    both = information(x, x)
    assert both.identifiers == ("x", "y") and both.low == 0.0 and math.log(100) < both.high < math.inf


@pytest.mark.parametrize("repeats", [0, 5, 12])
def test_names_of_which_a_few_occur_twice_are_identifiers(repeats: int):
    """Five pairs that agree by chance are no evidence: the interval is all that there is to know."""
    n = 200
    rng = np.random.default_rng(repeats)
    names = np.concatenate([np.arange(n - repeats), rng.choice(n - repeats, repeats, replace=False)])
    answer = np.arange(n) % 3
    found = information(rng.permutation(names), answer)
    assert found.identifiers == ("x",)
    assert found.low == 0 and found.high >= math.log(3)
