"""Transfer entropy of a linear VAR, whose value follows from its covariances."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.linalg import solve_discrete_lyapunov

import mine
from mine.errors import InputError, NotEnoughDataError
from mine.information.series import stretches

A = np.array([[0.5, 0.0], [0.5, 0.4]])  # x drives y


def var_series(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    state = np.zeros((n + 100, 2))
    for t in range(1, len(state)):
        state[t] = A @ state[t - 1] + rng.normal(size=2)
    return state[100:, 0], state[100:, 1]


def var_transfer(source: int, target: int) -> float:
    """Half the log of the residual variance of the target on its own past over that on both pasts, which is 1."""
    covariance = solve_discrete_lyapunov(A, np.eye(2))
    lagged = (A @ covariance)[target, target]
    alone = covariance[target, target] - lagged**2 / covariance[target, target]
    both = covariance[target, target] - (A @ covariance @ A.T)[target, target] + 0.0
    assert both == pytest.approx(1.0)
    assert source != target
    return 0.5 * math.log(alone / both)


def test_transfer_entropy_of_a_linear_process() -> None:
    x, y = var_series(8000)
    there = mine.transfer_entropy(x, y, method="gaussian")
    back = mine.transfer_entropy(y, x, method="gaussian")
    assert var_transfer(1, 0) == pytest.approx(0.0, abs=1e-12) and var_transfer(0, 1) > 0.1
    assert there.value == pytest.approx(var_transfer(0, 1), abs=0.02)
    assert back.value == pytest.approx(0.0, abs=0.005)


@pytest.mark.slow
def test_transfer_entropy_by_critics() -> None:
    x, y = var_series(8000, seed=1)
    there = mine.transfer_entropy(x, y, random_state=0)
    assert there.value == pytest.approx(var_transfer(0, 1), abs=0.03)
    assert there.interval[0] < var_transfer(0, 1) < there.interval[1]


def test_longer_pasts() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=4000)
    y = np.append(np.zeros(3), x[:-3]) + rng.normal(size=4000)  # x three rows ago: log(2) / 2
    found = [mine.transfer_entropy(x, y, lag=lag, history=1, method="gaussian").value for lag in (1, 2, 3)]
    assert found == pytest.approx([0.0, 0.0, math.log(2) / 2], abs=0.02)


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


@pytest.mark.parametrize(
    ("options", "message"), [({"lag": 0}, "lag must be"), ({"history": 1.5}, "history must"), ({"groups": [1]}, "groups=")]
)
def test_what_it_refuses(options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        mine.transfer_entropy(np.arange(100.0), np.arange(100.0), **options)
    with pytest.raises(InputError, match="side by side"):
        mine.transfer_entropy(np.arange(100.0), np.arange(90.0))
    with pytest.raises(NotEnoughDataError, match="at least 640"):
        mine.transfer_entropy(np.arange(100.0), np.arange(100.0), lag=10)


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
