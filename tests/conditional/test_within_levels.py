"""Numbers given labels of many levels, against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

import mine
from mine.conditional.within_levels import WithinLevels, level_by_level, within_levels
from mine.data.problem import make_problem
from mine.data.sides import as_variable
from mine.estimators.gaussian import copula_information


def _names(codes: np.ndarray) -> np.ndarray:
    return np.char.add("town", codes.astype(str))


def _shifted(n: int, k: int, r: float, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x and y of correlation r within k levels, whose means are far apart, and the level of each row."""
    rng = np.random.default_rng(seed)
    z = rng.permutation(n) % k
    x, noise, (first, second) = rng.normal(size=n), rng.normal(size=n), 4 * rng.normal(size=(2, k))
    return x + first[z], r * x + math.sqrt(1 - r * r) * noise + second[z] - first[z], z


@pytest.mark.parametrize(("n", "k", "r"), [(900, 90, 0.7), (400, 50, 0.9), (600, 20, 0.5)])
def test_levels_of_few_rows_hide_no_dependence(n: int, k: int, r: float):
    x, y, z = _shifted(n, k, r, seed=k)
    found = mine.estimate(x, y, _names(z), effort="fast", random_state=1)
    truth = -0.5 * math.log1p(-r * r)
    assert found.interval[0] <= truth <= found.interval[1]
    assert found.value == pytest.approx(truth, abs=0.12)


def test_what_only_the_levels_share_is_nothing_given_them():
    x, _, z = _shifted(800, 100, 0.0, seed=5)
    y = np.exp(0.3 * (x + np.random.default_rng(6).normal(size=800) - _within(x, z)))  # of x only its level
    found = mine.estimate(x, y, _names(z), effort="fast", random_state=1)
    assert found.interval[0] <= 0 <= found.interval[1] < 0.25
    assert abs(found.value) < 0.05


def _within(x: np.ndarray, z: np.ndarray) -> np.ndarray:
    return x - (np.bincount(z, x) / np.bincount(z))[z]


def test_levels_of_their_own_scale():
    rng = np.random.default_rng(3)
    z = rng.integers(0, 60, 900)
    scale = np.exp(rng.normal(size=60))[z]
    x = rng.normal(size=900)
    y = scale * (0.8 * x + 0.6 * rng.normal(size=900))
    codes = np.unique(z, return_inverse=True)[1]
    sides = [as_variable(v[:, None], "x", False) for v in (scale * x + 3 * scale, y)]
    a, b = (side.flat for side in within_levels(sides, codes))
    known = copula_information(x[:, None], (y / scale)[:, None])  # with the scales known; estimates of them cost a little
    assert copula_information(a, b) == pytest.approx(known, abs=0.08)
    assert (copula_information((scale * (x + 3))[:, None], y[:, None]) or 0.0) < 0.6 * (known or 0.0)


def test_a_shift_of_every_level_changes_nothing():
    x, y, z = _shifted(500, 25, 0.6, seed=8)
    shift = 10 * np.random.default_rng(9).normal(size=25)[z]
    sides = [[as_variable(v[:, None], "x", False) for v in pair] for pair in ((x, y), (x + shift, y - shift))]
    first, second = ([side.flat for side in within_levels(pair, z)] for pair in sides)
    assert copula_information(*first) == pytest.approx(copula_information(*second), abs=0.02)


def test_a_relation_of_its_own_in_each_level():
    rng = np.random.default_rng(4)
    z = rng.permutation(1200) % 120
    sign = rng.choice([-1.0, 1.0], 120)[z]
    x = rng.normal(size=1200)
    y = 0.9 * sign * x + math.sqrt(0.19) * rng.normal(size=1200)
    truth = -0.5 * math.log(0.19)
    problem, _ = make_problem(x, y, random_state=0)
    nats, stderr = level_by_level(problem, as_variable(_names(z), "z", None)) or (0.0, 0.0)
    assert nats == pytest.approx(truth, abs=4 * stderr)
    found = mine.estimate(x, y, _names(z), effort="fast", random_state=1)
    assert found.interval[0] <= truth <= found.interval[1]
    assert any("line for each level" in warning for warning in found.warnings)


@pytest.mark.parametrize(("rows", "levels", "seed"), [(3, 300, 5), (4, 150, 6)])
def test_a_relation_of_its_own_in_each_level_of_three_or_four_rows(rows: int, levels: int, seed: int):
    rng = np.random.default_rng(seed)
    z = rng.permutation(rows * levels) % levels
    x = rng.normal(size=len(z))
    y = 0.95 * rng.choice([-1.0, 1.0], levels)[z] * x + math.sqrt(1 - 0.95**2) * rng.normal(size=len(z))
    found = mine.estimate(x, y, _names(z), effort="fast", random_state=1)
    assert found.interval[1] > -0.5 * math.log(1 - 0.95**2) - 0.2
    assert any("line for each level" in warning for warning in found.warnings)


@pytest.mark.parametrize("draw", ["normal", "standard_exponential", "uniform"])
def test_levels_of_three_rows_show_no_relation_where_there_is_none(draw: str):
    """Unbiased, whatever the law of the noise: the mean over draws is 0 within three standard errors."""
    values = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        z = rng.permutation(600) % 200
        x, y = (getattr(rng, draw)(size=600) for _ in "xy")
        problem, _ = make_problem(x, y, random_state=0)
        values.append((level_by_level(problem, as_variable(_names(z), "z", None)) or (math.nan,))[0])
    assert abs(np.mean(values)) < 3 * np.std(values, ddof=1) / math.sqrt(len(values)) + 0.01


def test_pairs_of_rows_cannot_show_whether_levels_differ():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 300))
    found = mine.estimate(x, y, _names(np.arange(300) % 150), effort="fast", random_state=1)
    assert any("too few rows to check" in warning for warning in found.warnings)


def test_rows_alone_in_their_level_are_left_out_and_said_to_be():
    x, y, z = _shifted(400, 40, 0.8, seed=2)
    z[:100] = 1000 + np.arange(100)
    found = mine.estimate(x, y, _names(z), effort="fast", random_state=1)
    assert found.n == 400
    assert found.diagnostics["alone_in_level_of_z"] == 100
    assert any("alone in their level" in warning for warning in found.warnings)
    assert found.interval[0] <= -0.5 * math.log(0.36) <= found.interval[1]


def test_few_levels_and_labels_stay_as_they_are():
    x, y, z = _shifted(300, 5, 0.5, seed=1)
    problem, _ = make_problem(x, y, random_state=0)
    assert WithinLevels.of(problem, as_variable(_names(z), "z", None)) is None
    rounded = as_variable(np.round(x)[:, None], "x", False)
    assert within_levels([rounded], z)[0].flat == pytest.approx(rounded.flat)  # repeats mean something


def test_exchange_within_rare_levels_never_ends_far_below_nothing():
    rng = np.random.default_rng(0)
    w = 1 / np.arange(1.0, 201)
    z = rng.choice(200, 400, p=w / w.sum())
    means = 3 * rng.normal(size=200)
    x, y = (np.exp(means[z] + rng.normal(size=400)) for _ in "xy")
    found = mine.estimate(x, y, _names(z), conditional="shuffle", effort="fast", random_state=0)
    assert found.value > -0.5
    assert found.interval[0] <= 0 <= found.interval[1]
