"""Estimates from hundreds of columns: the information of a few of them, or of what they are all made of."""

import math

import numpy as np
import pytest

import mine
from mine.data.problem import make_problem
from mine.estimators.auto import Auto
from mine.estimators.crossfit import MOST_APART
from mine.mutual_information import MutualInformation


def even_pair(n: int, width: int, seed: int, noise: float = 0.4) -> tuple[np.ndarray, np.ndarray, float]:
    """y = x^2 + noise in one column of each side; the information by quadrature."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(2, n, width))
    y[:, 2] = x[:, 4] ** 2 + noise * y[:, 2]
    at, to = np.linspace(-7, 7, 4001), np.linspace(-3, 50, 8001)
    weights = np.exp(-0.5 * at**2) / math.sqrt(2 * math.pi) * (at[1] - at[0])
    density = np.exp(-0.5 * ((to[:, None] - at**2) / noise) ** 2) @ weights / (noise * math.sqrt(2 * math.pi))
    entropy = -np.trapezoid(density * np.log(np.maximum(density, 1e-300)), to)
    return x, y, float(entropy - 0.5 * math.log(2 * math.pi * math.e * noise**2))


def embedded(n: int, nats: float, width: int, seed: int, latent: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Correlated normals behind a fixed random layer and a bend."""
    rng, fixed = np.random.default_rng(seed), np.random.default_rng(12)
    r = math.sqrt(1 - math.exp(-2 * nats / latent))
    z = rng.normal(size=(n, latent))
    w = r * z + math.sqrt(1 - r * r) * rng.normal(size=(n, latent))
    bent = [np.tanh(0.6 * side @ fixed.normal(size=(latent, 60))) @ fixed.normal(size=(60, width)) for side in (z, w)]
    return bent[0] + 0.05 * rng.normal(size=(n, width)), bent[1] + 0.05 * rng.normal(size=(n, width))


def estimate(x: np.ndarray, y: np.ndarray) -> mine.Estimate:
    return mine.estimate(x, y, effort="fast", random_state=0)


@pytest.mark.slow
def test_one_even_pair_among_two_hundred_columns():
    x, y, truth = even_pair(2000, 100, seed=5)
    est = estimate(x, y)
    assert est.value == pytest.approx(truth, abs=0.25) and est.value > 0.7
    assert est.interval[0] <= truth <= est.interval[1]
    assert est.lower_bound is not None and est.lower_bound < truth + 3 * est.stderr
    assert "screened columns 2 + 2 of 100 + 100 columns" in est.diagnostics["inputs"]


def test_an_embedding_of_few_latents():
    x, y = embedded(2000, 2.0, 96, seed=6)
    est = estimate(x, y)
    assert est.value == pytest.approx(2.0, abs=0.25)
    assert est.interval[0] <= 2.0 <= est.interval[1]
    assert est.interval[1] - est.interval[0] < 1.0
    assert "components" in est.diagnostics["inputs"]


@pytest.mark.parametrize("n", [1000, pytest.param(2000, marks=pytest.mark.slow)])
def test_independent_columns_have_next_to_no_information(n: int):
    x, y = np.random.default_rng(n).normal(size=(2, n, 100))
    est = estimate(x, y)
    assert abs(est.value) <= 0.02
    assert est.interval[0] <= 0.0 <= est.interval[1]


def test_a_label_against_many_numbers():
    rng = np.random.default_rng(8)
    x = rng.normal(size=(2000, 100))
    label = np.where((np.abs(x[:, 4]) > 0.6745) ^ (rng.random(2000) < 0.1), "out", "in")  # both halves are equally likely
    est = estimate(x, label)
    truth = math.log(2) + 0.1 * math.log(0.1) + 0.9 * math.log(0.9)
    assert est.value == pytest.approx(truth, abs=0.08)
    assert est.interval[0] <= truth <= est.interval[1]


@pytest.mark.slow
def test_rows_of_the_past_are_scored_by_what_was_fitted():
    x, y, truth = even_pair(2400, 80, seed=9)
    fitted = MutualInformation(effort="fast", random_state=0).fit(x[:1600], y[:1600])
    assert fitted.score(x[1600:], y[1600:]) == pytest.approx(truth, abs=0.3)


@pytest.mark.slow
def test_the_permutation_test_by_a_network_sees_the_pair():
    x, y, _ = even_pair(1200, 80, seed=3)
    assert mine.independence_test(x, y, critic="network", random_state=0).p_value <= 0.01


@pytest.mark.slow
def test_one_wide_side_and_one_column():
    x, y, truth = even_pair(1500, 80, seed=10)
    assert estimate(x, y[:, 2]).value == pytest.approx(truth, abs=0.25)


@pytest.mark.slow
def test_the_halves_far_apart_are_said_to_be():
    x, y = embedded(400, 6.0, 96, seed=11, latent=12)
    est = estimate(x, y)
    assert est.lower_bound is not None
    assert est.diagnostics["train_bound"] - est.lower_bound > MOST_APART
    assert est.interval[0] <= est.lower_bound
    assert est.interval[1] >= est.diagnostics["train_bound"]
    assert any("training rows" in w for w in est.warnings)


def test_a_narrow_problem_goes_the_old_way():
    x, y = np.random.default_rng(0).normal(size=(2, 300, 63))
    problem, _ = make_problem(x, y, random_state=0)
    assert "inputs" not in Auto(effort="fast", steps=10).run(problem).diagnostics


@pytest.mark.slow
def test_one_even_pair_among_a_thousand_columns_at_default_effort():
    x, y, truth = even_pair(10_000, 500, seed=13)
    est = mine.estimate(x, y, random_state=0)
    assert est.value == pytest.approx(truth, rel=0.08)
    assert est.interval[0] <= truth <= est.interval[1]
    assert est.interval[1] - est.interval[0] < 0.5


@pytest.mark.slow
def test_a_wide_embedding_at_default_effort():
    x, y = embedded(10_000, 3.0, 512, seed=14, latent=10)
    est = mine.estimate(x, y, random_state=0)
    assert est.value == pytest.approx(3.0, abs=0.2)
    assert est.interval[0] <= 3.0 <= est.interval[1]
    assert est.interval[1] - est.interval[0] < 0.7
