"""The Gaussian copula against its closed form and simulated bias."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm, rankdata

import mine
from mine.data.problem import Problem
from mine.data.sides import as_variable
from mine.errors import InputError, NotEnoughDataError
from mine.estimators.gaussian import GaussianCopula, wishart_bias


def problem(x: np.ndarray, y: np.ndarray, groups: np.ndarray | None = None) -> Problem:
    return Problem(as_variable(x, "x", False), as_variable(y, "y", False), groups)


def normals(n: int, cross: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Rows of standard normals whose cross-covariance is ``cross`` (dx, dy)."""
    dx, dy = cross.shape
    cov = np.block([[np.eye(dx), cross], [cross.T, np.eye(dy)]])
    rows = np.random.default_rng(seed).normal(size=(n, dx + dy)) @ np.linalg.cholesky(cov).T
    return rows[:, :dx], rows[:, dx:]


@pytest.mark.parametrize("rho", [0.0, 0.3, -0.9])
def test_one_dimension_by_hand(rho: float):
    x, y = normals(500, np.array([[rho]]))
    estimate = GaussianCopula().run(problem(x, y))
    scores = [norm.ppf((rankdata(side) - 0.5) / 500) for side in (x, y)]
    r = np.corrcoef(scores)[0, 1]
    # exact bias of -log(1 - r^2) / 2 in one dimension: half the difference of neighbouring digammas
    expected = -0.5 * math.log(1 - r**2) - wishart_bias(500, 1, 1)
    assert estimate.value == pytest.approx(expected, abs=1e-10)


def test_closed_form_in_several_dimensions():
    cross = np.array([[0.5, 0.2, 0.0], [0.0, -0.3, 0.4]])
    canonical = np.linalg.svd(cross, compute_uv=False)
    truth = -0.5 * np.log(1 - canonical**2).sum()
    x, y = normals(20_000, cross)
    estimate = GaussianCopula().run(problem(x, y))
    assert estimate.value == pytest.approx(truth, abs=4 * estimate.stderr)
    assert estimate.value == pytest.approx(truth, abs=0.02)
    np.testing.assert_allclose(estimate.diagnostics["canonical_correlations"], canonical, atol=0.02)
    assert estimate.interval[0] < truth < estimate.interval[1]
    assert estimate.lower_bound is None
    assert estimate.diagnostics["basis"] == "model-based: Gaussian copula"


def test_invariant_to_increasing_maps_of_every_coordinate():
    x, y = normals(300, np.array([[0.5, 0.2], [0.0, -0.6]]))
    plain = GaussianCopula().run(problem(x, y)).value
    mapped = GaussianCopula().run(problem(np.exp(3 * x) * 1e20, y**3 - 1e5)).value
    assert mapped == pytest.approx(plain, abs=1e-9)


@pytest.mark.parametrize("rho", [0.0, 0.6])
def test_wishart_bias_by_simulation(rho: float):
    # the bias of the plug-in does not depend on the covariance; 4,000 data sets of 25 rows each
    n, dx, dy, draws = 25, 2, 3, 4000
    cross = np.zeros((dx, dy))
    cross[0, 0] = rho
    x, y = normals(n * draws, cross)
    rows = np.concatenate([x, y], 1).reshape(draws, n, dx + dy)
    centred = rows - rows.mean(1, keepdims=True)
    cov = np.einsum("dni,dnj->dij", centred, centred) / n

    def log_det(part: np.ndarray) -> np.ndarray:
        return np.linalg.slogdet(part)[1]

    plug_in = 0.5 * (log_det(cov[:, :dx, :dx]) + log_det(cov[:, dx:, dx:]) - log_det(cov))
    bias = plug_in.mean() + 0.5 * math.log(1 - rho**2)
    assert bias == pytest.approx(wishart_bias(n, dx, dy), abs=4 * plug_in.std() / math.sqrt(draws))
    assert wishart_bias(n, dx, dy) > 0.1  # far from what the tolerance would let pass as zero


def test_wishart_bias_tends_to_the_number_of_pairs_over_two_n():
    assert wishart_bias(100_000, 3, 4) * 2 * 100_000 == pytest.approx(3 * 4, rel=1e-3)


def test_the_correction_removes_the_bias_of_independent_columns():
    rng = np.random.default_rng(0)
    values = [GaussianCopula().run(problem(rng.normal(size=(60, 3)), rng.normal(size=(60, 4)))).value for _ in range(150)]
    uncorrected = 3 * 4 / (2 * 60)
    assert abs(np.mean(values)) < 4 * np.std(values) / math.sqrt(150) + 0.01
    assert abs(np.mean(values)) < 0.2 * uncorrected


def test_standard_error_counts_a_group_once():
    x, y = (np.repeat(side, 5, 0) for side in normals(200, np.array([[0.5]])))
    noise = 1e-9 * np.random.default_rng(0).normal(size=(2, 1000, 1))
    alone = GaussianCopula().run(problem(x + noise[0], y + noise[1]))
    grouped = GaussianCopula().run(problem(x + noise[0], y + noise[1], np.repeat(np.arange(200), 5)))
    assert grouped.value == alone.value
    assert grouped.stderr == pytest.approx(alone.stderr * math.sqrt(5), rel=0.02)


def test_a_deterministic_relation_is_finite_and_flagged():
    x = np.random.default_rng(0).normal(size=(200, 1))
    estimate = GaussianCopula().run(problem(x, np.exp(x)))
    assert math.isfinite(estimate.value) and estimate.value > 7
    assert any("the true value may be infinite" in warning for warning in estimate.warnings)


def test_too_few_rows_for_the_columns():
    rng = np.random.default_rng(0)
    with pytest.raises(NotEnoughDataError, match=r"got 30 rows for 14 \+ 14 columns. Use method 'auto', which shrinks"):
        GaussianCopula().run(problem(rng.normal(size=(30, 14)), rng.normal(size=(30, 14))))
    assert math.isfinite(GaussianCopula().run(problem(rng.normal(size=(31, 14)), rng.normal(size=(31, 14)))).value)


@pytest.mark.parametrize("kind", ["ratings", "rainfall", "flags"])
def test_columns_of_ties_are_refused_with_the_remedy(kind: str):
    rng = np.random.default_rng(11)
    numbers = rng.normal(size=600)
    tied = {
        "ratings": np.clip(np.round(numbers + 3), 1, 5),
        "rainfall": np.maximum(numbers, 0.2),
        "flags": numbers > 0.5,
    }[kind]
    with pytest.raises(
        InputError, match=r"column 'y\[1\]' has .* distinct values .* of the rows.*'auto' or 'ksg'.*discrete=True"
    ):
        mine.estimate(numbers, np.c_[rng.normal(size=600), tied], method="gaussian", discrete=False)


def test_rounded_numbers_and_counts_are_ranked():
    # the copula's value for the numbers before rounding is the closed form
    rows = np.random.default_rng(5).multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], 3000)
    rounded = mine.estimate(rows[:, 0].round(1), np.floor(rows[:, 1] * 4), method="gaussian")
    assert rounded.value == pytest.approx(-0.5 * math.log(1 - 0.36), abs=0.03)


def test_no_copula_tells_more_than_the_entropy_of_repeated_values():
    levels = np.random.default_rng(8).integers(0, 14, 500)
    with pytest.raises(InputError, match=r"where the repeated values of a side can tell at most 2\.6"):
        mine.estimate(levels, 3 * levels - 1, method="gaussian")


@pytest.mark.parametrize(
    ("n", "rho", "mixed", "columns"),
    [(100, 0.999, False, 1), (400, 0.9999, False, 1), (400, 0.9, True, 2), (800, 0.99, True, 3), (500, 0.995, False, 6)],
)
def test_strong_dependence_is_not_lost_in_the_ranks(n: int, rho: float, mixed: bool, columns: int):
    """Ranks of near copies, and of mixtures of strongly dependent columns, are coarser than the columns."""
    truth = -0.5 * columns * math.log(1 - rho**2)
    covered, errors, spreads = 0, [], []
    for seed in range(10):
        x, y = normals(n, rho * np.eye(columns), seed=100 + seed)
        if mixed:
            rng = np.random.default_rng(seed)
            x, y = (side @ rng.normal(size=(columns, columns)) for side in (x, y))
        estimate = GaussianCopula().run(problem(np.exp(x), y**3))
        low, high = estimate.interval
        covered += low <= truth <= high
        errors.append(estimate.value - truth)
        spreads.append(estimate.stderr)
    assert covered >= 8
    assert abs(np.median(errors)) < max(0.1, 1.2 * np.median(spreads))


def test_copies_in_few_rows_leave_the_interval_open():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(60, 2))
    estimate = GaussianCopula().run(problem(x, (x + 1e-9 * rng.normal(size=x.shape)) @ rng.normal(size=(2, 2))))
    assert estimate.interval[1] == math.inf
    assert estimate.warnings


def test_weak_dependence_keeps_its_closed_form():
    x, y = normals(2000, np.diag([0.6, 0.3]))
    assert "hidden_by_ranks_nats" not in GaussianCopula().run(problem(x, y)).diagnostics
    for seed in range(10):  # few rows of independent columns are no near copies
        estimate = GaussianCopula().run(problem(*normals(40, np.zeros((1, 1)), seed)))
        assert "hidden_by_ranks_nats" not in estimate.diagnostics and math.isfinite(estimate.interval[1])
