"""Left-out classification, populations and noise."""

import math

import numpy as np
import pytest
from scipy.stats import norm

from mine.estimators.levels.classify import canonical_directions, left_out_ratios
from mine.estimators.levels.effects import Effects
from mine.estimators.levels.noise import negentropy, noise_cumulants
from mine.estimators.levels.simulate import population_shares, remainder


def test_each_row_is_judged_by_the_others():
    """Two levels, a normal model of known scale: by hand."""
    values, codes = np.array([[0.0], [1.0], [4.0], [6.0]]), np.array([0, 0, 1, 1])
    effects = Effects(np.array([1e-9]), np.array([1.0]), np.array([1e9]))
    found = left_out_ratios(values, codes, effects, np.array([0]))
    own, other = norm(1, math.sqrt(2)).logpdf(0), norm(5, math.sqrt(1.5)).logpdf(0)
    assert found[0] == pytest.approx(own - np.logaddexp(own, other) + math.log(2), abs=1e-6)


def test_a_model_without_effects_shows_nothing():
    rng = np.random.default_rng(0)
    values, codes = rng.normal(size=(60, 2)), rng.permutation(60) % 20
    none = Effects(np.full(2, 1e12), np.ones(2), np.full(2, 1e9))
    assert left_out_ratios(values, codes, none, np.arange(60)) == pytest.approx(0, abs=1e-5)


def test_directions_whiten_and_begin_with_the_telling_one():
    rng = np.random.default_rng(1)
    codes = np.repeat(np.arange(200), 5)
    noise = rng.normal(size=(1000, 3)) @ np.array([[1, 0.5, 0], [0, 1, 0.2], [0, 0, 3.0]])
    values = noise + 2 * rng.normal(size=(200, 1))[codes] * np.array([0, 1, 0])
    directions = canonical_directions(values, codes)
    assert (noise @ directions).T @ noise @ directions / 1000 == pytest.approx(np.eye(3), abs=0.15)
    assert abs(directions[1, 0]) > 0.5


def test_unseen_levels_take_the_share_of_rows_seen_once():
    shares = population_shares(np.array([3, 2, 1, 1, 1]))
    assert shares.sum() == pytest.approx(1) and shares[5:].sum() == pytest.approx(3 / 8)


@pytest.mark.parametrize("per_level", [3, 400])
def test_what_more_rows_would_add(per_level: int):
    """With many rows nothing; with few what the closed form of two normals says."""
    effects = Effects(np.array([1.0]), np.array([1.0]), np.array([1e4]))
    levels = 2000 // per_level if per_level < 100 else 10
    rng = np.random.default_rng(2)
    found = np.mean([remainder(effects, effects, np.full(levels, 1 / levels), levels * per_level, rng) for _ in range(8)])
    counts = rng.poisson(per_level, 100_000)  # other rows of the level of a row
    expected = np.mean(0.5 * np.log1p(1 / (counts + 1)))  # I(y; mean) - I(y; other rows)
    assert found == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize(
    ("noise", "expected"),
    [("uniform", 0.5 * math.log(math.pi * math.e / 6)), ("laplace", 0.5 * math.log(math.pi / math.e)), ("exponential", 0.419)],
)
def test_negentropy_of_noise(noise: str, expected: float):
    rng = np.random.default_rng(3)
    codes = np.repeat(np.arange(4000), 5)
    values = 5 * rng.normal(size=(4000, 1))[codes] + getattr(rng, noise)(size=(20_000, 1))
    likely, most = negentropy(values, codes)
    assert likely[0] == pytest.approx(expected, abs=0.06) and most[0] > likely[0]


def test_normal_noise_has_no_cumulants():
    rng = np.random.default_rng(4)
    codes = np.repeat(np.arange(4000), 3)
    values = rng.exponential(size=(4000, 1))[codes] + rng.normal(size=(12_000, 1))
    skewness, excess, rows = noise_cumulants(values, codes)
    assert abs(skewness[0]) < 0.15 and abs(excess[0]) < 5 * math.sqrt(24 / rows[0])
    assert negentropy(values, codes)[0][0] < 0.02


@pytest.mark.parametrize("per_level", [6, 15])
def test_levels_of_different_scales_are_no_peaked_noise(per_level: int):
    found = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        codes = np.repeat(np.arange(300), per_level)
        values = np.exp(0.5 * rng.normal(size=(300, 1)))[codes] * rng.normal(size=(len(codes), 1))
        found.append([noise_cumulants(values, codes)[1][0], negentropy(values, codes)[0][0]])
    excess, nats = np.mean(found, 0)
    assert abs(excess) < 0.6 and nats < 0.03  # of all levels together the excess is about 5, and .1 nats


def test_uniform_noise_of_different_scales_keeps_its_negentropy():
    rng = np.random.default_rng(8)
    codes = np.repeat(np.arange(300), 20)
    values = np.exp(0.5 * rng.normal(size=(300, 1)))[codes] * rng.uniform(-1, 1, (len(codes), 1))
    assert negentropy(values, codes)[0][0] == pytest.approx(0.5 * math.log(math.pi * math.e / 6), abs=0.06)


def test_noise_of_any_size_and_of_no_rows_to_compare():
    rng = np.random.default_rng(9)
    values, codes = rng.exponential(size=(600, 2)), np.repeat(np.arange(200), 3)
    found = negentropy(values, codes)
    assert (found[1] > 0.1).all()
    for unit in (1e-250, 1e250):
        np.testing.assert_allclose(negentropy(values * unit, codes), found, rtol=1e-9)
    assert np.isfinite(negentropy(values, np.arange(600))).all()  # a row a level
    values[:, 0] = 0
    assert np.isfinite(negentropy(values, codes)).all()
