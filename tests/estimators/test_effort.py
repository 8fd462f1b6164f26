"""The option ``effort``: what it sets, what it leaves, and where it is refused."""

import numpy as np
import pytest

import mine
from mine.errors import InputError, UnknownNameError
from mine.estimators import get_estimator, with_effort
from mine.estimators.auto import Auto


def test_given_options_win_over_the_effort():
    settings = Auto(effort="thorough", hidden=(8,)).settings
    assert settings.hidden == (8,) and settings.batch_size == Auto(effort="thorough").settings.batch_size


def test_each_value_takes_longer_than_the_one_before():
    def work(effort: str) -> float:
        settings = Auto(effort=effort).settings
        return settings.pace * settings.batch_size * sum(settings.hidden)

    assert work("fast") < work("default") < work("thorough")


def test_methods_without_training_ignore_it():
    assert with_effort("ksg", "fast", {}) == {}
    assert with_effort("Kraskov", "fast", {}) == {}
    assert with_effort("mine", "fast", {"steps": 3}) == {"steps": 3, "effort": "fast"}


def test_what_cannot_be_dialled_is_said():
    with pytest.raises(UnknownNameError, match="effort"):
        with_effort("auto", "lazy", {})
    with pytest.raises(InputError, match="itself"):
        with_effort(get_estimator("ksg"), "fast", {})


def test_the_result_names_it():
    rng = np.random.default_rng(0)
    x = rng.normal(size=300)
    est = mine.estimate(x, x + rng.normal(size=300), effort="fast", random_state=0)
    assert est.diagnostics["effort"] == "fast" and est.diagnostics["most_steps"] == round(0.7 * 150)


@pytest.mark.parametrize("method", [pytest.param("auto", marks=pytest.mark.slow), "mine"])
def test_bfloat16_training_finds_the_same_within_its_rounding(method: str):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(600, 2))
    y = np.abs(x) + 0.3 * rng.normal(size=(600, 2))  # no copula does it
    found = [
        mine.estimate(x, y, method=method, steps=120, n_folds=2, random_state=0, residual=False, bf16=bf16)
        if method == "auto"
        else mine.estimate(x, y, method=method, steps=120, n_folds=2, random_state=0, bf16=bf16)
        for bf16 in (False, True)
    ]
    assert found[1].value == pytest.approx(found[0].value, abs=0.2) and found[1].value != found[0].value
