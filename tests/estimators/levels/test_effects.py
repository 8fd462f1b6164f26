"""The random effects against independent computations."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import multivariate_t, norm

from mine.estimators.levels.effects import Effects, fit_effects, level_sums, limits_of_spread, log_evidence, predictive

EFFECTS = Effects(np.array([0.5]), np.array([1.3]), np.array([6.0]))
ROWS = np.array([[0.4], [1.7], [-0.3]])


def joint(rows: np.ndarray) -> float:
    """Log-density of one level's rows: a multivariate Student variable."""
    n = len(rows)
    scale = 1.3 * (np.eye(n) + 1 / 0.5)
    return float(multivariate_t(np.zeros(n), scale, df=6.0).logpdf(rows[:, 0]))


def test_evidence_is_that_of_a_multivariate_student():
    assert log_evidence(level_sums(ROWS, np.zeros(3, int), 1), EFFECTS) == pytest.approx(joint(ROWS))


def test_prediction_is_a_ratio_of_evidences():
    sums = level_sums(ROWS[:2], np.zeros(2, int), 1)
    assert predictive(ROWS[2], sums, EFFECTS)[0] == pytest.approx(joint(ROWS) - joint(ROWS[:2]))


def test_prediction_is_a_density_and_directions_add_up():
    sums = level_sums(ROWS, np.zeros(3, int), 1)
    total, _ = quad(lambda v: float(np.exp(predictive(np.array([v]), sums, EFFECTS)[0])), -60, 60, points=[0])
    assert total == pytest.approx(1, abs=1e-3)
    twice = Effects(*(np.repeat(part, 2) for part in (EFFECTS.kappa, EFFECTS.scale, EFFECTS.degrees)))
    both = level_sums(np.repeat(ROWS, 2, axis=1), np.zeros(3, int), 1)
    assert predictive(np.array([0.2, 0.2]), both, twice)[0] == pytest.approx(2 * predictive(np.array([0.2]), sums, EFFECTS)[0])


@pytest.mark.parametrize("signal", [0.5, 2.0])
def test_the_spread_of_levels_is_found(signal: float):
    rng = np.random.default_rng(0)
    codes = np.repeat(np.arange(400), 4)
    values = signal * rng.normal(size=(400, 1))[codes] + rng.normal(size=(1600, 1))
    sums = level_sums(values, codes, 400)
    effects = fit_effects(sums)
    assert effects.kappa[0] == pytest.approx(1 / signal**2, rel=0.3)
    assert effects.scale[0] == pytest.approx(1, rel=0.1)
    weak, strong = limits_of_spread(sums, effects)
    assert strong.kappa[0] < 1 / signal**2 < weak.kappa[0] < 2.5 / signal**2


def test_no_effects_are_none():
    rng = np.random.default_rng(1)
    codes = np.repeat(np.arange(300), 3)
    none = [fit_effects(level_sums(rng.normal(size=(900, 1)), codes, 300)).kappa[0] > 1e4 for _ in range(20)]
    assert np.mean(none) >= 0.85


def test_many_rows_predict_the_normal_of_the_level():
    rng = np.random.default_rng(2)
    rows = 3 + 2 * rng.normal(size=(20_000, 1))
    sums = level_sums(rows, np.zeros(20_000, int), 1)
    prediction = predictive(np.array([[1.0], [5.0]]), sums, EFFECTS)
    assert prediction == pytest.approx(norm(3, 2).logpdf([1.0, 5.0]), abs=0.05)
