"""The conditional test with labels on a side: level, power, groups, and statistics counted by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import binom

import mine
from mine.data.sides import as_variable
from mine.errors import InputError
from mine.independence.label_products import product_statistics


def common_cause(n: int, seed: int, copies: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two labels of slope 3 in z; y copies x in a share of the rows."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=n)
    x, other = rng.random((2, n)) < expit(3 * z)
    return x, np.where(rng.random(n) < copies, x, other), z


def rejected(draw, repeats: int) -> int:
    found = [mine.independence_test(*draw(seed), n_permutations=39, random_state=seed) for seed in range(repeats)]
    return sum(test.p_value <= 0.1 for test in found)


@pytest.mark.slow
@pytest.mark.parametrize("numbers", [False, True])
def test_level_of_labels_with_a_strong_common_cause(numbers: bool) -> None:
    def draw(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        x, y, z = common_cause(250, 1000 + seed)
        noise = np.random.default_rng(seed).normal(size=250)
        return x, 3 * z + noise if numbers else y, z

    count = rejected(draw, 40)
    assert binom.sf(count - 1, 40, 0.1) > 0.005


def test_few_nulls_and_few_dependences() -> None:
    assert rejected(lambda seed: common_cause(200, seed), 8) <= 3
    assert rejected(lambda seed: common_cause(300, seed, copies=0.6), 4) == 4


def test_a_dependence_that_turns_with_z() -> None:
    rng = np.random.default_rng(1)
    z = rng.normal(size=600)
    x = rng.integers(0, 2, 600)
    y = np.where(rng.random(600) < 0.5, np.where(z > 0, x, 1 - x), rng.integers(0, 2, 600))
    assert mine.independence_test(x, y, z, n_permutations=199, random_state=0).p_value <= 0.02


def test_signs_of_a_group_are_flipped_together() -> None:
    x, y, z = common_cause(60, 3, copies=0.5)
    groups = np.repeat(np.arange(60), 6)
    copied = [np.repeat(side, 6) for side in (x, y, z)]
    apart = mine.independence_test(*copied, n_permutations=199, groups=np.arange(360), random_state=0).p_value
    together = mine.independence_test(*copied, n_permutations=199, groups=groups, random_state=0).p_value
    assert apart < 0.05 and apart < together


def test_both_sides_play_the_same_part() -> None:
    x, y, z = common_cause(200, 4)
    p = [mine.independence_test(a, b, z, n_permutations=99, random_state=0).p_value for a, b in ((x, y), (y, x))]
    assert abs(p[0] - p[1]) < 0.08


def test_statistics_are_finite_for_labels_beside_numbers() -> None:
    rng = np.random.default_rng(5)
    side = as_variable(pd.DataFrame({"kind": rng.choice(["a", "b"], 80), "size": rng.normal(size=80)}), "x")
    many = as_variable(rng.integers(0, 40, 80).astype(str), "y")
    assert np.isfinite(product_statistics(side, many, rng.normal(size=(80, 2)), None, 19, [1, 2, 3])).all()


def test_given_labels_only_rows_of_equal_labels_are_permuted() -> None:
    """Two levels of z of nine rows: x and y are functions of z, and no permutation changes anything."""
    z = np.repeat(["a", "b"], [9, 11])
    x = np.where(z == "a", "u", "v")
    assert mine.independence_test(x, np.where(z == "a", 1, 2), z, discrete=True, n_permutations=19).p_value == 1


def test_a_held_out_critic_refuses_labels_given_numbers() -> None:
    x, y, z = common_cause(60, 6)
    with pytest.raises(InputError, match="Leave critic out"):
        mine.independence_test(x, y, z, critic="network")
