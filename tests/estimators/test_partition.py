"""A copula's log-partition: 0 for one that fits, nats for one that does not."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import mine
from mine.critics.gaussian import GaussianCritic
from mine.data.preprocessing import rank_gaussianize
from mine.data.splits import make_folds
from mine.estimators.base import fit_copulas
from mine.estimators.partition import bound_rows, log_partition, shrunk


def normals(n: int, dim: int, rho: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, dim))
    return x, rho * x + math.sqrt(1 - rho * rho) * rng.normal(size=(n, dim))


def hills(n: int, rho: float, seed: int, count: int = 7) -> tuple[np.ndarray, np.ndarray, float]:
    """Each side: ``count`` hills at places of one number, an injective curve."""
    places = np.linspace(-2.2, 2.2, count)
    x, y = (np.exp(-0.5 * ((side - places) / 0.7) ** 2) for side in normals(n, 1, rho, seed))
    return x, y, -0.5 * math.log(1 - rho * rho)


def fitted(x: np.ndarray, y: np.ndarray) -> tuple[GaussianCritic, torch.Tensor, torch.Tensor]:
    """The Gaussian copula of one half of the rows, and the normal scores of the other."""
    half = len(x) // 2
    u, v = rank_gaussianize(x), rank_gaussianize(y)
    return GaussianCritic.fit(u[:half], v[:half], floor=1 / half), torch.as_tensor(u[half:]), torch.as_tensor(v[half:])


@pytest.mark.parametrize(
    ("n", "dim", "rho"), [(400, 2, 0.9), (1000, 10, 0.5), (2000, 10, 0.99), (3000, 20, 0.99), (1000, 25, 0.1)]
)
def test_a_copula_fits_normals_however_much_they_tell(n: int, dim: int, rho: float):
    for seed in range(5):
        assert log_partition(*fitted(*normals(n, dim, rho, seed))).fits


@pytest.mark.parametrize(("n", "rho"), [(600, 0.99), (2000, 0.95), (4000, 0.9)])
def test_a_copula_of_curves_does_not_fit(n: int, rho: float):
    for seed in range(3):
        x, y, truth = hills(n, rho, seed)
        copula, u, v = fitted(x, y)
        assert float(copula(u, v).mean()) > truth + 0.5  # what it would be taken for
        assert not log_partition(copula, u, v).fits
        assert float(bound_rows(copula, u, v).mean()) < truth + 0.1


def test_the_partition_of_independent_normals_is_that_of_the_closed_form():
    """The copula of correlation r over independent normals of standard deviation s, a Gaussian integral."""
    r, scale = 0.5, 1.1
    rng = np.random.default_rng(0)
    one = torch.ones(1, 1, dtype=torch.float64)
    copula = GaussianCritic(0 * one, 0 * one, one, one, r * one)
    u, v = (torch.as_tensor(scale * rng.normal(size=(4000, 1))) for _ in range(2))
    # log-ratio = -log(1 - r^2) / 2 - (r^2 (u^2 + v^2) - 2 r u v) / (2 (1 - r^2)): a Gaussian integral over N(0, scale^2 I)
    quadratic = np.array([[r * r, -r], [-r, r * r]]) / (1 - r * r)
    truth = -0.5 * math.log(1 - r * r) - 0.5 * math.log(np.linalg.det(np.eye(2) + scale**2 * quadratic))
    assert log_partition(copula, u, v).full == pytest.approx(truth, abs=0.02)
    assert shrunk(copula, 0.4).correlations.item() == pytest.approx(0.3) and copula.correlations.item() == r


def test_a_ratio_that_does_not_fit_is_weakened_and_its_directions_stay():
    x, y, _ = hills(2000, 0.98, 0)
    u, v = rank_gaussianize(x), rank_gaussianize(y)
    base = fit_copulas([(u, v, make_folds(len(u), 3, 0)[0])])
    assert float(base.ratio.correlations.max()) < float(base.gaussian.correlations.max())
    assert float(base.gaussian.correlations.max()) > 0.9 and float(base.weights.max()) == pytest.approx(1)
    x, y = normals(2000, 3, 0.98, 0)
    base = fit_copulas([(rank_gaussianize(x), rank_gaussianize(y), make_folds(2000, 3, 0)[0])])
    torch.testing.assert_close(base.ratio.correlations, base.gaussian.correlations)


def test_curves_are_not_worth_more_than_their_number():
    x, y, truth = hills(1500, 0.99, 3)
    est = mine.estimate(x, y, random_state=0, effort="fast", steps=150)
    assert truth - 0.4 < est.value < truth + 0.15
    assert (
        est.interval[0] < truth and truth - 0.1 < est.interval[1] < truth + 1 and not [w for w in est.warnings if "copula" in w]
    )


@pytest.mark.slow
def test_the_closed_form_warns_of_curves_and_not_of_normals():
    x, y, _ = hills(2000, 0.95, 1)
    curves = mine.estimate(x, y, method="gaussian")
    assert curves.interval[0] <= 0 and any("jointly Gaussian" in w for w in curves.warnings)
    for dim, n in ((2, 200), (10, 500), (30, 400)):
        normal = mine.estimate(*normals(n, dim, 0.9, 2), method="gaussian")
        assert not normal.warnings and normal.interval[0] > 0
