"""Selection of features: what is told alone, twice, and only together; in pipelines and by scikit-learn's own checks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.feature_selection import SelectKBest, mutual_info_classif, mutual_info_regression
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import mine
from mine.errors import InputError, UnknownNameError
from mine.estimators.ross import Ross
from mine.estimators.screen import Screen
from mine.tables.selection import MutualInfoSelector, mutual_info


def twins(n: int = 600) -> tuple[pd.DataFrame, np.ndarray]:
    """A strong feature, its near copy, a weaker one of its own, noise."""
    rng = np.random.default_rng(0)
    strong, weak = rng.normal(size=(2, n))
    data = pd.DataFrame(
        {"noise": rng.normal(size=n), "strong": strong, "copy": strong + 0.1 * rng.normal(size=n), "weak": weak}
    )
    return data, np.where(1.5 * strong + weak + 0.3 * rng.normal(size=n) > 0, "yes", "no")


def test_relevance_takes_the_copy_and_mrmr_what_is_new():
    X, y = twins()
    chosen = {
        c: list(MutualInfoSelector(2, criterion=c).fit(X, y).get_feature_names_out()) for c in ("relevance", "mrmr", "jmi")
    }
    assert chosen == {"relevance": ["strong", "copy"], "mrmr": ["strong", "weak"], "jmi": ["strong", "weak"]}


def test_jmi_sees_what_only_two_tell_together():
    rng = np.random.default_rng(1)
    X = rng.normal(size=(1500, 5))
    y = (X[:, 1] * X[:, 3] > 0) ^ (rng.uniform(size=1500) < 0.02)
    y = np.where(rng.uniform(size=1500) < 0.3, X[:, 1] > 0, y)  # column 1 tells a little alone
    assert set(MutualInfoSelector(2, criterion="jmi").fit(X, y).get_support(indices=True)) == {1, 3}
    assert MutualInfoSelector(5, criterion="relevance").fit(X, y).order_[0] == 1


def test_a_wide_group_is_one_feature():
    rng = np.random.default_rng(2)
    X = rng.normal(size=(1000, 5))
    y = (X[:, 0] * X[:, 4] > 0).astype(int)  # the group of columns 0 and 4 tells all, each alone nothing
    selector = MutualInfoSelector(1, feature_groups=["pair", "a", "b", "c", "pair"]).fit(X, y)
    assert list(selector.get_support()) == [True, False, False, False, True]
    assert selector.feature_groups_ == ["pair", "a", "b", "c"]
    assert selector.scores_[0] > 0.4
    assert np.abs(selector.scores_[1:]).max() < 0.05
    assert selector.transform(X).shape == (1000, 2)
    with pytest.raises(InputError, match="groups has 2 labels for 5 columns"):
        MutualInfoSelector(1, feature_groups=["a", "b"]).fit(X, y)


def test_more_columns_than_neighbours_manage_get_a_critic():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(400, 8))
    y = X[:, :7].sum(1) + 0.5 * rng.normal(size=400)
    selector = MutualInfoSelector(1, feature_groups=["wide"] * 7 + ["other"], method="neighbors").fit(X, y)
    assert selector.feature_groups_[selector.order_[0]] == "wide"
    assert selector.scores_[0] == pytest.approx(0.5 * np.log(1 + 7 / 0.25), abs=0.35)  # 1.69


@pytest.mark.parametrize("target", ["labels", "numbers"])
def test_scores_against_scikit_learn(target: str):
    rng = np.random.default_rng(4)
    X = rng.normal(size=(500, 3))
    y: Any = X[:, 0] + 0.5 * X[:, 1] ** 2 + 0.3 * rng.normal(size=500)
    if target == "labels":
        y = (y > 0.5).astype(int)
        theirs = mutual_info_classif(X, y, random_state=0)
        np.testing.assert_allclose(np.maximum(mutual_info(X, y), 0), theirs, atol=0.02)
        return
    theirs, ours = mutual_info_regression(X, y, random_state=0), mutual_info(X, y)
    np.testing.assert_allclose(np.maximum(ours, 0), theirs, atol=0.05)
    truth = 0.7233  # h(y) - h(x_1^2 / 2 + 0.3 e): densities on a grid
    assert abs(ours[0] - truth) < 0.05 and abs(ours[2]) < theirs[2]


def test_labels_and_text_by_closed_forms():
    rng = np.random.default_rng(5)
    y = rng.integers(0, 2, 1000)
    X = pd.DataFrame(
        {"same": np.where(y == 1, "b", "a"), "bit": rng.integers(0, 2, 1000), "one": 1.0, "number": y + rng.normal(size=1000)}
    )
    score = mutual_info(X, y)
    plain = mine.estimate(X["same"], y, method="discrete").value
    assert score[0] == pytest.approx(plain, abs=1e-12)
    assert score[1] == pytest.approx(mine.estimate(X["bit"], y, method="discrete").value, abs=1e-12)
    assert score[2] == 0.0
    assert score[3] == pytest.approx(mine.estimate(X["number"], y, method="ross", random_state=0).value, abs=1e-6)


def test_text_beside_numbers_by_the_chain_rule():
    rng = np.random.default_rng(6)
    sign, x = rng.choice(["plus", "minus"], 2000), rng.normal(size=2000)
    y = (np.where(sign == "plus", x, -x) > 0).astype(int)  # each alone tells nothing, both tell all: ln 2
    X = pd.DataFrame({"sign": sign, "x": x})
    selector = MutualInfoSelector(1, feature_groups=["both", "both"]).fit(X, y)
    assert selector.scores_[0] == pytest.approx(np.log(2), abs=0.02)
    assert np.abs(mutual_info(X, y)).max() < 0.03


def test_in_a_pipeline_a_search_and_select_k_best():
    X, y = twins(300)
    pipeline = make_pipeline(MutualInfoSelector(2), LogisticRegression())
    search = GridSearchCV(
        pipeline, {"mutualinfoselector__n_features_to_select": [1, 2], "mutualinfoselector__criterion": ["mrmr", "jmi"]}, cv=3
    )
    search.fit(X, y)
    assert search.best_params_["mutualinfoselector__n_features_to_select"] == 2
    assert list(search.best_estimator_[0].get_feature_names_out()) == ["strong", "weak"]
    framed = MutualInfoSelector(2).set_output(transform="pandas").fit(X, y).transform(X)
    assert list(framed.columns) == ["strong", "weak"]
    best = SelectKBest(partial(mutual_info, n_neighbors=5), k=2).fit(X, y)
    assert list(best.get_feature_names_out()) == ["strong", "copy"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"criterion": "mrm"}, "did you mean 'mrmr'"),
        ({"n_features_to_select": 0}, "n_features_to_select must be an integer of 1 or more"),
        ({"method": "nearest"}, "Unknown method"),
        ({"n_neighbors": 0}, "n_neighbors must be an integer of 1 or more"),
    ],
)
def test_errors_name_the_remedy(arguments: dict[str, Any], message: str):
    with pytest.raises((InputError, UnknownNameError), match=message):
        MutualInfoSelector(**arguments).fit(*twins(60))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["digits", "breast-cancer"])
def test_ten_features_classify_at_least_as_well_as_scikit_learns(name: str):
    X, y = (load_digits if name == "digits" else load_breast_cancer)(return_X_y=True)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)

    def accuracy(selector: Any) -> float:
        pipeline = make_pipeline(StandardScaler(), selector, KNeighborsClassifier())
        return cross_val_score(pipeline, X, y, cv=folds).mean()

    theirs = accuracy(SelectKBest(partial(mutual_info_classif, random_state=0), k=10))
    assert accuracy(MutualInfoSelector(10)) >= theirs


@parametrize_with_checks([MutualInfoSelector(1)])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")  # array API checks need an extra package
def test_scikit_learns_checks(estimator: Any, check: Any):
    state = np.random.get_state()  # the checks themselves draw from numpy's global generator
    try:
        check(estimator)
    finally:
        np.random.set_state(state)


@pytest.mark.parametrize("criterion", ["relevance", "mrmr", "jmi"])
def test_an_identifier_is_never_chosen(criterion: Any):
    rng = np.random.default_rng(3)
    y = rng.integers(0, 3, 400)
    X = pd.DataFrame(
        {
            "record": [f"r{i}" for i in range(400)],
            "shop": rng.integers(0, 150, 400).astype(str),
            "size": y + 1.2 * rng.normal(size=400),
        }
    )
    selector = MutualInfoSelector(3, criterion=criterion).fit(X, y.astype(str))
    assert selector.get_feature_names_out()[0] != "record" and len(selector.order_) == 2
    assert selector.scores_[0] == 0.0 and selector.order_[0] == 2


def test_neighbours_in_time_are_no_neighbours(autoregression: Callable[[int, float, np.random.Generator], np.ndarray]) -> None:
    """Unrelated slow series look dependent row by row, and not on rows far enough apart."""
    plain, ordered, states = [], [], []
    for seed in range(8):
        rng = np.random.default_rng(40 + seed)
        a, b = autoregression(1000, 0.97, rng), autoregression(1000, 0.97, rng)
        plain.append(mutual_info(a[:, None], b)[0])
        ordered.append(mutual_info(a[:, None], b, order="time")[0])
        states.append(mutual_info(a[:, None] > 0, b, order="time")[0])
    assert np.mean(plain) > 0.08 and abs(np.mean(ordered)) < 0.05 and abs(np.mean(states)) < 0.05


@pytest.mark.parametrize("method", ["screen", "ross"])
def test_the_number_of_neighbours_counts_in_the_order_of_time(method: str) -> None:
    rng = np.random.default_rng(60)
    x = rng.normal(size=400)
    y = x + rng.normal(size=400) if method == "screen" else np.where(x + rng.normal(size=400) > 0, "up", "down")
    for k in (3, 9):
        (found,) = mutual_info(x[:, None], y, n_neighbors=k, order="time")
        estimator: Any = Screen(k) if method == "screen" else Ross(k)
        alone = mine.estimate(x, y, method=estimator, order="time", random_state=0).value
        assert found == pytest.approx(alone, abs=1e-4)


def test_the_selector_in_the_order_of_time(autoregression: Callable[[int, float, np.random.Generator], np.ndarray]) -> None:
    rng = np.random.default_rng(50)
    target, other, noise = (autoregression(1200, 0.9, rng) for _ in range(3))
    X = np.stack([other, target + noise], 1)
    mixed = rng.permutation(1200)
    inside = MutualInfoSelector(1, order="time").fit(X, target)
    shuffled = MutualInfoSelector(1, order=mixed).fit(X[mixed], target[mixed])
    assert inside.get_support().tolist() == [False, True] == shuffled.get_support().tolist()
    assert inside.scores_[1] == pytest.approx(0.35, abs=0.12)
    with pytest.raises(InputError, match="order has 5 values for 1200 rows"):
        mutual_info(X, target, order=range(5))


def test_the_order_of_time_may_be_an_index(autoregression: Callable[[int, float, np.random.Generator], np.ndarray]) -> None:
    rng = np.random.default_rng(8)
    days = pd.date_range("2020-01-01", periods=900)
    series = pd.DataFrame({"a": autoregression(900, 0.95, rng), "b": rng.normal(size=900)}, index=days)
    target = pd.Series(autoregression(900, 0.95, rng), index=days)
    mixed = rng.permutation(900)
    inside = mutual_info(series, target, order="time", random_state=0)
    by_index = mutual_info(series.iloc[mixed], target.iloc[mixed], order="time", random_state=0)
    np.testing.assert_array_equal(
        by_index[0], mutual_info(series.iloc[mixed], target.iloc[mixed], order=mixed, random_state=0)[0]
    )
    assert abs(by_index[0] - inside[0]) < 0.03 and abs(by_index[0]) < 0.06
    selector = MutualInfoSelector(1, order="time", random_state=0).fit(series.iloc[mixed], target.iloc[mixed])
    np.testing.assert_array_equal(selector.scores_, by_index)
