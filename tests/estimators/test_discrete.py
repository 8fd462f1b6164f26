"""The contingency table, by hand."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from mine.data.problem import Problem
from mine.data.sides import as_variable
from mine.errors import InputError
from mine.estimators.discrete import DiscretePlugin, capped_by_entropy, counts_suit, identifier_estimate
from mine.result import Estimate


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
        # one and the same: log 3, of three levels the most there can be, and all were seen ten times
        ([[20, 0, 0], [0, 20, 0], [0, 0, 20]], math.log(3), 0.0),
        # p = (1/2, 1/4, 1/4, 0), rows (3/4, 1/4), columns (3/4, 1/4); an empty cell is no cell: 3 - 2 - 2 + 1 = 0
        (
            [[40, 20], [20, 0]],
            0.5 * math.log(0.5 / (9 / 16)) + 2 * 0.25 * math.log(0.25 / (3 / 16)),
            0.0,
        ),
        # 2 x 3
        ([[10, 10, 0], [0, 10, 10]], math.log(2) / 2, 0.0),
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
    assert both.value == pytest.approx(math.log(2), abs=1e-12)  # the corrected value is 1 / 200 more than y can have
    assert alone.value == pytest.approx(-1 / 200, abs=1e-12)


def test_sparse_tables_are_flagged():
    dense = DiscretePlugin().run(table_problem([[40, 10], [10, 40]]))
    assert not dense.warnings and not dense.diagnostics["undersampled"]
    assert dense.diagnostics["basis"] == "contingency table" and dense.diagnostics["estimator"] == "miller-madow"
    rng = np.random.default_rng(0)
    x, y = (as_variable(side, name, True) for side, name in zip(rng.integers(0, 60, (2, 100)), "xy", strict=True))
    sparse = DiscretePlugin().run(Problem(x, y))
    assert sparse.diagnostics["undersampled"] and "Merge rare levels" in sparse.warnings[0]


def test_an_identifier_says_nothing_that_can_be_known():
    rng = np.random.default_rng(0)
    kinds = rng.integers(0, 3, 500)
    record = as_variable([f"r{i}" for i in range(500)], "record")
    for sides in ((record, as_variable(kinds, "y", True)), (as_variable(kinds, "x", True), record)):
        estimate = DiscretePlugin().run(Problem(*sides))
        assert estimate.diagnostics["unidentifiable"] is True
        assert estimate.interval[0] == 0.0 and estimate.interval[1] == pytest.approx(math.log(3), abs=0.02)
        assert estimate.value < 0.05
        assert estimate.warnings == [
            "Column 'record' has a different label in (nearly) every row: how much it says about anything else cannot be known."
        ]


def test_an_identifier_beside_numbers():
    record, numbers = as_variable([f"r{i}" for i in range(200)], "record"), as_variable(np.arange(200.0), "y", False)
    estimate = identifier_estimate(Problem(record, numbers), "auto")
    assert estimate is not None and estimate.value == 0.0 and estimate.diagnostics["unidentifiable"]
    assert estimate.interval[0] == 0.0 and math.log(200) < estimate.interval[1] < math.inf
    assert identifier_estimate(Problem(as_variable(np.arange(200) % 50, "x", True), numbers), "auto") is None


def test_no_estimate_is_beyond_the_entropy_of_labels():
    problem = Problem(as_variable(np.arange(90) % 3, "x", True), as_variable(np.arange(90.0), "y", False))
    capped = capped_by_entropy(Estimate(1.3, 0.9, 0.1, (0.7, math.inf), "auto", 90), problem)
    assert capped.value == pytest.approx(math.log(3)) and capped.interval == (0.7, pytest.approx(math.log(3)))
    numbers = Problem(problem.y, problem.y)
    assert capped_by_entropy(capped, numbers) is capped


def test_numbers_are_refused_with_the_remedy():
    x, y = as_variable(np.arange(30.0), "x", False), as_variable(["u", "v"] * 15, "y")
    for problem in (Problem(x, y), Problem(y, x)):
        with pytest.raises(InputError, match="pass discrete=True if these numbers are labels, or use method 'auto'"):
            DiscretePlugin().run(problem)


def test_counts_suit_two_columns_of_labels_and_wider_sides_with_five_rows_a_cell():
    levels = np.arange(45) % 3
    x, y = as_variable(levels, "x", True), as_variable(np.repeat([0, 1, 2], 15), "y", True)
    assert counts_suit(Problem(x, y))
    assert counts_suit(Problem(as_variable(np.arange(45), "x", True), y))  # whatever the levels
    assert not counts_suit(Problem(as_variable(np.arange(45.0), "x", False), y))
    bits = pd.DataFrame({"a": np.arange(40) % 2, "b": np.arange(40) // 2 % 2})
    pair, bit = as_variable(bits, "x", True), as_variable(np.arange(40) // 4 % 2, "y", True)
    assert counts_suit(Problem(pair, bit))  # 40 rows for 8 cells
    rows = np.arange(39)
    assert not counts_suit(Problem(pair.take(rows), bit.take(rows)))
