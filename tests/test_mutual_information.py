"""The scikit-learn class: its contract, and the same numbers as `mine.estimate`."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import parametrize_with_checks

import mine
from mine import MutualInformation
from mine.datasets import correlated_normal, correlated_normal_mi
from mine.errors import InputError, NotEnoughDataError

#: Checks that cannot pass, and why.
CANNOT = {
    "check_n_features_in_after_fitting": "fits 15 rows; an honest split needs 20",
    "check_fit2d_1feature": "fits 10 rows; an honest split needs 20",
    "check_estimators_nan_inf": "fits 10 finite rows first; an honest split needs 20",
    "check_fit1d": "a one-dimensional array is one column here, as everywhere in mine",
}

QUICK: dict[str, Any] = {"steps": 20, "hidden": (16,), "n_folds": 3}


@parametrize_with_checks(
    [
        MutualInformation("gaussian"),
        MutualInformation("auto", options=QUICK, random_state=0),
    ],
    expected_failed_checks=lambda _: CANNOT,
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")  # array API checks need an extra package
def test_scikit_learns_checks(estimator: MutualInformation, check: Any) -> None:
    state = np.random.get_state()  # the checks themselves draw from numpy's global generator
    try:
        check(estimator)
    finally:
        np.random.set_state(state)


def test_the_same_number_as_estimate() -> None:
    x, y = correlated_normal(300, 0.8, 2, random_state=0)
    est = mine.estimate(x, y, random_state=3, **QUICK)
    fitted = MutualInformation(random_state=3, options=QUICK).fit(x, y)
    assert fitted.value_ == est.value
    assert fitted.lower_bound_ == est.lower_bound
    assert fitted.stderr_ == est.stderr
    assert fitted.interval_ == est.interval
    assert len(fitted.critics_) == 3
    assert fitted.n_features_in_ == 2


def test_score_on_new_rows_is_near_the_truth_and_falls_when_rows_are_shuffled() -> None:
    x, y = correlated_normal(2000, 0.8, random_state=0)
    fitted = MutualInformation(random_state=0, options={"steps": 100}).fit(x, y)
    new_x, new_y = correlated_normal(2000, 0.8, random_state=1)
    # The log-ratio's deviation is rho = .8, so the standard error is .8 / sqrt(2000) = .018; four of them.
    assert fitted.score(new_x, new_y) == pytest.approx(correlated_normal_mi(0.8), abs=0.072)
    assert fitted.score(new_x, np.roll(new_y, 7, axis=0)) < -1
    bits = MutualInformation(random_state=0, unit="bits", options={"steps": 100}).fit(x, y)
    assert bits.score(new_x, new_y) == pytest.approx(fitted.score(new_x, new_y) / np.log(2))


def test_pickled_and_cloned() -> None:
    x, y = correlated_normal(300, 0.8, random_state=0)
    fitted = MutualInformation(random_state=0, options=QUICK).fit(x, y)
    again = pickle.loads(pickle.dumps(fitted))
    assert again.score(x, y) == fitted.score(x, y)
    fresh = clone(fitted)
    assert fresh.get_params() == fitted.get_params()
    with pytest.raises(NotFittedError):
        fresh.score(x, y)


def test_labels_and_frames_are_scored_as_they_were_fitted() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"a": rng.normal(size=400), "kind": rng.choice(["u", "v", "w"], 400), "level": rng.integers(0, 3, 400)}
    )
    target = frame["a"] + (frame["kind"] == "u") + rng.normal(size=400)
    fitted = MutualInformation(random_state=0, options=QUICK).fit(frame, target)
    assert list(fitted.feature_names_in_) == ["a", "kind", "level"]
    assert fitted.estimate_.diagnostics["discrete_columns"] == ["kind", "level"]
    # Five rows of `level` would be numbers by the rule; they must be read as the labels that they were in `fit`.
    assert np.isfinite(fitted.score(frame[:30], target[:30]))
    with pytest.raises(ValueError, match="feature names"):
        fitted.score(frame[["kind", "a", "level"]], target)
    with pytest.raises(ValueError, match="feature"):
        fitted.score(frame[["a"]], target)


def test_methods_without_critics_estimate_anew() -> None:
    x, y = correlated_normal(500, 0.6, random_state=0)
    fitted = MutualInformation("gaussian").fit(x, y)
    assert fitted.critics_ == []
    new = correlated_normal(500, 0.6, random_state=1)
    assert fitted.score(*new) == mine.estimate(*new, method="gaussian").value


def test_in_a_grid_search() -> None:
    x, y = correlated_normal(240, 0.9, random_state=0)
    grid = {"options": [{**QUICK, "steps": 1}, {**QUICK, "steps": 40}]}
    search = GridSearchCV(MutualInformation("dv", random_state=0), grid, cv=2).fit(x, y)
    assert search.best_params_["options"]["steps"] == 40  # an untrained critic knows nothing of a correlation of .9


def test_groups_and_refusals() -> None:
    x, y = correlated_normal(200, 0.5, random_state=0)
    with pytest.raises(InputError, match="requires y to be passed, but the target y is None"):
        MutualInformation().fit(x)
    with pytest.raises(NotEnoughDataError, match="groups has 3 distinct"):
        MutualInformation(options=QUICK).fit(x, y, groups=np.arange(200) % 3)
    with pytest.raises(NotEnoughDataError, match="n_samples = 19"):
        MutualInformation().fit(x[:19], y[:19])
