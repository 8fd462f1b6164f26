"""Sides of several columns of labels: what counts of labels find is never lost to critics that go astray."""

import math

import numpy as np
import pandas as pd
import pytest

import mine


def _text(codes, prefix="v"):
    return np.char.add(prefix, codes.astype(str))


def _entropy(codes):
    p = np.bincount(codes)[np.bincount(codes) > 0] / len(codes)
    return float(-(p * np.log(p)).sum())


def test_what_two_columns_of_labels_tell_together():
    rng = np.random.default_rng(51)
    a, b = rng.integers(0, 13, (2, 700))
    found = mine.estimate(np.c_[_text(a), _text(b)], _text((a + 2 * b) % 13), effort="fast", random_state=0)
    assert found.value == pytest.approx(math.log(13), abs=0.03)
    assert found.interval[0] > 2.3
    assert "Counts of the labels" in found.warnings[0]


def test_a_second_column_that_repeats_the_first_changes_nothing():
    rng = np.random.default_rng(52)
    a = rng.integers(0, 70, 500)
    b = np.where(rng.random(500) < 0.8, a, rng.integers(0, 70, 500))
    plain = mine.estimate(_text(a), _text(b), random_state=0)
    doubled = mine.estimate(np.c_[_text(a), _text(a % 5, "g")], _text(b), random_state=0)
    assert doubled.value == pytest.approx(plain.value, abs=1e-9)
    assert doubled.interval == pytest.approx(plain.interval, abs=1e-9)


def test_labels_given_a_number_that_says_nothing():
    rng = np.random.default_rng(53)
    a = rng.integers(0, 45, 500)
    found = mine.estimate(_text(a), _text(a * 2, "w"), rng.normal(size=500), effort="fast", random_state=0)
    assert found.value == pytest.approx(_entropy(a), abs=0.1)
    assert found.interval[0] > 3


def test_independent_labels_stay_at_zero():
    rng = np.random.default_rng(54)
    side = np.c_[_text(rng.integers(0, 9, 500)), _text(rng.integers(0, 9, 500))]
    found = mine.estimate(side, _text(rng.integers(0, 9, 500)), effort="fast", random_state=0)
    assert found.interval[0] <= 0 <= found.interval[1]
    assert abs(found.value) < 0.03


def test_an_identifier_hides_nothing_of_the_label_beside_it():
    rng = np.random.default_rng(55)
    label = _text(rng.integers(0, 3, 300))
    found = mine.estimate(np.c_[_text(np.arange(300), "id"), label], np.char.add("w", label), effort="fast", random_state=0)
    assert found.value == pytest.approx(math.log(3), abs=0.1)
    assert found.interval[0] > 0.9


def test_levels_of_few_rows_beside_a_number_are_within_the_interval():
    rng = np.random.default_rng(56)
    level, x = rng.integers(0, 70, 350), rng.normal(size=350)
    mean = rng.normal(size=70)
    y = mean[level] + x + 0.5 * rng.normal(size=350)
    found = mine.estimate(pd.DataFrame({"shop": _text(level), "x": x}), y, effort="fast", random_state=0)
    assert found.interval[0] <= 0.5 * math.log((mean.var() + 1.25) / 0.25) <= found.interval[1] < 2
    assert any("Few rows per level of shop" in warning for warning in found.warnings)


def test_levels_that_say_nothing_leave_the_interval_narrow():
    rng = np.random.default_rng(57)
    side = pd.DataFrame({"shop": _text(rng.integers(0, 70, 350)), "x": rng.normal(size=350)})
    found = mine.estimate(side, rng.normal(size=350), effort="fast", random_state=0)
    assert found.interval[1] < 0.15
