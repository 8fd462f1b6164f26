"""Labels are codes with their levels: apart where they differ, in the order of their text, and never of one width."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

import mine
from mine.data import bigfiles, outofcore
from mine.data.gaps import unusable_rows
from mine.data.joined import joined
from mine.data.kernels import coordinates
from mine.data.labels import labels_of
from mine.data.outofcore import LazyRows
from mine.data.preprocessing import MAX_CATEGORIES, SideEncoder
from mine.data.problem import make_problem
from mine.data.readers import read_table
from mine.data.sides import as_variable
from mine.data.splits import copied_rows
from mine.data.variable import Variable

BIG = 2**53


def texts(variable: Variable) -> list[list[str]]:
    """The labels of every row, by their levels."""
    return [[levels[code] for levels, code in zip(variable.levels, row, strict=True)] for row in variable.discrete]


# === Codes and levels ===


@given(st.lists(st.text(max_size=3), min_size=1, max_size=30))
def test_codes_rank_the_labels_by_their_text(values: list[str]):
    found = as_variable(values, "x", True, allow_constant=True)
    assert found.discrete.dtype == np.int64
    assert found.levels == (tuple(sorted(set(values))),)
    assert [row[0] for row in texts(found)] == values


def test_numbers_rank_by_the_text_of_their_float64():
    found = as_variable(np.array([10, 9, -1, 100, 9]), "x", True)
    assert found.levels == (("-1.0", "10.0", "100.0", "9.0"),)
    assert found.discrete[:, 0].tolist() == [1, 3, 0, 2, 3]
    single = as_variable(np.array([0.1, 0.5], np.float32), "x", True)
    assert single.levels == (("0.10000000149011612", "0.5"),)


def test_both_zeros_are_one_label():
    assert as_variable([0.0, -0.0, 1.0], "x", True).levels == (("0.0", "1.0"),)
    assert as_variable([-0.0, 0.0, 1.0], "x", True).levels == (("0.0", "1.0"),)


def test_text_is_kept_to_the_letter():
    codes = ["007", "7", "07", "7.0", " 7", "7 "]
    found = as_variable(codes, "x", True)
    assert [row[0] for row in texts(found)] == codes


@pytest.mark.parametrize(
    "make",
    [list, lambda values: np.array(values, object), pd.Series, pl.Series, pa.array, lambda values: pd.Categorical(values)],
)
def test_labels_that_differ_by_a_trailing_nul_differ(make: Callable[[list[str]], Any]):
    values = ["a", "a\0", "a\0\0", "b"] * 10
    data = make(values)
    found = as_variable(pd.Series(data) if isinstance(data, pd.Categorical) else data, "x")
    assert found.levels == (("a", "a\0", "a\0\0", "b"),)
    assert len(np.unique(found.row_ids())) == 4
    assert SideEncoder("rank").fit(found).transform(found).shape == (40, 4)


def test_parts_keep_the_meaning_of_their_codes():
    frame = pd.DataFrame({"a": ["u", "v", "w", "v"], "n": [1.5, 2.5, 3.5, 4.5], "b": ["q", "p", "q", "p"]})
    whole = as_variable(frame, "x")
    part = whole.take(np.array([3, 2]))
    assert texts(part) == [["v", "p"], ["w", "q"]] and part.levels == whole.levels
    assert texts(whole.select(["b"])) == [["q"], ["p"], ["q"], ["p"]]
    both = joined(whole, as_variable(["x", "y", "x", "y"], "y"))
    assert texts(both)[1] == ["v", "p", "y"] and both.flat.tolist() == whole.flat.tolist()


def test_levels_are_counted_where_they_are_present():
    whole = as_variable(["u", "v", "w", "z"] * 10, "x")
    part = whole.take(whole.discrete[:, 0] % 2 == 1)
    assert sorted(set(part.row_ids().tolist())) == [0, 1]
    assert coordinates(part).shape == (20, 2)
    assert SideEncoder("rank").fit(part).transform(part).shape == (20, 1)  # two levels are one column


# === Integers beyond float64 ===

BIG_INTEGERS: dict[str, Callable[[list[int]], Any]] = {
    "numpy": lambda values: np.array(values),
    "numpy unsigned": lambda values: np.array(values, np.uint64),
    "numpy objects": lambda values: np.array(values, object),
    "list": list,
    "torch": torch.tensor,
    "pandas": pd.Series,
    "pandas Int64": lambda values: pd.Series(values, dtype="Int64"),
    "polars": pl.Series,
    "pyarrow": pa.array,
    "frame": lambda values: pd.DataFrame({"id": values}),
}


@pytest.mark.parametrize("kind", BIG_INTEGERS)
def test_big_integers_stay_apart(kind: str):
    values = [BIG, BIG + 1, BIG + 2, BIG + 3] * 10
    found = as_variable(BIG_INTEGERS[kind](values), "x")  # four values, ten rows each: labels by the rule
    assert found.levels == (tuple(f"{v}.0" if v % 2 == 0 else str(v) for v in range(BIG, BIG + 4)),)
    assert (np.unique(found.row_ids(), return_inverse=True)[1] == np.arange(40) % 4).all()
    declared = as_variable(BIG_INTEGERS[kind]([BIG + i for i in range(40)]), "x", True)
    assert len(np.unique(declared.row_ids())) == 40


@pytest.mark.parametrize("kind", BIG_INTEGERS)
def test_big_integers_group_rows(kind: str):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 40))
    codes = np.arange(40) // 4
    problem, _ = make_problem(x, y, groups=BIG_INTEGERS[kind]([BIG + int(code) for code in codes]))
    assert problem.groups is not None and len(np.unique(problem.groups)) == 10
    assert (problem.groups == np.repeat(problem.groups[::4], 4)).all()


def test_integers_beyond_64_bits_are_labels_where_declared():
    values = [2**100 + i for i in range(30)]
    assert len(as_variable(values, "x", True).levels[0]) == 30


def test_big_integers_with_gaps_stay_apart():
    holed = [BIG, None, BIG + 1, BIG + 2] * 10
    values = pd.Series(holed, dtype="Int64")
    for data in (values, pl.Series(holed), pa.array(holed), np.ma.masked_equal([v or 0 for v in holed], 0)):
        assert unusable_rows(data, "x").sum() == 10
        rng = np.random.default_rng(0)
        problem, dropped = make_problem(data, rng.normal(size=40), drop_missing=True)
        assert dropped == 10 and len(problem.x.levels[0]) == 3
    y = np.random.default_rng(0).normal(size=40)
    found = mine.pairwise(pd.DataFrame({"id": values, "y": y}), discrete=["id"], drop_missing=True, progress=False)
    assert found["kind"].tolist() == ["label-number"] and found["n"].tolist() == [30]
    table = pd.DataFrame({"id": values, "same": values})
    assert mine.pairwise(table, drop_missing=True, progress=False)["value"][0] == pytest.approx(np.log(3), abs=1e-12)


def test_big_integers_of_a_large_input_stay_apart(tmp_path: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(outofcore, "LARGE_VALUES", 100)
    monkeypatch.setattr(bigfiles, "MAPPED_BYTES", 0)
    few, many = BIG + np.arange(400) % 4, BIG + np.arange(400)
    noise = np.random.default_rng(0).normal(size=400)
    frame = pd.DataFrame({"few": few, "many": many, "one": BIG, "noise": noise})
    pa_table = pa.Table.from_pandas(frame, preserve_index=False)
    parquet.write_table(pa_table, tmp_path / "big.parquet", row_group_size=150)
    with read_table(str(tmp_path / "big.parquet")) as table:
        for data in (frame, table.select("few,many,one,noise")):
            found = as_variable(data, "x", {"many": True})
            assert isinstance(found.continuous, LazyRows) and found.dropped == ("one",)
            assert found.columns == ("noise", "few", "many")
            assert [len(levels) for levels in found.levels] == [4, 400]
            np.testing.assert_array_equal(found.flat[:, 0], noise)


# === Encoders ===


def test_new_rows_find_their_labels_by_text():
    fitted = SideEncoder("rank").fit(as_variable(["b", "c", "d"] * 10, "x"))
    plain = fitted.transform(as_variable(["b", "c", "d"] * 10, "x"))[:3]
    new = fitted.transform(as_variable(["d", "a", "b", "e", "c"], "x"))  # other codes than in fit, two unknown labels
    np.testing.assert_array_equal(new[[2, 4, 0]], plain)
    np.testing.assert_allclose(new[[1, 3]], np.full((2, 3), -1 / 3), rtol=1e-6)


def test_a_level_that_the_rows_of_fit_lack_is_unknown():
    whole = as_variable(["a", "b", "c", "z"] * 10, "x")
    fitted = SideEncoder("rank").fit(whole.take(whole.discrete[:, 0] < 3))
    np.testing.assert_allclose(fitted.transform(whole)[3], np.full(3, -1 / 3), rtol=1e-6)


# === Memory ===


def peak_megabytes(work: Callable[[], object]) -> float:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


def one_long(kind: str) -> Any:
    """5,000 labels of ten letters, one of them of a million: 20 GB as text of one width."""
    values = [f"label{i % 300:05d}" for i in range(5000)]
    values[17] = "x" * 1_000_000
    return {
        "list": lambda: values,
        "objects": lambda: np.array(values, object),
        "pandas": lambda: pd.Series(values),
        "category": lambda: pd.Series(values, dtype="category"),
        "polars": lambda: pl.Series(values),
        "arrow": lambda: pa.table({"x": values}),
        "rows": lambda: [[value, "a" if i % 3 else "b"] for i, value in enumerate(values)],
    }[kind]()


@pytest.mark.parametrize("kind", ["list", "objects", "pandas", "category", "polars", "arrow", "rows"])
def test_one_label_of_a_megabyte_costs_megabytes(kind: str):
    data, y = one_long(kind), np.random.default_rng(0).normal(size=5000)

    def work() -> None:
        problem, _ = make_problem(data, y, groups=data, drop_missing=True)
        copied_rows(problem.x, problem.y)
        encoder = SideEncoder("rank", both=True).fit(problem.x)
        assert MAX_CATEGORIES <= encoder.transform(problem.x).shape[1] <= MAX_CATEGORIES + 2
        encoder.transform(encoder.read(data))
        joined(problem.x, problem.y).row_ids()
        coordinates(problem.x.take(slice(0, 500)))

    assert peak_megabytes(work) < 60


def test_thousands_of_long_labels_cost_what_they_hold():
    values = [f"{i:05d}" + "x" * 5000 for i in range(3000)]  # 15 MB; 60 MB as text of one width
    y = np.random.default_rng(0).normal(size=3000)

    def work() -> None:
        problem, _ = make_problem(values, y, discrete=["x"])
        SideEncoder("rank").fit(problem.x).transform(problem.x)
        problem.x.row_ids()

    assert peak_megabytes(work) < 30


def test_a_megabyte_in_one_cell_of_a_table():
    frame = pd.DataFrame({"a": one_long("list"), "b": np.arange(5000) % 7, "c": ["u", "v"] * 2500})

    def work() -> None:
        mine.pairwise(frame, "c", method="discrete", discrete=["b"], progress=False)
        mine.mutual_info(frame, frame["c"])
        mine.estimate(frame["a"], frame["c"], method="discrete")

    assert peak_megabytes(work) < 60


def test_labels_of_known_values():
    column = np.array([3, 1, 3, 2])
    for values in (None, np.array([1, 2, 3])):
        found = labels_of(column, values)
        assert found.levels == ("1.0", "2.0", "3.0") and found.codes.tolist() == [2, 0, 2, 1]
