"""The scan over lags: values against closed forms, both directions, and what it says."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import mine
from mine.errors import InputError, NotEnoughDataError, UnknownNameError

RNG = np.random.default_rng(0)
X = RNG.normal(size=1200)
Y = np.roll(X, 2) + RNG.normal(size=1200)  # x leads by two rows: log(2) / 2
TRUTH = math.log(2) / 2


@pytest.mark.parametrize("method", ["auto", "ksg", "gaussian"])
def test_a_delay_is_found_in_either_direction(method: str) -> None:
    there = mine.lag_scan(X, Y, range(1, 4), method=method, random_state=0)
    back = mine.lag_scan(Y, X, range(-3, 0), method=method, random_state=0)
    assert there.lags.tolist() == [1, 2, 3] and back.lags.tolist() == [-3, -2, -1]
    assert there.best == 2 and back.best == -2
    for scan in (there, back):
        assert scan.values == pytest.approx([0, TRUTH, 0], abs=0.06)
        assert scan.significant.tolist() == [False, True, False]
        assert scan.intervals[1, 0] < TRUTH < scan.intervals[1, 1] and scan.values[0] < scan.null_band < scan.values[1]


def test_one_number_stands_for_both_directions() -> None:
    scan = mine.lag_scan(X, Y, 3, method="gaussian", unit="bits")
    assert scan.lags.tolist() == list(range(-3, 4)) and scan.values[5] == pytest.approx(TRUTH / math.log(2), abs=0.08)
    assert "lag    2" in str(scan) and "x leads by 2" in str(scan) and "1 stand out" in str(scan)
    frame = scan.to_frame()
    assert isinstance(frame, pd.DataFrame) and list(frame) == ["lag", "value", "low", "high", "p", "unit"] and len(frame) == 7


def test_a_value_is_that_of_estimate_on_the_same_rows() -> None:
    scan = mine.lag_scan(X, Y, [-1, 2], method="gaussian", random_state=0)
    rows = np.arange(2, 1199)
    for i, lag in enumerate((-1, 2)):
        alone = mine.estimate(X[rows - lag], Y[rows], method="gaussian", order="time")
        assert scan.values[i] == pytest.approx(alone.value, abs=1e-12)
        assert scan.intervals[i] == pytest.approx(alone.interval, abs=1e-12)


def test_unrelated_series_with_a_memory() -> None:
    noise = np.random.default_rng(7).normal(size=(2, 2000))
    a, b = np.zeros((2, 2000))
    for t in range(1, 2000):
        a[t], b[t] = 0.9 * a[t - 1] + noise[0, t], 0.9 * b[t - 1] + noise[1, t]
    scan = mine.lag_scan(a, b, 4, random_state=0)
    assert scan.best is None and "no lag stands out" in str(scan)
    assert (scan.intervals[:, 0] <= 0).all() and scan.independent_rows < 400


def test_states_and_several_columns() -> None:
    rng = np.random.default_rng(1)
    states = rng.choice(["a", "b", "c"], 900)
    later = np.where(rng.random(900) < 0.2, "z", np.roll(states, 1))
    scan = mine.lag_scan(states, later, range(-1, 3), random_state=0)
    assert scan.best == 1 and scan.values[2] == pytest.approx(0.8 * math.log(3), abs=0.06)
    wide = np.stack([X, RNG.normal(size=1200)], 1)
    scan = mine.lag_scan(pd.DataFrame(wide, columns=["p", "q"]), Y, [0, 2], method="gaussian", random_state=0)
    assert scan.best == 2 and scan.values == pytest.approx([0, TRUTH], abs=0.06)


def test_missing_values() -> None:
    holes = X.copy()
    holes[::40] = np.nan
    with pytest.raises(InputError, match="30 rows have a missing or infinite value"):
        mine.lag_scan(holes, Y, 2, method="gaussian")
    for method in ("auto", "gaussian"):
        scan = mine.lag_scan(holes, Y, [1, 2], method=method, drop_missing=True, random_state=0)
        assert scan.values == pytest.approx([0, TRUTH], abs=0.06) and scan.best == 2


def test_it_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = mine.lag_scan(X, Y, [1, 2], method="ksg", random_state=3, out=tmp_path)
    monkeypatch.setattr("mine.series.lags.estimate", None)
    again = mine.lag_scan(X, Y, [1, 2], method="ksg", random_state=3, out=tmp_path)
    assert again.values.tolist() == first.values.tolist() and again.intervals.tolist() == first.intervals.tolist()
    with pytest.raises(TypeError):  # other data, nothing stored
        mine.lag_scan(X, -Y, [1, 2], method="ksg", random_state=3, out=tmp_path)


def test_too_few_rows_for_the_test_are_said() -> None:
    scan = mine.lag_scan(X[:200], Y[:200], 30, method="gaussian")
    assert scan.best is None and np.isnan(scan.p_values).all() and "no test" in str(scan)
    assert any("too few for a test over a span of 61 lags" in warning for warning in scan.warnings)


@pytest.mark.parametrize(
    ("lags", "message"),
    [([], "empty"), (1.5, "whole number"), ([0.5], "whole numbers"), (True, "whole number"), (700, "too few")],
)
def test_what_it_refuses(lags: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        mine.lag_scan(X, Y, lags, method="gaussian")
    with pytest.raises(InputError, match="side by side"):
        mine.lag_scan(X, Y[1:], 1)
    with pytest.raises(UnknownNameError, match="effort"):
        mine.lag_scan(X, Y, 1, effort="fats")
    with pytest.raises(NotEnoughDataError):
        mine.lag_scan(X[:25], Y[:25], 10)


def test_the_figure_shows_the_band_and_every_lag() -> None:
    figure = mine.lag_scan(X, Y, 3, method="gaussian").plot()
    (axis,) = figure.axes
    assert axis.get_title(loc="left") == "Strongest at lag 2"
    assert sorted(x for line in axis.lines for x in np.asarray(line.get_xdata()) if line.get_marker() == "o") == list(
        range(-3, 4)
    )
    assert mine.lag_scan(X[:200], Y[:200], 30, method="gaussian").plot().axes[0].get_title(loc="left") == "No lag stands out"


def test_rows_are_sorted_by_their_times() -> None:
    mixed = np.random.default_rng(3).permutation(len(X))
    days = pd.date_range("2020-01-01", periods=len(X)).to_numpy()
    plain = mine.lag_scan(X, Y, 3, method="gaussian")
    for times in (mixed, days[mixed], days[mixed].astype("datetime64[D]").astype(str)):
        scan = mine.lag_scan(X[mixed], Y[mixed], 3, method="gaussian", order=times)
        np.testing.assert_array_equal(scan.values, plain.values)
        np.testing.assert_array_equal(scan.p_values, plain.p_values)
    with pytest.raises(InputError, match="has 1 gap, and lags and windows count rows"):
        mine.lag_scan(X, Y, 3, method="gaussian", order=np.where(np.arange(len(X)) < 600, 0, 50) + np.arange(len(X)))
    with pytest.raises(InputError, match="order has 5 values for 1200 rows"):
        mine.lag_scan(X, Y, 3, order=range(5))
    with pytest.raises(InputError, match="order='day': pass order='time'"):
        mine.lag_scan(X, Y, 3, order="day")
    with pytest.raises(InputError, match="x has 1200 rows and y has 1199"):
        mine.lag_scan(X, Y[1:], 3, order=mixed)
