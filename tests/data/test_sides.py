"""One side of the pair: its shape, its constants, and every message about what cannot be used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse
import torch

from mine.data.sides import as_variable, check_discrete_names
from mine.errors import InputError, NotEnoughDataError, UnknownNameError

FRAME = pd.DataFrame(
    {"few": np.arange(100) % 3, "many": np.arange(100.0), "flag": np.arange(100) % 2 == 0, "name": ["p", "q"] * 50}
)


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


# === What cannot be used ===


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.array([1.0, np.inf, -np.inf]), r"Column 'x' has 2 infinite value\(s\), the first in row 1: pass drop_missing=True"),
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


def test_too_few_rows():
    with pytest.raises(NotEnoughDataError, match="3"):
        as_variable([1.0, 2.0, 3.0], "x", min_rows=20)
    assert len(as_variable([1.0, 2.0, 3.0], "x", min_rows=3)) == 3
