"""The contingency table, by hand."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from mine.data.problem import Problem
from mine.data.sides import as_variable
from mine.errors import InputError
from mine.estimators.discrete import DiscretePlugin, plugin_suits


def table_problem(counts: list[list[int]], groups: np.ndarray | None = None) -> Problem:
    """One row of labels for every count of the table."""
    pairs = [(f"r{i}", f"c{j}") for i, row in enumerate(counts) for j, count in enumerate(row) for _ in range(count)]
    x, y = zip(*pairs, strict=True)
    return Problem(as_variable(x, "x"), as_variable(y, "y"), groups)


@pytest.mark.parametrize(
    ("counts", "plug_in", "correction"),
    [
        # 0.8 log(0.4 / 0.25) + 0.2 log(0.1 / 0.25); cells 4, rows 2, columns 2: -(4 - 2 - 2 + 1) / 200
        ([[40, 10], [10, 40]], 0.8 * math.log(1.6) + 0.2 * math.log(0.4), -1 / 200),
        # independent
        ([[6, 12], [12, 24]], 0.0, -1 / 108),
        # one and the same: log 3; cells 3: -(3 - 3 - 3 + 1) / 60
        ([[10, 0, 0], [0, 10, 0], [0, 0, 10]], math.log(3), 2 / 60),
        # p = (1/2, 1/4, 1/4, 0), rows (3/4, 1/4), columns (3/4, 1/4); an empty cell is no cell: -(3 - 2 - 2 + 1) / 32
        (
            [[8, 4], [4, 0]],
            0.5 * math.log(0.5 / (9 / 16)) + 2 * 0.25 * math.log(0.25 / (3 / 16)),
            0.0,
        ),
        # 2 x 3
        ([[5, 5, 0], [0, 5, 5]], math.log(2) / 2, -(4 - 2 - 3 + 1) / 40),
    ],
)
def test_small_tables_by_hand(counts: list[list[int]], plug_in: float, correction: float):
    estimate = DiscretePlugin().run(table_problem(counts))
    assert estimate.diagnostics["bias_correction"] == pytest.approx(correction, abs=1e-12)
    assert estimate.value == pytest.approx(plug_in + correction, abs=1e-12)
    assert estimate.n == sum(map(sum, counts))
    assert estimate.diagnostics["levels"] == [len(counts), len(counts[0])]
    assert estimate.lower_bound is None


def test_standard_error_by_hand():
    # pointwise log 1.6 for 80 rows, log 0.4 for 20: sample variance 100 / 99 * 0.16 log(4)^2
    estimate = DiscretePlugin().run(table_problem([[40, 10], [10, 40]]))
    assert estimate.stderr == pytest.approx(0.4 * math.log(4) / math.sqrt(99), rel=1e-12)
    assert estimate.interval[0] < estimate.value < estimate.interval[1]


def test_standard_error_counts_a_group_once():
    # each of the 100 rows five times, the five a group
    five_times = [[200, 50], [50, 200]]
    single = DiscretePlugin().run(table_problem([[40, 10], [10, 40]])).stderr
    grouped = DiscretePlugin().run(table_problem(five_times, np.repeat(np.arange(100), 5))).stderr
    assert grouped == pytest.approx(single, rel=1e-9)


def test_miller_madow_removes_most_of_the_bias_of_independent_variables():
    rng = np.random.default_rng(0)
    values, corrections = [], []
    for _ in range(200):
        x, y = rng.integers(0, 4, 200), rng.integers(0, 5, 200)
        estimate = DiscretePlugin().run(Problem(as_variable(x, "x", True), as_variable(y, "y", True)))
        values.append(estimate.value)
        corrections.append(estimate.diagnostics["bias_correction"])
    assert np.mean(corrections) == pytest.approx(-3 * 4 / 400, rel=0.01)
    assert abs(np.mean(values)) < 0.1 * 3 * 4 / 400 + 4 * np.std(values) / math.sqrt(200)


def test_several_columns_are_one_label():
    # y is the exclusive or of two fair bits: each alone says nothing, together they say log 2
    bits = pd.DataFrame({"a": [0, 0, 1, 1] * 25, "b": [0, 1, 0, 1] * 25})
    y = (bits["a"] ^ bits["b"]).to_numpy()
    both = DiscretePlugin().run(Problem(as_variable(bits, "x", True), as_variable(y, "y", True)))
    alone = DiscretePlugin().run(Problem(as_variable(bits["a"], "x", True), as_variable(y, "y", True)))
    assert both.value == pytest.approx(math.log(2) - (4 - 4 - 2 + 1) / 200, abs=1e-12)
    assert alone.value == pytest.approx(-1 / 200, abs=1e-12)


def test_sparse_tables_are_flagged():
    assert not DiscretePlugin().run(table_problem([[40, 10], [10, 40]])).warnings
    sparse = DiscretePlugin().run(table_problem([[1, 2], [2, 1]]))
    assert sparse.warnings[0].startswith("4 occupied cells for 6 rows: merge rare levels")


def test_numbers_are_refused_with_the_remedy():
    x, y = as_variable(np.arange(30.0), "x", False), as_variable(["u", "v"] * 15, "y")
    for problem in (Problem(x, y), Problem(y, x)):
        with pytest.raises(InputError, match="pass discrete=True if these numbers are labels, or use method 'auto'"):
            DiscretePlugin().run(problem)


def test_the_table_suits_discrete_sides_with_five_rows_a_cell():
    levels = np.arange(45) % 3
    x, y = as_variable(levels, "x", True), as_variable(np.repeat([0, 1, 2], 15), "y", True)
    assert plugin_suits(Problem(x, y))  # 45 rows for 9 cells
    rows = np.arange(44)
    assert not plugin_suits(Problem(x.take(rows), y.take(rows)))
    assert not plugin_suits(Problem(as_variable(np.arange(45.0), "x", False), y))
