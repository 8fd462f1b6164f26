"""Data that carry their own times: an index of pandas, coordinates of xarray, arrays of MNE; and gaps in them."""

from __future__ import annotations

import importlib.util
import sys
import types
from typing import Any

import numpy as np
import pandas as pd
import pytest

import mine
from mine.data.sources import read_source
from mine.data.time_index import gaps_before, grid_places, unbroken
from mine.errors import InputError, NotEnoughDataError


def frame(n: int = 600, seed: int = 0, freq: str = "h") -> pd.DataFrame:
    """Columns x and y, y following x by one row."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    y = np.append(0.0, x[:-1]) + 0.5 * rng.normal(size=n)
    return pd.DataFrame({"x": x, "y": y}, index=pd.date_range("2024-01-01", periods=n, freq=freq))


@pytest.mark.parametrize(
    "index",
    [
        pd.date_range("2024-01-01", periods=6, freq="h"),
        pd.date_range("2024-03-30", periods=6, freq="h", tz="Europe/Berlin"),
        pd.timedelta_range("0s", periods=6, freq="4ms"),
        pd.period_range("2024-01", periods=6, freq="M"),
    ],
)
def test_an_index_of_pandas_is_read_as_times(index: Any):
    times = read_source(pd.Series(range(6), index=index), "x").times
    assert times is not None and len(np.unique(np.diff(times))) == 1 and np.diff(times)[0] > 0


@pytest.mark.parametrize("index", [pd.RangeIndex(6), pd.Index(list("abcdef")), pd.DatetimeIndex([pd.NaT] * 6)])
def test_other_indices_are_no_times(index: Any):
    assert read_source(pd.Series(range(6), index=index), "x").times is None


@pytest.mark.parametrize(
    ("index", "gaps"),
    [
        (pd.bdate_range("2024-01-01", periods=100), 0),  # weekends belong to the calendar of working days
        (pd.date_range("2020-01-01", periods=60, freq="MS"), 0),  # so do months of 28 to 31 days
        (pd.date_range("2020-01-01", periods=60, freq="MS").delete(30), 1),
        (pd.date_range("2024-01-01", periods=500, freq="4ms").delete([100, 250, 251]), 2),
        (pd.DatetimeIndex([f"2024-01-01 {hour:02}:{minute:02}" for hour in range(24) for minute in range(4)]), 23),
    ],
)
def test_gaps_by_kind_of_calendar(index: pd.DatetimeIndex, gaps: int):
    times = read_source(pd.Series(np.arange(len(index)), index=index), "x").times
    assert times is not None and int(gaps_before(times).sum()) == gaps


def test_unbroken_looks_at_the_whole_past():
    times = np.array([0.0, 1, 2, 3, 20, 21, 22, 23])
    rows = np.arange(2, 8)
    assert unbroken(times, rows, 2).tolist() == [True, True, False, False, True, True]


def test_times_that_do_not_rise_are_refused():
    data = frame()
    with pytest.raises(InputError, match="does not rise"):
        mine.transfer_entropy(data["x"].iloc[::-1], data["y"].iloc[::-1], method="gaussian")


def test_transfer_entropy_sees_gaps_too():
    whole = frame(3000)
    kept = whole[(np.arange(3000) // 10) % 2 == 0]
    exact = 0.5 * np.log(1 + 1 / 0.25)
    with_index = mine.transfer_entropy(kept["x"], kept["y"], method="gaussian")
    without = mine.transfer_entropy(kept["x"].to_numpy(), kept["y"].to_numpy(), method="gaussian")
    assert abs(with_index.value - exact) < 0.08 and without.value < exact - 0.15
    assert with_index.n == pytest.approx(0.9 * without.n, rel=0.02)


def test_lags_that_count_rows_take_gaps_as_missing_rows_if_rows_may_be_missing():
    whole = frame(300)
    kept = whole.drop(whole.index[100:110])
    for call in (lambda: mine.lag_scan(kept["x"], kept["y"], 3), lambda: mine.transfer_table(kept)):
        with pytest.raises(InputError, match=r"has 1 gap, .* Pass drop_missing=True"):
            call()
    options = {"method": "gaussian", "drop_missing": True, "random_state": 0}
    filled = kept.asfreq("h")
    scan, by_hand = (mine.lag_scan(data["x"], data["y"], 2, **options) for data in (kept, filled))
    assert scan.best == 1 and scan.n == 290
    np.testing.assert_array_equal(scan.values, by_hand.values)
    np.testing.assert_array_equal(scan.p_values, by_hand.p_values)
    tables = [mine.transfer_table(data, n_permutations=19, **options).pairs for data in (kept, filled)]
    assert tables[0] == tables[1]
    states = kept.assign(x=np.where(kept["x"] > 0, "up", "down"))
    assert mine.lag_scan(states["x"], states["y"], 2, drop_missing=True, random_state=0).best == 1


def test_times_on_no_grid_are_refused():
    whole = frame(300)
    with pytest.raises(InputError, match=r"has 1 gap, .*asfreq"):
        mine.windows(whole.drop(whole.index[100:110]), 5)
    assert mine.windows(whole, 5).shape == (296, 5, 2)
    times = np.sort(np.random.default_rng(0).uniform(0, 300, 300))
    with pytest.raises(InputError, match=r"gaps, .*asfreq"):
        mine.lag_scan(whole["x"], whole["y"], 2, order=times, drop_missing=True)


def test_places_on_a_grid():
    months = pd.date_range("1958-03-01", "2001-12-01", freq="MS").to_numpy().astype("datetime64[us]").astype(np.int64)
    kept = np.delete(np.arange(len(months)), [4, 5, 6, 100, *range(200, 260)])
    np.testing.assert_array_equal(grid_places(months[kept].astype(float)), kept)
    weekdays = pd.bdate_range("2020-01-01", periods=50).delete(slice(20, 30)).to_numpy().astype("datetime64[D]").astype(float)
    assert grid_places(weekdays) is None


def test_gaps_everywhere_leave_nothing():
    kept = frame(3000)[(np.arange(3000) // 10) % 2 == 0]
    with pytest.raises(NotEnoughDataError, match="gaps"):
        mine.transfer_entropy(kept["x"], kept["y"], 12, method="gaussian")


def test_different_times_are_seen():
    data = frame()
    later = data["y"].shift(freq="3h")
    assert any("different time" in warning for warning in mine.estimate(data["x"], later, method="gaussian").warnings)
    assert not any("different time" in warning for warning in mine.estimate(data["x"], data["y"], method="gaussian").warnings)
    with pytest.raises(InputError, match="align"):
        mine.transfer_entropy(data["x"], later, method="gaussian")


def test_order_time_follows_the_index():
    """Rows of a frame that was shuffled are put back into the order of its index."""
    rng = np.random.default_rng(3)
    walk = np.cumsum(rng.normal(size=(2, 800)), 1)
    data = pd.DataFrame({"a": walk[0], "b": walk[1]}, index=pd.date_range("2024-01-01", periods=800, freq="min"))
    mixed = data.sample(frac=1, random_state=0)
    there, back = (mine.estimate(d["a"], d["b"], order="time", method="gaussian") for d in (data, mixed))
    assert there.diagnostics["independent_rows"] == back.diagnostics["independent_rows"] < 100
    assert there.value == pytest.approx(back.value, abs=1e-9)


def test_dropped_rows_keep_their_times():
    data = frame(400)
    data.iloc[100:110, 0] = np.nan
    est = mine.estimate(data["x"], data["y"], order="time", drop_missing=True, method="gaussian")
    assert est.n == 390


class Coordinate:
    """What an axis is labelled with."""

    def __init__(self, values: np.ndarray) -> None:
        self.values, self.dtype, self.ndim = values, values.dtype, values.ndim


class DataArray:
    """As much of xarray's class as the reader uses, for where xarray is not installed."""

    def __init__(self, values: np.ndarray, dims: tuple[str, ...], coords: dict[str, Any], name: str | None = None) -> None:
        self.values, self.dims, self.name = values, dims, name
        self.coords = {
            key: value if isinstance(value, Coordinate) else Coordinate(np.asarray(value)) for key, value in coords.items()
        }
        self.ndim, self.shape = values.ndim, values.shape

    def __len__(self) -> int:
        return len(self.values)

    def transpose(self, first: str, *_rest: Any) -> DataArray:
        axis = self.dims.index(first)
        dims = (first, *(dim for dim in self.dims if dim != first))
        return DataArray(np.moveaxis(self.values, axis, 0), dims, self.coords, self.name)


class Dataset:
    def __init__(self, data_vars: dict[str, DataArray]) -> None:
        self.data_vars = data_vars
        self.dims = tuple({dim: None for variable in data_vars.values() for dim in variable.dims})
        self.coords = {key: value for variable in data_vars.values() for key, value in variable.coords.items()}


@pytest.fixture
def xarray(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The package where it is installed, else its interface."""
    if importlib.util.find_spec("xarray") is not None:
        import xarray as package

        return package
    package = types.SimpleNamespace(DataArray=DataArray, Dataset=Dataset)
    monkeypatch.setitem(sys.modules, "xarray", package)
    return package


def make(xarray: Any, values: np.ndarray, dims: tuple[str, ...], coords: dict[str, Any], name: str | None = None) -> Any:
    return xarray.DataArray(values, dims=dims, coords=coords, name=name)


def test_a_dataarray_has_its_times_as_rows(xarray: Any):
    times = pd.date_range("2024-01-01", periods=50, freq="D").to_numpy()
    values = np.random.default_rng(0).normal(size=(3, 50))
    source = read_source(make(xarray, values, ("channel", "time"), {"time": times, "channel": ["a", "b", "c"]}), "x")
    assert source.names == ["a", "b", "c"] and len(source) == 50
    np.testing.assert_array_equal(source.columns[1], values[1])
    assert source.times is not None and np.diff(source.times).tolist() == [86_400e6] * 49


def test_an_axis_of_dates_is_time_by_another_name_and_images_keep_their_shape(xarray: Any):
    dates = pd.date_range("2024-01-01", periods=20, freq="D").to_numpy()
    source = read_source(make(xarray, np.zeros((4, 20, 5)), ("lat", "day", "lon"), {"day": dates}), "x")
    assert len(source) == 20 and source.event == (4, 5) and source.times is not None
    plain = read_source(make(xarray, np.arange(6.0), ("sample",), {}, "speed"), "x")
    assert plain.names == ["speed"] and plain.times is None


def test_a_dataset_is_a_table(xarray: Any):
    times = {"time": np.arange(30.0)}
    values = np.arange(30.0)
    table = xarray.Dataset({"heat": make(xarray, values, ("time",), times), "rain": make(xarray, -values, ("time",), times)})
    source = read_source(table, "x")
    assert source.names == ["heat", "rain"] and source.columns[1].tolist() == (-values).tolist()
    with pytest.raises(InputError, match="rows along"):
        read_source(
            xarray.Dataset({"heat": make(xarray, values, ("time",), times), "map": make(xarray, np.zeros(4), ("lat",), {})}),
            "x",
        )


def test_estimates_of_dataarrays_are_those_of_their_numbers(xarray: Any):
    data = frame(300)
    x, y = (make(xarray, data[name].to_numpy().copy(), ("time",), {"time": data.index.to_numpy()}, name) for name in "xy")
    found = mine.estimate(x, y, order="time", method="gaussian")
    plain = mine.estimate(data["x"].to_numpy(), data["y"].to_numpy(), order="time", method="gaussian")
    assert found.value == plain.value and found.interval == plain.interval
    x.values[5] = np.nan
    assert mine.estimate(x, y, drop_missing=True, method="gaussian").n == 299
    assert mine.independence_test(x, y, drop_missing=True, random_state=0).p_value > 0


class Raw:
    """As much of MNE's class as the reader uses."""

    ch_names = ("Fz", "Cz")
    times = np.arange(40) / 100

    def get_data(self, reject_by_annotation: str | None = None) -> np.ndarray:
        data = np.stack([np.arange(40.0), -np.arange(40.0)])
        if reject_by_annotation == "NaN":
            data[:, 10:12] = np.nan
        return data


class Evoked:
    ch_names = ("Fz", "Cz")
    times = np.arange(40) / 100 - 0.1
    data = np.zeros((2, 40))


class Epochs:
    def get_data(self) -> np.ndarray:
        return np.arange(5 * 2 * 40, dtype=float).reshape(5, 2, 40)


@pytest.fixture
def mne(monkeypatch: pytest.MonkeyPatch) -> None:
    package = types.SimpleNamespace(BaseEpochs=Epochs, Evoked=Evoked, io=types.SimpleNamespace(BaseRaw=Raw))
    monkeypatch.setitem(sys.modules, "mne", package)


@pytest.mark.usefixtures("mne")
def test_recordings_of_mne_have_times_as_rows_and_channels_as_columns():
    source = read_source(Raw(), "x")
    assert source.names == ["Fz", "Cz"] and len(source) == 40 and source.times is not None
    assert np.isnan(source.columns[0][10:12]).all() and source.columns[1][39] == -39
    assert source.filter(~np.isnan(source.columns[0])).times is not None
    assert read_source(Evoked(), "x").names == ["Fz", "Cz"]


@pytest.mark.usefixtures("mne")
def test_epochs_of_mne_are_sequences():
    source = read_source(Epochs(), "x")
    assert len(source) == 5 and source.event == (40, 2)
    assert source.columns[1].tolist() == [Epochs().get_data()[e, 1, 0] for e in range(5)]
