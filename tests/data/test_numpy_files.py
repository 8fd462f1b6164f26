"""NPY and NPZ: matrices, blocks and records as named columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mine.data.readers import Table, read_table
from mine.errors import InputError, UnknownNameError


def npz_table(folder: Path, **arrays: Any) -> Table:
    np.savez(folder / "data.npz", **arrays)
    return read_table(str(folder / "data.npz"))


def npy_table(folder: Path, array: Any) -> Table:
    np.save(folder / "data.npy", array)
    return read_table(str(folder / "data.npy"))


def test_npy_matrix_has_numbered_columns(tmp_path: Path):
    matrix = np.arange(36.0).reshape(3, 12)
    table = npy_table(tmp_path, matrix)
    assert table.columns == tuple(map(str, range(12)))
    assert table.names("[1-3]") == ["1", "2", "3"]
    assert table.names("1?") == ["10", "11"]
    assert table.names("all") == list(table.columns)
    assert table.select("11,0").to_pydict() == {"11": [11.0, 23.0, 35.0], "0": [0.0, 12.0, 24.0]}
    with pytest.raises(UnknownNameError, match="'-1'"):
        table.names("-1")


def test_npy_of_three_dimensions_is_one_block(tmp_path: Path):
    images = np.arange(12.0).reshape(3, 2, 2)
    table = npy_table(tmp_path, images)
    assert (table.columns, table.n_rows, table.names("a*")) == ((), 3, ["all"])
    assert np.array_equal(table.select("all"), images)


def test_npy_vector_is_column_0(tmp_path: Path):
    assert npy_table(tmp_path, np.array([4, 5])).select("0").to_pydict() == {"0": [4, 5]}


def test_npz_names_vectors_matrices_and_blocks(tmp_path: Path):
    images = np.arange(24.0).reshape(3, 2, 4)
    table = npz_table(tmp_path, v=np.array([1, 2, 3]), m=np.eye(3)[:, :2], images=images, note=np.array("made in 2024"))
    assert table.columns == ("v", "m[0]", "m[1]")
    assert table.n_rows == 3
    assert table.names("m") == ["m[0]", "m[1]"]
    assert table.names("m[0]") == ["m[0]"]  # as a name: as a glob it would be 'm0'
    assert table.names("m*,v") == ["m[0]", "m[1]", "v"]
    assert np.array_equal(table.select("images"), images)
    with pytest.raises(InputError, match="'images' has three or more dimensions and must be selected alone"):
        table.select("images,v")


def test_npz_exact_array_name_wins_over_a_matrix_of_that_name(tmp_path: Path):
    with pytest.raises(InputError, match=r"two columns called 'm\[0\]'"):
        npz_table(tmp_path, **{"m": np.eye(2), "m[0]": np.zeros(2)})


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.array([1, 2], ">f8"), [1.0, 2.0]),
        (np.array([0.5, 2], np.float16), [0.5, 2.0]),
        (np.array([0.5, 2], np.longdouble), [0.5, 2.0]),
        (np.array([2**63, 1], np.uint64), [2**63, 1]),
        (np.array([True, False]), [True, False]),
        (np.array(["x", "yy"]), ["x", "yy"]),
        (np.array([b"x", b"yy"]), [b"x", b"yy"]),
        (np.array(["1970-01-03", "NaT"], "M8[D]"), [2, None]),
        (np.array(["1970-01-08", "1970-01-15"], "M8[W]"), [1, 2]),  # weeks, which arrow has not
        (np.array([1, 2], "m8[ns]"), [1, 2]),
        (np.array([3, "NaT"], ">m8[h]"), [3, None]),
    ],
)
def test_numpy_types(array: np.ndarray, expected: list[Any], tmp_path: Path):
    assert npz_table(tmp_path, a=array).select("a").to_pydict() == {"a": expected}


def test_structured_array_is_its_fields(tmp_path: Path):
    rows = np.array([(1.5, 2), (2.5, 3)], dtype=[("height", float), ("age", int)])
    assert npy_table(tmp_path, rows).select("all").to_pydict() == {"height": [1.5, 2.5], "age": [2, 3]}
    assert npz_table(tmp_path, people=rows).select("people[age]").to_pydict() == {"people[age]": [2, 3]}


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({}, "at least one: it has none"),
        ({"a": np.zeros(3), "b": np.zeros(4)}, r"one and the same number of rows.*a of shape \(3,\), b of shape \(4,\)"),
        ({"a": np.zeros(0)}, r"at least one: it has a of shape \(0,\)"),
        ({"a": np.float64(2)}, "at least one"),
        ({"a": np.array([{}, None], object)}, "is no npz file of plain arrays: save numbers or text, not Python objects"),
    ],
)
def test_bad_npz_says_what_it_holds(arrays: dict[str, Any], message: str, tmp_path: Path):
    with pytest.raises(InputError, match=message):
        npz_table(tmp_path, **arrays)


def test_values_that_are_several_numbers_are_refused_when_chosen(tmp_path: Path):
    table = npz_table(tmp_path, rows=np.zeros(3, [("p", float, (2,)), ("q", int)]))
    assert table.select("rows[q]").num_rows == 3
    with pytest.raises(InputError, match=r"Column 'rows\[p\]' has 2 values per row: save them as columns of their own"):
        table.select("rows[p]")


def test_array_without_columns_is_not_offered(tmp_path: Path):
    table = npz_table(tmp_path, none=np.zeros((3, 0)), b=np.arange(3))
    with pytest.raises(UnknownNameError, match=r"Unknown column 'none'\. Valid: b\."):
        table.names("none")


def test_complex_column_is_refused_when_it_is_chosen(tmp_path: Path):
    table = npz_table(tmp_path, a=np.zeros(3, complex), b=np.zeros(3))
    assert table.select("b").num_rows == 3
    with pytest.raises(InputError, match="Column 'a' has the unsupported type complex128"):
        table.select("a")
