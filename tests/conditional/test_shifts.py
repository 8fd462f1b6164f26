"""Shifts in time: a rotation of each series, all of them different."""

from __future__ import annotations

import numpy as np

from mine.conditional.shifts import TimeShifts
from mine.data.order import TimeOrder


def shifts(position: np.ndarray, series: np.ndarray | None = None) -> TimeShifts:
    return TimeShifts.of(TimeOrder(position, series, 2.0, position // 4, 1.0))


def test_rows_come_in_the_order_of_time():
    position = np.random.default_rng(0).permutation(50)
    np.testing.assert_array_equal(position[shifts(position).rows], np.arange(50))


def test_every_draw_is_a_rotation_and_none_comes_twice():
    drawn = np.concatenate(list(shifts(np.arange(40)).draw(39, seed=0, most=100)))
    assert drawn.shape == (39, 40)
    np.testing.assert_array_equal(drawn, (np.arange(40) + drawn[:, :1]) % 40)
    assert sorted(drawn[:, 0]) == list(range(1, 40))


def test_series_rotate_by_themselves():
    series = np.repeat([0, 1], [30, 20])
    (drawn,) = shifts(np.arange(50), series).draw(200, seed=1)
    first, second = drawn[:, :30], drawn[:, 30:]
    np.testing.assert_array_equal(first, (np.arange(30) + first[:, :1]) % 30)
    np.testing.assert_array_equal(second - 30, (np.arange(20) + second[:, :1] - 30) % 20)
    assert len(set(zip(first[:, 0], second[:, 0], strict=True))) > 100  # not by one shift for both
