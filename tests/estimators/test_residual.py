"""h(y) - h(e) and the entropies behind it, against closed forms."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import entr
from scipy.stats import norm

from mine.data.splits import make_folds
from mine.estimators.residual import best_residual, entropy_rows

FOLDS = make_folds(6000, 3, 0)


@pytest.mark.parametrize(
    ("rows", "truth"),
    [
        (np.random.default_rng(0).uniform(0, 3, size=(6000, 1)), math.log(3)),
        (np.random.default_rng(1).exponential(2, size=(6000, 1)), 1 + math.log(2)),
        (np.random.default_rng(2).normal(size=(6000, 3)), 1.5 * math.log(2 * math.pi * math.e)),
        (np.random.default_rng(3).uniform(size=(6000, 4)), 0.0),  # sharp edges in four dimensions
    ],
)
def test_entropy(rows: np.ndarray, truth: float):
    assert entropy_rows(rows).mean() == pytest.approx(truth, abs=0.05)


@pytest.mark.parametrize("nats", [2.0, 6.0, 10.0])
def test_a_linear_relation_is_all_explained(nats: float):
    rng = np.random.default_rng(int(nats))
    rho = math.sqrt(-math.expm1(-2 * nats))
    x = rng.normal(size=(6000, 1))
    y = rho * x + math.exp(-nats) * rng.normal(size=(6000, 1))
    found = best_residual(x, y, FOLDS)
    assert found is not None and found.explained == pytest.approx(nats, abs=0.06)
    assert found.rows.mean() == pytest.approx(found.explained)


def test_a_curve_is_explained_by_local_fits():
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, size=(6000, 1))
    sigma = 1e-2
    y = x**2 + sigma * rng.normal(size=(6000, 1))
    found = best_residual(x, y, FOLDS)
    at, centres = np.linspace(-0.1, 1.1, 2401), (np.arange(4000) + 0.5) / 4000  # x is as good as positive
    density = norm.pdf(at[:, None], centres**2, sigma).mean(1)
    truth = np.trapezoid(entr(density), at) - norm(0, sigma).entropy()
    assert found is not None and not found.swapped and found.name.startswith("local linear")
    assert found.explained == pytest.approx(truth, abs=0.03)


@pytest.mark.parametrize("bent", [lambda v: v**3, lambda v: np.arctan(30 * v) + v, np.exp])
@pytest.mark.parametrize("noise", [0.005, 0.03])
def test_a_near_copy_on_a_bent_scale(bent: Callable[[np.ndarray], np.ndarray], noise: float):
    """However steep the scale is somewhere, what a few hundred rows explain hardly falls; noise by itself explains no more."""
    rng = np.random.default_rng(21)
    found = []
    for _ in range(4):
        x = rng.normal(size=(400, 1))
        residual = best_residual(x, bent(x + noise * rng.normal(size=(400, 1))), make_folds(400, 3, 0))
        found.append(residual.explained if residual else math.nan)
    assert np.mean(found) == pytest.approx(0.5 * math.log1p(noise**-2), abs=0.15)


def test_the_residual_of_a_row_never_saw_that_row():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(6000, 2)), rng.normal(size=(6000, 1))
    found = best_residual(x, y, FOLDS)
    assert found is not None and abs(found.explained) < 0.08  # fitted rows would explain about 30 neighbours' worth


def test_ties_and_wide_sides_have_none():
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 50, size=(6000, 1)).astype(float)
    assert best_residual(counts, counts + 1, FOLDS) is None
    wide = rng.normal(size=(6000, 8))
    assert best_residual(wide, wide, FOLDS) is None


@pytest.mark.parametrize("noise", [0.1, 1e-2, 1e-3])
def test_entropies_of_nearly_collinear_columns_do_not_err_upwards(noise: float):
    rng = np.random.default_rng(1)
    common = rng.normal(size=(6000, 1))
    x, y = (common + noise * rng.normal(size=(6000, 1)) for _ in range(2))
    truth = 0.5 * math.log1p(noise**-2)
    for sides in ((x, np.concatenate([y, common], 1)), (np.concatenate([common, y], 1), x)):
        found = best_residual(*sides, FOLDS)
        assert found is not None and truth - 0.1 < found.explained < truth + 0.05


def test_rows_on_a_thin_curve_are_passed_over():
    """y tells the common number, once by itself and once by its square: x tells no more of both than of the number."""
    rng = np.random.default_rng(2)
    common = rng.normal(size=(6000, 1))
    x = common + 0.05 * rng.normal(size=(6000, 1))
    y = np.concatenate([common, common**2 + 1e-4 * rng.normal(size=(6000, 1))], 1)
    found = best_residual(x, y, FOLDS)
    assert found is not None and found.swapped and found.explained < 0.5 * math.log1p(0.05**-2) + 0.05


def test_rows_in_a_plane_have_no_entropy():
    """Four columns that are multiples of two: rounding makes their volume, and the difference of entropies with it."""
    rng = np.random.default_rng(4)
    latent = rng.normal(size=(900, 1))
    x, y = latent, latent + 0.1 * rng.normal(size=(900, 1))
    both = [np.concatenate([v, -2 * v, np.abs(v), np.maximum(v, 0)], 1) for v in (x, y)]
    assert best_residual(*both, make_folds(900, 3, 0)) is None


def test_entropies_of_many_coordinates_need_rows():
    rng = np.random.default_rng(5)
    x = rng.normal(size=(250, 6))
    y = x + 0.1 * rng.normal(size=(250, 6))
    assert best_residual(x, y, make_folds(250, 3, 0)) is None
    many = rng.normal(size=(1000, 6))
    found = best_residual(many, many + 0.1 * rng.normal(size=(1000, 6)), make_folds(1000, 3, 0))
    assert found is not None and found.other_way is not None
    assert found.explained == pytest.approx(6 * 0.5 * math.log(101), abs=0.5)
