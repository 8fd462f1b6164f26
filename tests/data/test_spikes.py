"""Spike times in windows: counts and intervals by hand, and the information of neurons for which it can be summed exactly."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom, poisson

import mine
from mine.errors import InputError, NotEnoughDataError, UnknownNameError

STATES = ["slow", "middle", "fast"]


def poisson_train(rates: np.ndarray, window: float, rng: np.random.Generator) -> np.ndarray:
    """Spike times of an inhomogeneous Poisson process whose rate is constant in each window."""
    counts = rng.poisson(rates * window)
    inside = rng.uniform(0, window, counts.sum())
    return np.sort(np.repeat(np.arange(len(rates)) * window, counts) + inside)


def rate_code_nats(rates: list[float], window: float) -> float:
    """I(S; N) of equally frequent states and Poisson counts, summed over counts."""
    counts = np.arange(400)
    return joint_nats(np.stack([poisson.pmf(counts, rate * window) / len(rates) for rate in rates]))


def joint_nats(p: np.ndarray) -> float:
    """Mutual information of a table of probabilities."""
    independent = p.sum(1, keepdims=True) * p.sum(0, keepdims=True)
    some = p > 1e-300
    return float((p[some] * np.log(p[some] / independent[some])).sum())


def test_counts_and_intervals_by_hand():
    windows = mine.spikes(
        [0.25, 0.5, 1.0, 2.75], 1.0, start=0.0, stop=3.0, bins=2, features=["counts", "since", "intervals"], n_intervals=2
    )
    assert windows.columns == (
        "train count 0", "train count 1", "train since", "train interval 0", "train interval 1",
    )  # fmt: skip
    nan = np.nan
    expected = [
        [1, 1, 0.5, 0.25, nan],
        [1, 0, 1.0, 0.5, 0.25],  # the spike at 1.0 belongs to the window that begins there
        [0, 1, 0.25, 1.75, 0.5],
    ]
    np.testing.assert_allclose(windows.values, expected)
    np.testing.assert_array_equal(windows.stops, [1, 2, 3])


def test_before_the_first_spike_nothing_is_known():
    windows = mine.spikes([5.5], 1.0, start=0.0, stop=7.0, features=["since", "intervals"], n_intervals=1)
    assert np.isnan(windows.values[:5]).all() and windows.values[5, 0] == 0.5 and np.isnan(windows.values[5, 1])


@pytest.mark.parametrize("window", [0.1, 0.3, 1 / 7])
def test_windows_side_by_side_count_every_spike_once(window: float):
    times = window * np.arange(1000)  # on the edges, where rounding could count twice
    windows = mine.spikes(times, window, start=0.0, stop=1000 * window, bins=3)
    assert windows.values.sum() == 1000 and len(windows) == 1000


def test_overlapping_and_event_windows():
    times = [0.1, 0.9, 1.4]
    assert mine.spikes(times, 1.0, step=0.5, start=0.0, stop=2.0).values.ravel().tolist() == [2, 2, 1]
    at_events = mine.spikes(times, 0.5, at=[1.0, 0.0, 9.0], stop=2.0)  # the last window does not end by 2
    assert mine.spikes(times, 0.5, at=[1.0, 9.0]).values.ravel().tolist() == [1, 0]  # silence after the last spike counts
    assert at_events.values.ravel().tolist() == [1, 1] and at_events.starts.tolist() == [1.0, 0.0]


def test_trains_by_name_and_as_a_frame():
    windows = mine.spikes({"a": [0.1, 0.2], "b": np.array([1.5])}, 1.0, stop=2.0, bins=2)
    assert windows["b"].tolist() == [[0, 0], [0, 1]] and windows.columns[0] == "a count 0"
    assert list(windows.to_frame().columns) == ["start", *windows.columns]
    assert mine.spikes([[0.1], []], 1.0, stop=1.0).trains == ("train 0", "train 1")
    with pytest.raises(UnknownNameError, match="train"):
        windows["c"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"times": [0.2, 0.1], "window": 1.0}, "sort"),
        ({"times": [0.1, math.nan], "window": 1.0}, "missing"),
        ({"times": [0.1], "window": 0.0}, "positive"),
        ({"times": [], "window": 1.0}, "stop="),
        ({"times": [[0.1, 0.2], [[0.1]]], "window": 1.0}, "one dimension"),
        ({"times": [0.1, 2.0], "window": 1.0, "bins": 0}, "bins"),
        ({"times": [0.1, 2.0], "window": 1.0, "at": [0.0], "step": 0.5}, "leave step out"),
        ({"times": [0.1, 1e12], "window": 1.0}, "seconds"),
        ({"times": [0.1, 2.0], "window": 1.0, "features": ["counts", "counts"]}, "once"),
    ],
)
def test_what_cannot_be_used_says_why(arguments: dict, words: str):
    with pytest.raises(InputError, match=words):
        mine.spikes(**arguments)


def test_unknown_feature_and_no_window():
    with pytest.raises(UnknownNameError, match="feature"):
        mine.spikes([0.1], 1.0, features="rate")
    with pytest.raises(NotEnoughDataError, match="No window"):
        mine.spikes([0.1], 1.0, stop=0.5)


def test_mean_of_a_signal():
    windows = mine.spikes([0.5], 1.0, start=0.0, stop=3.0)
    found = windows.mean_of([1.0, 2.0, 9.0], [0.0, 0.5, 1.0])
    assert found[:2].tolist() == [1.5, 9.0] and np.isnan(found[2])
    with pytest.raises(InputError, match="one time per sample"):
        windows.mean_of([1.0], [0.0, 1.0])


@pytest.mark.parametrize("rates", [[2.0, 6.0, 18.0], [20.0, 25.0, 30.0], [1.0, 1.5, 40.0]])
def test_rate_code_of_a_poisson_neuron(rates: list[float]):
    rng = np.random.default_rng(int(10 * rates[0]))
    window, exact = 0.5, rate_code_nats(rates, 0.5)
    state = rng.integers(0, 3, 4000)
    windows = mine.spikes(poisson_train(np.array(rates)[state], window, rng), window, start=0.0, stop=4000 * window)
    est = mine.estimate(windows, np.array(STATES)[state], random_state=0)
    assert abs(est.value - exact) < 0.03 and est.interval[0] <= exact <= est.interval[1]


def test_a_refractory_neuron_in_windows_shorter_than_its_dead_time():
    """At most one spike fits: P(1) is the window over the mean interval, so that the information is that of two labels."""
    rng = np.random.default_rng(3)
    dead, window, block, n = 0.02, 0.02, 20.0, 400
    rates = np.where(rng.random(n) < 0.5, 10.0, 40.0)  # after the dead time; constant for a block of 20 s
    trains = []
    for k, rate in enumerate(rates):
        intervals = dead + rng.exponential(1 / rate, int(3 * block / (dead + 1 / rate)) + 50)
        arrivals = np.cumsum(intervals)
        arrivals = arrivals[arrivals > 5] - 5  # in its stationary state
        trains.append(k * block + arrivals[arrivals < block - dead])
    starts = (block * np.arange(n)[:, None] + np.arange(0.5, 18.5, 0.9)).ravel()
    windows = mine.spikes(np.concatenate(trains), window, at=starts, stop=n * block)
    ones = window / (dead + 1 / np.array([10.0, 40.0]))
    shares = np.array([np.mean(rates == 10), np.mean(rates == 40)])
    exact = joint_nats(np.stack([shares * (1 - ones), shares * ones]))
    assert set(np.unique(windows.values)) == {0.0, 1.0}
    est = mine.estimate(windows, rates.repeat(20), discrete=True, random_state=0)
    assert abs(est.value - exact) < 0.01 and est.interval[0] <= exact <= est.interval[1]


def test_a_train_that_copies_another():
    """B has each spike of A with probability 0.6, and spikes of its own: a binomial within a table of Poisson counts."""
    rng = np.random.default_rng(5)
    a = np.sort(rng.uniform(0, 3000, rng.poisson(2 * 3000)))
    own = rng.uniform(0, 3000, rng.poisson(1 * 3000))
    b = np.sort(np.concatenate([a[rng.random(len(a)) < 0.6], own]))
    windows = mine.spikes({"a": a, "b": b}, 1.0, start=0.0, stop=3000.0)
    counts = np.arange(30)
    given_a = np.stack([np.convolve(row, poisson.pmf(counts, 1.0)) for row in binom.pmf(counts, counts[:, None], 0.6)])
    exact = joint_nats(given_a * poisson.pmf(counts, 2.0)[:, None])
    est = mine.estimate(windows["a"], windows["b"], random_state=0)
    assert abs(est.value - exact) < 0.05 and est.interval[0] <= exact <= est.interval[1]


def test_timing_is_seen_by_bins_only():
    """One spike a window, early or late by the stimulus: nothing in the count, one bit in two bins."""
    rng = np.random.default_rng(0)
    late = rng.integers(0, 2, 1000)
    times = np.arange(1000) + 0.5 * late + rng.uniform(0, 0.5, 1000)
    labels = np.array(["early", "late"])[late]
    both = mine.spikes(times, 1.0, start=0.0, stop=1000.0, bins=2)
    assert np.unique(mine.spikes(times, 1.0, start=0.0, stop=1000.0).values).tolist() == [1.0]
    assert mine.estimate(both, labels, unit="bits", random_state=0).value == pytest.approx(1.0, abs=0.02)


def test_intervals_of_a_refractory_neuron():
    """I(state; last interval) of dead time plus exponential: an integral, here on a fine grid."""
    rng = np.random.default_rng(1)
    state = rng.integers(0, 2, 1500)
    rates, dead = np.array([5.0, 30.0]), 0.01
    intervals = dead + rng.exponential(1 / rates[state])
    first = dead + rng.exponential(1 / rates[state])
    times = np.sort(np.concatenate([50.0 * np.arange(1500) + first, 50.0 * np.arange(1500) + first + intervals]))
    windows = mine.spikes(times, 50.0, start=0.0, stop=75_000.0, features="intervals", n_intervals=1)
    grid = np.linspace(0, 6, 2_000_001)
    p = np.stack([r * np.exp(-r * grid) for r in rates])
    exact = float((0.5 * p * np.log(p / p.mean(0))).sum() * (grid[1] - grid[0]))
    est = mine.estimate(windows, np.array(["slow", "fast"])[state], effort="fast", random_state=0)
    assert abs(est.value - exact) < 0.06 and est.interval[0] <= exact <= est.interval[1]
