"""Permutation tests against scipy's, and against what their p-values must be by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from mine.conditional.shuffles import Shuffles
from mine.errors import NotEnoughDataError
from mine.independence.permutations import ENOUGH, binned_test, sequential_p, table_test


def test_a_look_by_hand():
    exceeded = np.zeros(200, bool)
    assert sequential_p(exceeded, (0, 0), 1000) == (0, 200)
    assert sequential_p(exceeded, (3, 799), 999) == (4 / 1000, 999, True)
    exceeded[::2] = True  # the 50th exceedance is the 99th permutation
    assert ENOUGH == 50
    assert sequential_p(exceeded, (0, 0), 1000) == (50 / 99, 99, True)
    assert sequential_p(exceeded, (49, 300), 1000) == (50 / 301, 301, True)


def test_the_mean_score_against_scipys_permutation_test():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 6, (2, 1, 80))
    y = np.where(rng.uniform(size=(1, 80)) < 0.12, x, y)
    table = rng.normal(size=(1, 6, 6)) + 1.5 * np.eye(6)
    p, draws = binned_test(table.astype(np.float32), x, y, most=20_000, seed=1)[0]
    theirs = stats.permutation_test(
        (y[0],), lambda order: table[0][x[0], order].mean(), permutation_type="pairings", alternative="greater",
        n_resamples=20_000, vectorized=False, random_state=np.random.default_rng(2),
    ).pvalue  # fmt: skip
    assert 0.001 < theirs < 0.9
    assert p == pytest.approx(theirs, abs=5 * np.sqrt(theirs * (1 - theirs)) * (1 / draws + 1 / 20_000) ** 0.5)


def test_scores_that_say_nothing_give_one():
    x = np.zeros((2, 40), int)
    assert [p for p, _ in binned_test(np.zeros((2, 3, 3), np.float32), x, x, most=999, seed=0)] == [1.0, 1.0]


def test_p_values_of_independent_rows_are_uniform():
    rng = np.random.default_rng(3)
    x, y = rng.integers(0, 8, (2, 300, 50))
    tables = rng.normal(size=(300, 8, 8)).astype(np.float32)
    p = np.array([found[0] for found in binned_test(tables, x, y, most=499, seed=4)])
    assert stats.kstest(p, "uniform").pvalue > 1e-3
    assert abs((p <= 0.05).mean() - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 300)


def test_tables_against_the_chi_square_of_many_rows():
    rng = np.random.default_rng(5)
    x = rng.integers(0, 3, 3000)
    y = np.where(rng.uniform(size=3000) < 0.035, x, rng.integers(0, 3, 3000))
    p, _ = table_test(x, y, most=20_000, seed=0)
    theirs = stats.contingency.chi2_contingency(stats.contingency.crosstab(x, y).count, lambda_="log-likelihood").pvalue
    assert 1e-3 < theirs < 0.5
    assert p == pytest.approx(theirs, rel=0.35)


# === Whole groups ===


def near(p: float, theirs: float, draws: int) -> bool:
    """Whether two Monte Carlo p-values of ``draws`` permutations or more agree within five standard errors."""
    return abs(p - theirs) < 5 * (2 * theirs * (1 - theirs) / draws) ** 0.5


def test_a_table_of_groups_is_that_of_one_row_a_group():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 3, 120)
    y = np.where(rng.uniform(size=120) < 0.2, x, rng.integers(0, 3, 120))
    theirs, _ = table_test(x, y, most=10_000, seed=1)
    rows = np.repeat(np.arange(120), 5)  # five rows a group multiply every count by five
    p, draws = table_test(x[rows], y[rows], rows, most=10_000, seed=2)
    assert 0.005 < theirs < 0.5
    assert near(p, theirs, draws)
    assert table_test(x[rows], y[rows], most=10_000, seed=2)[0] < 0.5 * theirs  # rows alone claim too much


def test_scores_of_groups_are_those_of_one_row_a_group():
    rng = np.random.default_rng(1)
    x, y = rng.integers(0, 6, (2, 1, 80))
    y = np.where(rng.uniform(size=(1, 80)) < 0.15, x, y)
    table = (rng.normal(size=(1, 6, 6)) + 1.5 * np.eye(6)).astype(np.float32)
    theirs, _ = binned_test(table, x, y, most=10_000, seed=1)[0]
    groups = rng.permutation(np.repeat(np.arange(80), 4))
    shuffles = Shuffles.of(320, groups)
    kept = groups[shuffles.rows]
    p, draws = binned_test(table, x[:, kept], y[:, kept], shuffles, most=10_000, seed=2)[0]
    assert 0.001 < theirs < 0.9
    assert near(p, theirs, draws)


def test_three_groups_cannot_be_permuted():
    labels = np.arange(30) % 3
    with pytest.raises(NotEnoughDataError, match="3 distinct"):
        table_test(labels, labels, labels, most=99, seed=0)
