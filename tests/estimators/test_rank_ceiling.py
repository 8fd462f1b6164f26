"""What ranks hide raises the upper end, if a copula fits and the value came from ranks."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mine.data.problem import make_problem
from mine.estimators.rank_ceiling import raised_by_ranks
from mine.result import Estimate


def nearly_repeated(n: int, angle: float, seed: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Two sides of two columns, bent afterwards, which each nearly repeat the other: columns and information in nats.

    Only the small difference of a side's columns is shared, and ranks hardly show it.
    """
    rng = np.random.default_rng(seed)
    common, own = rng.normal(size=(2, 2, n))
    small = 0.9 * own[0] + math.sqrt(1 - 0.81) * own[1]
    x = np.stack([common[0], common[0] + angle * own[0]], 1)
    y = np.stack([common[1], common[1] + angle * small], 1)
    return np.exp(x), np.arctan(y), -0.5 * math.log(1 - 0.81)


def estimate(value: float, basis: str = "variational bound from shuffled pairs") -> Estimate:
    return Estimate(value, None, 0.03, (value - 0.1, value + 0.1), "auto", 400, diagnostics={"basis": basis, "warnings": []})


@pytest.mark.parametrize(("n", "angle"), [(400, 0.02), (500, 0.015), (800, 0.01)])
def test_small_differences_of_columns_raise_the_upper_end(n: int, angle: float):
    x, y, truth = nearly_repeated(n, angle, seed=n)
    problem, _ = make_problem(x, y, random_state=0)
    low = 0.05
    raised = raised_by_ranks(estimate(low), problem)
    assert raised.value == low and raised.interval[0] == pytest.approx(low - 0.1)
    assert raised.interval[1] > truth and "nearly repeat" in raised.warnings[-1]


def test_columns_that_ranks_show_change_nothing():
    x, y, truth = nearly_repeated(600, 1.0, seed=1)
    plain = estimate(truth)
    assert raised_by_ranks(plain, make_problem(x, y, random_state=0)[0]) is plain


def test_a_value_from_distances_and_open_ends_stay():
    x, y, _ = nearly_repeated(400, 0.005, seed=2)
    problem, _ = make_problem(x, y, random_state=0)
    by_line = estimate(0.05, "residual: h(y) - h(e) + I(x; e), e = y minus a linear fit of scaled values")
    assert raised_by_ranks(by_line, problem) is by_line
    endless = Estimate(0.05, None, 0.03, (0.0, math.inf), "auto", 400, diagnostics={"basis": "", "warnings": []})
    assert raised_by_ranks(endless, problem) is endless
