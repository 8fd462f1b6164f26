"""How many dimensions are shared: counts that are known, and the rule for where the information flattens."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

import mine
from mine.errors import InputError, NotEnoughDataError, UnknownNameError
from mine.information.flattening import Gains, gains_of, where_flat


def latents(k: int, d: int, n: int, seed: int, bend: str = "none", rho: float = 0.85) -> tuple[np.ndarray, np.ndarray]:
    """Two sides of d columns that see k correlated latents, each through a mixing of its own."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(n, k))
    w = rho * z + math.sqrt(1 - rho**2) * rng.normal(size=(n, k))

    def side(latent: np.ndarray) -> np.ndarray:
        mixed = latent @ rng.normal(size=(k, d)) / math.sqrt(max(k, 1))
        bent = {"none": mixed, "tanh": np.tanh(1.5 * mixed), "square": mixed + 0.3 * mixed**2}[bend]
        return bent + 0.4 * rng.normal(size=(n, d))

    return side(z), side(w)


@pytest.mark.parametrize(("k", "d", "bend"), [(1, 20, "square"), (3, 30, "tanh")])
def test_shared_latents_are_counted(k: int, d: int, bend: str):
    found = mine.shared_dimensions(*latents(k, d, 1000, seed=k, bend=bend), max_dimensions=k + 2, random_state=0)
    assert abs(found.dimensions - k) <= 1 and found.interval[0] <= k <= found.interval[1]


@pytest.mark.slow
@pytest.mark.parametrize(("k", "d", "n", "bend"), [(6, 100, 3000, "none"), (4, 60, 2000, "square"), (5, 100, 2000, "tanh")])
def test_many_shared_latents_in_many_columns(k: int, d: int, n: int, bend: str):
    found = mine.shared_dimensions(*latents(k, d, n, seed=40 + k, bend=bend), random_state=0)
    assert abs(found.dimensions - k) <= 1 and found.interval[0] <= k <= found.interval[1]


def test_independent_sides_share_nothing():
    found = mine.shared_dimensions(*latents(0, 20, 800, seed=0), max_dimensions=4, random_state=0)
    assert found.dimensions == 0 and found.interval[0] == 0
    assert any("can hide dependence" in warning for warning in found.warnings)


def test_two_walks_that_never_meet_share_nothing_in_order():
    rng = np.random.default_rng(4)
    walks = np.zeros((1000, 6))
    for t in range(1, 1000):
        walks[t] = 0.98 * walks[t - 1] + rng.normal(size=6)
    x, y = walks[:, :3], walks[:, 3:]
    assert mine.shared_dimensions(x, y, order="time", random_state=0).dimensions == 0
    assert any("order=" in warning for warning in mine.shared_dimensions(x, y, steps=2, random_state=0).warnings)


def test_more_dimensions_than_asked_for_leave_the_interval_open():
    found = mine.shared_dimensions(*latents(4, 12, 1500, seed=3), max_dimensions=2, random_state=0)
    assert found.dimensions == 2 and found.interval[1] == math.inf
    assert any("max_dimensions" in warning for warning in found.warnings)
    assert "or more" in str(found) and found.to_dict()["interval"][1] is None


def test_the_narrower_side_is_the_most_that_can_be_shared():
    x, y = latents(2, 10, 1200, seed=5)
    found = mine.shared_dimensions(x[:, 0], y, random_state=0)
    assert found.widths == (1,) and found.dimensions == 1 and found.interval == (1, 1)
    few = mine.shared_dimensions(
        x[:60, :2], y[:60], random_state=0
    )  # far too few rows: more are possible, but no more than two
    assert few.interval[1] == 2


def test_tables_labels_and_units():
    x, y = latents(2, 6, 800, seed=6)
    frame = pd.DataFrame(x, columns=list("abcdef")).assign(kind=np.where(y[:, 0] > 0, "up", "down"))
    settings = {"max_dimensions": 2, "steps": 20, "random_state": 0}
    nats = mine.shared_dimensions(frame, y, **settings)
    bits = mine.shared_dimensions(frame, y, unit="bits", **settings)
    np.testing.assert_allclose(np.array(bits.values) * math.log(2), nats.values)
    assert bits.dimensions == nats.dimensions and bits.interval == nats.interval
    table = bits.to_frame()
    assert list(table.columns) == ["width", "value", "low", "high", "gain", "gain_low", "gain_high"]
    np.testing.assert_allclose(table["gain"].cumsum(), table["value"])
    figure = bits.plot()
    assert "bits" in figure.axes[0].get_ylabel() and str(bits.dimensions) in figure.axes[0].get_title(loc="left")


def test_the_same_seed_gives_the_same_digits_and_progress_is_told():
    x, y = latents(1, 5, 400, seed=7)
    told: list[tuple[int, int]] = []
    first = mine.shared_dimensions(
        x, y, max_dimensions=2, steps=30, random_state=3, progress=lambda done, total, _: told.append((done, total))
    )
    assert first.values == mine.shared_dimensions(x, y, max_dimensions=2, steps=30, random_state=3).values
    assert told[0] == (0, 30) and told[-1] == (30, 30)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"max_dimensions": 0}, InputError, "max_dimensions"),
        ({"max_dimensions": 2.0}, InputError, "max_dimensions"),
        ({"steps": 0}, InputError, "steps"),
        ({"unit": "bit"}, UnknownNameError, "bits"),
        ({"groups": [0] * 50 + [1] * 50}, NotEnoughDataError, "groups"),
    ],
)
def test_what_cannot_be_used_says_why(options: dict, error: type[Exception], words: str):
    x = np.random.default_rng(0).normal(size=(100, 2))
    with pytest.raises(error, match=words):
        mine.shared_dimensions(x, x, **options)


def flat(values: list[float], stderr: float = 0.005, n: int = 5000) -> tuple[int, tuple[int, float]]:
    mean = np.subtract.outer(values, values).T
    return where_flat(Gains(np.triu(mean), np.full(mean.shape, stderr), n))


@pytest.mark.parametrize(
    ("values", "dimensions", "interval"),
    [
        ([0, 1.0, 2.0, 2.0, 2.0], 2, (2, 2)),
        ([0, 1.0, 2.0, 2.03, 2.03], 2, (2, 2)),  # less than 2 % does not count
        ([0, 1.0, 2.0, 2.07, 2.07], 3, (2, 3)),  # it counts, and is not certain
        ([0, 1.0, 2.0, 1.9, 1.8], 2, (2, 2)),  # wider critics overfit
        ([0, 1.0, 1.0, 1.5, 1.5], 3, (3, 3)),  # the second number alone shows nothing, with the third it does
        ([0, 0.001, 0.002, 0.001, 0.0], 0, (0, 4)),  # 0.005 of error for gains of 0.004 that would count
    ],
)
def test_where_it_flattens(values: list[float], dimensions: int, interval: tuple[int, int]):
    assert flat(values) == (dimensions, interval)


def test_a_gain_within_its_error_leaves_both_numbers_possible():
    assert flat([0, 1.0, 1.08, 1.08], stderr=0.04) == (1, (1, 3))


def test_near_the_most_that_rows_can_show_gains_are_stretched_to_equal_ones():
    """Of equal gains of 2 nats, 600 rows show less and less; stretched they are 2 nats again."""
    cap, truth = math.log(600), 2.0 * np.arange(5)
    shown = -np.log(np.exp(-truth) + np.exp(-cap))
    mean = np.triu(np.subtract.outer(shown, shown).T)
    resolved = Gains(mean, np.full(mean.shape, 0.01), 600).resolved(cap)
    np.testing.assert_allclose(np.diff(resolved.mean[0]), 2.0, atol=0.15)
    assert resolved.stderr[3, 4] > 2 * resolved.stderr[0, 1]


def test_luck_in_one_fold_is_no_gain():
    rows = np.zeros((900, 2))
    rows[:300, 1] = 0.3
    folds = np.repeat([0, 1, 2], 300)
    gains = gains_of(rows, folds, lambda gain: float(gain.std()) / 30, 900)
    assert gains.mean[0, 1] == pytest.approx(0.1) and gains.stderr[0, 1] == pytest.approx(0.1)


def test_further_digits_of_copied_numbers_are_no_sure_dimension() -> None:
    rng = np.random.default_rng(12)
    x = rng.normal(size=(400, 3))
    y = np.c_[np.sinh(x[:, :2]), rng.normal(size=400)]
    found = mine.shared_dimensions(x, y, max_dimensions=3, random_state=0, steps=60)
    assert found.interval[0] <= 2 <= found.interval[1]
    assert any("fewer too" in warning for warning in found.warnings)
