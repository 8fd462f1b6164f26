"""The scikit-learn class: its contract, and the same numbers as `mine.estimate`."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks
from torch import nn

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
        MutualInformation("ksg"),
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


@pytest.mark.slow
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


def test_the_bound_on_new_rows_never_exceeds_what_the_fold_critics_reach_on_average() -> None:
    """The score is that of the mean critic; both bounds are concave in the critic, so it is at least the mean of theirs."""
    x, y = correlated_normal(300, 0.8, random_state=0)
    new_x, new_y = correlated_normal(400, 0.8, random_state=1)
    fitted = MutualInformation(random_state=0, options=QUICK).fit(x, y)
    assert fitted._fitted is not None
    together = fitted.score(new_x, new_y)
    alone = []
    for critic in fitted.critics_:
        one = copy.copy(fitted)
        one._fitted = replace(fitted._fitted, critics=[critic])
        alone.append(one.score(new_x, new_y))
    assert together >= np.mean(alone) - 1e-9


def test_parameters_come_and_go() -> None:
    mi = MutualInformation("mine", unit="bits", options={"steps": 3})
    assert mi.get_params()["options"] == {"steps": 3}
    mi.set_params(method="gaussian", options=None)
    x, y = correlated_normal(100, 0.5, random_state=0)
    assert mi.fit(x, y).estimate_.unit == "bits"
    assert mi.value_ == mine.estimate(x, y, method="gaussian", unit="bits").value
    with pytest.raises(ValueError, match="Invalid parameter 'steps'"):
        mi.set_params(steps=3)
    with pytest.raises(InputError, match="Unknown 'gaussian' option 'steps'"):
        mi.set_params(options={"steps": 3}).fit(x, y)


def test_a_second_fit_forgets_the_first() -> None:
    x, y = correlated_normal(100, 0.8, 2, random_state=0)
    mi = MutualInformation(random_state=0, options=QUICK).fit(x, y)
    assert len(mi.critics_) == 3
    mi.set_params(method="gaussian", options=None).fit(x[:, :1], y)
    assert mi.critics_ == [] and mi.n_features_in_ == 1
    assert mi.score(x[:, :1], y) == mi.value_


def test_the_generator_given_stays_the_callers() -> None:
    x, y = correlated_normal(100, 0.8, random_state=0)
    values = [MutualInformation(random_state=np.random.RandomState(seed), options=QUICK).fit(x, y).value_ for seed in (1, 1, 2)]
    assert values[0] == values[1] != values[2]


def test_a_users_critic_and_images(seeded_torch: None) -> None:
    class Bright(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 1))

        def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            assert x.shape[1:] == (1, 4, 4)
            return self.net(torch.cat([x.mean((1, 2, 3))[:, None], y], 1))

    def draw(seed: int) -> tuple[np.ndarray, np.ndarray]:
        x, y = correlated_normal(300, 0.9, random_state=seed)
        return np.broadcast_to(x[:, :, None, None], (300, 1, 4, 4)), y[:, 0]

    fitted = MutualInformation(
        "mine", critic=Bright(), random_state=0, options={"steps": 150, "n_folds": 2, "learning_rate": 2e-2}
    ).fit(*draw(0))
    # four standard errors of the mean log-ratio, 0.9 / sqrt(300), and as much for a critic of 16 units
    assert fitted.score(*draw(1)) == pytest.approx(correlated_normal_mi(0.9), abs=8 * 0.9 / np.sqrt(300))
    assert all(not critic.training for critic in fitted.critics_)


def test_score_reads_frames_by_name_and_arrays_by_place() -> None:
    x, y = correlated_normal(200, 0.8, 2, random_state=0)
    frame = pl.DataFrame({"a": x[:, 0], "flat": np.ones(200), "b": x[:, 1]})
    fitted = MutualInformation(random_state=0, options=QUICK).fit(frame, y)
    assert fitted.estimate_.diagnostics["dropped_constant_columns"] == ["flat"]
    score = fitted.score(frame, y)
    # a column that was constant in `fit` says nothing, whatever it holds now
    assert fitted.score(frame.with_columns(flat=pl.Series(np.arange(200.0))), y) == score
    with pytest.raises(ValueError, match="feature names"):
        fitted.score(frame.select("b", "flat", "a"), y)
    by_place = MutualInformation(random_state=0, options=QUICK).fit(x, y)
    with pytest.raises(ValueError, match="X has 1 features, but MutualInformation is expecting 2"):
        by_place.score(x[:, :1], y)
    with pytest.raises(InputError, match=r"column of y"):
        by_place.score(x, y[:, 0])


def test_score_explains_rows_it_cannot_use() -> None:
    x, y = correlated_normal(100, 0.8, random_state=0)
    fitted = MutualInformation(random_state=0, options=QUICK).fit(x, y)
    with pytest.raises(InputError, match="x has 100 rows and y has 99"):
        fitted.score(x, y[:99])
    with pytest.raises(InputError, match="x has 99 rows and y has 100"):
        fitted.score(x[:99], y)
    with pytest.raises(InputError, match="x is constant"):
        fitted.score(x[:1], y[:1])
    with pytest.raises(InputError, match=r"missing value\(s\) \(NaN\)"):
        fitted.score(np.where(x > 1, np.nan, x), y)
    assert np.isfinite(fitted.score(x[:2], y[:2]))


def test_labels_that_fit_never_saw_are_scored() -> None:
    rng = np.random.default_rng(0)
    label = rng.choice(["u", "v", "w"], 300)
    y = (label == "u") + rng.normal(size=300)
    fitted = MutualInformation(random_state=0, options=QUICK).fit(label, y)
    new = label.copy()
    new[:5] = "never seen"
    assert np.isfinite(fitted.score(new, y))


@pytest.mark.parametrize(
    "estimator", [mine.MutualInformation("gaussian", unit="bits"), mine.MutualInfoSelector(2)], ids=lambda e: type(e).__name__
)
def test_scikit_learn_shows_it_in_notebooks(estimator: Any) -> None:
    """With its parameters, before and after it is fitted, and in a pipeline."""
    x = np.random.default_rng(0).normal(size=(100, 3))
    for shown in (estimator, make_pipeline(clone(estimator)), clone(estimator).fit(x, x[:, 0])):
        text = shown._repr_html_()
        assert type(estimator).__name__ in text and "<style>" in text
    assert ("unit" if hasattr(estimator, "unit") else "n_features_to_select") in estimator._repr_html_()
