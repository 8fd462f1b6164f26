"""Kraskov's estimator against a brute-force one, scikit-learn's, and distributions of known information."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import digamma
from sklearn.feature_selection import mutual_info_regression

import mine
import mine.estimators.ksg as ksg_module
from mine.data.problem import Problem
from mine.data.sides import as_variable
from mine.errors import InputError, NotEnoughDataError, UnknownNameError
from mine.estimators.ksg import KSG, count_closer, ksg


def brute_force(x: np.ndarray, y: np.ndarray, k: int) -> float:
    """Equation 8 of Kraskov et al. by all pairs of rows."""
    distance_x, distance_y = (np.abs(side[:, None] - side[None]).max(-1) for side in (x, y))
    for distance in (distance_x, distance_y):
        np.fill_diagonal(distance, np.inf)
    radius = np.sort(np.maximum(distance_x, distance_y), 1)[:, k - 1 : k]
    n_x, n_y = (distance_x < radius).sum(1), (distance_y < radius).sum(1)
    return float(digamma(k) + digamma(len(x)) - np.mean(digamma(n_x + 1) + digamma(n_y + 1)))


def correlated(n: int, dx: int, dy: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, dx))
    return x, 0.8 * x[:, :1] + 0.6 * rng.normal(size=(n, dy))


def problem(x: np.ndarray, y: np.ndarray, groups: np.ndarray | None = None, seed: int = 0, copies: int = 0) -> Problem:
    sides = [as_variable(side, name, False, keep_constant=True) for side, name in ((x, "x"), (y, "y"))]
    return Problem(sides[0], sides[1], groups, seed=seed, copies=copies)


@pytest.mark.parametrize("k", [1, 3, 10])
@pytest.mark.parametrize(("dx", "dy"), [(1, 1), (1, 2), (3, 1), (2, 3)])
def test_brute_force(dx: int, dy: int, k: int):
    x, y = correlated(250, dx, dy)
    assert ksg(x, y, k) == pytest.approx(brute_force(x, y, k), abs=1e-12)


@pytest.mark.parametrize("shift", [1e3, 1e6, 1e9])
def test_brute_force_far_from_zero(shift: float):
    # value + distance is rounded there: the neighbour on the edge must stay out all the same
    x, y = correlated(250, 1, 1)
    assert ksg(x + shift, y - shift, 3) == pytest.approx(brute_force(x + shift, y - shift, 3), abs=1e-12)


@pytest.mark.parametrize("decimals", [0, 1])
def test_brute_force_on_a_grid(decimals: int):
    # many rows lie exactly on the edge, on both sides, and some have three copies of themselves: none is closer than 0
    x, y = (side.round(decimals) for side in correlated(150, 1, 1))
    x, y = x / 3, y * 7  # steps that have no exact binary form
    assert ksg(x, y, 3) == pytest.approx(brute_force(x, y, 3), abs=1e-12)
    assert ksg(np.c_[x, x], y, 3) == pytest.approx(brute_force(x, y, 3), abs=1e-12)


@pytest.mark.parametrize("k", [2, 3, 7])
def test_scikit_learn_in_one_dimension(k: int):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(1500, 1))
    y = np.sin(2 * x) + 0.3 * rng.normal(size=(1500, 1))
    x, y = x / x.std(), y / y.std()  # as scikit-learn does
    (oracle,) = mutual_info_regression(x, y.ravel(), n_neighbors=k, discrete_features="auto", random_state=0)
    assert ksg(x, y, k) == pytest.approx(oracle, abs=1e-3)


def test_symmetric_in_x_and_y():
    x, y = correlated(300, 2, 1)
    assert ksg(x, y, 4) == pytest.approx(ksg(y, x, 4), abs=1e-12)


def test_a_mistyped_preprocess_is_named():
    x, y = np.random.default_rng(0).normal(size=(2, 60))
    with pytest.raises(UnknownNameError, match=r"Unknown preprocess 'rnak': did you mean 'rank'\? Valid: rank, robust, None"):
        mine.estimate(x, y, method="ksg", preprocess="rnak")


@pytest.mark.parametrize("rho", [0.0, 0.6, 0.95])
@pytest.mark.parametrize("preprocess", ["robust", "rank", None])
def test_correlated_normals(rho: float, preprocess: str | None):
    rng = np.random.default_rng(3)
    x, noise = rng.normal(size=(2, 3000, 1))
    estimate = KSG(preprocess=preprocess).run(problem(x, rho * x + math.sqrt(1 - rho**2) * noise))
    truth = -0.5 * math.log(1 - rho**2)
    assert estimate.value == pytest.approx(truth, abs=0.06)
    assert 0.005 < estimate.stderr < 0.06
    assert estimate.interval[0] < truth < estimate.interval[1]
    assert estimate.lower_bound is None and estimate.pointwise_values is None
    assert (estimate.unit, estimate.method, estimate.n) == ("nats", "ksg", 3000)


def test_ties_are_told_apart():
    # three equally likely levels, y = x with probability 0.8, else one of the two others: log 3 - H(0.8, 0.1, 0.1)
    rng = np.random.default_rng(0)
    x = rng.integers(0, 3, 3000)
    y = np.where(rng.random(3000) < 0.8, x, (x + rng.integers(1, 3, 3000)) % 3)
    truth = math.log(3) + 0.8 * math.log(0.8) + 0.2 * math.log(0.1)
    estimate = KSG().run(problem(x.astype(float), y.astype(float)))
    assert estimate.value == pytest.approx(truth, abs=0.06)


def test_tied_numbers_have_no_copula_as_witness():
    # three bits, each flipped in a tenth of the rows: 3 (log 2 - H(0.1)), of which a copula claims more
    rng = np.random.default_rng(7)
    x = rng.integers(0, 2, (1500, 3))
    y = x ^ (rng.random((1500, 3)) < 0.1)
    truth = 3 * (math.log(2) + 0.1 * math.log(0.1) + 0.9 * math.log(0.9))
    estimate = mine.estimate(x, y, method="ksg", random_state=0)
    assert estimate.value == pytest.approx(truth, abs=0.08) and estimate.interval[1] < truth + 0.2
    assert not any("misses dependence" in warning for warning in estimate.warnings)


def test_a_copy_of_repeated_values_tells_no_more_than_their_entropy():
    levels = np.random.default_rng(3).integers(0, 15, 900)
    estimate = mine.estimate(levels, levels, method="ksg", random_state=0)
    assert estimate.value == pytest.approx(math.log(15), abs=0.05) and estimate.interval[1] < math.log(15) + 0.2


def test_numbers_heaped_at_zero_are_refused_by_name():
    # both are dry on the same days: the zeros would count as neighbours of every small number
    rng = np.random.default_rng(2)
    wet = rng.random(800) < 0.6
    rain = np.where(wet, rng.gamma(2.0, 1.0, 800), 0.0)
    table = np.c_[rng.normal(size=800), rain]
    with pytest.raises(InputError, match=r"'ksg' needs numbers .* column 'y\[1\]' has .* in 4\d% of the rows.* method 'auto'"):
        mine.estimate(rng.normal(size=800), table, method="ksg")


def test_a_constant_coordinate_changes_nothing():
    x, y = correlated(600, 1, 1)
    with_constant = np.concatenate([x, np.full_like(x, 4.2)], 1)
    assert KSG().run(problem(with_constant, y)).value == pytest.approx(KSG().run(problem(x, y)).value, abs=1e-6)


@pytest.mark.parametrize("scale", [1e-30, 1e-3, 1e30])
def test_scale_changes_nothing(scale: float):
    x, y = correlated(400, 2, 1)
    assert KSG().run(problem(x * scale, y)).value == pytest.approx(KSG().run(problem(x, y)).value, abs=1e-4)


def test_the_seed_decides_the_digits():
    x, y = correlated(400, 1, 1)
    first, again, other = (KSG().run(problem(x, y, seed=seed)) for seed in (1, 1, 2))
    assert (first.value, first.stderr) == (again.value, again.stderr)
    assert first.stderr != other.stderr


@pytest.mark.parametrize("times", [2, 4, 7])
def test_copies_of_rows_are_not_read_as_information(times: int):
    x, y = correlated(300, 1, 1)
    once = KSG().run(problem(x, y))
    rows = np.tile(np.arange(300), times)
    copied = KSG().run(problem(x[rows], y[rows], groups=rows, copies=300 * (times - 1)))
    assert copied.value == pytest.approx(once.value, abs=1e-6)
    assert copied.stderr == pytest.approx(once.stderr, abs=0.05)
    assert copied.n == 300


@pytest.mark.parametrize("groups", [np.zeros(300, int), np.r_[np.zeros(299, int), 1]])
def test_too_few_groups_for_a_standard_error(groups: np.ndarray):
    n_groups = len(np.unique(groups))
    with pytest.raises(NotEnoughDataError, match=rf"{n_groups} distinct group\(s\) cannot be dealt .* smaller groups"):
        KSG().run(problem(*correlated(300, 1, 1), groups=groups))


def test_groups_of_uneven_size_still_give_a_standard_error():
    groups = np.r_[np.zeros(150, int), 1 + np.arange(150) // 2]
    estimate = KSG().run(problem(*correlated(300, 1, 1), groups=groups))
    assert 0 < estimate.stderr < 0.5 and math.isfinite(estimate.interval[1])


def test_the_parts_of_the_standard_error_keep_groups_whole():
    # every row has nine near copies in its group: split over the parts, they would make the parts agree too well
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(60), 10)
    x, y = correlated(60, 1, 1)
    x, y = (np.repeat(side, 10, 0) + 0.05 * rng.normal(size=(600, 1)) for side in (x, y))
    grouped, ungrouped = KSG().run(problem(x, y, groups=groups)), KSG().run(problem(x, y))
    assert grouped.value == pytest.approx(ungrouped.value, abs=1e-9)
    assert grouped.stderr != ungrouped.stderr


@pytest.mark.parametrize("k", [0, 101, 400])
def test_a_number_of_neighbours_that_does_not_fit(k: int):
    with pytest.raises(InputError, match=rf"between 1 and n / 4 = 100 for 400 rows, got {k}"):
        KSG(n_neighbors=k).run(problem(*correlated(400, 1, 1)))


def test_bias_in_many_dimensions_is_flagged():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 6))
    estimate = KSG().run(problem(x, x + 0.2 * rng.normal(size=(400, 6))))
    assert any("biased at this n" in warning for warning in estimate.warnings)


@pytest.mark.parametrize("columns", [3, 4, 24])
@pytest.mark.parametrize("n", [400, 5200])
def test_a_tree_and_all_distances_agree(columns: int, n: int, monkeypatch: pytest.MonkeyPatch):
    values = np.random.default_rng(0).normal(size=(n, columns))
    found = []
    for wide, each in ((1, 10**9), (10**9, -1)):  # never a tree, always a tree
        monkeypatch.setattr(ksg_module, "WIDE", wide)
        monkeypatch.setattr(ksg_module, "EACH_DIMENSION", each)
        distance = ksg_module.kth_distance(values, 3)
        found.append((distance, count_closer(values, distance)))
    np.testing.assert_array_equal(*(distance for distance, _ in found))
    np.testing.assert_array_equal(*(counts for _, counts in found))


@pytest.mark.parametrize("given", [False, True])
def test_many_columns_have_no_near_neighbours(given: bool) -> None:
    """KSG finds a fifth of what there is: no upper end can be given, and a sentence says so."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(400, 40))
    y = 0.3 * x + np.sqrt(1 - 0.09) * rng.normal(size=(400, 40))
    z = rng.normal(size=400) if given else None
    est = mine.estimate(x, y, z, method="ksg", random_state=0)
    assert est.value < 0.5 < -20 * np.log(1 - 0.09) < est.interval[1] == np.inf
    assert "hardly nearer than any other row" in est.warnings[0]
    few = mine.estimate(x[:, :2], y[:, :2], z, method="ksg", random_state=0)
    assert few.interval[1] < 1 and not few.warnings


@pytest.mark.parametrize(("n", "k"), [(100, 3), (300, 5), (800, 3), (1500, 1)])
def test_no_upper_end_near_the_most_that_neighbours_resolve(n: int, k: int):
    """The truth (nats) is far above the value there, whatever the halves of the rows say."""
    most = float(digamma(n) - digamma(k + 1))

    def estimate(truth: float) -> mine.Estimate:
        rng, r = np.random.default_rng(n + k), math.sqrt(1 - math.exp(-2 * truth))
        x = rng.normal(size=n)
        y = r * x + math.sqrt(1 - r * r) * rng.normal(size=n)
        return mine.estimate(x, y, method=KSG(n_neighbors=k), random_state=0)

    beyond, within = estimate(most + 1.5), estimate(most - 2.0)
    assert beyond.value <= most + 1e-9 and beyond.interval[1] == math.inf and "Saturated" in beyond.warnings[0]
    assert math.isfinite(within.interval[1]) and within.interval[0] <= most - 2.0 <= within.interval[1]
