"""Every kind of input becomes the same named columns, and its missing values are found."""

from __future__ import annotations

import datetime
import decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import mine
from mine.data.gaps import unusable_rows
from mine.data.sides import as_variable
from mine.data.sources import named_columns
from mine.errors import InputError

from .typed_sides import labels, numbers

UTC = datetime.UTC
ROME = datetime.timezone(datetime.timedelta(hours=2))


# === Numbers ===

NUMERIC = {
    **{
        f"numpy {dtype}": np.array([3, 1, 2], dtype)
        for dtype in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "g", ">f8", ">i4", "O")
    },
    "numpy column": np.array([[3.0], [1.0], [2.0]]),
    "numpy not contiguous": np.array([3.0, 9.0, 1.0, 9.0, 2.0])[::2],
    "numpy read-only": np.broadcast_to(np.array([3.0, 1.0, 2.0]), (3,)),
    "numpy masked array without a mask": np.ma.array([3.0, 1.0, 2.0]),
    "numpy timedelta": np.array([3, 1, 2], "m8[us]"),
    **{
        f"torch {dtype}": torch.tensor([3, 1, 2]).to(dtype)
        for dtype in (
            torch.uint8,
            torch.int8,
            torch.int16,
            torch.int32,
            torch.int64,
            torch.float16,
            torch.bfloat16,
            torch.float32,
            torch.float64,
            torch.float8_e4m3fn,
        )
    },
    "torch column": torch.tensor([[3.0], [1.0], [2.0]]),
    "torch requires_grad": torch.tensor([3.0, 1.0, 2.0], requires_grad=True),
    "torch negative bit": torch.tensor([1 - 3j, 1 - 1j, 1 - 2j]).conj().imag,
    "list": [3, 1.0, 2],
    "list of lists": [[3], [1], [2]],
    "tuple": (3, 1, 2),
    "range": range(3, 0, -1),
    "generator": (v for v in [3, 1, 2]),
    "list of numpy scalars": [np.float32(3), np.int8(1), np.float64(2)],
    "list of tensors": [torch.tensor(3.0), torch.tensor(1.0), torch.tensor(2.0)],
    "list of bfloat16 tensors": [torch.tensor(v, dtype=torch.bfloat16, requires_grad=True) for v in (3.0, 1.0, 2.0)],
    "list of arrays": [np.array([3.0]), np.array([1.0]), np.array([2.0])],
    "decimals": [decimal.Decimal(3), decimal.Decimal(1), decimal.Decimal(2)],
    "pandas": pd.Series([3, 1, 2], index=[7, 7, 9]),
    "pandas index": pd.Index([3, 1, 2]),
    "pandas Int64": pd.Series([3, 1, 2], dtype="Int64"),
    "pandas Float32": pd.Series([3, 1, 2], dtype="Float32"),
    "pandas arrow": pd.Series([3, 1, 2], dtype="int64[pyarrow]"),
    "pandas object": pd.Series([3, 1, 2], dtype=object),
    "pandas frame": pd.DataFrame({"a": [3, 1, 2]}),
    "pandas timedelta": pd.Series(pd.to_timedelta([3, 1, 2], unit="us")),
    "polars": pl.Series([3, 1, 2]),
    "polars decimal": pl.Series([decimal.Decimal(3), decimal.Decimal(1), decimal.Decimal(2)]),
    "polars frame": pl.DataFrame({"a": [3.0, 1.0, 2.0]}),
    "polars duration": pl.Series([datetime.timedelta(microseconds=v) for v in (3, 1, 2)]),
    "pyarrow array": pa.array([3, 1, 2]),
    "pyarrow chunked": pa.chunked_array([[3, 1], [2]]),
    "pyarrow table": pa.table({"a": [3, 1, 2]}),
    "pyarrow batch": pa.RecordBatch.from_pydict({"a": [3, 1, 2]}),
    "datetime.timedelta": [datetime.timedelta(microseconds=v) for v in (3, 1, 2)],
}


@pytest.mark.parametrize("kind", [k for k in NUMERIC if k not in ("range", "generator")])
def test_numbers_of_every_kind(kind: str):
    assert numbers(NUMERIC[kind]) == [3.0, 1.0, 2.0]


def test_numbers_from_what_is_read_once():
    assert numbers(NUMERIC["range"]) == [3.0, 2.0, 1.0]
    assert numbers(NUMERIC["generator"]) == [3.0, 1.0, 2.0]


@given(hnp.arrays(st.sampled_from([np.float16, np.float32, np.float64, np.int64, np.uint8]), (5, 2)))
def test_values_and_shape_survive_unchanged(array: np.ndarray):
    if not np.isfinite(array).all():
        with pytest.raises(InputError, match=r"Column 'x\[[01]\]' has \d+ (missing|infinite) value"):
            as_variable(array, "x", discrete=False, allow_constant=True)
        return
    variable = as_variable(array, "x", discrete=False, allow_constant=True)
    assert np.array_equal(variable.flat, array.astype(np.float64))
    assert variable.columns == ("x[0]", "x[1]") and variable.dropped == ()


def test_input_arrays_are_not_changed():
    array = np.array([[1.0, 5.0], [2.0, 6.0], [np.nan, 7.0]])
    copy = array.copy()
    unusable_rows(array, "x")
    as_variable(array[:2], "x").continuous[0, 0] = 99
    np.testing.assert_array_equal(array, copy)


def test_integers_with_missing_values_keep_the_others_exact():
    mask = unusable_rows(pd.DataFrame({"a": pd.Series([2**40 + 1, None, 3], dtype="Int64")}), "x")
    assert mask.tolist() == [False, True, False]
    assert numbers(pd.Series([2**40 + 1, 3], dtype="Int64")) == [2**40 + 1, 3]


# === Time ===

DAYS = ("2024-01-01", "2024-03-01", "2024-01-02")
MICROSECONDS = [1704067200e6, 1709251200e6, 1704153600e6]
TIMES = {
    "numpy days": np.array(DAYS, "M8[D]"),
    "numpy nanoseconds": np.array(DAYS, "M8[ns]"),
    "dates": [datetime.date.fromisoformat(d) for d in DAYS],
    "datetimes": [datetime.datetime.fromisoformat(d) for d in DAYS],
    "datetimes with a zone": [datetime.datetime.fromisoformat(d).replace(tzinfo=UTC).astimezone(ROME) for d in DAYS],
    "pandas": pd.Series(pd.to_datetime(DAYS)),
    "pandas seconds": pd.Series(np.array(DAYS, "M8[s]")),
    "pandas with a zone": pd.Series(pd.to_datetime(DAYS).tz_localize("UTC").tz_convert("Europe/Rome")),
    "pandas index": pd.to_datetime(DAYS),
    "pandas objects": pd.Series([datetime.date.fromisoformat(d) for d in DAYS], dtype=object),
    "polars dates": pl.Series([datetime.date.fromisoformat(d) for d in DAYS]),
    "polars datetimes": pl.Series([datetime.datetime.fromisoformat(d) for d in DAYS]),
    "polars with a zone": pl.Series(DAYS).str.to_datetime(time_zone="UTC").dt.convert_time_zone("Europe/Rome"),
    "pyarrow dates": pa.table({"a": pa.array([datetime.date.fromisoformat(d) for d in DAYS])}),
    "pyarrow timestamps": pa.table({"a": pa.array([datetime.datetime.fromisoformat(d) for d in DAYS])}),
}


@pytest.mark.parametrize("kind", TIMES)
def test_times_are_microseconds(kind: str):
    assert numbers(TIMES[kind]) == MICROSECONDS


# === Labels ===

LABELS = {
    "list": ["u", "v", "u"],
    "list of bytes": [b"u", b"v", b"u"],
    "tuple": ("u", "v", "u"),
    "numpy U": np.array(["u", "v", "u"]),
    "numpy S": np.array([b"u", b"v", b"u"]),
    "numpy T": np.array(["u", "v", "u"], np.dtypes.StringDType()),
    "numpy O": np.array(["u", "v", "u"], object),
    "pandas": pd.Series(["u", "v", "u"]),
    "pandas object": pd.Series(["u", "v", "u"], dtype=object),
    "pandas string": pd.Series(["u", "v", "u"], dtype="string"),
    "pandas category": pd.Series(["u", "v", "u"], dtype="category"),
    "pandas ordered": pd.Series(pd.Categorical(["u", "v", "u"], categories=["v", "u"], ordered=True)),
    "polars": pl.Series(["u", "v", "u"]),
    "polars categorical": pl.Series(["u", "v", "u"], dtype=pl.Categorical),
    "polars enum": pl.Series(["u", "v", "u"], dtype=pl.Enum(["v", "u"])),
    "pyarrow": pa.table({"a": ["u", "v", "u"]}),
    "pyarrow dictionary": pa.table({"a": pa.array(["u", "v", "u"]).dictionary_encode()}),
}


@pytest.mark.parametrize("kind", LABELS)
def test_text_is_discrete(kind: str):
    assert labels(LABELS[kind]) == ["u", "v", "u"]


BOOLEANS = {
    "list": [True, False, True],
    "numpy": np.array([True, False, True]),
    "numpy object": np.array([True, False, True], object),
    "torch": torch.tensor([True, False, True]),
    "pandas": pd.Series([True, False, True]),
    "pandas boolean": pd.Series([True, False, True], dtype="boolean"),
    "polars": pl.Series([True, False, True]),
    "pyarrow": pa.table({"a": [True, False, True]}),
}


@pytest.mark.parametrize("kind", BOOLEANS)
def test_booleans_are_discrete_unless_declared_numbers(kind: str):
    assert labels(BOOLEANS[kind]) == ["True", "False", "True"]
    assert numbers(BOOLEANS[kind], discrete=False) == [1.0, 0.0, 1.0]


# === Names ===


@pytest.mark.parametrize(
    ("data", "columns"),
    [
        ([1.0, 2.0], ("x",)),
        (np.array([[1.0], [2.0]]), ("x",)),
        (np.array([[1.0, 5.0], [2.0, 6.0]]), ("x[0]", "x[1]")),
        (np.array([[[1.0, 5.0]], [[2.0, 6.0]]]), ("x[0, 0]", "x[0, 1]")),
        (pd.Series([1.0, 2.0], name="age"), ("age",)),
        (pd.Series([1.0, 2.0]), ("x",)),
        (pl.Series([1.0, 2.0]), ("x",)),
        (pd.DataFrame(np.array([[1.0, 5.0], [2.0, 6.0]])), ("0", "1")),
        (pd.DataFrame([[1.0, 5.0], [2.0, 6.0]], columns=pd.MultiIndex.from_tuples([("a", 1), ("a", 2)])), ("('a', 1)", "('a', 2)")),
        (pl.DataFrame({"u": [1.0, 2.0], "v": [5.0, 6.0]}), ("u", "v")),
        (pa.table({"u": [1.0, 2.0], "v": [5.0, 6.0]}), ("u", "v")),
    ],
)  # fmt: skip
def test_column_names(data: Any, columns: tuple[str, ...]):
    variable = as_variable(data, "x")
    assert variable.columns == columns
    assert variable.flat[0].tolist() == [1.0, 5.0][: len(columns)]


# === Missing values ===

MISSING = {
    "list of None": [1.0, None, 3.0],
    "list of nan": [1.0, float("nan"), 3.0],
    "text": ["u", None, "v"],
    "numpy": np.array([1.0, np.nan, 3.0]),
    "numpy half": np.array([1.0, np.nan, 3.0], "f2"),
    "numpy NaT": np.array(["2024-01-01", "NaT", "2024-01-03"], "M8[D]"),
    "numpy timedelta NaT": np.array([1, "NaT", 3], "m8[s]"),
    "numpy object": np.array([1.0, None, 3.0], object),
    "numpy masked": np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False]),
    "numpy masked integers": np.ma.array([1, 2, 3], mask=[False, True, False]),
    "torch": torch.tensor([1.0, float("nan"), 3.0]),
    "torch bfloat16": torch.tensor([1.0, float("nan"), 3.0], dtype=torch.bfloat16),
    "pandas": pd.Series([1.0, None, 3.0]),
    "pandas Int64": pd.Series([1, None, 3], dtype="Int64"),
    "pandas boolean": pd.Series([True, None, False], dtype="boolean"),
    "pandas string": pd.Series(["u", None, "v"], dtype="string"),
    "pandas category": pd.Series(["u", None, "v"], dtype="category"),
    "pandas datetime": pd.Series(pd.to_datetime(["2024-01-01", None, "2024-01-03"])),
    "pandas datetime with a zone": pd.Series(pd.to_datetime(["2024-01-01", None, "2024-01-03"]).tz_localize("UTC")),
    "pandas timedelta": pd.Series(pd.to_timedelta([1, None, 3], unit="s")),
    "pandas NA in objects": pd.Series([1, pd.NA, 3], dtype=object),
    "polars": pl.Series([1, None, 3]),
    "polars nan": pl.Series([1.0, float("nan"), 3.0]),
    "polars boolean": pl.Series([True, None, False]),
    "polars date": pl.Series([datetime.date(2024, 1, 1), None, datetime.date(2024, 1, 3)]),
    "polars categorical": pl.Series(["u", None, "v"], dtype=pl.Categorical),
    "pyarrow array": pa.array([1, None, 3]),
    "pyarrow text": pa.table({"x": ["u", None, "v"]}),
}


@pytest.mark.parametrize("kind", MISSING)
def test_missing_values_are_found_and_explained(kind: str):
    assert unusable_rows(MISSING[kind], "x").tolist() == [False, True, False]
    message = r"^Column 'x' has 1 missing value\(s\).*, the first in row 1: pass drop_missing=True \(--drop-missing\)"
    with pytest.raises(InputError, match=message):
        as_variable(MISSING[kind], "x")


def test_missing_rows_looks_at_every_column():
    frame = pd.DataFrame({"a": [1.0, np.nan, 3.0, 4.0], "b": ["u", "v", None, "w"], "c": [1, 2, 3, 4]})
    assert unusable_rows(frame, "x").tolist() == [False, True, True, False]
    assert not unusable_rows(np.ones((3, 2, 2)), "x").any()
    images = np.ones((3, 2, 2))
    images[1, 1, 0] = np.nan
    assert unusable_rows(images, "x").tolist() == [False, True, False]
    assert not unusable_rows([[1, 2], [3, 4]], "x").any()


class Query:
    """As a relation of DuckDB: gives its rows as a stream of arrow, in another order whenever it is asked."""

    def __init__(self, table: pa.Table) -> None:
        self.table, self.asked = table, 0

    def __len__(self) -> int:
        return self.table.num_rows

    @property
    def columns(self) -> list[str]:
        return self.table.column_names

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        self.asked += 1
        order = np.random.default_rng(self.asked).permutation(len(self))
        return self.table.take(pa.array(order)).__arrow_c_stream__(requested_schema)


def test_a_query_is_read_once() -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(size=300)
    columns = {"a": np.where(a > 2, np.nan, a), "b": 2 * a + rng.normal(size=300), "k": np.where(a > 0, "u", "v")}
    table = pa.table(columns)
    assert list(named_columns(Query(table), "x")) == ["a", "b", "k"]
    pairs = mine.pairwise(Query(table), random_state=0)
    assert pairs["value"].min() > 0.2
    blocks = Query(table.select(["a", "b"]))
    found = mine.total_correlation(blocks, method="gaussian", drop_missing=True)
    assert found.value > 0.5 and blocks.asked == 1
    query = Query(table.select(["a", "b"]))
    with pytest.raises(InputError, match="missing"):
        mine.estimate(query, rng.normal(size=300))
    reader = pa.RecordBatchReader.from_batches(table.schema, table.to_batches())
    assert mine.describe(reader).to_json() == mine.describe(table).to_json()


@pytest.mark.parametrize("kind", [np.bytes_, object])
def test_bytes_are_the_text_that_they_stand_for(kind: Any) -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=300).round(2)
    y = x + rng.normal(size=300)
    written = np.array([f"{v:.2f}".encode() for v in x], kind)
    with pytest.raises(InputError, match="parse=True"):
        mine.estimate(written, y)
    found = mine.estimate(written, y, method="gaussian", parse=True)
    assert found.value == mine.estimate(x, y, method="gaussian").value
    table = {"written": written, "y": y}
    assert mine.pairwise(pd.DataFrame(table), method="gaussian", parse=True)["value"][0] == pytest.approx(found.value, abs=1e-9)
    labels = rng.integers(0, 4, 300)
    names = np.array([f"shop {label}" for label in labels])
    same = mine.estimate(names.astype(np.bytes_), labels, discrete=True).value
    assert same == mine.estimate(names, labels, discrete=True).value
