"""Where rows stand in time, blocks of them, and folds that are stretches."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from mine.data.order import TimeOrder, read_order, time_order
from mine.data.sides import as_variable
from mine.data.time_folds import time_folds
from mine.errors import InputError, NotEnoughDataError

Series = Callable[[int, float, np.random.Generator], np.ndarray]


def test_numbers_dates_and_texts_of_dates_order_alike():
    days = np.array(["2021-03-05", "2021-01-01", "2021-12-31", "2021-02-02"], dtype="datetime64[D]")
    wanted = np.array([2, 0, 3, 1])
    for order in (days, days.astype("datetime64[ns]"), days.astype(int), days.astype(str)):
        np.testing.assert_array_equal(read_order(order, 4, None), wanted)


def test_series_follow_each_other():
    position = read_order([5.0, 1.0, 2.0, 0.0], 4, np.array([0, 1, 0, 1]))
    np.testing.assert_array_equal(position, [1, 3, 0, 2])


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ("date", "order='time'"),
        ([1.0, 2.0], "2 values for 3 rows"),
        ([1.0, np.nan, 2.0], "missing"),
        (np.ones((3, 2)), "2 columns"),
    ],
)
def test_orders_that_are_none(order: object, words: str):
    with pytest.raises(InputError, match=words):
        read_order(order, 3, None)


def test_blocks_last_twice_as_long_as_rows_resemble_each_other(autoregression: Series):
    rng = np.random.default_rng(0)
    x, y = (as_variable(autoregression(8000, 0.9, rng), name) for name in "xy")
    order = time_order("time", x, y)
    assert order.time == pytest.approx(1.81 / 0.19, rel=0.3)
    lengths = np.bincount(order.blocks)[:-1]
    assert set(lengths) == {int(np.ceil(2 * order.time))}
    assert 1.0 <= order.widening < 1.3


def test_a_block_never_spans_two_series(autoregression: Series):
    rng = np.random.default_rng(1)
    x, y = (as_variable(autoregression(600, 0.8, rng), name) for name in "xy")
    series = np.repeat([0, 1, 2], [250, 150, 200])
    order = time_order("time", x, y, series)
    assert all(len(set(series[order.blocks == block])) == 1 for block in np.unique(order.blocks))
    assert order.in_stretches
    many = time_order("time", x, y, np.arange(600) // 30)
    assert not many.in_stretches
    np.testing.assert_array_equal(many.blocks, np.arange(600) // 30)


def test_a_standard_error_of_blocks_is_that_of_the_mean(autoregression: Series):
    """Over many series: the spread of the mean product of two independent ones, against what one series says of it."""
    rng = np.random.default_rng(2)
    from mine.data.problem import Problem

    products, said = [], []
    for _ in range(120):
        u, v = autoregression(1500, 0.95, rng), autoregression(1500, 0.95, rng)
        x, y = as_variable(u, "x"), as_variable(v, "y")
        order = time_order("time", x, y)
        products.append(float((u * v).mean()))
        said.append(Problem(x, y, order.blocks, order=order).stderr(u * v))
    assert float(np.median(said)) == pytest.approx(float(np.std(products)), rel=0.3)


@pytest.mark.parametrize("shuffled", [False, True])
def test_stretches_partition_the_rows_and_keep_their_distance(shuffled: bool):
    n, rng = 400, np.random.default_rng(3)
    position = rng.permutation(n) if shuffled else np.arange(n)
    order = TimeOrder(position, None, 7.2, position // 15, 1.0)
    folds = time_folds(order, 5, seed=1, validation_share=0.2)
    assert sorted(np.concatenate([f.evaluation for f in folds])) == list(range(n))
    for fold in folds:
        parts = [position[part] for part in (fold.train, fold.validation, fold.evaluation)]
        assert np.ptp(parts[2]) == len(parts[2]) - 1  # one stretch
        for i, one in enumerate(parts):
            for other in parts[:i]:
                assert np.abs(one[:, None] - other[None]).min() > order.apart
    assert order.apart == 8


def test_too_few_rows_for_stretches():
    order = TimeOrder(np.arange(14), None, 5.0, np.arange(14), 1.0)
    with pytest.raises(NotEnoughDataError, match="too few for 5 stretches"):
        time_folds(order, 5, seed=0)


@pytest.mark.parametrize("slopes", [(2.0, 3.0), (-2.5, 2.0)])
@pytest.mark.parametrize("n", [400, 2000])
def test_two_sides_that_drift_are_told_from_two_with_a_memory(autoregression: Series, slopes: tuple[float, float], n: int):
    rng = np.random.default_rng(n)
    time = np.linspace(0, 1, n)

    def order(x: np.ndarray, y: np.ndarray) -> TimeOrder:
        return time_order("time", as_variable(x, "x"), as_variable(y, "y"))

    steady = [autoregression(n, 0.4, rng) for _ in range(2)]
    drifting = [slope * time + series for slope, series in zip(slopes, steady, strict=True)]
    assert order(*drifting).drifting and order(*drifting).warning is not None
    assert not order(drifting[0], steady[1]).drifting  # one alone cannot share its trend
    for _ in range(20):
        assert not order(*(autoregression(n, 0.9, rng) for _ in range(2))).drifting


def test_a_common_season_is_said_in_place_of_how_many_rows_are_left():
    time, rng = np.arange(600), np.random.default_rng(2)
    x, y = (np.sin(2 * np.pi * time / 24 + phase) + 0.5 * rng.normal(size=600) for phase in (0, 1))
    found = time_order("time", as_variable(x, "x"), as_variable(y, "y"))
    assert found.seasonal and found.warning is not None
    assert "same period" in found.warning and "independent ones" not in found.warning
    assert not time_order("time", as_variable(x, "x"), as_variable(rng.normal(size=600).cumsum(), "y")).seasonal
