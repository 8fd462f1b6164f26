"""Transfer entropy of processes whose value follows from their covariances or probabilities, and of coupled maps."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from scipy.linalg import solve_discrete_lyapunov

import mine
from mine.errors import InputError, NotEnoughDataError
from mine.information.series import read_series
from mine.information.transfer import embedded

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


def logistic_maps(seed: int, n: int = 1500, coupling: float = 0.2) -> tuple[np.ndarray, np.ndarray]:
    """Two chaotic maps, the first of which drives the second."""
    x, y = np.random.default_rng(seed).uniform(0.1, 0.9, 2)
    states = []
    for _ in range(n + 300):
        mixed = (1 - coupling) * y + coupling * x
        x, y = 3.9 * x * (1 - x), 3.9 * mixed * (1 - mixed)
        states.append((x, y))
    return tuple(np.array(states[300:]).T)


def test_transfer_entropy_of_a_linear_process() -> None:
    x, y = var_series(8000)
    there = mine.transfer_entropy(x, y, method="gaussian")
    back = mine.transfer_entropy(y, x, method="gaussian")
    assert var_transfer(1, 0) == pytest.approx(0.0, abs=1e-12) and var_transfer(0, 1) > 0.1
    assert there.value == pytest.approx(var_transfer(0, 1), abs=0.02)
    assert back.value == pytest.approx(0.0, abs=0.005)


def test_neighbours_are_the_default_for_few_numbers() -> None:
    x, y = var_series(5000, seed=1)
    there, back = mine.transfer_entropy(x, y, random_state=0), mine.transfer_entropy(y, x, effort="fast", random_state=0)
    assert there.method == back.method == "ksg, conditional"
    assert there.value == pytest.approx(var_transfer(0, 1), abs=0.03) and back.value == pytest.approx(0.0, abs=0.03)
    assert there.interval[0] < var_transfer(0, 1) < there.interval[1] and back.interval[0] < 0 < back.interval[1]


@pytest.mark.slow
def test_transfer_entropy_by_critics() -> None:
    x, y = var_series(8000, seed=1)
    there = mine.transfer_entropy(x, y, hidden=(64, 64), random_state=0)
    assert there.method == "auto, conditional"
    assert there.value == pytest.approx(var_transfer(0, 1), abs=0.03)
    assert there.interval[0] < var_transfer(0, 1) < there.interval[1]


@pytest.mark.parametrize("options", [{}, {"history": "auto", "longest": 3}])
def test_direction_of_coupled_maps(options: dict) -> None:
    for seed in range(3):
        x, y = logistic_maps(seed)
        there, back = (mine.transfer_entropy(*sides, random_state=0, **options) for sides in ((x, y), (y, x)))
        assert there.interval[0] > 0.05 > abs(back.value)


@pytest.mark.slow
def test_a_heap_of_values_goes_to_critics() -> None:
    x, y = var_series(400)
    found = mine.transfer_entropy(np.maximum(x, 0), y, random_state=0, effort="fast")
    assert found.method.startswith("auto")


def test_longer_pasts() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=4000)
    y = np.append(np.zeros(3), x[:-3]) + rng.normal(size=4000)  # x three rows ago: log(2) / 2
    found = [mine.transfer_entropy(x, y, lag=lag, history=1, method="gaussian").value for lag in (1, 2, 3)]
    assert found == pytest.approx([0.0, 0.0, math.log(2) / 2], abs=0.02)


def test_a_common_driver_is_taken_out_by_z() -> None:
    rng = np.random.default_rng(3)
    w = rng.normal(size=3000)
    x, y = np.roll(w, 1) + rng.normal(size=3000), np.roll(w, 2) + rng.normal(size=3000)
    seeming = mine.transfer_entropy(x, y, method="gaussian")
    assert seeming.value == pytest.approx(0.5 * math.log(2 / 1.5), abs=0.02)  # y_t given x_{t-1}: half of w's part is known
    direct = mine.transfer_entropy(x, y, 1, history=2, z=w, method="gaussian")
    assert abs(direct.value) < 0.01 and direct.diagnostics["lags"] == {"x": [1], "y": [1, 2], "z": [1, 2]}
    labels = mine.transfer_entropy(x > 0, y > 0, z=np.where(w > 0, "a", "b"), history=2, random_state=0)
    assert len(labels.diagnostics["discrete_columns"]) == 6


def test_chosen_lags_are_those_of_the_process() -> None:
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=3000), np.zeros(3000)
    for t in range(4, 3000):
        y[t] = 0.6 * y[t - 2] + 0.8 * x[t - 4] + rng.normal()
    found = mine.transfer_entropy(x, y, history="auto", longest=5, random_state=0)
    assert found.diagnostics["lags"] == {"x": [4], "y": [2], "z": []}
    assert found.value == pytest.approx(0.5 * math.log(1 + 0.8**2), abs=0.05)
    told = mine.transfer_entropy(x, y, 1, history="auto", longest=5, random_state=0)
    assert told.diagnostics["lags"]["x"] == [1] and abs(told.value) < 0.04


def test_a_choice_among_lags_does_not_flatter() -> None:
    """Ten candidates and no transfer: the mean over seeds is 0, as the choice uses other rows than the estimate."""
    found = []
    for seed in range(8):
        x, y = np.random.default_rng(seed).normal(size=(2, 1000))
        found.append(mine.transfer_entropy(x, y, history="auto", method="gaussian").value)
    assert abs(np.mean(found)) < 3e-3


def test_effective_transfer_entropy_and_its_p_value(tmp_path: Path) -> None:
    x, y = var_series(1500)
    calls: list[int] = []
    options = {"method": "gaussian", "n_permutations": 39, "random_state": 0, "out": tmp_path}
    there = mine.transfer_entropy(x, y, test=True, progress=lambda done, total, text: calls.append(total), **options)
    assert there.p_value == 1 / 40 and there.value == pytest.approx(var_transfer(0, 1), abs=0.05) and calls == [39] * 39
    raw, mean = there.diagnostics["uncorrected"], there.diagnostics["copies_mean"]
    assert there.value == pytest.approx(raw - mean) and abs(mean) < 0.01
    assert raw == mine.transfer_entropy(x, y, method="gaussian").value
    assert "Estimate" in repr(there) and "p = 0.025" in repr(there)
    cells = sorted((tmp_path / "cells").iterdir())
    assert len(cells) == 39
    cells[0].unlink()
    again = mine.transfer_entropy(x, y, test=True, **options)
    assert again.value == there.value and len(list((tmp_path / "cells").iterdir())) == 39
    back = mine.transfer_entropy(y, x, test=True, **options).p_value
    assert back is not None and back > 0.05


def test_the_value_of_a_copy_is_that_of_the_estimate() -> None:
    """The quick values of shifted copies are those that mine.estimate gives for the shifted series."""
    x, y = var_series(900)
    for method in ("ksg", "gaussian"):
        plain = mine.transfer_entropy(x, y, method=method, random_state=5)
        seen = mine.transfer_entropy(x, y, method=method, random_state=5, test=True, n_permutations=19)
        assert seen.diagnostics["uncorrected"] == plain.value
        from mine.information.series import read_series
        from mine.information.transfer import embedded

        (driver, driven, others), _, _ = read_series({}, x=x, y=y, z=None)
        transfer = embedded(driver, driven, others, 1, None, None)
        assert transfer.value({"method": method, "random_state": 5}) == pytest.approx(plain.value, abs=1e-10)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lag": 0}, "lag must be"),
        ({"history": 1.5}, "history must"),
        ({"groups": [1]}, "groups has 1"),
        ({"order": "day"}, "order='day'"),
        ({"order": range(5)}, "order has 5 values"),
        ({"longest": 3}, "longest="),
        ({"history": "auto", "longest": 0}, "longest must"),
        ({"test": True, "n_permutations": 5}, "n_permutations must"),
        ({"test": True, "out": "somewhere"}, "integer random_state"),
    ],
)
def test_what_it_refuses(options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        mine.transfer_entropy(np.arange(200.0), np.arange(200.0), **{"method": "gaussian", **options})
    with pytest.raises(InputError, match="side by side"):
        mine.transfer_entropy(np.arange(100.0), np.arange(90.0))
    with pytest.raises(NotEnoughDataError, match="at least 640"):
        mine.transfer_entropy(np.arange(100.0), np.arange(100.0), lag=10)


def test_what_time_alone_changes_is_told() -> None:
    """Unrelated series with a trend each: a shifted copy has lost its trend, so that every test rejects. A line has no news."""
    rng = np.random.default_rng(1)
    trends = np.linspace(0, 5, 600) + rng.normal(size=(2, 600))
    found = mine.transfer_entropy(*trends, method="gaussian", test=True, n_permutations=19)
    assert any("drift" in warning and "P-values" in warning for warning in found.warnings)
    assert not any("drift" in w for w in mine.transfer_entropy(rng.normal(size=600), trends[0], method="gaussian").warnings)
    line = mine.transfer_entropy(rng.normal(size=600), np.arange(600.0), method="gaussian", test=True, n_permutations=19)
    assert line.value == 0.0 and line.p_value == 1.0
    wave = np.sin(np.arange(600) / 4)
    seasons = mine.transfer_entropy(wave + rng.normal(size=600) / 3, wave + rng.normal(size=600) / 3, method="gaussian")
    assert any("same period" in warning for warning in seasons.warnings)


@pytest.mark.parametrize("history", [1, 2])
def test_copies_are_estimated_as_the_series_are(history: int) -> None:
    """Of a series whose past nearly determines it, both take what the past leaves: else every test would reject or none."""
    rng = np.random.default_rng(3)
    series = {"x": rng.normal(size=500), "y": rng.normal(size=500).cumsum().cumsum(), "z": None}
    sides, _, options = read_series({"method": "gaussian", "random_state": 0}, **series)
    transfer = embedded(*sides, 1, history, None)
    assert transfer.value(options) == pytest.approx(transfer.estimated(options)[0].value, abs=1e-12)


@pytest.mark.parametrize("bend", [lambda x: x, lambda x: np.cos(2 * x)])
def test_a_past_that_determines_the_next_value_leaves_the_interval_open(bend):
    x = np.random.default_rng(71).uniform(-2, 2, 400)
    found = mine.transfer_entropy(x, bend(np.roll(x, 1)), random_state=0)
    assert math.isinf(found.interval[1])
    assert "y seems to follow" in found.warnings[0] or "y by x" in found.warnings[0]


def test_noise_keeps_an_upper_end():
    rng = np.random.default_rng(72)
    x = rng.normal(size=600)
    found = mine.transfer_entropy(x, 3 * np.roll(x, 1) + rng.normal(size=600), random_state=0)
    assert found.interval[0] <= 0.5 * math.log(10) <= found.interval[1] < 2


def test_messages_name_the_series_as_the_caller_does():
    rng = np.random.default_rng(73)
    names, states = np.char.add("n", np.arange(300).astype(str)), np.char.add("s", rng.integers(0, 3, 300).astype(str))
    assert "Column 'x' has" in mine.transfer_entropy(names, states, random_state=0).warnings[0]
    assert "'y'" in mine.transfer_entropy(states, names, random_state=0).warnings[0]
    with pytest.raises(mine.InputError, match="x is constant"):
        mine.transfer_entropy(np.zeros(300), rng.normal(size=300))
