"""Entropy of a column, against closed forms and exact sums."""

from __future__ import annotations

import math
from math import comb

import numpy as np
import pytest

from mine.estimators.counts.entropy import chao_wang_jost, miller_madow, plug_in, population_entropy, richness


def test_plug_in_and_miller_madow_by_hand():
    counts = np.array([4, 2, 2])
    assert plug_in(counts) == pytest.approx(1.5 * math.log(2), abs=1e-12)
    assert miller_madow(counts) == pytest.approx(1.5 * math.log(2) + 2 / 16, abs=1e-12)


def test_chao_wang_jost_without_singletons_is_the_unbiased_part():
    # sum over levels of (c / n) times the harmonic sum from c to n - 1
    counts = np.array([3, 2])
    expected = 3 / 5 * (1 / 3 + 1 / 4) + 2 / 5 * (1 / 2 + 1 / 3 + 1 / 4)
    assert chao_wang_jost(counts) == pytest.approx(expected, abs=1e-12)


def test_chao_wang_jost_is_nearly_unbiased_for_two_levels():
    # the exact expectation over binomial samples of 20; the plug-in's bias is -1 / 40
    n, p = 20, 0.3
    truth = -p * math.log(p) - (1 - p) * math.log(1 - p)
    mean = dict.fromkeys((chao_wang_jost, plug_in), 0.0)
    for k in range(n + 1):
        counts = np.array([c for c in (k, n - k) if c])
        for f in mean:
            mean[f] += comb(n, k) * p**k * (1 - p) ** (n - k) * f(counts)
    assert abs(mean[chao_wang_jost] - truth) < 2e-3
    assert mean[plug_in] - truth == pytest.approx(-1 / 40, rel=0.1)


@pytest.mark.parametrize(("levels", "n"), [(50, 50), (300, 1000), (5000, 2000)])
def test_undersampled_uniform_columns(levels: int, n: int):
    rng = np.random.default_rng(0)
    found = [population_entropy(c[c > 0]) for c in (np.bincount(rng.integers(0, levels, n)) for _ in range(40))]
    assert np.mean([f.value for f in found]) == pytest.approx(math.log(levels), abs=0.1)
    assert np.mean([f.upper >= math.log(levels) for f in found]) >= 0.9
    assert np.isfinite([f.upper for f in found]).all()


def test_levels_that_all_repeat_leave_no_others():
    found = population_entropy(np.full(100, 2))
    assert found.value == found.upper == math.log(100)


def test_chao1_by_hand():
    assert richness(np.array([5, 2, 1, 1, 1])) == 5 + 3 * 2 / 4
