"""Rows with missing values are left out of every kind of input alike, and of the groups with it."""

from __future__ import annotations

import array
import decimal
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch

import mine
from mine.errors import InputError, NotEnoughDataError

pytestmark = pytest.mark.filterwarnings("ignore:mine.lagged_information:FutureWarning")  # the old name works like any other

N, HOLE = 60, 3


@pytest.fixture(scope="module")
def pair() -> tuple[list[float], list[float]]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=N)
    return x.tolist(), (x + rng.normal(size=N)).tolist()


def with_hole(values: list[float], hole: Any) -> list[Any]:
    return [*values[:HOLE], hole, *values[HOLE + 1 :]]


MAKE: dict[str, Callable[[list[Any]], Any]] = {
    "list": list,
    "tuple": tuple,
    "rows": lambda values: [[value] for value in values],
    "generator": lambda values: (value for value in values),
    "deque": deque,
    "dict view": lambda values: dict(enumerate(values)).values(),
    "numpy objects": lambda values: np.array(values, object),
    "masked": lambda values: np.ma.masked_invalid(np.array(values, float)),
    "pandas, index repeated": lambda values: pd.Series(values, index=[7] * N),
    "pandas nullable": lambda values: pd.Series(values, dtype="Float64"),
    "pandas frame": lambda values: pd.DataFrame({"a": values}, index=range(N, 0, -1)),
    "polars": lambda values: pl.Series("a", values),
    "polars frame": lambda values: pl.DataFrame({"a": values}),
    "arrow": lambda values: pa.array(values),
    "arrow chunked": lambda values: pa.chunked_array([values[:9], values[9:]]),
    "arrow batch": lambda values: pa.record_batch({"a": values}),
    "arrow table": lambda values: pa.table({"a": values}),
}
MAKE_WITH_NAN: dict[str, Callable[[list[Any]], Any]] = {
    "numpy": np.array,
    "torch": torch.tensor,
    "list of tensors": lambda values: [torch.tensor(value) for value in values],
    "array": lambda values: array.array("d", values),
    "pandas index": pd.Index,
    "polars, NaN": lambda values: pl.Series("a", values),
}


@pytest.mark.parametrize(
    ("make", "hole"), [(make, None) for make in MAKE.values()] + [(make, float("nan")) for make in MAKE_WITH_NAN.values()],
    ids=[*MAKE, *MAKE_WITH_NAN],
)  # fmt: skip
def test_every_input_loses_the_row(make: Callable[[list[Any]], Any], hole: Any, pair: tuple[list[float], list[float]]):
    x, y = pair
    found = mine.estimate(make(with_hole(x, hole)), y, method="gaussian", drop_missing=True)
    wanted = mine.estimate(np.delete(x, HOLE), np.delete(y, HOLE), method="gaussian")
    assert (found.n, found.diagnostics["dropped_missing_rows"]) == (N - 1, 1)
    assert found.value == pytest.approx(wanted.value, abs=1e-12)


def test_holes_of_both_sides_and_of_the_groups_add_up(pair: tuple[list[float], list[float]]):
    x, y = with_hole(pair[0], None), [float("nan") if i == 10 else value for i, value in enumerate(pair[1])]
    groups = [None if i == 20 else f"g{i // 2}" for i in range(N)]
    with pytest.raises(InputError, match=r"Column 'groups' has 1 missing value.*--drop-missing"):
        mine.estimate(*pair, method="gaussian", groups=groups)
    found = mine.estimate(x, y, method="gaussian", groups=groups, drop_missing=True)
    keep = [i for i in range(N) if i not in (HOLE, 10, 20)]
    wanted = mine.estimate([x[i] for i in keep], [y[i] for i in keep], method="gaussian", groups=[groups[i] for i in keep])
    assert (found.n, found.value, found.stderr) == (N - 3, wanted.value, wanted.stderr)


def test_a_pixel_that_is_missing_costs_its_image():
    images = np.random.default_rng(0).normal(size=(N, 2, 2))
    images[5, 1, 0] = np.nan
    assert mine.estimate(images, images[:, 0, 0], method="gaussian", drop_missing=True).n == N - 1


def test_groups_of_another_length_are_one_sentence(pair: tuple[list[float], list[float]]):
    with pytest.raises(InputError, match=f"x has {N} rows and groups has {N - 1}"):
        mine.estimate(with_hole(pair[0], None), pair[1], groups=range(N - 1), drop_missing=True)


def test_too_few_rows_left(pair: tuple[list[float], list[float]]):
    x = [value if i < 15 else None for i, value in enumerate(pair[0])]
    with pytest.raises(
        NotEnoughDataError, match=r"Leaving out 45 rows with a missing or infinite value leaves 15 rows: .* at least 20"
    ):
        mine.estimate(x, pair[1], method="gaussian", drop_missing=True)


INFINITE: dict[str, Callable[[list[float]], Any]] = {
    "numpy": np.array,
    "list": list,
    "torch": torch.tensor,
    "long double": lambda values: np.array([1e4000 if np.isinf(v) else v for v in values], np.longdouble) * np.longdouble(1),
    "objects": lambda values: np.array(values, object),
    "decimals": lambda values: [decimal.Decimal(repr(v).replace("inf", "Infinity")) for v in values],
    "pandas frame": lambda values: pd.DataFrame({"a": values}),
    "polars": lambda values: pl.Series("a", values),
    "arrow": lambda values: pa.array(values),
    "image": lambda values: np.array(values)[:, None, None] * np.ones((1, 2, 2)),
}


@pytest.mark.parametrize("kind", INFINITE)
def test_infinite_values_are_left_out_too_and_counted(kind: str, pair: tuple[list[float], list[float]]):
    x, y = pair
    holed = INFINITE[kind](with_hole(x, float("inf")))
    with pytest.raises(InputError, match=r"infinite value\(s\), the first in row 3: pass drop_missing=True \(--drop-missing\)"):
        mine.estimate(holed, y, method="gaussian")
    found = mine.estimate(holed, [None, *y[1:]], method="gaussian", drop_missing=True)
    assert (found.n, found.diagnostics["dropped_missing_rows"]) == (N - 2, 2)
    assert found.warnings[0] == "1 row with an infinite value was left out."
    if kind != "image":
        keep = [i for i in range(N) if i not in (0, HOLE)]
        wanted = mine.estimate([x[i] for i in keep], [y[i] for i in keep], method="gaussian")
        assert found.value == pytest.approx(wanted.value, abs=1e-12)


def test_infinite_values_in_a_third_variable_a_test_and_groups(pair: tuple[list[float], list[float]]):
    z = with_hole(np.random.default_rng(1).normal(size=N).tolist(), -float("inf"))
    found = mine.estimate(*pair, z, method="gaussian", drop_missing=True)
    assert found.n == N - 1 and "1 row with an infinite value was left out." in found.warnings
    tested = mine.independence_test(*pair, z, n_permutations=19, random_state=0, drop_missing=True)
    assert tested.n == N - 1 and "1 row with an infinite value was left out." in tested.warnings
    complete = mine.estimate(*pair, method="gaussian", drop_missing=True)
    assert complete.diagnostics["dropped_missing_rows"] == 0 and not any("infinite" in w for w in complete.warnings)


@pytest.mark.parametrize("drop_missing", [False, True])
@pytest.mark.parametrize("lengths", [(15, 60, 60), (60, 15, 60), (60, 60, 15), (15, 14, 15)])
def test_unequal_lengths_are_named_before_too_few_rows(lengths: tuple[int, int, int], drop_missing: bool):
    rng = np.random.default_rng(0)
    x, y, z = (rng.normal(size=n) for n in lengths)
    short = "need the same number of rows|must run side by side|inconsistent numbers of samples"  # scikit-learn says it so
    calls: list[Callable[[], Any]] = [
        lambda: mine.estimate(x, y, z, method="gaussian", drop_missing=drop_missing),
        lambda: mine.independence_test(x, y, z, n_permutations=19, drop_missing=drop_missing),
        lambda: mine.estimate(x, y, z, conditional="shuffle", drop_missing=drop_missing),
    ]
    if len(x) != len(y):
        calls += [
            lambda: mine.estimate(x, y, drop_missing=drop_missing),
            lambda: mine.independence_test(x, y, drop_missing=drop_missing),
            lambda: mine.MutualInformation("gaussian", drop_missing=drop_missing).fit(x[:, None], y),
            lambda: mine.transfer_entropy(x, y, drop_missing=drop_missing),
            lambda: mine.lagged_information(x, y, [1], drop_missing=drop_missing),
            lambda: mine.pairwise(x[:, None], y, drop_missing=drop_missing),
            lambda: mine.mutual_info(x[:, None], y),
            lambda: mine.total_correlation([x, y]),
        ]
    for call in calls:
        with pytest.raises(ValueError, match=short):
            call()
