"""Folds in which no row, and no group, is on two sides."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import KFold, ShuffleSplit

from mine.data.sides import as_variable
from mine.data.splits import Fold, copied_rows, duplicate_groups, make_folds, repeats_by_nature
from mine.errors import NotEnoughDataError


def check_partition(folds: list[Fold], n: int) -> None:
    """Report parts partition the rows; each fold's three parts partition them too."""
    assert sorted(np.concatenate([fold.evaluation for fold in folds])) == list(range(n))
    for fold in folds:
        assert sorted(np.concatenate([fold.train, fold.validation, fold.evaluation])) == list(range(n))
        assert min(len(fold.train), len(fold.validation), len(fold.evaluation)) >= 2


@given(n=st.integers(1, 300), n_folds=st.integers(2, 12), seed=st.integers(0, 2**40), share=st.floats(0.05, 0.3))
def test_every_row_is_reported_once_by_a_critic_that_never_saw_it(n: int, n_folds: int, seed: int, share: float):
    try:
        folds = make_folds(n, n_folds, seed, validation_share=share)
    except NotEnoughDataError as error:
        assert f"{n} rows are too few for {n_folds} folds" in str(error)
        assert n < max(12, 2 * n_folds + 8)
        return
    assert len(folds) == n_folds
    check_partition(folds, n)


@given(
    sizes=st.lists(st.integers(1, 9), min_size=4, max_size=25),
    n_folds=st.integers(2, 6),
    seed=st.integers(0, 999),
)
def test_a_group_is_on_one_side_of_every_split(sizes: list[int], n_folds: int, seed: int):
    rng = np.random.default_rng(seed)
    groups = rng.permutation(np.repeat(np.arange(len(sizes)) * 10, sizes))
    try:
        folds = make_folds(len(groups), n_folds, seed, groups)
    except NotEnoughDataError:
        assert len(sizes) <= n_folds or min(sizes) < 2  # too few groups, or a part of one single row
        return
    check_partition(folds, len(groups))
    for fold in folds:
        parts = [set(groups[part]) for part in (fold.train, fold.validation, fold.evaluation)]
        assert not (parts[0] & parts[1] or parts[0] & parts[2] or parts[1] & parts[2])


def test_stop_share_is_a_share_of_what_is_not_reported():
    fold = make_folds(1000, 5, 0, validation_share=0.15)[0]
    assert (len(fold.evaluation), len(fold.validation), len(fold.train)) == (200, 120, 680)
    assert len(make_folds(30, 5, 0, validation_share=0.01)[0].validation) == 4  # never fewer


def test_the_seed_decides_the_folds():
    def evaluation_rows(seed: int) -> list[list[int]]:
        return [fold.evaluation.tolist() for fold in make_folds(50, 5, seed)]

    assert evaluation_rows(3) == evaluation_rows(3) != evaluation_rows(4)
    validation_rows = [fold.validation.tolist() for fold in make_folds(50, 5, 3)]
    assert len({tuple(rows) for rows in validation_rows}) == 5


@pytest.mark.parametrize(
    ("n_groups", "n_folds", "message"),
    [
        (1, 5, r"1 distinct group\(s\); 5 folds need at least 6\. Use finer groups\.$"),
        (3, 2, r"3 distinct group\(s\); 2 folds need at least 4\. Use finer groups\.$"),
        (5, 5, r"5 distinct group\(s\); 5 folds need at least 6\. Use finer groups or pass n_folds=4\.$"),
    ],
)
def test_too_few_groups_name_the_remedy(n_groups: int, n_folds: int, message: str):
    with pytest.raises(NotEnoughDataError, match=message):
        make_folds(60, n_folds, 0, np.arange(60) % n_groups)


def test_the_remedy_for_too_few_groups_works():
    groups = np.arange(60) % 5
    check_partition(make_folds(60, 4, 0, groups), 60)


# === Duplicates ===


def test_distinct_rows_need_no_groups():
    assert duplicate_groups(np.arange(10), np.arange(10)[::-1]) == (None, 0)


def test_copies_share_a_group_and_are_counted():
    x, y = np.array([0, 1, 2, 3, 1, 1]), np.array([4, 3, 2, 1, 3, 3])
    groups, copies = duplicate_groups(x, y)
    assert copies == 2
    assert groups is not None
    assert groups[1] == groups[4] == groups[5]
    assert len(set(groups.tolist())) == 4


def test_the_same_x_with_another_y_is_no_copy():
    x, y = np.array([0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]), np.arange(11)
    assert duplicate_groups(x, y) == (None, 0)


def test_ties_of_coarse_variables_are_no_copies():
    rng = np.random.default_rng(0)
    assert duplicate_groups(rng.integers(0, 2, 500), rng.integers(0, 3, 500)) == (None, 0)


def test_a_value_that_many_rows_share_is_no_copy():
    # half of the rows (0, 0), (0, 1), (1, 0) or (1, 1), the others of their own; then one of the others twice
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.integers(0, 2, 100), np.arange(2, 102)])
    y = np.concatenate([rng.integers(0, 2, 100), np.arange(2, 102)])
    assert duplicate_groups(x, y) == (None, 0)
    groups, copies = duplicate_groups(np.append(x, 50), np.append(y, 50))
    assert copies == 1
    assert groups is not None
    assert groups[148] == groups[200]
    assert len(set(groups.tolist())) == 200
    # one value of both sides: zeros at the same time
    zeros = np.concatenate([np.zeros(100, int), np.arange(1, 101)])
    assert duplicate_groups(zeros, zeros) == (None, 0)


def test_a_continuous_side_makes_copies_of_a_label_suspicious():
    x, y = np.repeat(np.arange(100), 2), np.repeat(np.arange(100) % 2, 2)
    groups, copies = duplicate_groups(x, y)
    assert copies == 100
    assert groups is not None and len(set(groups.tolist())) == 100


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.random.default_rng(0).integers(0, 90, 300), True),  # ages
        (np.random.default_rng(0).normal(size=1000).round(1), True),
        (np.random.default_rng(0).integers(0, 2, 50) * 0.3, True),
        (np.arange(300), False),  # the number of a row
        (np.random.default_rng(0).normal(size=300), False),
        (np.repeat(np.random.default_rng(0).normal(size=100), 3), False),  # copies
        (np.concatenate([np.zeros(200), np.random.default_rng(0).exponential(size=100)]), False),  # rainfall
    ],
)
def test_what_repeats_by_nature(values: np.ndarray, expected: bool):
    assert repeats_by_nature(values) is expected


def test_a_function_of_labels_or_counts_is_no_copy():
    rng = np.random.default_rng(0)
    sites = rng.integers(0, 40, 400)  # ten rows each: too few for the rule of many rows of one value
    told = rng.permutation(40)[sites] % 5
    assert duplicate_groups(sites, told)[1] == 360  # by the numbers of the rows alone they are
    names = as_variable([f"site {k}" for k in sites], "x")
    assert copied_rows(names, as_variable(told, "y", True)) == (None, 0)
    ages = as_variable(sites.astype(float), "x", False)
    assert copied_rows(ages, as_variable(told, "y", True)) == (None, 0)
    assert copied_rows(ages, as_variable(2.0 * sites + 1, "y", False)) == (None, 0)


def test_copies_beside_labels_are_still_found():
    x = np.random.default_rng(0).normal(size=100)
    twice = np.repeat(np.arange(100), 2)
    groups, copies = copied_rows(as_variable(x[twice], "x"), as_variable((x > 0)[twice], "y"))
    assert copies == 100
    assert groups is not None and len(set(groups.tolist())) == 100


@pytest.mark.parametrize(("n", "n_folds", "seed"), [(20, 2, 0), (101, 3, 7), (1000, 5, 2**33 + 5)])
def test_folds_are_those_of_scikit_learn(n: int, n_folds: int, seed: int):
    rows = np.arange(n)
    theirs = KFold(n_folds, shuffle=True, random_state=seed % 2**32).split(rows)
    for k, (fold, (rest, evaluation)) in enumerate(zip(make_folds(n, n_folds, seed), theirs, strict=True)):
        size = max(4, round(0.15 * len(rest)))
        train, validation = next(iter(ShuffleSplit(1, test_size=size, random_state=(seed + 1 + k) % 2**32).split(rest)))
        np.testing.assert_array_equal(fold.evaluation, evaluation)
        np.testing.assert_array_equal(fold.train, rest[train])
        np.testing.assert_array_equal(fold.validation, rest[validation])


@pytest.mark.parametrize("n", [300, 1200])
def test_rounded_numbers_beside_a_label_of_two_levels_are_no_copies(n):
    rng = np.random.default_rng(n)
    number, label = np.round(rng.normal(size=n), 3), rng.integers(0, 2, n)
    half = n // 2
    for x, y in ((number, label), (label, number)):
        side = [as_variable(values, name, values is label) for name, values in (("x", x), ("y", y))]
        assert copied_rows(*side)[1] == 0
        doubled = [as_variable(np.repeat(values[:half], 2), name, values is label) for name, values in (("x", x), ("y", y))]
        assert copied_rows(*doubled)[1] > 0.9 * half
