"""Inputs that were once taken without a word, or said the wrong thing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import mine
from mine.errors import InputError, MineError, NotEnoughDataError

RNG = np.random.default_rng(0)
X = RNG.normal(size=60)
Y = X + RNG.normal(size=60)


@pytest.mark.parametrize("kind", [complex, np.complex64])
def test_complex_numbers_in_a_column_of_objects_are_no_labels(kind: Any):
    column = np.array([kind(value + 1j) for value in X], object)
    for call in (
        lambda: mine.estimate(column, Y),
        lambda: mine.estimate(column, np.repeat(["a", "b"], 30), method="discrete"),
        lambda: mine.independence_test(column, Y, n_permutations=19),
        lambda: mine.estimate(X, Y, groups=column, method="gaussian"),
    ):
        with pytest.raises(InputError, match="complex"):
            call()


@pytest.mark.parametrize("method", ["gaussian", "ksg", "auto"])
def test_one_group_says_nothing_of_how_sure_a_value_is(method: str):
    with pytest.raises(NotEnoughDataError, match="1 distinct group"):
        mine.estimate(X, Y, groups=np.zeros(60), method=method)
    series = mine.estimate(X, Y, groups=np.zeros(60), order="time", method="gaussian")  # one series is as good as no groups
    assert series.interval == mine.estimate(X, Y, order="time", method="gaussian").interval


def test_windows_of_no_column():
    with pytest.raises(InputError, match="at least one column"):
        mine.windows(pd.DataFrame(index=range(20)), 3)


def test_errors_spell_out_control_characters():
    frame = pd.DataFrame({"a\x1b[31m": X})
    with pytest.raises(MineError) as error:
        mine.pairwise(frame)
    assert "\x1b" not in str(error.value) and r"a\x1b[31m" in str(error.value)
