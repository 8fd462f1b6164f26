"""The screen: values near closed forms, intervals that hold them, copula or neighbours, and what is open above."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from mine.data.problem import Problem
from mine.data.variable import Variable
from mine.errors import InputError
from mine.estimators.rank_neighbours import Scores
from mine.estimators.screen import Screen, Screened, screened
from mine.result import Estimate

Pair = tuple[np.ndarray, np.ndarray]
Rng = np.random.Generator


def found(pair: Pair, groups: np.ndarray | None = None) -> Screened:
    rng = np.random.default_rng(77)
    return screened(*(Scores.of(side, rng) for side in pair), groups=groups)


def side(name: str, numbers: np.ndarray) -> Variable:
    return Variable(name, (name,), np.asarray(numbers, float)[:, None], np.empty((len(numbers), 0), np.int64))


def run(x: np.ndarray, y: np.ndarray, **more: object) -> Estimate:
    return Screen().run(Problem(side("x", x), side("y", y), **more))  # pyright: ignore[reportArgumentType]


def normal(r: float) -> Callable[[int, Rng], Pair]:
    def draw(n: int, rng: Rng) -> Pair:
        a, b = rng.normal(size=(2, n))
        return np.exp(a), (r * a + math.sqrt(1 - r * r) * b) ** 3

    return draw


def chequers(n: int, rng: Rng) -> Pair:
    i = rng.integers(0, 4, n)
    return i + rng.random(n), (2 * rng.integers(0, 2, n) + i) % 4 + rng.random(n)


def band(n: int, rng: Rng) -> Pair:
    x = rng.random(n)
    return x, x + rng.uniform(-0.3, 0.3, n)


def cauchy(n: int, rng: Rng) -> Pair:
    radius = 1 / np.abs(rng.normal(size=n))
    return rng.normal(size=n) * radius, rng.normal(size=n) * radius


#: Draws and their information: -log(1 - r^2) / 2, one of two cells, e + log(1 / 2e), and log(8 pi) - 3 for two Cauchy columns
#: of one common radius.
CASES: dict[str, tuple[Callable[[int, Rng], Pair], float]] = {
    "nothing": (normal(0.0), 0.0),
    "weak": (normal(0.2), -0.5 * math.log(0.96)),
    "strong": (normal(0.95), -0.5 * math.log(1 - 0.95**2)),
    "chequers": (chequers, math.log(2)),
    "band": (band, 0.3 + math.log(1 / 0.6)),
    "cauchy": (cauchy, math.log(8 * math.pi) - 3),
}


#: Neighbours see a sharp edge too late, and the interval reaches up.
EDGES = ("chequers", "band")


@pytest.mark.parametrize("case", CASES)
def test_intervals_hold_the_truth_and_values_are_near(case: str) -> None:
    draw, truth = CASES[case]
    n, draws = 600, 40
    all_found = [found(draw(n, np.random.default_rng([5, seed]))) for seed in range(draws)]
    held = [one.low <= truth <= one.high for one in all_found]
    assert np.mean(held) >= 0.95 - 2.5 * math.sqrt(0.05 * 0.95 / draws)
    assert np.mean([one.value for one in all_found]) == pytest.approx(truth, abs=0.15 if case in EDGES else 0.05)
    assert np.median([one.high - one.low for one in all_found]) < 0.4


def test_the_copula_counts_unless_neighbours_find_clearly_more() -> None:
    rng = np.random.default_rng(0)
    x, y = normal(0.1)(2000, rng)
    assert found((x, y)).basis == "model-based: Gaussian copula"
    assert found((x, y)).value == pytest.approx(-0.5 * math.log(0.99), abs=0.008)
    assert found((x, np.log(x) ** 2 + 0.5 * rng.normal(size=2000))).basis == "nearest neighbours on ranks"


def test_two_heaps_never_have_a_copula() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 3000))
    one = found((np.maximum(a, 0), np.maximum(0.8 * a + 0.6 * b, 0.5)))
    assert one.basis == "nearest neighbours on ranks"
    # 0.2828: the table of cells 0.05 wide above the thresholds, of 4,000,000 draws
    assert one.low <= 0.2828 <= one.high and one.value == pytest.approx(0.2828, abs=0.04)


@pytest.mark.parametrize("noise", [0.0, 1e-7, 1e-4])
def test_near_copies_are_open_above(noise: float) -> None:
    rng = np.random.default_rng(2)
    a = rng.normal(size=400)
    one = found((a, np.exp(a + noise * rng.normal(size=400))))
    assert math.isinf(one.high) and "saturated" in one.unresolved and 2 < one.value < math.log(400) + 1


def test_a_curve_finer_than_neighbours_is_open_above() -> None:
    rng = np.random.default_rng(3)
    x = rng.uniform(-1, 1, 1000)
    one = found((x, np.sin(10 * np.pi * x) + 0.1 * rng.normal(size=1000)))  # 1.70 nats, of which neighbours find a third
    assert math.isinf(one.high) and one.low < 1.7


def test_the_information_of_repeated_numbers_is_their_entropy_at_most() -> None:
    x = np.arange(600) % 12
    one = found((x.astype(float), 3.0 * x + 1))
    assert one.value <= math.log(12) + 1e-9
    assert one.high >= math.log(12)


def test_groups_are_one_term_of_the_error() -> None:
    rng = np.random.default_rng(4)
    a, b = np.repeat(rng.normal(size=(2, 100)), 6, axis=1) + 0.3 * rng.normal(size=(2, 600))
    groups = np.repeat(np.arange(100), 6)
    assert found((a, a + b), groups).stderr > 1.4 * found((a, a + b)).stderr


def test_copies_count_once() -> None:
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=(2, 300))
    alone, copied = run(a, a + b), run(*np.tile([a, a + b], 3), groups=np.tile(np.arange(300), 3), copies=600)
    assert copied.n == 300 and copied.value == pytest.approx(alone.value, abs=1e-12)


def test_it_says_that_it_has_no_bound_and_takes_single_columns_only() -> None:
    rng = np.random.default_rng(6)
    estimate = run(*rng.normal(size=(2, 100)))
    assert estimate.lower_bound is None and "No held-out lower bound" in estimate.diagnostics["no_lower_bound"]
    wide = Variable("x", ("a", "b"), rng.normal(size=(100, 2)), np.empty((100, 0), np.int64))
    with pytest.raises(InputError, match="one column of numbers on each side"):
        Screen().run(Problem(wide, side("y", rng.normal(size=100))))
