"""mine.independence_test: level, power, groups, a third variable, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import binom
from torch import Tensor, nn

import mine
from mine.errors import InputError, NotEnoughDataError


def p_value(x: np.ndarray, y: np.ndarray, z: np.ndarray | None = None, **options: object) -> float:
    settings: dict = {"n_permutations": 99, "random_state": 0, **options}
    return mine.independence_test(x, y, z, **settings).p_value


def circle(n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    angle = rng.uniform(0, 2 * np.pi, n)
    return np.cos(angle) + 0.2 * rng.normal(size=n), np.sin(angle) + 0.2 * rng.normal(size=n)


def test_dependence_without_correlation_is_found() -> None:
    x, y = circle(200)
    test = mine.independence_test(x, y, n_permutations=199, random_state=0)
    assert test.p_value == 1 / 200 and test.n_permutations == 199 and test.n == 200
    assert str(test).startswith("p ≤ 0.005 (199 permutations, kernels, n = 200)")


def test_p_values_of_independent_data_are_uniform() -> None:
    rng = np.random.default_rng(3)
    rejected = sum(p_value(*rng.standard_t(1, (2, 60)), n_permutations=19, random_state=k) <= 0.1 for k in range(40))
    assert binom.cdf(rejected, 40, 0.1) > 0.001 and binom.sf(rejected - 1, 40, 0.1) > 0.001


def circle_in(rng: np.random.Generator, n: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Spherical coordinates of d angles with noise of 0.4, and the sine of the first angle: the rest are no help."""
    angles = rng.uniform(-np.pi, np.pi, (n, d))
    x = np.cumprod(np.cos(angles), axis=1)
    x[:, :-1] *= np.sin(angles[:, 1:])
    return x + 0.4 * rng.normal(size=(n, d)), np.sin(angles[:, 0])


def test_the_smallest_p_value_is_printed_as_one_and_a_result_is_a_row() -> None:
    x, y = circle(300)
    found = mine.independence_test(x, y, n_permutations=19, random_state=0)
    assert str(found).startswith("p ≤ 0.05 (19 permutations")
    noise = mine.independence_test(x, np.random.default_rng(1).normal(size=300), n_permutations=19, random_state=0)
    assert noise.p_value > 0.05 and str(noise).startswith("p = ")
    assert found.to_frame()[["p_value", "n_permutations", "n"]].values.tolist() == [[0.05, 19, 300]]


def test_power_in_five_dimensions() -> None:
    rng = np.random.default_rng(1)
    x, y = circle_in(rng, 200, 5)
    test = mine.independence_test(x, y, n_permutations=99, random_state=0)
    assert test.p_value == 0.01 and ("radius" in test.component or "squares" in test.component)
    assert f"most of it in: {test.component}" in str(test) and test.to_dict()["component"] == test.component
    found = sum(p_value(*circle_in(rng, 100, 5), n_permutations=59, random_state=k) <= 0.05 for k in range(20))
    assert found >= 12  # 2 with Gaussian kernels of four bandwidths on ranks


def test_power_for_a_square_in_ten_columns_and_a_fast_wave_in_one() -> None:
    rng = np.random.default_rng(2)
    weights = 1 / np.arange(1, 11)
    found = np.zeros(2)
    for k in range(15):
        x = rng.uniform(-1, 1, (100, 10))
        found[0] += p_value(x, (x @ weights) ** 2 + 0.2 * rng.normal(size=100), n_permutations=59, random_state=k) <= 0.05
        wave = rng.uniform(-1, 1, 100)
        found[1] += (
            p_value(wave, np.sin(16 * np.pi * wave) + 0.3 * rng.normal(size=100), n_permutations=59, random_state=k) <= 0.05
        )
    assert found[0] >= 11 and found[1] >= 11  # 8 and 2 with Gaussian kernels on ranks


@pytest.mark.slow
def test_level_with_ties_labels_copies_groups_and_sorted_rows() -> None:
    def draw(kind: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        if kind == "ties":
            return rng.poisson(0.7, 40) + 0.0, np.round(rng.exponential(size=40)), None
        if kind == "labels":
            return rng.integers(0, 12, 40).astype(str), rng.standard_t(1, 40), None
        if kind == "sorted":  # nearest rows among ties must not be those that stand nearest in the file
            x, y = rng.integers(0, 2, 40) + 0.0, rng.normal(size=40)
            order = np.lexsort((y, x))
            return x[order], y[order], None
        units = np.repeat(np.arange(14), 3)
        x, y = rng.normal(size=(14, 2))[units] + 0.2 * rng.normal(size=(42, 2)), rng.normal(size=14)[units]
        return x, y, (units if kind == "groups" else None)

    for kind in ("ties", "labels", "sorted", "groups"):
        rejected = 0
        for k in range(120):
            x, y, groups = draw(kind, np.random.default_rng([k, 9]))
            options: dict[str, object] = {} if kind == "labels" else {"discrete": False}
            rejected += p_value(x, y, groups=groups, n_permutations=19, random_state=k, **options) <= 0.1
        assert binom.cdf(rejected, 120, 0.1) > 1e-3 and binom.sf(rejected - 1, 120, 0.1) > 1e-3, (kind, rejected)


def test_labels() -> None:
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 3, 200)
    words = np.array(["red", "green", "blue"])[kind]
    assert p_value(words, kind == 1) == 0.01
    assert p_value(words, rng.normal(size=200)) > 0.05


def test_the_same_seed_gives_the_same_p() -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 80))
    assert p_value(x, y, random_state=5) == p_value(x, y, random_state=5)


def test_dependence_between_twenty_patients_is_no_evidence_of_one() -> None:
    rng = np.random.default_rng(0)
    patient = np.repeat(np.arange(20), 15)
    x, y = (level[patient] + 0.1 * rng.normal(size=300) for level in rng.normal(size=(2, 20)))
    assert p_value(x, y) == 0.01
    assert p_value(x, y, groups=patient) > 0.05
    assert p_value(x, x + rng.normal(size=300), groups=patient) == 0.01


def test_a_common_cause_is_explained_away() -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=300)
    x, y = np.sin(2 * z) + 0.3 * rng.normal(size=300), z**2 + 0.3 * rng.normal(size=300)
    assert p_value(x, y) == 0.01
    assert p_value(x, y, z) > 0.05
    assert p_value(x, x + y, z) == 0.01


def test_a_collider_makes_dependent() -> None:
    x, y = np.random.default_rng(0).integers(0, 2, (2, 200))
    assert p_value(x, y) > 0.05
    assert p_value(x, y, x ^ y) == 0.01


class Product(nn.Module):
    """Knows one kind of dependence: it has a single weight."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((1,), 0.1))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.weight * (x * y).sum(-1)


def test_a_critic_trained_on_one_half_tests_the_other() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    y = x + rng.normal(size=200)
    test = mine.independence_test(x, y, critic=Product, n_permutations=99, random_state=0, steps=50)
    assert test.p_value == 0.01 and test.method == "held-out critic" and test.n == 100


@pytest.mark.slow
def test_level_of_the_held_out_critic_where_training_finds_nothing() -> None:
    rng = np.random.default_rng(4)
    p = [p_value(*rng.normal(size=(2, 60)), critic="network", n_permutations=19, random_state=k, steps=20) for k in range(25)]
    assert 0.25 < np.mean(p) < 0.75  # never all ones, as they would be if equal scores counted as evidence against


def test_rows_with_gaps() -> None:
    x, y, z = np.random.default_rng(0).normal(size=(3, 100))
    z[:10] = np.nan
    x[10:15] = np.nan
    assert mine.independence_test(x, y, z, n_permutations=19, drop_missing=True, random_state=0).n == 85
    with pytest.raises(InputError, match="missing"):
        p_value(x, y, z)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_permutations": 10}, "at least 19"),
        ({"n_permutations": 99.5}, "integer"),
        ({"steps": 10}, "critic='network'"),
        ({"z": np.arange(30.0)}, "z has 30"),
    ],
)
def test_what_it_refuses(options: dict, message: str) -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 40))
    with pytest.raises(InputError, match=message):
        mine.independence_test(x, y, **options)


def test_few_groups() -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 40))
    with pytest.raises(NotEnoughDataError, match="groups"):
        mine.independence_test(x, y, groups=np.arange(40) % 3)


def test_given_a_constant_the_test_is_the_exact_one():
    rng = np.random.default_rng(31)
    x, y = rng.normal(size=(2, 120))
    given = mine.independence_test(x, y, ["same"] * 120, n_permutations=39, random_state=5)
    alone = mine.independence_test(x, y, n_permutations=39, random_state=5)
    assert (given.p_value, given.statistic, given.conditional) == (alone.p_value, alone.statistic, False)
    assert given.warnings == ["z is constant and explains nothing: the result is the information of x and y alone."]


def test_progress_counts_permutations() -> None:
    x, y = circle(200)
    z = np.random.default_rng(1).normal(size=200)
    told: list[tuple[int, int, str]] = []
    mine.independence_test(x, y, n_permutations=399, random_state=0, progress=lambda *said: told.append(said))
    assert told[0][:2] == (99, 399) and told[-1] == (399, 399, "399 of 399 permutations")
    told.clear()
    mine.independence_test(x, y, z, n_permutations=99, random_state=0, progress=lambda *said: told.append(said))
    assert told[-1][:2] == (99, 99)
    told.clear()
    options = {"critic": "network", "steps": 20, "n_permutations": 99, "random_state": 0}
    mine.independence_test(x, y, progress=lambda *said: told.append(said), **options)
    assert "training" in told[0][2] and told[-1][2] == "99 of 99 permutations"


@pytest.mark.parametrize("scale", [2.0**1000, 2.0**-1000])
def test_the_scale_changes_nothing(scale: float) -> None:
    x, y = circle(100)
    plain = mine.independence_test(x, y, n_permutations=19, random_state=0)
    assert mine.independence_test(x * scale, y, n_permutations=19, random_state=0) == plain
