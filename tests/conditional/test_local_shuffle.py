"""I(X; Y | Z) by exchanging y among rows with nearly the same z, against closed forms and truth tables."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

import mine
from mine.conditional.exchange import exchange_partners
from mine.errors import InputError, UnknownNameError


def shared_cause(n: int, dz: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x and y of z's sum and a part of their own, each of variance 1/4."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, dz))
    common = z.sum(1) / math.sqrt(dz)
    return common + 0.5 * rng.normal(size=n), common + 0.5 * rng.normal(size=n), z


def test_partners_are_near_of_the_same_labels_and_of_other_groups() -> None:
    rng = np.random.default_rng(0)
    z, labels, groups = rng.normal(size=(200, 2)), rng.integers(0, 3, 200), np.arange(200) // 4
    found = exchange_partners(z, labels, 3, rng, groups)
    assert (labels[found] == labels[:, None]).all()
    assert (groups[found] != groups[:, None]).all()
    distance = np.linalg.norm(z[:, None] - z[None], axis=2)  # by brute force
    distance[(labels[:, None] != labels) | (groups[:, None] == groups)] = np.inf
    np.testing.assert_array_equal(found, distance.argsort(1)[:, :3])


def test_partners_of_equal_rows_are_any_of_them() -> None:
    labels = np.repeat([0, 1, 2], [500, 3, 1])
    found = exchange_partners(np.empty((504, 0)), labels, 5, np.random.default_rng(0))
    assert (labels[found] == labels[:, None]).all()
    assert (found[:503] != np.arange(503)[:, None]).all()
    assert (found[503] == 503).all()  # alone
    assert set(found[500]) == {501, 502}
    apart = np.abs(found[:500] - np.arange(500)[:, None])
    assert apart.mean() == pytest.approx(500 / 3, rel=0.15)  # as two rows drawn at random
    ties = exchange_partners(np.zeros((500, 1)), np.zeros(500, int), 5, np.random.default_rng(0))
    assert np.abs(ties - np.arange(500)[:, None]).mean() == pytest.approx(500 / 3, rel=0.15)


@pytest.mark.parametrize("dz", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_gaussian_in_closed_form(dz: int) -> None:
    rng = np.random.default_rng(dz)
    z = rng.normal(size=(1500, dz))
    own = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], 1500)
    est = mine.estimate(z.sum(1) + own[:, 0], own[:, 1] - z[:, 0], z, conditional="shuffle", random_state=0, steps=30)
    truth = -0.5 * math.log(1 - 0.36)
    assert est.value == pytest.approx(truth, abs=0.06)
    assert est.interval[0] < truth < est.interval[1]
    assert est.lower_bound is None and est.method == "conditional shuffle"
    with pytest.raises(InputError, match="no pointwise"):
        est.pointwise()


def test_a_common_cause_leaves_nothing() -> None:
    x, y, z = shared_cause(1500, 1)
    assert mine.estimate(x, y, method="gaussian").interval[0] > 0.3
    est = mine.estimate(x, y, z, conditional="shuffle", random_state=0, steps=50)
    assert abs(est.value) < 0.03 and est.interval[0] < 0 < est.interval[1]


def test_two_coins_given_whether_they_fell_alike() -> None:
    x, y = np.random.default_rng(0).integers(0, 2, (2, 2000))
    est = mine.estimate(x, y, x ^ y, conditional="shuffle", random_state=0, steps=150)
    assert est.value == pytest.approx(math.log(2), abs=0.02)
    assert est.lower_bound is not None and 0.6 < est.lower_bound < math.log(2) + 3 * est.stderr
    assert est.pointwise().mean() == pytest.approx(est.lower_bound)
    assert "exact" in est.diagnostics["basis"]
    bits = mine.estimate(x, y, x ^ y, conditional="shuffle", random_state=0, steps=150, unit="bits")
    assert bits.value == pytest.approx(est.value / math.log(2))


@pytest.mark.slow
def test_labels_against_numbers_given_numbers() -> None:
    # Given z the label is a coin, and moves x by 2: the information is that of two normals a distance of 2 apart.
    rng = np.random.default_rng(0)
    label, z = rng.integers(0, 2, 2000), rng.normal(size=2000)
    x = 2 * label + 3 * np.sin(z) + rng.normal(size=2000)

    def entropy_of_the_mixture(v: float) -> float:
        density = 0.5 * norm.pdf(v) + 0.5 * norm.pdf(v - 2)
        return -float(density * math.log(density))

    truth = quad(entropy_of_the_mixture, -8, 10)[0] - 0.5 * math.log(2 * math.pi * math.e)
    for pair in ((x, label), (label, x)):
        est = mine.estimate(*pair, z, conditional="shuffle", random_state=0, steps=100)
        assert est.value == pytest.approx(truth, abs=0.05)


@pytest.mark.slow
def test_a_dependence_that_turns_with_z() -> None:
    # y = x z + noise given z: half of E log(1 + z^2 / s^2), which no Gaussian of (x, y, z) knows.
    rng = np.random.default_rng(0)
    x, z = rng.normal(size=(2, 4000))
    y = x * z + 0.5 * rng.normal(size=4000)
    truth = quad(lambda v: norm.pdf(v) * 0.5 * math.log1p(v * v / 0.25), -8, 8)[0]
    est = mine.estimate(x, y, z, conditional="shuffle", random_state=0)
    assert est.value == pytest.approx(truth, abs=0.08)


@pytest.mark.slow
def test_groups_stay_together_and_count_as_one() -> None:
    rng = np.random.default_rng(1)
    own = rng.multivariate_normal([0, 0], [[1, 0.9], [0.9, 1]], 300)
    rows = np.concatenate([own, rng.normal(size=(300, 1))], 1)
    x, y, z = (np.repeat(rows, 5, axis=0) + 1e-3 * rng.normal(size=(1500, 3))).T
    groups = np.repeat(np.arange(300), 5)
    est = mine.estimate(x, y, z, conditional="shuffle", groups=groups, random_state=0, steps=20)
    truth = -0.5 * math.log(1 - 0.81)
    assert est.value == pytest.approx(truth, abs=0.2)
    assert est.interval[0] < truth < est.interval[1]
    alone = mine.estimate(x, y, z, conditional="shuffle", random_state=0, steps=20)
    assert alone.value < 0.5  # the nearest rows are those of the same group, with nearly the same y
    assert est.stderr > 1.5 * alone.stderr


def test_labels_of_z_that_hardly_repeat_are_named() -> None:
    rng = np.random.default_rng(0)
    z = [f"site {k}" for k in rng.integers(0, 900, 1000)]
    x, y = rng.normal(size=(2, 1000))
    est = mine.estimate(x, y, z, conditional="shuffle", random_state=0, steps=10)
    assert any("Merge rare labels" in warning for warning in est.warnings)


def test_what_jumps_with_z_is_taken_out() -> None:
    # x and y share a sign that neighbours in z do not, and a smooth regression does not see: given z they are independent.
    rng = np.random.default_rng(0)
    z = rng.uniform(-1, 1, size=(2000, 3))
    x, y = np.sign(z[:, 0] * z[:, 1]) + 0.3 * rng.normal(size=(2, 2000))
    est = mine.estimate(x, y, z, conditional="shuffle", random_state=0, steps=60)
    assert abs(est.value) < 0.03 and est.interval[0] < 0 < est.interval[1]


def test_neighbours_that_are_far_apart_are_named() -> None:
    rng = np.random.default_rng(0)
    z = rng.uniform(-1, 1, size=(1500, 7))
    y = np.where(z[:, 0] > 0, "above", "below")  # which neighbours at a distance of half a unit do not share
    est = mine.estimate(rng.choice(list("abc"), 1500), y, z, conditional="shuffle", random_state=0, steps=60)
    assert est.diagnostics["neighbourhood_nats"] > 0.01
    assert any("far apart" in warning for warning in est.warnings)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"conditional": "shufle"}, UnknownNameError, "did you mean 'shuffle'"),
        ({"conditional": "shuffle", "method": "ksg"}, InputError, "leave method and critic out"),
        ({"conditional": "shuffle", "n_neighbours": 3}, UnknownNameError, "did you mean 'n_neighbors'"),
        ({"conditional": "shuffle", "steps": 0}, InputError, "steps must be an integer of at least 1"),
        ({"conditional": "shuffle", "hidden": ()}, InputError, "must list the widths of the layers"),
        ({"conditional": "shuffle", "effort": "quick"}, UnknownNameError, "Unknown effort"),
        ({"conditional": "shuffle", "z": None}, InputError, "pass z, or leave conditional out"),
    ],
)
def test_errors_name_the_remedy(arguments: dict, error: type[Exception], message: str) -> None:
    x, y, z = np.random.default_rng(0).normal(size=(3, 60))
    given = None if "z" in arguments else z
    others: dict[str, Any] = {name: value for name, value in arguments.items() if name != "z"}
    with pytest.raises(error, match=message):
        mine.estimate(x, y, given, **others)


@pytest.mark.slow
@pytest.mark.parametrize("dz", [1, 3, 5])
def test_conditions_of_one_to_five_dimensions(dz: int) -> None:
    rng = np.random.default_rng(dz)
    z = rng.normal(size=(10_000, dz))
    own = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], 10_000)
    x, y = z @ np.linspace(1, 0.2, dz) + own[:, 0], z @ np.linspace(-0.3, 0.8, dz) + own[:, 1]
    est = mine.estimate(x, y, z, conditional="shuffle", random_state=0)
    assert abs(est.value + 0.5 * math.log(1 - 0.36)) < 0.03
