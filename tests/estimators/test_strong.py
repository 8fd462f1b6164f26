"""Dependence that shuffled pairs cannot resolve."""

import math

import numpy as np
import pytest
import torch

import mine
from mine.critics import MeanCritic, SeparableCritic
from mine.data.problem import make_problem
from mine.estimators import get_estimator
from mine.tasks import dial

QUICK = {"random_state": 0, "steps": 100}


def normals(n: int, nats: float, dim: int = 1, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    each = nats / dim
    x = rng.normal(size=(n, dim))
    return x, math.sqrt(-math.expm1(-2 * each)) * x + math.exp(-each) * rng.normal(size=(n, dim))


@pytest.mark.parametrize(("nats", "dim"), [(7.0, 1), pytest.param(9.0, 2, marks=pytest.mark.slow)])
def test_a_residual_tells_what_shuffled_pairs_cannot(nats: float, dim: int):
    est = mine.estimate(*normals(3000, nats, dim), **QUICK)
    assert est.value == pytest.approx(nats, abs=0.12)
    assert est.interval[0] < nats < est.interval[1] < nats + 0.5
    assert est.diagnostics["basis"].startswith("residual") and est.diagnostics["shuffled_pairs_nats"] < nats - 0.5
    assert est.value == pytest.approx(est.diagnostics["explained_nats"] + est.diagnostics["remainder_nats"])
    assert est.lower_bound is not None and est.lower_bound < math.log(3000)


@pytest.mark.slow
def test_heavy_tails_leave_a_remainder():
    """Student rows: the residual of a line is uncorrelated with x, and its scale still depends on it."""
    est = mine.estimate(*dial.student(6.0, dim=5, dof=2).sample(4000, 0), **QUICK)
    assert est.value == pytest.approx(6.0, abs=0.2)
    assert est.diagnostics["explained_nats"] < 5.8 and est.diagnostics["remainder_nats"] > 0.1


@pytest.mark.slow
def test_a_curve_without_noise_may_be_infinite():
    x = np.random.default_rng(0).normal(size=(3000, 1))
    est = mine.estimate(x, x**2, **QUICK)
    assert math.isinf(est.interval[1]) and est.value > 6
    assert any("deterministic" in w for w in est.warnings)


@pytest.mark.parametrize(("nats", "dim"), [(20.0, 10), (39.17, 20)])
def test_wide_sides_fall_back_on_the_copula(nats: float, dim: int):
    est = mine.estimate(*normals(2000, nats, dim), **QUICK)
    assert est.diagnostics["basis"] == "model-based: Gaussian copula"
    assert est.value == pytest.approx(nats, abs=0.6) and math.isinf(est.interval[1])


def test_nearly_collinear_columns_do_not_add_information():
    """x and y1 are a common number with a little noise each, y2 is the common number."""
    rng = np.random.default_rng(4)
    common, noise = rng.normal(size=1200), 0.003
    x, y = (common + noise * rng.normal(size=1200) for _ in range(2))
    truth = 0.5 * math.log1p(noise**-2)
    est = mine.estimate(x, np.stack([y, common], 1), **QUICK)
    assert est.value == pytest.approx(truth, abs=0.15) and est.interval[0] - 0.05 < truth < est.interval[1] < truth + 1


def test_weak_dependence_is_left_to_the_critics():
    est = mine.estimate(*normals(3000, 0.3), **QUICK)
    assert est.diagnostics["basis"] == "variational bound from shuffled pairs"


def test_thorough_reports_the_mean_of_several_critics():
    x, y = normals(300, 0.5)
    method = get_estimator("auto", {"effort": "thorough", "steps": 20})
    problem, _ = make_problem(x, y, random_state=0)
    fitted = method.fit(problem)
    assert len(fitted.critics) == 5 and all(isinstance(c, MeanCritic) for c in fitted.critics)
    assert len(fitted.critics[0].members) == method.settings.ensemble_size
    different = {m.network.first_x.weight.sum().item() for m in fitted.critics[0].members}
    assert len(different) == method.settings.ensemble_size


def test_a_mean_of_one_is_itself():
    one = SeparableCritic(2, 2, generator=torch.Generator().manual_seed(1))
    x, y = torch.randn(5, 2, generator=torch.Generator().manual_seed(0)), torch.zeros(5, 2)
    torch.testing.assert_close(MeanCritic([one])(x, y), one(x, y))


@pytest.mark.parametrize(("n", "zeros", "seed"), [(1500, 0.95, 11), (500, 0.85, 12)])
def test_two_columns_that_are_zero_together_in_most_rows(n: int, zeros: float, seed: int):
    """Being zero tells the entropy of a coin, and the other rows are normal in their logarithms."""
    x, y = (np.exp(side[:, 0]) for side in normals(n, 0.3, seed=seed))
    dry = np.random.default_rng(seed).random(n) < zeros
    truth = -zeros * math.log(zeros) - (1 - zeros) * math.log(1 - zeros) + (1 - zeros) * 0.3
    est = mine.estimate(np.where(dry, 0, x), np.where(dry, 0, y), **QUICK)
    assert est.value == pytest.approx(truth, abs=0.12)
    assert est.interval[0] < truth < est.interval[1] < truth + 0.35
    assert est.lower_bound is not None and est.lower_bound < est.value
