"""Everything people pass in, and every message they get when it cannot be used."""

from __future__ import annotations

import datetime
import decimal
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mine.data.sides import as_variable, check_discrete_names
from mine.data.sources import missing_rows
from mine.errors import InputError, NotEnoughDataError, UnknownNameError

UTC = datetime.UTC
ROME = datetime.timezone(datetime.timedelta(hours=2))


def numbers(data: Any, **kwargs: Any) -> list[Any]:
    """The continuous coordinates of a wholly numeric side, a flat list if it has one column."""
    variable = as_variable(data, "x", **kwargs)
    assert variable.n_discrete == 0
    assert variable.continuous.dtype == np.float64
    assert type(variable.continuous) is np.ndarray
    return variable.continuous.squeeze(1).tolist() if variable.continuous.shape[1:] == (1,) else variable.continuous.tolist()


def labels(data: Any, **kwargs: Any) -> list[Any]:
    """The labels of a wholly discrete side of one column."""
    variable = as_variable(data, "x", **kwargs)
    assert variable.n_continuous == 0
    assert variable.discrete.shape == (len(variable), 1)
    (levels,) = variable.levels
    return [levels[code] for code in variable.discrete[:, 0]]


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
    missing_rows(array, "x")
    as_variable(array[:2], "x").continuous[0, 0] = 99
    np.testing.assert_array_equal(array, copy)


def test_integers_with_missing_values_keep_the_others_exact():
    mask = missing_rows(pd.DataFrame({"a": pd.Series([2**40 + 1, None, 3], dtype="Int64")}), "x")
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


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(range(50)).astype("category"),  # too many levels for the rule of numeric columns
        pd.Series(np.arange(50) / 2).astype("category"),
        pd.Series(["1", "2", "x", *map(str, range(47))]).astype("category"),  # mostly numeric text is no mistake here
        pl.Series([*list(map(str, range(49))), "x"], dtype=pl.Categorical),
    ],
)
def test_a_category_is_discrete_whatever_its_values(column: Any):
    assert len(set(labels(column))) > 40


def test_numbers_written_as_text_are_labels():
    assert labels(["1", "2", "1"]) == ["1", "2", "1"]
    assert labels(np.array([b"1", b"\xff"])) == ["1", "\\xff"]


def test_labels_of_mixed_type_are_text():
    assert labels(["a", "b", 1, True]) == ["a", "b", "1", "True"]


# === Which numeric columns are discrete ===


@pytest.mark.parametrize(
    ("n_levels", "n", "discrete"),
    [(2, 20, True), (2, 19, False), (20, 200, True), (20, 199, False), (21, 5000, False)],
)
def test_the_rule_for_numeric_columns(n_levels: int, n: int, discrete: bool):
    levels = np.arange(n) % n_levels
    for values in (levels, levels / 7, levels.astype("f4")):
        assert (as_variable(values, "x").n_discrete == 1) is discrete


FRAME = pd.DataFrame(
    {"few": np.arange(100) % 3, "many": np.arange(100.0), "flag": np.arange(100) % 2 == 0, "name": ["p", "q"] * 50}
)


@pytest.mark.parametrize(
    ("discrete", "expected"),
    [
        (None, {"few", "flag", "name"}),
        (True, {"few", "many", "flag", "name"}),
        (False, {"name"}),  # text cannot be a number
        ([], {"flag", "name"}),
        (["many"], {"many", "flag", "name"}),
        (("few", "many"), {"few", "many", "flag", "name"}),
        ({"few": False}, {"flag", "name"}),
        ({"many": True}, {"few", "many", "flag", "name"}),
        ({"flag": False, "few": True}, {"few", "name"}),
    ],
)
def test_discrete_overrides_the_rule(discrete: Any, expected: set[str]):
    variable = as_variable(FRAME, "x", discrete)
    assert set(variable.columns) == set(FRAME)
    assert set(variable.columns[variable.n_continuous :]) == expected
    assert variable.n_discrete == len(expected)


def test_columns_stay_with_their_values_when_reordered():
    variable = as_variable(FRAME, "x")
    assert variable.columns == ("many", "few", "flag", "name")  # continuous first
    assert variable.flat[:, 0].tolist() == FRAME["many"].tolist()
    for k, name in enumerate(("few", "flag", "name")):
        texts = [str(float(v)) if name == "few" else str(v) for v in FRAME[name]]
        assert [variable.levels[k][code] for code in variable.discrete[:, k]] == texts


def test_discrete_names_are_checked():
    variable = as_variable(FRAME, "x")
    check_discrete_names(["few"], variable)
    check_discrete_names({"name": True}, variable)
    check_discrete_names(True, variable)
    with pytest.raises(
        UnknownNameError, match=r"Unknown column in discrete 'nam': did you mean 'name'\? Valid: many, few, flag, name"
    ):
        check_discrete_names(["nam"], variable)
    with pytest.raises(InputError, match="a list of column names or a mapping; got 'few'"):
        check_discrete_names("few", variable)


def test_a_dropped_column_may_be_named_in_discrete():
    variable = as_variable(pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 3.0]}), "x")
    check_discrete_names(["b"], variable)


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


# === n-D ===


@pytest.mark.parametrize("to", [np.asarray, torch.as_tensor, lambda a: a.tolist(), lambda a: a.astype("u1"), lambda a: a > 30])
def test_images_keep_their_shape(to: Callable[[np.ndarray], Any]):
    images = np.arange(60).reshape(5, 1, 3, 4)
    variable = as_variable(to(images), "x")
    assert variable.continuous.shape == (5, 1, 3, 4)
    np.testing.assert_array_equal(variable.continuous, np.asarray(to(images), float))
    assert variable.n_continuous == 12 and variable.flat.shape == (5, 12) and len(variable) == 5
    assert variable.take(np.array([4, 1])).continuous[0, 0, 0, 0] == float(np.asarray(to(images))[4, 0, 0, 0])


def test_pixels_that_never_change_stay_in_an_image():
    images = np.zeros((4, 2, 2))
    images[:, 0, 0] = [1, 2, 3, 4]
    variable = as_variable(images, "x")
    assert variable.continuous.shape == (4, 2, 2) and variable.dropped == ()


# === Constants ===


def test_constant_columns_of_a_wider_side_are_dropped_and_named():
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [7.0, 7.0, 7.0], "c": ["u", "u", "u"], "d": ["u", "v", "u"]})
    variable = as_variable(frame, "x")
    assert variable.columns == ("a", "d") and variable.dropped == ("b", "c")
    assert variable.flat.tolist() == [[1.0], [2.0], [3.0]]
    kept = as_variable(frame, "x", keep_constant=True)
    assert kept.columns == ("a", "b", "c", "d") and kept.dropped == ()


@pytest.mark.parametrize(
    ("data", "who"),
    [
        ([5.0] * 30, "x is constant"),
        (["u"] * 30, "x is constant"),
        ([True] * 30, "x is constant"),
        (pd.Series([5.0] * 30, name="age"), "Column 'age' is constant"),
        (np.ones((30, 3)), "x is constant"),
        (np.ones((30, 1, 2, 2)), "x is constant"),
        (pd.DataFrame({"a": [1] * 30, "b": ["u"] * 30}), "x is constant"),
    ],
)
def test_a_constant_side_is_an_error_unless_allowed(data: Any, who: str):
    for keep in (False, True):
        with pytest.raises(InputError, match=rf"^{who}, .* choose a column that varies\.$"):
            as_variable(data, "x", keep_constant=keep)
    assert len(as_variable(data, "x", allow_constant=True)) == 30


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
    assert missing_rows(MISSING[kind], "x").tolist() == [False, True, False]
    message = r"^Column 'x' has 1 missing value\(s\).*, the first in row 1: pass drop_missing=True \(--drop-missing\)"
    with pytest.raises(InputError, match=message):
        as_variable(MISSING[kind], "x")


def test_missing_rows_looks_at_every_column():
    frame = pd.DataFrame({"a": [1.0, np.nan, 3.0, 4.0], "b": ["u", "v", None, "w"], "c": [1, 2, 3, 4]})
    assert missing_rows(frame, "x").tolist() == [False, True, True, False]
    assert not missing_rows(np.ones((3, 2, 2)), "x").any()
    images = np.ones((3, 2, 2))
    images[1, 1, 0] = np.nan
    assert missing_rows(images, "x").tolist() == [False, True, False]
    assert not missing_rows([[1, 2], [3, 4]], "x").any()


# === What cannot be used ===


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.array([1.0, np.inf, -np.inf]), r"Column 'x' has 2 infinite value\(s\), the first in row 1: remove those rows or"),
        (pd.DataFrame({"age": [1.0, np.inf]}), r"Column 'age' has 1 infinite value"),
        (np.array([[1.0, 2.0], [3.0, np.inf]]), r"Column 'x\[1\]' has 1 infinite"),
        (np.array([[[1.0]], [[np.inf]]]), r"Column 'x\[0, 0\]' has 1 infinite"),
        (np.array([[[1.0]], [[np.nan]]]), r"Column 'x\[0, 0\]' has 1 missing"),
        ([10**400, 1], r"Column 'x' has an integer beyond the range of float64: rescale it"),
        (np.array([1 + 2j, 3.0]), r"Column 'x' is complex.*: pass its real and imaginary parts as two columns"),
        (torch.tensor([1 + 2j, 3.0]), r"Column 'x' is complex"),
        (["1", "2", "x"], r"Column 'x' is mostly numeric but holds the text 'x' \(row 2\): clean it, or declare"),
        ([1.0, 2.0, "n/a"], r"Column 'x' is mostly numeric but holds the text 'n/a' \(row 2\)"),
        (pd.DataFrame({"age": ["1", "?", "2"]}), r"Column 'age' is mostly numeric but holds the text '\?' \(row 1\)"),
        (np.array([["1", "2"], ["3", "?"], ["5", "6"]]), r"Column 'x\[1\]' is mostly numeric but holds the text '\?' \(row 1\)"),
        (np.array([[["1"]], [["b"]], [["c"]]]), r"x\[0, 0\] holds text: an input of three or more dimensions must be numeric"),
        (np.zeros(3, "V4"), r"Column 'x' has the unsupported type \|V4: pass numbers or text"),
        ([[1, 2], [3]], r"x is ragged: every row must have the same shape"),
        ([["a", "b"], ["c"]], r"x is ragged"),
        (pd.Series([[1, 2], [3, 4]]), r"Column 'x' holds list values \(row 0\): pass one number or text a row"),
        (pl.Series("a", [[1, 2], [3, 4]]), r"Column 'a' holds list values"),
        (pl.Series("a", [{"p": 1}, {"p": 2}]), r"Column 'a' holds dict values"),
        (np.array([np.zeros(2), np.zeros(3)], object), r"Column 'x' holds ndarray values"),
        (3.0, r"x must be an array, a tensor, a list, or a column or frame of a table; got float"),
        ("abc", r"x must be an array.*; got str"),
        (None, r"x must be an array.*; got NoneType"),
        ({"a": [1.0, 2.0]}, r"x must be an array.*; got dict"),
        ({1.0, 2.0}, r"x must be an array.*; got set"),
        (pl.LazyFrame({"a": [1, 2]}), r"x must be an array.*; got LazyFrame"),
        (np.array(3.0), r"x is a single value: pass one row for each observation"),
        (torch.tensor(3.0), r"x is a single value"),
        (scipy.sparse.csr_matrix(np.eye(3)), r"x is sparse, and sparse input is not supported: pass x\.toarray\(\)"),
        (torch.eye(3).to_sparse(), r"x is sparse.*: pass x\.to_dense\(\)"),
        (pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"]), r"x has several columns of the same name: rename them"),
        *(
            (empty, r"x is empty")
            for empty in ([], [[], []], np.empty(0), np.empty((0, 3)), np.empty((0, 2, 2)), np.empty((4, 0)), pd.DataFrame())
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_explained(data: Any, message: str):
    with pytest.raises(InputError, match=message):
        as_variable(data, "x")


def test_a_long_double_beyond_float64_is_infinite():
    largest = np.finfo(np.longdouble).max
    if largest == np.finfo(np.float64).max:  # a platform whose long double is a double
        assert numbers(np.array([largest, 1])) == [float(largest), 1.0]
        return
    with pytest.raises(InputError, match=r"Column 'x' has 1 infinite value\(s\), the first in row 0"):
        as_variable(np.array([largest, 1]), "x")


@pytest.mark.parametrize("discrete", [True, ["code"], {"code": True}])
def test_mostly_numeric_text_may_be_declared_discrete_as_its_error_advises(discrete: Any):
    frame = pd.DataFrame({"code": ["101", "102", "B12"]})
    assert labels(frame, discrete=discrete) == ["101", "102", "B12"]


def test_half_of_the_values_being_numbers_is_not_mostly():
    assert labels(["1", "2", "x", "y"]) == ["1", "2", "x", "y"]


def test_too_few_rows():
    with pytest.raises(NotEnoughDataError, match="3"):
        as_variable([1.0, 2.0, 3.0], "x", min_rows=20)
    assert len(as_variable([1.0, 2.0, 3.0], "x", min_rows=3)) == 3


# === Equal rows ===


@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, -0.0, 1.5, 2.5]), st.sampled_from("uv"), st.sampled_from([1, 2])),
        min_size=2,
        max_size=12,
    )
)
def test_row_ids_are_equal_for_equal_rows_only(rows: list[tuple[float, str, int]]):
    frame = pd.DataFrame(rows, columns=["a", "b", "c"])
    ids = as_variable(frame, "x", {"a": False, "c": True}, allow_constant=True).row_ids()
    assert sorted(set(ids.tolist())) == list(range(len(set(rows))))
    for i, first in enumerate(rows):
        for j, second in enumerate(rows):
            assert (ids[i] == ids[j]) == (first == second)


def test_row_ids_of_images():
    images = np.zeros((4, 1, 2, 2))
    images[1, 0, 1, 1] = images[3, 0, 1, 1] = 1e-300
    ids = as_variable(images, "x").row_ids()
    assert ids[0] == ids[2] != ids[1] == ids[3]


def test_take_keeps_numbers_and_labels_together():
    taken = as_variable(FRAME, "x").take(np.array([7, 2]))
    assert taken.flat[:, 0].tolist() == [7.0, 2.0]
    texts = [[levels[code] for levels, code in zip(taken.levels, row, strict=True)] for row in taken.discrete]
    assert texts == [["1.0", "False", "q"], ["2.0", "True", "p"]]
