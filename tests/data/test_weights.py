"""``sample_weight=`` against the rows repeated by hand, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import mine
from mine.errors import InputError, NotEnoughDataError

RNG = np.random.default_rng(3)
N = 60
WEIGHTS = RNG.poisson(5, N)
X, Y, Z = (RNG.integers(0, levels, N) for levels in (4, 3, 2))
TEXT = np.array(["a", "b", "c", "d"])[X]


def repeated(values: np.ndarray) -> np.ndarray:
    return np.repeat(values, WEIGHTS)


@pytest.mark.parametrize("method", ["auto", "discrete"])
@pytest.mark.parametrize("x", [TEXT, X, X == 2, pd.DataFrame({"a": TEXT, "b": Y == 1})])
def test_a_weight_is_so_many_rows(x: Any, method: str):
    found = mine.estimate(x, Y, method=method, sample_weight=WEIGHTS, random_state=0)
    wanted = mine.estimate(x.loc[repeated(np.arange(N))] if isinstance(x, pd.DataFrame) else repeated(x), repeated(Y), method=method,
                           random_state=0)  # fmt: skip
    assert (found.value, found.interval, found.n) == (wanted.value, wanted.interval, WEIGHTS.sum())


def test_given_a_third_with_groups_and_missing_rows():
    groups = np.arange(N) % 12
    holed = [None if i == 3 else text for i, text in enumerate(TEXT)]
    found = mine.estimate(holed, Y, Z, groups=groups, sample_weight=pd.Series(WEIGHTS), drop_missing=True, random_state=0)
    keep = np.repeat(np.arange(N) != 3, WEIGHTS)
    x, y, z, g = (repeated(side)[keep] for side in (TEXT, Y, Z, groups))
    wanted = mine.estimate(x, y, z, groups=g, random_state=0)
    assert (found.value, found.interval, found.n) == (wanted.value, wanted.interval, wanted.n)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (WEIGHTS / 2, "must be whole numbers from 0: how many times each row was seen. Weights of importance"),
        (-WEIGHTS, "must be whole numbers from 0"),
        (np.where(np.arange(N) == 2, np.nan, WEIGHTS), "must be whole numbers from 0"),
        (["many"] * N, "Column 'sample_weight' holds text, and numbers are needed"),
        (WEIGHTS[1:], "x has 60 rows and sample_weight has 59"),
        (np.stack([WEIGHTS, WEIGHTS], 1), "has 2 columns"),
        (10**9 * WEIGHTS, "adds up to .* rows: at most 20,000,000"),
    ],
)
def test_other_weights_are_refused(weights: Any, message: str):
    with pytest.raises(InputError, match=message):
        mine.estimate(X, Y, sample_weight=weights)


def test_few_rows_in_all_are_too_few():
    with pytest.raises(NotEnoughDataError, match="adds up to 1 rows"):
        mine.estimate(X, Y, sample_weight=np.arange(N) == 3)


def test_where_weights_are_not_taken_the_refusal_names_what_takes_them():
    numbers = RNG.normal(size=N)
    for x, y in ((numbers, Y), (X, numbers)):
        with pytest.raises(InputError, match=r"columns of numbers, and sample_weight is for labels: .*'auto' and 'discrete'"):
            mine.estimate(x, y, sample_weight=WEIGHTS)
    with pytest.raises(
        InputError, match="method 'ksg' takes no sample_weight: weights are taken by methods 'auto' and 'discrete'"
    ):
        mine.estimate(numbers, numbers, method="ksg", sample_weight=WEIGHTS)
    for refused in (
        lambda: mine.independence_test(X, Y, sample_weight=WEIGHTS),
        lambda: mine.total_correlation([X, Y], sample_weight=WEIGHTS),
        lambda: mine.sample_size_check(X, Y, sample_weight=WEIGHTS),
        lambda: mine.transfer_entropy(repeated(X), repeated(Y), sample_weight=np.ones(WEIGHTS.sum())),
    ):
        with pytest.raises(InputError, match=r"Only mine\.estimate takes sample_weight=, for labels: repeat the rows"):
            refused()


def test_a_table_of_counts_is_no_series() -> None:
    levels = np.repeat(["a", "b", "c"], 3), np.tile(["u", "v", "w"], 3)
    counts = np.array([40, 3, 5, 4, 60, 2, 6, 1, 55])
    found = mine.estimate(*levels, sample_weight=counts, random_state=0)
    assert found.warnings == []
    with pytest.raises(mine.InputError, match="leave one out"):
        mine.estimate(*levels, sample_weight=counts, order="time")
