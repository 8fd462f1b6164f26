"""Columns that are copies of each other in a part of the rows."""

import math

import numpy as np
import pytest

import mine


@pytest.mark.parametrize(("seed", "share"), [(101, 0.1), (102, 0.5)])
def test_a_part_that_is_copied_has_no_upper_end(seed, share):
    g = np.random.default_rng(seed)
    x = g.normal(size=600)
    y = np.where(g.random(600) < share, x, g.normal(size=600))
    e = mine.estimate(np.c_[g.normal(size=600), x], y, method="gaussian")
    assert e.interval[1] == math.inf
    assert any("same number" in w for w in e.warnings)


def test_rounded_numbers_that_are_close_are_no_copies():
    g = np.random.default_rng(103)
    x = g.normal(size=600) * 100
    e = mine.estimate(x.round(2), (x + 0.05 * g.normal(size=600)).round(2), method="gaussian")
    assert math.isfinite(e.interval[1])


def test_zeros_in_both_columns_are_no_copies():
    g = np.random.default_rng(104)
    zero = g.random(600) < 0.4
    x, y = (np.where(zero, 0.0, g.normal(size=600)) for _ in "xy")
    assert math.isfinite(mine.estimate(x, y, method="auto", effort="fast", random_state=0).interval[1])
