"""The estimate for a column of labels with few rows per level, and numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from mine.data.preprocessing import RobustLogScaler, rank_gaussianize
from mine.data.problem import Problem, clustered_stderr
from mine.data.variable import Variable
from mine.estimators.counts.table import distinct_codes
from mine.estimators.levels.classify import canonical_directions, left_out_ratios
from mine.estimators.levels.effects import Effects, fit_effects, level_sums, limits_of_spread
from mine.estimators.levels.noise import negentropy
from mine.estimators.levels.simulate import population_shares, remainder
from mine.estimators.neighbours import without_copies
from mine.result import Estimate

__all__ = ["few_rows_per_level", "levels_estimate"]

#: Levels up to which a critic has a score for each, and rows per level below which its scores are mostly luck.
CRITIC_LEVELS, ROWS_PER_LEVEL = 64, 12
#: Simulations of the fitted model of each half of the levels, and of either end of its interval.
SIMULATIONS, AT_THE_ENDS = 3, 2
#: Share of what is inferred and not observed that the interval does not take for granted.
DOUBT = 0.5
#: Directions along which levels are compared.
MOST_DIRECTIONS = 10


@dataclass(frozen=True)
class _Half:
    """Half of the levels, along directions that the other half has chosen: rows (m, r), their levels, and the model of them."""

    values: np.ndarray
    codes: np.ndarray
    effects: Effects


@dataclass(frozen=True)
class _Fitted:
    """Left-out log-ratios (n,) in one kind of coordinates, by models of other levels; the halves of the levels."""

    name: str
    ratios: np.ndarray
    halves: list[_Half]


@dataclass(frozen=True)
class _Inferred:
    """What more rows per level would add (nats): its mean and spread over simulations, at weaker and stronger effects, and
    what noise that is not normal adds, likely and at most."""

    added: float
    spread: float
    least: float
    most: float
    sharper: float
    sharpest: float


def few_rows_per_level(problem: Problem) -> tuple[Variable, Variable] | None:
    """The numbers and the labels of a problem whose labels have too many levels for a score each, else None."""
    if problem.groups is not None and not problem.copies:
        return None
    for numbers, labels in ((problem.x, problem.y), (problem.y, problem.x)):
        if not labels.is_label or numbers.n_discrete or not numbers.n_continuous:
            continue
        levels = len(np.unique(labels.row_ids()))
        if levels > CRITIC_LEVELS or problem.n < ROWS_PER_LEVEL * levels:
            return numbers, labels
    return None


def levels_estimate(problem: Problem, name: str) -> Estimate | None:
    """Information between labels of many levels and numbers, by random effects; None for other problems.

    A classifier that judges each row by the other rows of its level gives a lower bound. Added is what more rows of each level
    would add, by simulations of the fitted model, and what noise gains that is sharper than normal noise.
    """
    if few_rows_per_level(problem) is None:
        return None
    problem = without_copies(problem)
    sides = few_rows_per_level(problem)
    if sides is None:
        return None
    numbers, codes = sides[0].flat, distinct_codes(sides[1].row_ids())
    rng = np.random.default_rng(problem.seeds(1)[0])
    coordinates = {"scaled": RobustLogScaler().fit(numbers).transform(numbers), "ranks": rank_gaussianize(numbers)}
    fits = [_fitted(kind, values, codes, rng) for kind, values in coordinates.items()]
    best = _better(*fits)
    inferred = _inferred(best, population_shares(np.bincount(codes)), problem.n, rng)

    bound = float(best.ratios.mean())
    value = bound + inferred.added + inferred.sharper
    stderr = math.hypot(clustered_stderr(best.ratios, None), inferred.spread)
    certain = math.hypot(1.96 * stderr, DOUBT * inferred.added, inferred.sharper)
    low = value - math.hypot(certain, max(inferred.added - inferred.least, 0.0))
    high = value + math.hypot(certain, max(inferred.most - inferred.added, 0.0), inferred.sharpest - inferred.sharper)
    diagnostics: dict[str, Any] = {
        "basis": "random effects of the levels",
        "levels": [int(codes.max()) + 1],
        "coordinates": best.name,
        "left_out_nats": bound,
        "bias_correction": value - bound,
        "warnings": _warnings(value, bound, sides[1].name),
    }
    return Estimate(value, None, stderr, (low, high), name, problem.n, diagnostics=diagnostics)


def _warnings(value: float, bound: float, labels: str) -> list[str]:
    if value - bound <= max(0.1, 0.25 * value):
        return []
    return [
        f"Few rows per level of {labels}: they show {max(bound, 0.0):.2f} nats, and {value - bound:.2f} more are inferred from a "
        "model of normal levels. More rows per level would make the number surer."
    ]


def _better(first: _Fitted, second: _Fitted) -> _Fitted:
    """The first unless the second surely finds more."""
    gain = second.ratios - first.ratios
    return second if gain.mean() > clustered_stderr(gain, None) else first


def _fitted(name: str, values: np.ndarray, codes: np.ndarray, rng: np.random.Generator) -> _Fitted:
    """Log-ratios of each half of the levels by a model of the other half."""
    values = values - values.mean(0)
    half_of_level = rng.permutation(int(codes.max()) + 1) % 2
    parts = [np.flatnonzero(half_of_level[codes] == half) for half in (0, 1)]
    ratios, halves = np.empty(len(codes)), []
    for rows, others in (parts, parts[::-1]):
        directions = canonical_directions(values[others], distinct_codes(codes[others]))[:, :MOST_DIRECTIONS]
        projected = values @ directions
        ratios[rows] = left_out_ratios(projected, codes, _effects(projected[others], codes[others]), rows)
        halves.append(_Half(projected[rows], distinct_codes(codes[rows]), _effects(projected[rows], codes[rows])))
    return _Fitted(name, ratios, halves)


def _effects(values: np.ndarray, codes: np.ndarray) -> Effects:
    codes = distinct_codes(codes)
    return fit_effects(level_sums(values, codes, int(codes.max()) + 1))


def _inferred(fit: _Fitted, shares: np.ndarray, n: int, rng: np.random.Generator) -> _Inferred:
    """The mean of both halves, each along directions that it has not chosen."""
    parts = []
    for half in fit.halves:
        weak, strong = limits_of_spread(level_sums(half.values, half.codes, int(half.codes.max()) + 1), half.effects)

        def draws(effects: Effects, number: int, fitted: Effects = half.effects) -> list[float]:
            return [remainder(effects, fitted, shares, n, rng) for _ in range(number)]

        likely = draws(half.effects, SIMULATIONS)
        explained = 1 / (1 + half.effects.kappa)
        ends = [float(np.mean(draws(effects, AT_THE_ENDS))) for effects in (weak, strong)]
        sharper = [float((explained * entropy).sum()) for entropy in negentropy(half.values, half.codes)]
        parts.append((likely, *ends, *sharper))
    added = [d for part in parts for d in part[0]]
    least, most, sharper, sharpest = (float(np.mean([part[k] for part in parts])) for k in range(1, 5))
    return _Inferred(float(np.mean(added)), float(np.std(added, ddof=1)), least, most, sharper, sharpest)
