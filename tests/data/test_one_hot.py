"""Indicators of levels against scikit-learn's encoder, with which the library began."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.preprocessing import OneHotEncoder

from mine.data.one_hot import OneHot


@pytest.mark.parametrize("n_levels", [(1, 2), (2, 2), (3, 6), (6, 12, 2), (40,)])
@pytest.mark.parametrize("most", [5, 64])
def test_the_same_as_scikit_learn(n_levels: tuple[int, ...], most: int):
    rng = np.random.default_rng(len(n_levels))
    # squares of uniforms: levels of very different frequency, some equally rare
    codes = np.stack([(rng.uniform(size=120) ** 2 * levels).astype(int) * 3 + 1 for levels in n_levels], 1)
    reference = OneHotEncoder(
        max_categories=most, drop="if_binary", sparse_output=False, handle_unknown="infrequent_if_exist"
    ).fit(codes)
    encoder = OneHot(most).fit(codes)
    np.testing.assert_array_equal(encoder.transform(codes), reference.transform(codes))
    assert encoder.rare_ == [0 if rare is None else len(rare) for rare in reference.infrequent_categories_]
    unknown = np.concatenate([codes[:5], np.full((1, codes.shape[1]), -1), np.full((1, codes.shape[1]), 500)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.testing.assert_array_equal(encoder.transform(unknown), reference.transform(unknown))


def test_as_many_levels_as_there_are_indicators_need_no_merging():
    # scikit-learn moves the rarest to the last column then, and calls it infrequent
    codes = np.array([[0], [1], [1], [2]])
    encoder = OneHot(3).fit(codes)
    assert encoder.rare_ == [0]
    np.testing.assert_array_equal(encoder.transform(codes), np.eye(3)[[0, 1, 1, 2]])
