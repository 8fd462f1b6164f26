"""One column: which are labels, the codes and levels of labels, and text that was meant as numbers."""

from __future__ import annotations

import decimal
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from mine.data.sides import as_variable
from mine.errors import InputError, NumberTextError

from .typed_sides import labels, numbers

# === Labels ===


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


def test_whole_numbers_written_as_text_are_labels():
    assert labels(["1", "2", "1"]) == ["1", "2", "1"]
    assert labels(np.array([b"1", b"\xff"])) == ["1", "\\xff"]


@pytest.mark.parametrize(
    ("texts", "form"),
    [(["1.5", "2.25"], "numbers"), (["-3", "4"], "numbers"), (["3 kg", "5 kg"], "numbers in kg"), (["1/31/2020"], "dates")],
)
def test_texts_that_hardly_are_labels_are_refused_unless_they_repeat_often_or_are_declared(texts: list[str], form: str):
    with pytest.raises(
        NumberTextError, match=f"Column 'x' holds {form} written as text, such as '{texts[0]}': clean it, declare"
    ):
        as_variable(texts, "x")
    assert labels(texts * 10, allow_constant=True) == texts * 10
    assert labels(texts, discrete=True, allow_constant=True) == texts
    assert labels(pd.Series(texts, dtype="category"), allow_constant=True) == texts


# === Integers that float64 would merge ===


def test_integers_that_float64_would_merge_are_labels():
    near = 2**60 + np.arange(240)
    assert as_variable(near, "x").n_discrete == 1 and len(set(labels(near))) == 240
    for far in (2**60 * np.arange(-4, 4), 2**53 - np.arange(240)):
        assert numbers(far) == far.astype(float).tolist()


@pytest.mark.parametrize(
    "write",
    [
        lambda values: [2**70 + v for v in values],
        lambda values: pa.array([decimal.Decimal(2**80 + v) for v in values], pa.decimal128(38, 0)),
        lambda values: pl.Series([2**63 + v for v in values], dtype=pl.UInt64),
        lambda values: pd.Series([2**60 + v for v in values], dtype="Int64"),
        lambda values: [str(2**64 + v) for v in values],
    ],
)
def test_few_long_integers_stay_apart(write: Callable[[list[int]], Any]):
    values = [0, 1, 2] * 80
    found = labels(write(values))
    assert len(set(found)) == 3 and [found.index(text) for text in found] == [values.index(v) for v in values]


def test_long_integers_declared_numbers_are_refused():
    with pytest.raises(InputError, match=r"whole numbers beyond 2\*\*53 that float64 cannot resolve: subtract the smallest"):
        as_variable(2**60 + np.arange(240), "x", False)


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


@pytest.mark.parametrize("discrete", [True, ["code"], {"code": True}])
def test_mostly_numeric_text_may_be_declared_discrete_as_its_error_advises(discrete: Any):
    frame = pd.DataFrame({"code": ["101", "102", "B12"]})
    assert labels(frame, discrete=discrete) == ["101", "102", "B12"]


def test_half_of_the_values_being_numbers_is_not_mostly():
    assert labels(["1", "2", "x", "y"]) == ["1", "2", "x", "y"]


def test_a_long_double_beyond_float64_is_infinite():
    largest = np.finfo(np.longdouble).max
    if largest == np.finfo(np.float64).max:  # a platform whose long double is a double
        assert numbers(np.array([largest, 1])) == [float(largest), 1.0]
        return
    with pytest.raises(InputError, match=r"Column 'x' has 1 infinite value\(s\), the first in row 0"):
        as_variable(np.array([largest, 1]), "x")
