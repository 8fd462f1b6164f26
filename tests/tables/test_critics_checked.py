"""Tables and lag scans by trained critics leave open what `mine.estimate` leaves open."""

import math

import numpy as np
import pandas as pd
import pytest

import mine


def _pair(x, y, **options):
    found = mine.pairwise(pd.DataFrame({"a": x, "b": y}), random_state=0, **options)
    return found.iloc[0]


def test_numbers_copied_into_a_part_of_the_rows_leave_the_interval_open():
    rng = np.random.default_rng(41)
    x = rng.gamma(2.0, size=300)
    row = _pair(x, np.where(rng.random(300) < 0.4, x, rng.gamma(2.0, size=300)), effort="fast")
    assert math.isinf(row["high"])
    assert "exactly the same number" in row["note"]


def test_neighbours_raise_the_end_of_an_edge_that_critics_round_off():
    rng = np.random.default_rng(42)
    width = 0.03
    x = rng.random(1200)
    row = _pair(x, x + width * rng.uniform(-1, 1, 1200), effort="fast")
    assert row["low"] <= width - math.log(2 * width) <= row["high"]
    assert "nearest neighbours find" in row["note"]


def test_a_function_without_noise_leaves_the_interval_open():
    rng = np.random.default_rng(43)
    x = rng.uniform(-3, 3, 500)
    assert math.isinf(_pair(x, np.sin(x), effort="fast")["high"])


@pytest.mark.parametrize("effort", ["fast", "default"])
def test_no_sentence_where_nothing_is_missed(effort):
    rng = np.random.default_rng(44)
    x = rng.normal(size=400)
    row = _pair(x, 0.8 * x + 0.6 * rng.normal(size=400), effort=effort)
    assert row["note"] == ""
    assert row["high"] < 1


def test_a_lag_scan_names_the_copied_numbers_of_one_lag():
    rng = np.random.default_rng(45)
    x = rng.normal(size=400)
    y = np.where(rng.random(400) < 0.5, np.roll(x, 2), rng.normal(size=400))
    scan = mine.lag_scan(x, y, range(4), random_state=0)
    assert [math.isinf(high) for high in scan.intervals[:, 1]] == [False, False, True, False]
    assert any("exactly the same number" in warning for warning in scan.warnings)


def test_a_method_by_name_leaves_a_function_open():
    x = np.random.default_rng(46).normal(size=300)
    row = _pair(x, np.tanh(x), method="ksg")
    assert math.isinf(row["high"])
    assert "deterministic" in row["note"]
