"""The random effects of both halves of the levels, what they show of left-out rows, and what more rows would show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mine.data.preprocessing import RobustLogScaler, rank_gaussianize
from mine.data.problem import clustered_stderr
from mine.estimators.counts.table import distinct_codes
from mine.estimators.levels.classify import canonical_directions, left_out_ratios
from mine.estimators.levels.effects import Effects, fit_effects, level_sums, limits_of_spread
from mine.estimators.levels.noise import negentropy
from mine.estimators.levels.simulate import population_shares, remainder

__all__ = ["Fitted", "Inferred", "best_fit", "inferred"]

#: Simulations of the fitted model of each half of the levels, and of either end of its interval.
SIMULATIONS, AT_THE_ENDS = 3, 2
#: Directions along which levels are compared.
MOST_DIRECTIONS = 10


@dataclass(frozen=True)
class Half:
    """Half of the levels, along directions that the other half has chosen: rows (m, r), their levels, and the model of them."""

    values: np.ndarray
    codes: np.ndarray
    effects: Effects


@dataclass(frozen=True)
class Fitted:
    """Left-out log-ratios (n,) in one kind of coordinates, by models of other levels; the halves of the levels."""

    coordinates: str
    ratios: np.ndarray
    halves: list[Half]


@dataclass(frozen=True)
class Inferred:
    """What the left-out rows do not show (nats).

    Attributes:
        added: What more rows per level would add, the mean over simulations.
        spread: Its standard deviation.
        least: The same at the weakest effects of the label that the data support.
        most: The same at the strongest.
        sharper: What noise that is not normal adds.
        sharpest: The same at most.
    """

    added: float
    spread: float
    least: float
    most: float
    sharper: float
    sharpest: float


def best_fit(numbers: np.ndarray, codes: np.ndarray, rng: np.random.Generator) -> Fitted:
    """Numbers (n, d) as the effects of levels ``codes`` (n,), scaled, or as normal scores if those surely show more."""
    scaled = _fitted("scaled", RobustLogScaler().fit(numbers).transform(numbers), codes, rng)
    ranked = _fitted("ranks", rank_gaussianize(numbers), codes, rng)
    gain = ranked.ratios - scaled.ratios
    return ranked if gain.mean() > clustered_stderr(gain, None) else scaled


def inferred(fit: Fitted, codes: np.ndarray, rng: np.random.Generator, *, ends: bool = True) -> Inferred:
    """The mean of both halves, each along directions that it has not chosen; without ``ends``, those are not simulated."""
    shares = population_shares(np.bincount(codes))
    added, at_ends, noise = [], [], []
    for half in fit.halves:

        def draws(effects: Effects, number: int, fitted: Effects = half.effects) -> list[float]:
            return [remainder(effects, fitted, shares, len(codes), rng) for _ in range(number)]

        added += draws(half.effects, SIMULATIONS)
        if ends:
            limits = limits_of_spread(level_sums(half.values, half.codes, int(half.codes.max()) + 1), half.effects)
            at_ends.append([np.mean(draws(effects, AT_THE_ENDS)) for effects in limits])
        explained = 1 / (1 + half.effects.kappa)
        noise.append([(explained * entropy).sum() for entropy in negentropy(half.values, half.codes)])
    mean = float(np.mean(added))
    least, most = map(float, np.mean(at_ends, axis=0)) if ends else (mean, mean)
    sharper, sharpest = map(float, np.mean(noise, axis=0))
    return Inferred(mean, float(np.std(added, ddof=1)), least, most, sharper, sharpest)


def _fitted(coordinates: str, values: np.ndarray, codes: np.ndarray, rng: np.random.Generator) -> Fitted:
    """Log-ratios of each half of the levels by a model of the other half."""
    values = values - values.mean(0)
    half_of_level = rng.permutation(int(codes.max()) + 1) % 2
    parts = [np.flatnonzero(half_of_level[codes] == half) for half in (0, 1)]
    ratios, halves = np.empty(len(codes)), []
    for rows, others in (parts, parts[::-1]):
        directions = canonical_directions(values[others], distinct_codes(codes[others]))[:, :MOST_DIRECTIONS]
        projected = values @ directions
        ratios[rows] = left_out_ratios(projected, codes, _effects(projected[others], codes[others]), rows)
        halves.append(Half(projected[rows], distinct_codes(codes[rows]), _effects(projected[rows], codes[rows])))
    return Fitted(coordinates, ratios, halves)


def _effects(values: np.ndarray, codes: np.ndarray) -> Effects:
    codes = distinct_codes(codes)
    return fit_effects(level_sums(values, codes, int(codes.max()) + 1))
