"""Relations without noise are found, those with noise are not taken for one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import entr
from scipy.stats import norm

import mine
from mine.data.problem import Problem
from mine.data.sides import as_variable
from mine.estimators.noiseless import Regression, noiseless_regression


def looked_at(x: np.ndarray, y: np.ndarray, seed: int = 0) -> Regression:
    return noiseless_regression(Problem(as_variable(x, "x"), as_variable(y, "y"), seed=seed))


def relu_layer(x: np.ndarray) -> np.ndarray:
    return np.maximum(x @ np.random.default_rng(9).normal(size=(x.shape[1], 3)) - 0.2, 0)


def two_layers(x: np.ndarray) -> np.ndarray:
    fixed = np.random.default_rng(8)
    return np.tanh(x @ fixed.normal(size=(x.shape[1], 8))) @ fixed.normal(size=(8, 2))


#: Name -> a function of a side, the number of columns of the side.
FUNCTIONS = {
    "relu layer": (relu_layer, 5),
    "two layers": (two_layers, 2),
    "distance in the maximum norm": (lambda x: np.abs(x).max(1), 2),
    "sum of absolute values": (lambda x: np.abs(x).sum(1), 3),
    "saturated": (lambda x: np.tanh(15 * x), 1),
    "saturated layer": (lambda x: np.tanh(4 * x @ np.array([[1.0, 0.5], [-0.7, 1.0]])), 2),
    "wave": (lambda x: np.sin(4 * x[:, 0] + 1), 1),
    "exponential": (lambda x: np.exp(x @ np.array([1.0, -0.5])), 2),
    "product and square": (lambda x: x[:, 0] * x[:, 1] + x[:, 2] ** 2, 3),
    "sum": (lambda x: x.sum(1), 12),
    "one of six columns": (lambda x: np.cos(2 * x[:, 4]), 6),
    "sawtooth of two columns": (lambda x: (3 * x[:, 0] - 2 * x[:, 1]) % 1, 2),
    "sawtooth of many teeth": (lambda x: (15 * x[:, 0]) % 1, 1),
    "kinks in six columns": (lambda x: np.abs(x).sum(1), 6),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("n", [500, 3000])
def test_a_relation_without_noise_is_found_in_both_directions(name: str, n: int):
    function, dim = FUNCTIONS[name]
    x = np.random.default_rng(n).normal(size=(n, dim))
    y = function(x)
    assert looked_at(x, y).determined is not None
    (warning,) = looked_at(y, x).warnings
    assert "without noise" in warning


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("noise", [0.05, 0.1])
def test_noise_is_not_overlooked(name: str, noise: float):
    function, dim = FUNCTIONS[name]
    rng = np.random.default_rng(round(100 * noise))
    x = rng.uniform(-2, 2, size=(1500, dim))
    y = function(x)
    assert looked_at(x, y + noise * y.std(0) * rng.normal(size=y.shape)).determined is None
    assert looked_at(x, function(x + noise * rng.normal(size=x.shape))).determined is None


def test_few_rows_of_several_columns_show_a_function_of_one():
    """The critic sees half a nat or less of it: the interval would end below the truth, which is infinite."""
    x = np.random.default_rng(12).normal(size=(250, 5))
    est = mine.estimate(x, np.sin(2 * x[:, 1]), effort="fast", random_state=0)
    assert est.interval[1] == math.inf and "y by x" in est.diagnostics["determined"]


def test_rounding_is_noise():
    x = np.random.default_rng(0).normal(size=(2000, 1))
    assert looked_at(x, np.round(np.sin(x), 2)).determined is None
    assert looked_at(np.round(x, 1), np.round(2 * x, 1)).determined is None


def test_labels_and_short_sides_are_left_alone():
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    assert looked_at(x, np.where(x > 0, "a", "b")) == Regression()
    assert looked_at(x[:40], x[:40] ** 2) == Regression()


@pytest.mark.parametrize(("noise", "truth"), [(0.1, 0.5 * math.log1p(100)), (0.02, 0.5 * math.log1p(2500))])
def test_a_regression_tells_the_signal_to_noise_ratio(noise: float, truth: float):
    for seed in range(3):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(1000, 4))
        found = looked_at(x, x.sum(1) / 2 + noise * rng.normal(size=1000))
        assert found.nats is not None and found.nats == pytest.approx(truth, abs=4 * found.stderr) and found.stderr < 0.08


@pytest.mark.parametrize("method", ["auto", "mine", "ksg", "gaussian"])
def test_every_method_opens_the_interval(method: str):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(400, 2))
    y = np.exp(x[:, 0]) + 0.5 * x[:, 1]
    options = {"steps": 10, "effort": "fast"} if method in ("auto", "mine") else {}
    est = mine.estimate(x, y, method=method, random_state=0, **options)
    assert est.interval[1] == math.inf and est.interval[0] < est.value < math.inf
    assert sum("without noise" in w for w in est.warnings) == 1 and est.diagnostics["determined"] is not None
    noisy = mine.estimate(x, y + 0.1 * rng.normal(size=400), method=method, random_state=0, **options)
    assert noisy.interval[1] < math.inf and noisy.diagnostics["determined"] is None


def test_a_regression_moves_the_upper_end():
    """A steep wave with a little noise, of which a critic of thirty steps sees little."""
    rng = np.random.default_rng(2)
    x = rng.uniform(-3, 3, size=1000)
    y = np.sin(4 * x) + 0.05 * rng.normal(size=1000)
    est = mine.estimate(x, y, random_state=0, steps=30)
    at = np.linspace(-1.4, 1.4, 2801)
    density = norm.pdf(at[:, None], np.sin(4 * np.linspace(-3, 3, 6001)), 0.05).mean(1)
    truth = np.trapezoid(entr(density), at) - norm(0, 0.05).entropy()
    assert est.value < truth - 0.2 < est.diagnostics["regression_nats"] < truth + 0.1
    assert est.interval[1] > truth - 0.05
