"""Rows that keep their shape: each channel scaled by itself, backgrounds and outliers survived."""

import numpy as np
import pytest

from mine.data.shaped import LINEAR_WITHIN, ShapedEncoder
from mine.data.sides import as_variable


def encoded(rows, **options):
    variable = as_variable(rows, "x")
    return ShapedEncoder("robust", **options).fit(variable).transform(variable)


@pytest.mark.parametrize(("channels", "axis"), [("first", 1), ("last", -1)])
def test_each_channel_has_mean_zero_and_variance_one(channels, axis):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(500, 3, 4, 3))
    scales = np.array([1e-6, 1.0, 1e6])
    rows = np.moveaxis(np.moveaxis(rows, axis, -1) * scales + 5 * scales, -1, axis)
    by_channel = np.moveaxis(encoded(rows, channels=channels), axis, -1).reshape(-1, 3)
    assert np.allclose(by_channel.mean(0), 0, atol=0.02)
    assert np.allclose(by_channel.std(0), 1, atol=0.02)


def test_without_channels_one_scale_is_for_all_and_nothing_is_bent_within_it():
    rows = np.random.default_rng(1).normal(size=(400, 5, 6)) * np.arange(1, 7)
    out = encoded(rows)
    near = np.abs(out) < LINEAR_WITHIN
    slope = np.polyfit(rows[near], out[near], 1)
    assert np.allclose(np.polyval(slope, rows[near]), out[near], atol=1e-4)


def test_a_blank_background_and_far_outliers():
    rows = np.zeros((3000, 4, 4))
    rows[7, 1, 1] = 1.0  # the only pixel that ever differs is none of those that scales are computed from
    out = encoded(rows)
    assert np.isfinite(out).all() and out[7, 1, 1] > out[8, 1, 1]
    rows = np.random.default_rng(2).normal(size=(400, 4, 4))
    rows[3, 2, 2] = 1e300
    out = encoded(rows)
    assert np.isfinite(out).all() and out[3, 2, 2] == out.max()
    assert 0.9 < out[10:].std() < 1.1


def test_flat_rows_are_read_as_ever():
    from mine.data.preprocessing import SideEncoder

    variable = as_variable(np.random.default_rng(3).normal(size=(50, 3)), "y")
    ours = ShapedEncoder("rank", both=True).fit(variable).transform(variable)
    assert np.array_equal(ours, SideEncoder("rank", both=True).fit(variable).transform(variable))
