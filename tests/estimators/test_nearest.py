"""Neighbours in one column by sorting it: the same as a tree's."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import KDTree

from mine.estimators.nearest import Nearest


@given(st.integers(1, 60), st.integers(1, 12), st.integers(0, 2**20), st.sampled_from(["normal", "heavy", "integers"]))
def test_one_column_is_searched_as_by_a_tree(n: int, k: int, seed: int, shape: str):
    rng = np.random.default_rng(seed)
    draw = {
        "normal": rng.normal, "heavy": rng.standard_cauchy, "integers": lambda size: rng.integers(5, size=size).astype(float)
    }[shape]  # fmt: skip
    values, at = draw(size=(n, 1)), draw(size=(7, 1))
    distance, index = Nearest(values).query(at, k)
    expected = KDTree(values).query(at, [*range(1, k + 1)])[0]
    np.testing.assert_allclose(np.sort(distance, 1), expected, rtol=1e-12, atol=1e-300)
    found = index < n
    np.testing.assert_array_equal(found.sum(1), min(n, k))
    assert all(len(set(row[seen])) == min(n, k) for row, seen in zip(index, found, strict=True))
    np.testing.assert_array_equal(np.abs(values[index[found], 0] - np.repeat(at[:, 0], min(n, k))), distance[found])


@given(st.integers(1, 60), st.integers(1, 12), st.integers(0, 2**20), st.integers(1, 2), st.sampled_from([2.0, np.inf]))
def test_the_reach_is_the_distance_of_the_kth_other_row(n: int, k: int, seed: int, d: int, p: float):
    values = np.random.default_rng(seed).standard_cauchy(size=(n, d))
    expected = KDTree(values).query(values, [k + 1], p=p)[0][:, 0]
    np.testing.assert_allclose(Nearest(values).reach(k, p), expected, rtol=1e-12)


def test_several_columns_are_left_to_the_tree():
    values = np.random.default_rng(0).normal(size=(50, 3))
    distance, index = Nearest(values).query(values[:9], 1)
    np.testing.assert_array_equal(distance, np.zeros((9, 1)))
    np.testing.assert_array_equal(index[:, 0], np.arange(9))
