"""I(X; Y | Z) against partial correlations and truth tables."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import mine
from mine.conditional.chain_rule import difference, estimate_given, within_what_is_known
from mine.data.problem import Problem
from mine.data.sides import as_variable
from mine.errors import InputError
from mine.result import Estimate


def gaussian_case(dz: int, n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """x and y share z and a part of their own; the information left is that of the partial correlation .6."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, dz))
    own = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], n)
    load_x, load_y = np.linspace(1, 0.2, dz), np.linspace(-0.3, 0.8, dz)
    return z @ load_x + own[:, 0], z @ load_y + own[:, 1], z, -0.5 * math.log(1 - 0.36)


def test_gaussian_in_closed_form() -> None:
    x, y, z, truth = gaussian_case(3, 4000)
    est = mine.estimate(x, y, z, method="gaussian")
    assert abs(est.value - truth) < 0.03 and est.lower_bound is None
    bits = mine.estimate(x, y, z, method="gaussian", unit="bits")
    assert bits.value == pytest.approx(est.value / math.log(2))


@pytest.mark.slow
@pytest.mark.parametrize("dz", [1, 2, 3, 5])
def test_gaussian_conditions_of_one_to_five_dimensions(dz: int) -> None:
    x, y, z, truth = gaussian_case(dz, 10_000)
    est = mine.estimate(x, y, z, random_state=0)
    assert abs(est.value - truth) < 0.03
    assert est.interval[0] < truth < est.interval[1]


def test_a_common_cause() -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=1000)
    x, y = z + 0.5 * rng.normal(size=1000), z + 0.5 * rng.normal(size=1000)
    est = mine.estimate(x, y, z, random_state=0, steps=100)
    assert mine.estimate(x, y, method="gaussian").interval[0] > 0.3
    assert abs(est.value) < 0.03 and est.interval[0] < 0 < est.interval[1]
    assert est.diagnostics["with_y_nats"] - est.diagnostics["without_y_nats"] == pytest.approx(est.value)


def test_a_collider() -> None:
    x, y = np.random.default_rng(0).integers(0, 2, (2, 2000))
    assert abs(mine.estimate(x, y).value) < 0.005
    assert mine.estimate(x, y, x ^ y).value == pytest.approx(math.log(2), abs=0.005)


def test_terms_made_in_different_ways_do_not_cancel() -> None:
    rows = np.random.default_rng(0).normal(size=100)
    side = as_variable(rows, "x")
    more, less = (
        Estimate(
            value,
            value,
            0.3,
            (value - 0.3, value + 0.4),
            "auto",
            100,
            diagnostics={"basis": basis},
            pointwise_values=rows + value,
        )
        for value, basis in ((2.0, "one way"), (1.0, "another"))
    )
    alike = difference(more, replace(less, diagnostics=more.diagnostics), Problem(side, side), side)
    assert alike.stderr == pytest.approx(0) and alike.interval[0] > 0.9  # the same rows but for a constant
    apart = difference(more, less, Problem(side, side), side)
    assert apart.stderr == pytest.approx(0.3 * math.sqrt(2))
    assert apart.value == 1.0
    assert apart.interval[0] <= 1 - math.hypot(0.3, 0.4) and apart.interval[1] >= 1 + math.hypot(0.4, 0.3)


def test_columns_of_one_name_on_two_sides_are_told_apart() -> None:
    rng = np.random.default_rng(0)
    rows = {"k": rng.integers(0, 2, 200).tolist()}
    import pandas as pd

    frame = pd.DataFrame(rows)
    est = mine.estimate(rng.integers(0, 2, 200), frame, frame.assign(other=rng.integers(0, 3, 200)))
    assert est.diagnostics["discrete_columns"] == ["x", "y: k", "z: k", "other"]


def test_rows_with_gaps_and_rows_too_few() -> None:
    x, y, z = np.random.default_rng(0).normal(size=(3, 100))
    z[3] = np.nan
    with pytest.raises(InputError, match="'z' has 1 missing"):
        mine.estimate(x, y, z, method="gaussian")
    est = mine.estimate(x, y, z, method="gaussian", drop_missing=True)
    assert est.n == 99 and est.diagnostics["dropped_missing_rows"] == 1
    with pytest.raises(InputError, match="z has 50"):
        mine.estimate(x, y, z[50:], method="gaussian")


def test_discrete_may_name_a_column_of_z() -> None:
    import pandas as pd

    rng = np.random.default_rng(0)
    z = pd.DataFrame({"site": rng.integers(0, 50, 300)})
    est = mine.estimate(rng.normal(size=300), rng.normal(size=300), z, discrete=["site"], random_state=0, steps=10)
    assert est.diagnostics["discrete_columns"] == ["site"]


@pytest.mark.parametrize("z", [np.full(400, -3.5), ["only"] * 400, np.zeros((400, 2), int), iter([True] * 400)])
def test_given_a_constant_it_is_the_information_of_the_two(z: Any):
    rng = np.random.default_rng(17)
    x = rng.normal(size=400)
    y = x + rng.normal(size=400)
    given, alone = (
        mine.estimate(x, y, z, method="ksg", unit="bits", random_state=4),
        mine.estimate(x, y, method="ksg", unit="bits", random_state=4),
    )
    assert (given.value, given.interval, given.unit) == (alone.value, alone.interval, "bits")
    assert any("z is constant" in warning for warning in given.warnings)


def test_a_constant_column_of_z_changes_nothing():
    rng = np.random.default_rng(19)
    z = rng.normal(size=300)
    x, y = z + rng.normal(size=300), z + rng.normal(size=300)
    wide = mine.estimate(x, y, np.c_[np.ones(300), z], method="gaussian", random_state=0)
    assert wide.value == mine.estimate(x, y, z, method="gaussian", random_state=0).value
    assert wide.diagnostics["dropped_constant_columns"] == ["z[0]"]


def test_exchanging_given_a_constant():
    flips = np.random.default_rng(23).random(600) < 0.1
    x = np.random.default_rng(29).random(600) < 0.5
    found = mine.estimate(x, x ^ flips, np.zeros(600), conditional="shuffle", steps=60, random_state=0)
    truth = np.log(2) + 0.1 * np.log(0.1) + 0.9 * np.log(0.9)
    assert found.value == pytest.approx(truth, abs=0.08) and any("z is constant" in warning for warning in found.warnings)


def test_a_constant_of_another_length_is_refused():
    with pytest.raises(InputError, match="x has 40 rows and z has 30"):
        mine.estimate(np.arange(40.0), np.arange(40.0) ** 2, np.zeros(30), method="gaussian")


def either_way_round(x: Any, y: Any, z: Any, **options: Any) -> Estimate:
    """The estimate, which must be the same with x and y exchanged."""
    one, other = (mine.estimate(a, b, z, random_state=0, **options) for a, b in ((x, y), (y, x)))
    assert (one.value, one.interval) == (other.value, other.interval)
    return one


@pytest.mark.parametrize("method", ["auto", "gaussian", pytest.param("dv", marks=pytest.mark.slow)])
def test_near_copies_of_z_are_independent_given_it(method: str) -> None:
    rng = np.random.default_rng(41)
    z, e, other = rng.gamma(2.0, size=(3, 500))
    options = {} if method == "gaussian" else {"effort": "fast", "steps": 40}
    est = either_way_round(z + 1e-3 * e, 2 * z + 1e-3 * other, z, method=method, **options)
    assert abs(est.value) < 0.06 and est.interval[0] <= 0 <= est.interval[1]


@pytest.mark.parametrize("x", [lambda z: z, np.exp, lambda z: 1 - 3 * z])
@pytest.mark.parametrize("options", [{"method": "gaussian"}, {}, {"method": "nwj"}, {"conditional": "shuffle"}])
def test_a_side_that_follows_from_z_says_nothing(x: Any, options: dict[str, Any]) -> None:
    z = np.random.default_rng(43).gamma(2.0, size=200)
    y = z + np.random.default_rng(47).normal(size=200)
    est = either_way_round(x(z), y, z, **options)
    assert est.value == 0 and est.interval == (0, 0) and "x follows from z" in est.warnings[0]


def test_a_label_of_the_given_number() -> None:
    x = np.random.default_rng(53).normal(size=300)
    assert either_way_round(x, np.where(x > 0, "plus", "minus"), x).value == 0


@pytest.mark.slow
@pytest.mark.parametrize("curve", [np.square, np.tanh, lambda z: np.sin(3 * z)])
def test_a_curved_function_of_z_gives_nothing_or_an_open_interval(curve: Any) -> None:
    rng = np.random.default_rng(59)
    z = rng.normal(size=800)
    est = mine.estimate(curve(z), z + 0.5 * rng.normal(size=800), z, random_state=0, effort="fast")
    assert est.value < 0.1 and est.interval[0] <= 0 <= est.interval[1]


def test_what_cannot_be_subtracted_is_not_below_zero() -> None:
    rows = np.random.default_rng(61).normal(size=100)
    side = as_variable(rows, "x")
    below = Estimate(-2.0, None, 0.1, (-2.2, -1.8), "auto, conditional", 100, diagnostics={"warnings": []})
    found = within_what_is_known(below, Problem(side, side), ())
    chance = math.hypot(1.96 * 0.1, math.sqrt(0.5 / 100))  # information is not negative: only chance reaches below 0
    assert found.value == 0 and found.interval == pytest.approx((-chance, 2.2 + 0.2)) and "cannot be" in found.warnings[0]


class Recorder:
    """An estimator with a user's critic, which notes the columns that it is given."""

    name, critic = "recorder", object()

    def __init__(self) -> None:
        self.seen: list[tuple[int, int]] = []

    def run(self, problem: Problem) -> Estimate:
        self.seen.append((problem.x.n_continuous, problem.y.n_continuous))
        return Estimate(0.0, None, 0.1, (-0.2, 0.2), self.name, problem.n)


def test_a_critic_of_ones_own_sees_the_columns_in_their_order() -> None:
    z, e, other = np.random.default_rng(67).normal(size=(3, 60))
    recorder = Recorder()
    x, y, third = (as_variable(side, name) for side, name in ((np.c_[z + 1e-3 * e, other, z], "x"), (e, "y"), (z, "z")))
    estimate_given(recorder, Problem(x, y), third)
    assert recorder.seen == [(3, 2), (3, 1)]


def test_a_function_of_z_and_the_other_side_has_no_upper_end():
    rng = np.random.default_rng(2)
    x, z = rng.normal(size=(2, 400))
    found = mine.estimate(x, np.sin(x) + z**2, z, effort="fast", random_state=0)
    assert found.interval[1] == math.inf


def test_a_third_that_says_nothing_does_not_hide_labels_of_many_levels():
    rng = np.random.default_rng(3)
    x = rng.integers(0, 150, 900)
    y = np.where(rng.random(900) < 0.2, rng.integers(0, 150, 900), x)
    same = 0.8 + 0.2 / 150
    truth = math.log(150) + same * math.log(same) + (1 - same) * math.log((1 - same) / 149)
    names = [np.char.add("v", side.astype(str)) for side in (x, y)]
    found = mine.estimate(*names, rng.normal(size=900), effort="fast", random_state=0)
    assert found.interval[0] <= truth <= found.interval[1]
    assert found.value == pytest.approx(truth, abs=0.5)


def test_an_identifier_as_z_takes_no_interval_far_below_0():
    """What an identifier tells cannot be known, but the information of the sides given it is not negative."""
    rng = np.random.default_rng(41)
    x = rng.normal(size=250)
    y = x + 1.5 * rng.normal(size=250)
    est = mine.estimate(x, y, z=np.array([f"customer {i}" for i in range(250)]), effort="fast", random_state=0)
    assert -0.3 < est.interval[0] <= est.value < 1.0


@pytest.mark.parametrize("method", ["ksg", "gaussian"])
def test_methods_without_training_leave_a_function_open_given_z(method):
    rng = np.random.default_rng(81)
    x, z = rng.uniform(-1, 1, (2, 500))
    found = mine.estimate(x, np.exp(2 * x), z, method=method, random_state=0)
    assert math.isinf(found.interval[1])
