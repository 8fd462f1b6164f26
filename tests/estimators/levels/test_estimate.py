"""Labels of many levels against numbers, in every entry point."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.special import logsumexp

import mine
from mine.estimators.levels.estimate import few_rows_per_level


def leveled(
    n: int, levels: int, signal: float, seed: int, *, zipf: bool = False, columns: int = 1
) -> tuple[np.ndarray, np.ndarray, float]:
    """Labels, level mean + normal noise, and the information for these means, from the exact densities of 10,000 fresh rows."""
    rng = np.random.default_rng(seed)
    weight = 1 / np.arange(1, levels + 1) if zipf else np.ones(levels)
    p = weight / weight.sum()
    means = signal * rng.normal(size=(levels, columns))

    def rows(size: int) -> tuple[np.ndarray, np.ndarray]:
        labels = rng.choice(levels, size, p=p)
        return labels, means[labels] + rng.normal(size=(size, columns))

    labels, numbers = rows(n)
    fresh, values = rows(10_000)
    table = np.concatenate([-0.5 * ((v[:, None] - means) ** 2).sum(-1) for v in np.array_split(values, 20)])
    ratios = table[np.arange(10_000), fresh] - logsumexp(table + np.log(p), axis=1)
    return labels.astype(str), numbers, float(ratios.mean())


@pytest.mark.parametrize(("n", "levels", "zipf"), [(300, 150, False), (600, 120, True), (1000, 300, False)])
@pytest.mark.parametrize("signal", [0.0, 1.0, 4.0])
def test_value_and_interval(n: int, levels: int, zipf: bool, signal: float):
    labels, numbers, truth = leveled(n, levels, signal, seed=n, zipf=zipf)
    est = mine.estimate(labels, numbers, random_state=0)
    assert est.value == pytest.approx(truth, abs=0.16)
    assert est.interval[0] <= truth <= est.interval[1]
    assert est.interval[1] - est.interval[0] < 0.2 + 0.5 * truth  # far narrower than [0, H], H 3.9 to 5.7
    assert est.diagnostics["basis"] == "random effects of the levels"
    other = mine.estimate(numbers, labels, random_state=0)
    assert other.value == est.value and other.interval == est.interval


def test_several_columns():
    labels, numbers, truth = leveled(800, 200, 0.8, seed=5, columns=3)
    est = mine.estimate(numbers, labels, random_state=0)
    assert est.interval[0] <= truth <= est.interval[1] and est.value == pytest.approx(truth, abs=0.2)
    independent = mine.estimate(np.random.default_rng(0).normal(size=(800, 3)), labels, random_state=0)
    assert abs(independent.value) < 0.06 and independent.interval[0] <= 0 <= independent.interval[1]


def test_numbers_that_name_the_level_tell_its_entropy_at_most():
    rng = np.random.default_rng(6)
    labels = rng.integers(0, 100, 500)
    est = mine.estimate(labels.astype(str), 1000 * rng.permutation(100)[labels] + rng.normal(size=500), random_state=0)
    assert est.value == pytest.approx(math.log(100), abs=0.25)
    assert est.interval[0] <= math.log(100) <= est.interval[1] < math.log(100) + 0.3


def test_a_scale_of_each_level():
    rng = np.random.default_rng(7)
    labels = rng.integers(0, 80, 800)
    numbers = np.exp(rng.normal(size=80))[labels] * rng.normal(size=800)
    est = mine.estimate(labels.astype(str), numbers, random_state=0)
    assert 0.15 < est.value < 0.5 and est.interval[0] > 0


def test_copies_are_no_evidence():
    """Rows twice over: a row's copy would name its level."""
    rng = np.random.default_rng(8)
    labels, numbers = rng.integers(0, 150, 300).astype(str), rng.normal(size=300)
    est = mine.estimate(np.tile(labels, 2), np.tile(numbers, 2), random_state=0)
    assert abs(est.value) < 0.06 and est.interval[0] <= 0 <= est.interval[1]


def test_rounded_numbers_repeat_by_chance():
    labels, numbers, truth = leveled(1000, 100, 1.0, seed=9)
    est = mine.estimate(labels, numbers.round(1), random_state=0)
    assert est.interval[0] <= truth <= est.interval[1] and est.n == 1000


def test_few_levels_are_left_to_critics():
    rng = np.random.default_rng(10)
    assert not few_rows_per_level(rng.integers(0, 5, 40)) and not few_rows_per_level(rng.integers(0, 60, 1000))
    assert few_rows_per_level(rng.integers(0, 70, 100_000))


def test_pairwise_and_scores_agree_with_estimate():
    labels, numbers, truth = leveled(500, 150, 2.0, seed=11)
    rng = np.random.default_rng(11)
    frame = pd.DataFrame({"city": labels, "number": numbers[:, 0], "noise": rng.normal(size=500)})
    table = mine.pairwise(frame, "city", random_state=0).set_index("x")
    assert table.loc["number", "value"] == pytest.approx(truth, abs=0.16)
    assert abs(table.loc["noise", "value"]) < 0.05
    scores = mine.mutual_info(frame[["number", "noise"]], labels)
    assert scores[0] == pytest.approx(truth, abs=0.16) and scores[1] == pytest.approx(0, abs=0.05)


def test_identifiers_stay_unidentifiable():
    rng = np.random.default_rng(12)
    numbers, identifier = rng.normal(size=(300, 2)), np.arange(300).astype(str)
    est = mine.estimate(numbers, identifier, random_state=0)
    assert est.value == 0 and est.diagnostics["unidentifiable"] and est.interval[0] == 0
    assert list(mine.mutual_info(pd.DataFrame({"id": identifier}), numbers[:, 0])) == [0.0]
