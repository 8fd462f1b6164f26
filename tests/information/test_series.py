"""Stretches of time, what counts as a state, and the old lagged_information."""

from __future__ import annotations

import math

import numpy as np
import pytest

import mine
from mine.information.series import stretches

pytestmark = pytest.mark.filterwarnings("ignore:mine.lagged_information:FutureWarning")


def test_lags() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=4000)
    y = np.append(0.0, x[:-1]) + rng.normal(size=4000)
    found = mine.lagged_information(x, y, lags=(0, 1), method="gaussian")
    assert list(found) == [0, 1] and found[0].n == found[1].n
    assert [est.value for est in found.values()] == pytest.approx([0.0, math.log(2) / 2], abs=0.02)


def test_no_value_is_in_two_stretches() -> None:
    rows, stretch = stretches(1000, 5)
    used = [{t - k for t in rows[stretch == s] for k in range(6)} for s in np.unique(stretch)]
    assert sum(map(len, used)) == len(set().union(*used)) and min(set().union(*used)) >= 0


def test_the_old_name_names_the_new_one() -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 200))
    with pytest.warns(FutureWarning, match="mine.lagged_information is called mine.lag_scan since version 0.9") as warned:
        mine.lagged_information(x, y, [1], method="gaussian")
    assert warned[0].filename == __file__


@pytest.mark.parametrize("kind", ["integers", "booleans", "text", "two columns"])
def test_states_are_labels(kind: str) -> None:
    # the next state of y is the last of x, but for a tenth: log 2 - H(0.1)
    rng = np.random.default_rng(41)
    x = rng.integers(0, 2, 1200)
    y = np.append(0, x[:-1]) ^ (rng.random(1200) < 0.1)
    truth = math.log(2) + 0.1 * math.log(0.1) + 0.9 * math.log(0.9)
    names = np.array(["off", "on"])
    states = {
        "integers": (x, y), "booleans": (x > 0, y > 0), "text": (names[x], names[y]),
        "two columns": (np.c_[x, rng.integers(0, 2, 1200)], y),
    }[kind]  # fmt: skip
    found = mine.transfer_entropy(*states, random_state=0)
    assert found.value == pytest.approx(truth, abs=0.06) and found.interval[0] < truth < found.interval[1] < math.log(2)
    assert len(found.diagnostics["discrete_columns"]) == (4 if kind == "two columns" else 3)


def test_the_kind_is_that_of_the_whole_series() -> None:
    # 20 values in 200 rows are labels, and so they are in the fewer rows that the stretches leave
    rng = np.random.default_rng(43)
    x = rng.permutation(np.arange(200) % 20)
    found = mine.lagged_information(x, np.roll(x, 1), [1], random_state=0)[1]
    assert sorted(found.diagnostics["discrete_columns"]) == ["x", "y"]


def test_states_against_numbers_and_numbers_by_a_method_for_numbers() -> None:
    rng = np.random.default_rng(47)
    states = rng.integers(0, 2, 1500)
    y = np.append(0, 6 * states[:-1]) + rng.normal(size=1500)  # far apart: the last state is as good as read off
    found = mine.lagged_information(states, y, [0, 1], method="ross", random_state=0)
    assert [found[lag].value for lag in (0, 1)] == pytest.approx([0, math.log(2)], abs=0.05)
    rated = mine.lagged_information(states, y, [1], method="ksg", random_state=0)[1]
    assert rated.diagnostics["discrete_columns"] == [] and rated.value == pytest.approx(math.log(2), abs=0.08)


def test_states_with_gaps() -> None:
    states = np.array(["a", "b"], object)[np.random.default_rng(53).integers(0, 2, 900)]
    holes = states.copy()
    holes[::50] = None
    found = mine.lagged_information(holes, np.roll(states, 1), [1], drop_missing=True, random_state=0)[1]
    assert found.value == pytest.approx(math.log(2), abs=0.03) and found.diagnostics["dropped_missing_rows"] > 10


@pytest.mark.parametrize("lag", [1, 2])
def test_transfer_entropy_of_bits_ends_at_one_bit(lag: int) -> None:
    s = np.random.default_rng(83).integers(0, 2, 2400)
    est = mine.transfer_entropy(s, np.roll(s, lag), lag, unit="bits", random_state=0)
    assert abs(est.value - 1) < 0.02 and est.interval[1] <= 1 + 1e-9


def test_transfer_entropy_of_noisy_and_of_unrelated_states() -> None:
    covered = 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        x = rng.integers(0, 2, 1200)
        y = np.append(0, x[:-1]) ^ (rng.random(1200) < 0.1)
        there, back = mine.transfer_entropy(x, y), mine.transfer_entropy(y, x)
        covered += there.interval[0] <= 0.368 <= there.interval[1]
        assert abs(there.value - 0.368) < 0.06 and back.interval[0] <= 0 < back.interval[1] < 0.02
    assert covered >= 5


def test_lags_of_the_old_function_may_be_one_number():
    x, y = np.random.default_rng(5).normal(size=(2, 200))
    assert list(mine.lagged_information(x, y, 2, method="gaussian")) == [0, 1, 2]
    with pytest.raises(mine.InputError, match="whole number or several"):
        mine.lagged_information(x, y, 1.5)
