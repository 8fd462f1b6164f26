"""The estimate for a column of labels with few rows per level, and numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mine.data.preprocessing import MAX_CATEGORIES
from mine.data.problem import Problem, clustered_stderr
from mine.data.variable import Variable
from mine.estimators.counts.entropy import population_entropy
from mine.estimators.counts.identifier import is_identifier
from mine.estimators.counts.table import distinct_codes
from mine.estimators.discrete import capped_by_entropy
from mine.estimators.levels.fit import best_fit, inferred
from mine.estimators.neighbours import prepared
from mine.estimators.ross import ross_rows
from mine.result import Estimate

__all__ = ["few_rows_per_level", "levels_estimate", "levels_information"]

#: Levels up to which a critic has a score for each; rows per level below which its scores are mostly luck, if levels are many.
CRITIC_LEVELS, ROWS_PER_LEVEL, MANY_LEVELS = MAX_CATEGORIES, 12, 10
#: Share of what is inferred and not observed that the interval does not take for granted.
DOUBT = 0.5
#: Nearest neighbours are asked with so many of them, in so many columns and rows at most; and their bias (nats) upwards.
NEIGHBOURS, NEIGHBOUR_COLUMNS, NEIGHBOUR_ROWS, NEIGHBOUR_BIAS = 5, 2, 20_000, 0.1


def few_rows_per_level(codes: np.ndarray) -> bool:
    """Whether labels (n,) have too many levels for a score each: more than a critic has, or many with a dozen rows or fewer.

    >>> few_rows_per_level(np.arange(300) % 30), few_rows_per_level(np.arange(300) % 3)
    (True, False)
    """
    levels = len(np.unique(codes))
    return levels > CRITIC_LEVELS or (levels >= MANY_LEVELS and len(codes) < ROWS_PER_LEVEL * levels)


def levels_estimate(problem: Problem, name: str) -> Estimate | None:
    """Information between one column of labels with few rows per level and numbers, by random effects.

    A classifier that judges each row by the other rows of its level gives a lower bound. Added is what more rows of each level
    would add, by simulations of the fitted model, and what noise gains that is sharper than normal noise.

    Returns:
        The estimate, or None for other problems: rows that depend on each other in groups are one, too.
    """
    if problem.groups is not None and not problem.copies:
        return None
    for numbers, labels in ((problem.x, problem.y), (problem.y, problem.x)):
        suits = labels.is_label and numbers.n_continuous and not numbers.n_discrete
        # Of names of rows nothing can be known: that is said elsewhere.
        if suits and few_rows_per_level(codes := labels.row_ids()) and not is_identifier(codes):
            return capped_by_entropy(_estimate(problem, numbers, labels, name), problem)
    return None


def levels_information(numbers: np.ndarray, codes: np.ndarray, seed: int) -> float:
    """The value (nats) of :func:`levels_estimate` for numbers (n, d) and labels (n,)."""
    codes = distinct_codes(codes)
    rng = np.random.default_rng(seed)
    fit = best_fit(numbers, codes, rng)
    unseen = inferred(fit, codes, rng, ends=False)
    return min(float(fit.ratios.mean()) + unseen.added + unseen.sharper, population_entropy(np.bincount(codes)).value)


def _estimate(problem: Problem, numbers: Variable, labels: Variable, name: str) -> Estimate:
    values, codes = _without_leaks(problem, numbers.flat, distinct_codes(labels.row_ids()))
    rng = np.random.default_rng(problem.seeds(1)[0])
    fit = best_fit(values, codes, rng)
    unseen = inferred(fit, codes, rng)

    bound = float(fit.ratios.mean())
    value = bound + unseen.added + unseen.sharper
    stderr = math.hypot(clustered_stderr(fit.ratios, None), unseen.spread)
    certain = math.hypot(1.96 * stderr, DOUBT * unseen.added, unseen.sharper)
    low = value - math.hypot(certain, max(unseen.added - unseen.least, 0.0))
    high = value + math.hypot(certain, max(unseen.most - unseen.added, 0.0), unseen.sharpest - unseen.sharper)
    warnings = _warnings(value, bound, ", ".join(labels.columns) or labels.name)
    neighbours = _by_neighbours(values, codes, rng)
    if neighbours is not None and neighbours - NEIGHBOUR_BIAS > high:
        high = neighbours + 1.96 * stderr
        warnings.append(
            f"Levels differ by more than their mean and scale: nearest neighbours (method 'ross') find {neighbours:.2f} nats."
        )
    diagnostics: dict[str, Any] = {
        "basis": "random effects of the levels",
        "levels": [int(codes.max()) + 1],
        "coordinates": fit.coordinates,
        "left_out_nats": bound,
        "bias_correction": value - bound,
        "neighbours_nats": neighbours,
        "warnings": warnings,
    }
    return Estimate(value, None, stderr, (low, high), name, len(codes), diagnostics=diagnostics)


def _without_leaks(problem: Problem, values: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rows without copies, by which they would be judged; rows that repeat by chance, as their numbers do, are kept."""
    if problem.groups is None or len(values) - len(np.unique(values, axis=0)) >= 2 * problem.copies:
        return values, codes
    once = np.unique(problem.groups, return_index=True)[1]
    return values[once], distinct_codes(codes[once])


def _by_neighbours(values: np.ndarray, codes: np.ndarray, rng: np.random.Generator) -> float | None:
    """Ross' estimate (nats) where each level has rows enough, else None: it sees what is no mean and no scale."""
    if np.bincount(codes).min() <= NEIGHBOURS or values.shape[1] > NEIGHBOUR_COLUMNS or len(values) > NEIGHBOUR_ROWS:
        return None
    return float(ross_rows(prepared(values, "robust", rng), codes, NEIGHBOURS).mean())


def _warnings(value: float, bound: float, labels: str) -> list[str]:
    """A sentence where most of the value rests on the model."""
    if value - bound <= max(0.1, 0.25 * value):
        return []
    shown = (
        f"Few rows per level of {labels}: they show {max(bound, 0.0):.2f} nats, and {value - bound:.2f} more are inferred from"
    )
    return [f"{shown} a model of normal levels. More rows per level would make the number surer."]
