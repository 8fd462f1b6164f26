"""Reference estimates that need no training, and the upper end of the interval that they move."""

from __future__ import annotations

import math

import numpy as np
import pytest

import mine
from mine.data.problem import Problem
from mine.data.sides import as_variable
from mine.estimators.reference import NEIGHBOUR_COLUMNS, neighbour_reference


def problem(x: np.ndarray, y: np.ndarray, **more) -> Problem:
    return Problem(as_variable(x, "x"), as_variable(y, "y"), **more)


def wrapped(n: int, width: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Uniform on a band of a torus: the information is -log(width)."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(size=n)
    return x, (x + width * rng.uniform(size=n)) % 1


@pytest.mark.parametrize("width", [0.1, 0.4])
def test_neighbours_find_a_sharp_edge(width: float):
    found = neighbour_reference(problem(*wrapped(4000, width)))
    assert found == pytest.approx(-math.log(width), abs=0.08)


def test_neighbours_find_nothing_where_there_is_nothing():
    rng = np.random.default_rng(3)
    found = [neighbour_reference(problem(rng.standard_cauchy((500, 2)), rng.normal(size=(500, 1)))) for _ in range(20)]
    assert np.mean(found) == pytest.approx(0, abs=4 * np.std(found) / math.sqrt(20))


def test_neighbours_stay_out_of_many_columns_labels_and_groups():
    rng = np.random.default_rng(0)
    wide = rng.normal(size=(200, NEIGHBOUR_COLUMNS))
    assert neighbour_reference(problem(wide, wide[:, :1])) is None
    assert neighbour_reference(problem(wide[:, :2], np.repeat(["a", "b"], 100))) is None
    assert neighbour_reference(problem(wide[:, :2], wide[:, 2:4], groups=np.repeat(np.arange(50), 4))) is None


def test_copies_of_rows_are_no_information():
    """200 independent rows, each there ten times: neighbours at distance 0 would read nats."""
    rng = np.random.default_rng(1)
    x, y = (np.repeat(rng.normal(size=200), 10) for _ in range(2))
    est = mine.estimate(x, y, random_state=0)
    assert est.diagnostics["neighbours_nats"] == pytest.approx(0, abs=0.25)
    assert est.interval[0] < 0


@pytest.mark.parametrize("change", [{"steps": 1}, {"learning_rate": 1e-9}])
def test_what_neighbours_see_opens_the_interval_of_an_untrained_critic(change: dict[str, float]):
    x, y = wrapped(800, 0.2)  # no copula sees it
    est = mine.estimate(x, y, method="mine", random_state=0, **change)
    truth = -math.log(0.2)
    assert est.value < 0.3 and est.diagnostics["copula_nats"] < 0.3
    assert est.interval[1] > 0.9 * truth
    assert est.diagnostics["neighbours_nats"] == pytest.approx(truth, abs=0.15)
    (warning,) = [w for w in est.warnings if "The critic misses dependence" in w]
    assert "nearest-neighbour" in warning


def test_the_upper_end_grows_with_the_bias_correction():
    """A wide pair of few rows: what the critics learn too well is a measure of what they may miss."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 10))
    y = np.abs(x) + rng.normal(size=(300, 10))
    est = mine.estimate(x, y, random_state=0)
    correction = est.diagnostics["bias_correction"]
    assert correction > 0.02
    assert est.interval[1] - est.value > 3 * correction
    assert est.interval[1] - est.value > est.value - est.interval[0]
