"""Labels against numbers: by hand, against scikit-learn, and against the tasks' exact values."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import digamma, entr
from scipy.stats import norm
from sklearn.feature_selection import mutual_info_classif

import mine
from mine import tasks
from mine.errors import InputError, NotEnoughDataError
from mine.estimators.ross import merge_rare, ross


def test_two_labels_far_apart_by_hand():
    # within a label the nearest neighbour is strictly nearer than anything else: m = 1, so psi(8) - psi(4) is left
    values = np.array([0.0, 1.0, 2.5, 4.5, 100.0, 101.0, 102.5, 104.5])[:, None]
    labels = np.repeat([0, 1], 4)
    assert ross(values, labels, 1) == pytest.approx(1 / 4 + 1 / 5 + 1 / 6 + 1 / 7, abs=1e-12)


def test_three_rows_by_hand():
    # labels a a b at 0, 3, 1. Rows of a: distance 3; strictly closer to row 0 are itself and the b, to row 1 likewise.
    # The single b is left out with its value, so that only the rows of a remain: psi(2) - psi(2) + psi(1) - psi(1) = 0.
    assert ross(np.array([[0.0], [3.0], [1.0]]), np.array([0, 0, 1]), 1) == pytest.approx(0.0, abs=1e-12)
    # a a b b at 0, 3, 1, 10: m of row 0 is {0, 1} and of row 3 is {1, 2}; of the b at 1 (distance 9) all but the one at 10;
    # of the b at 10 likewise {10, 3}
    expected = digamma(4) - digamma(2) + digamma(1) - np.mean([digamma(2), digamma(2), digamma(3), digamma(2)])
    assert ross(np.array([[0.0], [3.0], [1.0], [10.0]]), np.array([0, 0, 1, 1]), 1) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("n_neighbors", [1, 3, 8])
def test_against_scikit_learn(n_neighbors: int):
    rng = np.random.default_rng(n_neighbors)
    labels = rng.integers(0, 4, 700)
    values = labels + rng.normal(size=700)
    theirs = mutual_info_classif(values[:, None], labels, n_neighbors=n_neighbors, random_state=0)[0]
    assert ross(values[:, None], labels, n_neighbors) == pytest.approx(theirs, abs=2e-3)  # theirs counts by a tree of its own


EXACT = ["labels-classes-2-1d", "labels-classes-5-1d", "labels-classes-3-3d", "mixture-steps-3", "mixture-steps-20"]


@pytest.mark.parametrize("name", [*EXACT, "mixture-zero-inflated-poisson-0.15", "mixture-zero-inflated-poisson-0.5"])
def test_exact_values_of_the_tasks(name: str):
    task = tasks.get_task(name)
    errors = []
    for seed in range(3):
        x, y = task.sample(10_000, random_state=seed)
        estimate = mine.estimate(x, y, method="ross", random_state=0)
        assert estimate.interval[0] <= estimate.value <= estimate.interval[1]
        errors.append(estimate.value - task.mutual_information)
    assert np.mean(np.abs(errors)) <= 0.02


@pytest.mark.parametrize("name", ["labels-channel-2", "labels-channel-8"])
def test_labels_on_both_sides_are_a_table(name: str):
    task = tasks.get_task(name)
    errors = []
    for seed in range(6):
        x, y = task.sample(10_000, random_state=seed)
        estimate = mine.estimate(x, y, random_state=0)
        assert "levels" in estimate.diagnostics  # the table, not a critic
        # apart from what the rows themselves are off by
        assert abs(estimate.value - task.log_ratio(x, y).mean()) <= 0.005
        errors.append(estimate.value - task.mutual_information)
    assert abs(np.mean(errors)) <= 0.02


@pytest.mark.parametrize("kind", ["category", "boolean", "string", "integer"])
def test_every_kind_of_label_gives_the_same(kind: str):
    rng = np.random.default_rng(3)
    code = rng.integers(0, 2, 400)
    y = code + rng.normal(size=400)
    column = {
        "category": pd.Categorical(np.array(["no", "yes"])[code]),
        "boolean": code.astype(bool),
        "string": np.array(["no", "yes"])[code],
        "integer": code,
    }[kind]
    x = pd.Series(column, name="x")
    by_kind = mine.estimate(x, y, method="ross", random_state=0)
    assert by_kind.diagnostics["discrete_columns"] == ["x"]
    assert by_kind.value == mine.estimate(code.astype(str), y, method="ross", random_state=0).value
    assert mine.estimate(y, x, method="ross", random_state=0).value == pytest.approx(by_kind.value, abs=1e-9)


def test_missing_values_are_refused_or_left_out():
    rng = np.random.default_rng(4)
    x = pd.Series(rng.choice(["a", "b"], 300), dtype=object)
    y = pd.Series((x == "a") * 2.0 + rng.normal(size=300))
    holes_x, holes_y = x.copy(), y.copy()
    holes_x[5], holes_y[7] = None, np.nan
    with pytest.raises(InputError, match="drop_missing=True"):
        mine.estimate(holes_x, holes_y, method="ross")
    dropped = mine.estimate(holes_x, holes_y, method="ross", random_state=0, drop_missing=True)
    assert (dropped.n, dropped.diagnostics["dropped_missing_rows"]) == (298, 2)
    kept = np.setdiff1d(np.arange(300), [5, 7])
    assert dropped.value == mine.estimate(x[kept], y[kept], method="ross", random_state=0).value


def test_rare_labels_are_merged_and_named():
    labels, merged = merge_rare(np.array([4, 4, 4, 1, 2, 4]), 2)
    assert labels.tolist() == [0, 0, 0, 1, 1, 0]
    assert merged == 2
    rng = np.random.default_rng(5)
    x = np.array(["a"] * 100 + ["b"] * 100 + ["c", "d", "e", "f"], dtype=object)
    estimate = mine.estimate(x, rng.normal(size=204), method="ross", random_state=0)
    assert estimate.warnings[0].startswith("4 labels with 3 rows or fewer were merged into one")


def test_other_kinds_are_refused_with_the_remedy():
    rng = np.random.default_rng(6)
    numbers, words = rng.normal(size=100), rng.choice(["a", "b"], 100)
    for x, y in ((numbers, numbers[::-1]), (words, words[::-1])):
        with pytest.raises(InputError, match=r"labels on one side and numbers on the other.*or use method 'auto'"):
            mine.estimate(x, y, method="ross")
    with pytest.raises(InputError, match="n_neighbors must be an integer of 1 or more"):
        mine.estimate(words, numbers, method="ross", n_neighbors=0)
    with pytest.raises(NotEnoughDataError, match="No label has more than n_neighbors=40 rows"):
        mine.estimate(np.arange(40), numbers[:40], method="ross", discrete={"x": True}, n_neighbors=40)


def test_merged_labels_may_tell_more():
    """Labels of four rows or fewer that each have a value of their own: the value falls short, and the interval says so."""
    rng = np.random.default_rng(20)
    labels = np.r_[rng.integers(0, 4, 400), rng.integers(4, 104, 200)]
    est = mine.estimate(labels.astype(str), 100.0 * labels + rng.normal(size=600), method="ross", random_state=0)
    shares = np.r_[np.full(4, 1 / 6), np.full(100, 1 / 300)]
    truth = float(-(shares * np.log(shares)).sum())
    assert est.value < truth - 0.5 and est.interval[1] > truth
    assert "which can only lower the value" in est.warnings[0]


@pytest.mark.parametrize(("method", "n"), [("ross", 60), ("ross", 250), ("ksg", 60), ("ksg", 250)])
def test_intervals_cover_and_are_never_narrow_by_luck(method: str, n: int):
    """Two or three parts alone are near each other by chance: the interval was a tenth of the usual width then."""
    inside, widths = 0, []
    truth = {"ross": entropy_of_two_normals(2.0) - 0.5 * np.log(2 * np.pi * np.e), "ksg": -0.5 * np.log(1 - 0.6**2)}[method]
    for seed in range(40):
        rng = np.random.default_rng(700 + seed)
        if method == "ross":
            y = rng.integers(0, 2, n)
            x, y = 2.0 * y + rng.normal(size=n), np.where(y == 1, "a", "b")
        else:
            x, y = mine.datasets.correlated_normal(n, 0.6, 1, rng)
        low, high = mine.estimate(x, y, method=method, random_state=seed).interval
        inside += low <= truth <= high
        widths.append(high - low)
    assert inside >= 36 and min(widths) > 0.6 * np.median(widths)


def entropy_of_two_normals(distance: float) -> float:
    at = np.linspace(-8, 8 + distance, 4001)
    density = 0.5 * (norm.pdf(at) + norm.pdf(at - distance))
    return float(np.trapezoid(entr(density), at))


@pytest.mark.parametrize(("levels", "rows", "noise"), [(60, 10, 0.3), (60, 10, 1.0), (40, 20, 0.3), (100, 10, 0.5)])
def test_few_rows_of_each_of_many_levels(levels: int, rows: int, noise: float):
    """Balls around the third of ten rows reach beyond a level: the value is too high by some hundredths, the interval is right."""
    covered = []
    for seed in range(8):
        rng = np.random.default_rng([seed, levels, rows])
        means, labels = rng.normal(size=levels), np.repeat(np.arange(levels), rows)
        values = means[labels] + noise * rng.normal(size=len(labels))
        at = np.linspace(-9, 9, 6001)
        density = norm.pdf(at[:, None], means, noise).mean(1)
        truth = -np.trapezoid(density * np.log(np.maximum(density, 1e-300)), at) - norm(0, noise).entropy()
        low, high = mine.estimate(values, labels.astype(str), method="ross", random_state=seed).interval
        covered.append(low <= truth <= high)
    assert sum(covered) >= 7
