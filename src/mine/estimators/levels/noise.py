"""How far the noise around the levels' means is from normal, from moments that repeated rows of a level reveal."""

from __future__ import annotations

import numpy as np

from mine.estimators.levels.effects import level_sums

__all__ = ["negentropy", "noise_cumulants"]

#: Standard errors by which cumulants may be larger than estimated.
DOUBTED = 1.5
#: Fewest effective rows for the third and the fourth moment.
FEWEST_ROWS = 50
#: Rows of a level from which its fourth cumulant is known.
FOURTH = 4
#: Mean cube of a normal variable where it is positive: chance alone looks as flat.
MEAN_CUBE = 0.8
#: Negentropy (nats) per squared skewness, exact for the exponential; per cubed negative excess, exact for the uniform; per
#: positive excess, exact for Laplace, and the most of that.
BY_SKEWNESS, BY_FLATNESS, BY_PEAKEDNESS, MOST_BY_PEAKEDNESS = 0.105, 0.102, 0.024, 0.1


def negentropy(values: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Entropy (nats) that the noise in each column of (n, d) lacks compared with normal noise of its variance, shape (d,).

    A rough figure from skewness and excess, by a formula that is right for gamma, uniform, triangular and Laplace noise; and
    what it is if both are larger than estimated by as much as chance may hide.
    """
    skewness, excess, rows = noise_cumulants(values, codes)
    enough = rows >= FEWEST_ROWS
    rows = np.maximum(rows, FEWEST_ROWS)
    by_chance = 6 / rows
    excess -= 1.5 * (skewness**2 - by_chance)  # 0 for gamma noise
    chance = np.sqrt(24 / rows)
    likely = _by_formula(np.maximum(skewness**2 - by_chance, 0), excess) - BY_FLATNESS * MEAN_CUBE * chance**3
    doubt = np.copysign(DOUBTED * chance, excess)
    most = _by_formula((np.abs(skewness) + DOUBTED * np.sqrt(by_chance)) ** 2, excess + doubt)
    return np.where(enough, likely.clip(0), 0.0), np.where(enough, most, 0.0)


def _by_formula(squared_skewness: np.ndarray, excess: np.ndarray) -> np.ndarray:
    flat, peaked = (-excess).clip(0, 2), excess.clip(0)
    return BY_SKEWNESS * squared_skewness + BY_FLATNESS * flat**3 + np.minimum(BY_PEAKEDNESS * peaked, MOST_BY_PEAKEDNESS)


def noise_cumulants(values: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Skewness and excess of each column's noise, and the rows that the excess rests on, each of shape (d,).

    Levels of four rows or more have unbiased cumulants of their own, so that levels of different scales are no peaked noise.
    With too few of these, deviations from the mean of r rows have the cumulants of the noise times known functions of r, for a
    scale common to all levels; what looks peaked may then be a scale that differs, and does not count.

    References:
        Fisher, 1930, 'Moments and product moments of sampling distributions', for k-statistics and their variances.
    """
    values = values / np.maximum(np.abs(values).max(0), np.finfo(float).tiny)  # what follows has no unit, and finite powers
    sums = level_sums(values, codes, int(codes.max()) + 1)
    r = sums.rows[codes]
    deviations = values - (sums.total / sums.rows)[codes]
    deviations /= np.maximum(np.abs(deviations).max(0), np.finfo(float).tiny)
    rest = 1 - 1 / r
    if not rest.any() or not deviations.any():  # a row a level, or rows of a level that are all alike
        return np.zeros(values.shape[1]), np.zeros(values.shape[1]), np.zeros(values.shape[1])
    variance = (deviations**2).sum(0) / rest.sum()
    scale = np.maximum(variance, np.finfo(float).eps)
    third, fourth = rest * (1 - 2 / r), rest**4 + (r - 1) / r**4
    skewness = (deviations**3).sum(0) / max(float(third.sum()), 1.0) / scale**1.5
    own = _of_each_level(deviations, codes, sums.rows)
    if own is not None:
        excess, rows, uneven = own
        return skewness / uneven**0.375, excess, rows / uneven**2  # the levels of the largest scales decide
    rows = float(fourth.sum())
    excess = (deviations**4 - 3 * rest**2 * variance**2).sum(0) / max(rows, 1.0) / scale**2
    return skewness, np.minimum(excess, 0.0), np.full(len(excess), rows)


def _of_each_level(
    deviations: np.ndarray, codes: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, float, np.ndarray] | None:
    """Excess by the k-statistics of levels of four rows or more, the rows that it rests on, and how uneven the scales are.

    The last is the mean of the squared variances over the squared mean variance. If the logarithms of the scales are normal,
    its power 3/8 is by how much the mean cubed scale exceeds the cube of the scale. None with too few such levels.
    """
    many = counts[:, 0] >= FOURTH
    r = counts[many]
    second, fourth = (
        np.stack([np.bincount(codes, column**p, len(counts)) for column in deviations.T], 1)[many] for p in (2, 4)
    )
    worth = (r - 1) * (r - 2) * (r - 3) / (r * (r + 1))  # 24 over the variance of a level's fourth cumulant, for normal noise
    if worth.sum() < FEWEST_ROWS:
        return None
    variance = second / (r - 1)
    cumulant = (r * (r + 1) * fourth - 3 * (r - 1) * second**2) / ((r - 1) * (r - 2) * (r - 3))
    squared = (variance**2 - cumulant / r) * (r - 1) / (r + 1)
    mean, of_squares, of_cumulants = ((worth * part).sum(0) / worth.sum() for part in (variance, squared, cumulant))
    of_squares = np.maximum(of_squares, np.finfo(float).tiny)
    uneven = np.maximum(of_squares / np.maximum(mean**2, np.finfo(float).tiny), 1.0)
    return of_cumulants / of_squares, float(worth.sum()), uneven
