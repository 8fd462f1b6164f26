"""One-sided transforms against scipy and their own inverses, on numbers of every size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import ndtri
from scipy.stats import norm, rankdata, spearmanr
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from mine.data.preprocessing import MAX_CATEGORIES, RankGaussianizer, RobustLogScaler, SideEncoder, rank_gaussianize
from mine.data.sides import as_variable
from mine.errors import UnknownNameError

#: Integers keep their order and their ties under every scale below; 30 rows of two columns.
integer_columns = hnp.arrays(np.int64, (30, 2), elements=st.integers(-1000, 1000))
scales = st.sampled_from([1e-30, 1e-12, 1.0, 7.3, 1e12, 1e30])


def brute_force_scores(column: np.ndarray) -> list[float]:
    """Normal score of each value, its rank counted: the ones below, and half of the equal ones."""
    n = len(column)
    return [float(norm.ppf((sum(w < v for w in column) + 0.5 * sum(w == v for w in column)) / n)) for v in column]


# === Ranks ===


@given(hnp.arrays(np.float64, (13, 2), elements=st.floats(-3, 3).map(lambda v: round(v, 1))))
def test_rank_scores_by_counting(values: np.ndarray):
    expected = np.stack([brute_force_scores(column) for column in values.T], 1)
    np.testing.assert_allclose(rank_gaussianize(values), expected, atol=1e-12)
    np.testing.assert_allclose(RankGaussianizer().fit_transform(values), expected, atol=1e-12)


def test_ties_share_the_score_of_their_mean_rank():
    scores = rank_gaussianize(np.array([[1.0], [5.0], [1.0], [1.0]])).ravel()
    np.testing.assert_allclose(scores, norm.ppf([1.5 / 4, 3.5 / 4, 1.5 / 4, 1.5 / 4]), atol=1e-12)


MONOTONE: list[Callable[[np.ndarray], np.ndarray]] = [
    lambda v: v**3,
    lambda v: np.exp(v / 300),
    lambda v: np.arctan(v / 100),
    lambda v: v / 2 - 1e6,
]


@given(integer_columns, scales, st.sampled_from(MONOTONE))
def test_rank_scores_do_not_change_under_increasing_maps(values: np.ndarray, scale: float, increasing: Any):
    expected = rank_gaussianize(values)
    np.testing.assert_array_equal(rank_gaussianize(values * scale), expected)
    np.testing.assert_array_equal(rank_gaussianize(increasing(values.astype(float))), expected)
    np.testing.assert_array_equal(RankGaussianizer().fit_transform(values * scale), expected)
    np.testing.assert_allclose(rank_gaussianize(-values), -expected, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int8, np.uint8, bool])
def test_ranks_of_every_dtype(dtype: Any):
    values = np.array([[3], [0], [1], [2], [1]]).astype(dtype)
    np.testing.assert_allclose(rank_gaussianize(values).ravel(), brute_force_scores(values.astype(float).ravel()), atol=1e-12)


def test_new_rows_are_interpolated_and_tails_go_on_linearly_up_to_three_units():
    fitted = RankGaussianizer().fit(np.arange(100.0)[:, None])
    inner = norm.ppf((np.arange(100) + 0.5) / 100)
    halfway = fitted.transform([[10.5], [50.25]]).ravel()
    np.testing.assert_allclose(halfway, [inner[10:12].mean(), 0.75 * inner[50] + 0.25 * inner[51]], atol=1e-12)
    slope = (inner[-1] - inner[-11]) / 10  # over the outer tenth
    tails = fitted.transform([[101.0], [-2.0], [1e6], [-1e300]]).ravel()
    np.testing.assert_allclose(tails, [inner[-1] + 2 * slope, inner[0] - 2 * slope, inner[-1] + 3, inner[0] - 3], atol=1e-12)


@given(
    hnp.arrays(np.float64, (12, 1), elements=st.floats(allow_nan=False, allow_infinity=False)),
    hnp.arrays(np.float64, (20, 1), elements=st.floats(allow_nan=False, allow_infinity=False)),
)
def test_rank_transform_of_anything_is_finite_and_monotone(train: np.ndarray, new: np.ndarray):
    scores = RankGaussianizer().fit(train).transform(np.sort(new, 0)).ravel()
    assert np.isfinite(scores).all()
    assert (np.diff(scores) >= -1e-12).all()


# === Robust scaling ===


def test_robust_scaler_gives_median_zero_and_the_quartiles_of_a_normal():
    values = np.random.default_rng(0).gamma(2.0, size=(4001, 3)) * [1.0, 1e20, 1e-20] + [5.0, 0.0, 0.0]
    scaled = RobustLogScaler().fit_transform(values)
    low, middle, high = np.quantile(scaled, [0.25, 0.5, 0.75], axis=0)
    np.testing.assert_allclose(middle, 0, atol=1e-12)
    np.testing.assert_allclose(high - low, 1.349, rtol=1e-9)


def test_robust_scaler_by_hand():
    values = np.array([[0.0], [1.0], [2.0], [3.0], [4.0]])  # median 2, quartiles 1 and 3
    fitted = RobustLogScaler().fit(values)
    np.testing.assert_allclose(fitted.transform(values).ravel(), 1.349 / 2 * np.arange(-2, 3), rtol=1e-12)
    far = 1.349 / 2 * 98
    np.testing.assert_allclose(fitted.transform([[100.0], [-96.0]]).ravel(), [4 + np.log(far - 3), -4 - np.log(far - 3)])


@given(integer_columns, scales, st.floats(-5, 5))
def test_robust_scaler_can_be_inverted(values: np.ndarray, scale: float, heavy: float):
    values = values * scale * 10.0 ** (heavy * (np.arange(30) % 5 == 0))[:, None]  # a fifth of the rows far out or far in
    fitted = RobustLogScaler().fit(values)
    scaled = fitted.transform(values)
    assert np.isfinite(scaled.astype(np.float32)).all()
    size = np.abs(scaled)
    unlogged = np.sign(scaled) * np.where(size <= 4, size, 4 + np.expm1(size - 4))
    restored = (unlogged * fitted.scale_ + fitted.center_) * fitted.unit_
    np.testing.assert_allclose(restored, values, rtol=1e-9, atol=1e-12 * np.abs(values).max())


@given(
    hnp.arrays(np.float64, (12, 1), elements=st.floats(allow_nan=False, allow_infinity=False)),
    hnp.arrays(np.float64, (20, 1), elements=st.floats(allow_nan=False, allow_infinity=False)),
)
def test_robust_scaler_is_monotone_and_finite_in_float32_for_any_finite_input(train: np.ndarray, new: np.ndarray):
    fitted = RobustLogScaler().fit(train)
    for values in (train, new):
        scaled = fitted.transform(np.sort(values, 0))
        assert (np.diff(scaled.ravel()) >= 0).all()
        assert np.isfinite(scaled.astype(np.float32)).all()


def test_robust_scaler_of_a_column_without_quartile_range():
    mostly_zero = np.r_[np.zeros(90), np.arange(1.0, 11.0)][:, None]
    scaled = RobustLogScaler().fit_transform(mostly_zero).ravel()
    assert len(np.unique(scaled)) == 11
    np.testing.assert_allclose(scaled[:97], mostly_zero[:97, 0] / mostly_zero.std(), rtol=1e-12)  # up to 4 it is linear
    assert not RobustLogScaler().fit_transform(np.full((5, 1), 3.0)).any()


@pytest.mark.parametrize("transformer", [RankGaussianizer(), RobustLogScaler(linear_within=2.0)])
def test_transformers_are_scikit_learn_ones(transformer: Any):
    copy: Any = clone(transformer)
    assert copy.get_params() == transformer.get_params()
    values = np.random.default_rng(0).normal(size=(50, 2))
    np.testing.assert_array_equal(copy.fit(values).transform(values), transformer.fit_transform(values))
    (name,) = transformer.get_params()
    assert copy.set_params(**{name: 7.0}).get_params() == {name: 7.0}
    twice = make_pipeline(transformer, RobustLogScaler()).fit(values).transform(values)
    np.testing.assert_array_equal(twice, RobustLogScaler().fit_transform(transformer.fit_transform(values)))


@pytest.mark.parametrize("shape", [(30,), (50, 3)])
def test_ranks_are_those_of_scipy(shape: tuple[int, ...]):
    values = np.random.default_rng(1).integers(0, 9, shape).astype(float)
    np.testing.assert_array_equal(rank_gaussianize(values), ndtri((rankdata(values, axis=0) - 0.5) / shape[0]))


# === SideEncoder ===

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 1, 4, 4)).astype(float)
MIXED = pd.DataFrame(
    {"a": np.arange(60.0), "b": np.arange(60.0) ** 2, "flag": np.arange(60) % 2 == 0, "name": ["p", "q", "r"] * 20}
)


@pytest.mark.parametrize(
    ("data", "preprocess", "both", "keep_shape", "shape"),
    [
        (np.arange(40.0), "rank", False, False, (40, 1)),
        (np.arange(40.0), "rank", True, False, (40, 2)),
        (np.arange(40.0), "robust", True, False, (40, 1)),
        (np.arange(40.0), None, True, False, (40, 1)),
        (MIXED, "rank", False, False, (60, 2 + 1 + 3)),  # a boolean is one column, three levels are three
        (MIXED, "rank", True, True, (60, 4 + 2 + 1 + 3)),  # ranks, scaled, two lengths
        (MIXED, None, False, False, (60, 2 + 1 + 3)),
        (["p", "q"] * 20, "rank", True, False, (40, 1)),
        (IMAGES, "rank", False, False, (40, 16)),
        (IMAGES, "rank", False, True, (40, 1, 4, 4)),
        (IMAGES, "robust", False, True, (40, 1, 4, 4)),
        (IMAGES, None, False, True, (40, 1, 4, 4)),
    ],
)
def test_shapes(data: Any, preprocess: Any, both: bool, keep_shape: bool, shape: tuple[int, ...]):
    variable = as_variable(data, "x")
    features = SideEncoder(preprocess, both=both).fit(variable, keep_shape=keep_shape).transform(variable)
    assert features.shape == shape and features.dtype == np.float32
    assert np.isfinite(features).all()


def test_ranks_come_first_then_scales_then_lengths_then_labels():
    variable = as_variable(MIXED, "x")
    features = SideEncoder("rank", both=True).fit(variable).transform(variable)
    for k, name in enumerate("ab"):
        column = MIXED[name].to_numpy()
        np.testing.assert_allclose(features[:, k], norm.ppf((np.arange(60) + 0.5) / 60), atol=1e-6)  # both columns ascend
        low, middle, high = np.quantile(column, [0.25, 0.5, 0.75])
        linear = (column - middle) / (high - low) * 1.349
        np.testing.assert_allclose(features[:, 2 + k], linear, atol=1e-5)
    plain = sum(MIXED[name].to_numpy().astype(float) ** 2 for name in "ab")
    for k, square in enumerate([(features[:, :2].astype(float) ** 2).sum(1), plain], start=4):
        expected = norm.ppf((rankdata(square) - 0.5) / 60)
        assert spearmanr(features[:, k], expected).statistic > 0.99  # mirrored rows are ties but for rounding
    np.testing.assert_array_equal(features[:, 6], np.where(MIXED["flag"], 0.5, -0.5))
    np.testing.assert_array_equal(features[:, 7:], np.tile(np.eye(3) - 1 / 3, (20, 1)).astype(np.float32))


def test_without_preprocessing_numbers_pass_unchanged_within_float32():
    variable = as_variable([1.5, -2.0, 1e300, 1e-300], "x")
    features = SideEncoder(None).fit(variable).transform(variable)
    assert features.ravel().tolist() == [1.5, -2.0, np.float32(3e38), 0.0]


def test_an_image_is_scaled_as_a_whole():
    variable = as_variable(IMAGES, "x")
    features = SideEncoder("rank").fit(variable, keep_shape=True).transform(variable)
    low, middle, high = np.quantile(IMAGES, [0.25, 0.5, 0.75])
    np.testing.assert_allclose(features, (IMAGES - middle) / (high - low) * 1.349, atol=1e-5)


def test_rare_levels_are_merged_and_counted():
    frequent = [f"f{i}" for i in range(MAX_CATEGORIES - 1) for _ in range(3)]
    rare = [f"r{i}" for i in range(37)]
    variable = as_variable(pd.DataFrame({"n": np.arange(226.0), "city": frequent + rare, "few": ["u", "v"] * 113}), "x")
    encoder = SideEncoder("rank").fit(variable)
    features = encoder.transform(variable)
    assert encoder.merged_ == {"city": 37}
    assert features.shape == (226, 1 + MAX_CATEGORIES + 1)
    assert len(np.unique(features[len(frequent) :, 1:-1], axis=0)) == 1  # the rare ones share a code
    assert len(np.unique(features[: len(frequent), 1:-1], axis=0)) == MAX_CATEGORIES - 1


def test_a_level_that_fit_never_saw_is_silent_and_finite():
    encoder = SideEncoder("rank").fit(as_variable(["p", "q", "r"] * 10, "x"))
    features = encoder.transform(as_variable(["p", "new"], "x"))
    np.testing.assert_allclose(features, [[2 / 3, -1 / 3, -1 / 3], [-1 / 3, -1 / 3, -1 / 3]], rtol=1e-6)


def test_new_rows_use_the_fitted_scale():
    encoder = SideEncoder("robust").fit(as_variable([0.0, 1.0, 2.0, 3.0, 4.0], "x"))
    features = encoder.transform(as_variable([2.0, 3.0], "x"))
    np.testing.assert_allclose(features.ravel(), [0.0, 1.349 / 2], rtol=1e-6)


def test_unknown_preprocessing_lists_the_valid_names():
    wrong: Any = "robus"
    with pytest.raises(
        UnknownNameError, match=r"Unknown preprocess 'robus': did you mean 'robust'\? Valid: rank, robust, None"
    ):
        SideEncoder(wrong)


def test_subnormal_neighbours_do_not_overflow_the_slope_between_them():
    ranks = RankGaussianizer().fit(np.array([[-2e-323], [5e-323], [1.0], [1.0], [2.0]]))
    scores = ranks.transform(np.array([[-2e-323], [0.0], [5e-323], [1.0], [1.5], [2.0]])).ravel()
    assert np.isfinite(scores).all()
    assert (np.diff(scores) >= 0).all()
    assert scores[0] <= scores[1] <= scores[2] < scores[3]
