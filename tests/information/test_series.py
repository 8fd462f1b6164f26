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
