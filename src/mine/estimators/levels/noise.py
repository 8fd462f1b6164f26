"""How far the noise around the levels' means is from normal, from moments that repeated rows of a level reveal."""

from __future__ import annotations

import math

import numpy as np

from mine.estimators.levels.effects import level_sums

__all__ = ["negentropy", "noise_cumulants"]

#: Standard errors by which cumulants may be larger than estimated.
DOUBTED = 1.5
#: Fewest effective rows for the third and the fourth moment.
FEWEST_ROWS = 50
#: Negentropy (nats) per squared skewness, exact for the exponential; per cubed negative excess, exact for the uniform; per
#: positive excess, exact for Laplace, and the most of that.
BY_SKEWNESS, BY_FLATNESS, BY_PEAKEDNESS, MOST_BY_PEAKEDNESS = 0.105, 0.102, 0.024, 0.1


def negentropy(values: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Entropy (nats) that the noise in each column of (n, d) lacks compared with normal noise of its variance, shape (d,).

    A rough figure from skewness and excess, by a formula that is right for gamma, uniform, triangular and Laplace noise; and
    what it is if both are larger than estimated by as much as chance may hide.
    """
    skewness, excess, rows = noise_cumulants(values, codes)
    if rows < FEWEST_ROWS:
        return np.zeros(values.shape[1]), np.zeros(values.shape[1])
    by_chance = 6 / rows
    excess -= 1.5 * (skewness**2 - by_chance)  # 0 for gamma noise
    doubt = DOUBTED * math.sqrt(24 / rows)
    likely = _by_formula(np.maximum(skewness**2 - by_chance, 0), excess)
    most = _by_formula((np.abs(skewness) + DOUBTED * math.sqrt(by_chance)) ** 2, excess + np.copysign(doubt, excess))
    return likely, most


def _by_formula(squared_skewness: np.ndarray, excess: np.ndarray) -> np.ndarray:
    flat, peaked = (-excess).clip(0, 2), excess.clip(0)
    return BY_SKEWNESS * squared_skewness + BY_FLATNESS * flat**3 + np.minimum(BY_PEAKEDNESS * peaked, MOST_BY_PEAKEDNESS)


def noise_cumulants(values: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Skewness and excess of each column's noise, shape (d,), and the rows that the excess rests on.

    Deviations from the mean of r rows have the cumulants of the noise times known functions of r.
    """
    sums = level_sums(values, codes, int(codes.max()) + 1)
    r = sums.rows[codes]
    deviations = values - (sums.total / sums.rows)[codes]
    rest = 1 - 1 / r
    variance = (deviations**2).sum(0) / rest.sum()
    third, fourth = rest * (1 - 2 / r), rest**4 + (r - 1) / r**4
    rows = float(fourth.sum())
    scale = np.maximum(variance, np.finfo(float).tiny)
    skewness = (deviations**3).sum(0) / max(float(third.sum()), 1.0) / scale**1.5
    excess = (deviations**4 - 3 * rest**2 * variance**2).sum(0) / max(rows, 1.0) / scale**2
    return skewness, excess, rows
