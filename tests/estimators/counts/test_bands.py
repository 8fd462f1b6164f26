"""Mixtures in bands, and what they are for: tables of rare and frequent levels, against exact sums."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mine.estimators.counts.bands import fit_bands
from mine.estimators.counts.choose import information
from mine.estimators.counts.table import Table, distinct_codes


def _zipf(k: int, exponent: float) -> np.ndarray:
    weight = 1 / np.arange(1.0, k + 1) ** exponent
    return weight / weight.sum()


def _information(joint: np.ndarray) -> float:
    """Exact information (nats) of a joint distribution (k, m)."""
    outer = joint.sum(1, keepdims=True) * joint.sum(0)
    occupied = joint > 0
    return float((joint[occupied] * np.log(joint[occupied] / outer[occupied])).sum())


def _noisy_copy(k: int, n: int, exponent: float, share: float, seed: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Labels of k unequally frequent levels, their renamed copy with that share of uniform noise, and the information."""
    rng = np.random.default_rng(seed)
    p, names = _zipf(k, exponent), rng.permutation(k)
    joint = np.outer(p, np.full(k, share / k))
    joint[np.arange(k), names] += (1 - share) * p
    x = rng.choice(k, n, p=p)
    y = np.where(rng.random(n) < share, rng.integers(0, k, n), names[x])
    return distinct_codes(x), distinct_codes(y), _information(joint)


def test_bands_err_less_than_one_mixture():
    errors = {"plain": [], "banded": []}
    for seed in range(8):
        x, y, truth = _noisy_copy(1000, 5000, 0.7, 0.4, seed)
        fit, turned = fit_bands(Table.of(x, y)), fit_bands(Table.of(y, x))
        assert fit.banded.log_likelihood > fit.plain.log_likelihood + 20
        assert turned.banded.value == pytest.approx(fit.banded.value, abs=1e-6)  # whichever column the bands are of
        errors["plain"].append(abs(fit.plain.value - truth))
        errors["banded"].append(abs(fit.banded.value - truth))
    assert np.mean(errors["banded"]) < 0.65 * np.mean(errors["plain"])


def test_no_bands_without_a_relation():
    rng = np.random.default_rng(3)
    p = _zipf(200, 1.0)
    table = Table.of(*(distinct_codes(rng.choice(200, 2000, p=p)) for _ in "xy"))
    fit = fit_bands(table)
    assert fit.banded is fit.plain
    assert fit.plain.value == pytest.approx(0.0, abs=0.05)


@pytest.mark.parametrize(
    ("k", "n", "exponent", "share"),
    [(150, 2500, 0.8, 0.3), (600, 8000, 1.0, 0.5), (300, 3000, 1.3, 0.2)],
)
def test_noisy_copies_of_rare_and_frequent_levels_are_covered(k: int, n: int, exponent: float, share: float):
    covered, errors = 0, []
    for seed in range(12):
        x, y, truth = _noisy_copy(k, n, exponent, share, 700 + seed)
        found = information(x, y)
        covered += found.low <= truth <= found.high
        errors.append(found.value - truth)
    assert covered >= 10
    assert abs(np.mean(errors)) < 0.03 * math.log(k)


@pytest.mark.parametrize(("levels", "images", "n"), [(10, 2, 60), (50, 10, 100), (20, 4, 60), (6, 2, 40)])
def test_noisy_functions_with_few_rows_are_covered(levels: int, images: int, n: int):
    """Chance leaves out some of the few exceptions: the observed log-ratios vary less than those of the population."""
    joint = np.full((levels, images), 0.2 / levels / images)
    joint[np.arange(levels), np.arange(levels) % images] += 0.8 / levels
    truth, covered = _information(joint), 0
    for seed in range(60):
        rng = np.random.default_rng([seed, levels])
        cell = rng.choice(levels * images, n, p=joint.ravel())
        found = information(*(distinct_codes(side) for side in np.divmod(cell, images)))
        covered += found.low <= truth <= found.high
    assert covered >= 51


def _cleaner_hubs(k: int, n: int, hubs: int, share: float, noise: float, seed: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Labels of a few hubs among k levels and their copy; rare levels are replaced at random five times as often as hubs."""
    rng = np.random.default_rng(seed)
    p = np.full(k, (1 - share) / (k - hubs))
    p[:hubs] = share / hubs
    rate = np.where(np.arange(k) < hubs, noise / 5, noise)
    joint = p[:, None] * (np.diag(1 - rate) + rate[:, None] / k)
    x = rng.choice(k, n, p=p)
    y = np.where(rng.random(n) < rate[x], rng.integers(0, k, n), x)
    return distinct_codes(x), distinct_codes(y), _information(joint)


@pytest.mark.parametrize(("k", "n", "hubs", "share", "noise"), [(120, 6000, 2, 0.4, 0.6), (60, 3000, 4, 0.7, 0.7)])
def test_pairs_of_bands_where_the_noise_of_a_level_depends_on_how_frequent_it_is(k, n, hubs, share, noise):
    covered, errors, plain = 0, [], []
    for seed in range(10):
        x, y, truth = _cleaner_hubs(k, n, hubs, share, noise, seed)
        fit = fit_bands(Table.of(x, y))
        errors.append(abs(fit.banded.value - truth))
        plain.append(abs(fit.plain.value - truth))
        found = information(x, y)
        covered += found.low <= truth <= found.high
    assert np.mean(errors) < 0.4 * np.mean(plain)
    assert covered >= 8


def test_matches_seen_once_in_rare_levels_may_be_chance():
    covered = 0
    for seed in range(6):
        x, y, truth = _cleaner_hubs(800, 8000, 4, 0.8, 0.4, seed)  # ten rows per level, two of which are in the rare ones
        found = information(x, y)
        covered += found.low <= truth <= found.high
    assert covered >= 5
