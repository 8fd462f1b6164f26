"""A model of numbers whose mean and scale are random effects of a label, and what it predicts for one more row of a level."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

__all__ = [
    "Effects",
    "LevelSums",
    "fit_effects",
    "level_means_and_scales",
    "level_sums",
    "limits_of_spread",
    "log_evidence",
    "predictive",
]

#: Degrees of freedom of the levels' scales that stand for a scale common to all levels, and two starts of the search.
SAME_SCALE, STARTS = 1e4, (1e4, 10.0)
#: Bounds of the logarithms of kappa, of the scale and of the degrees of freedom in the search.
LOG_BOUNDS = ((-30.0, 12.0), (-30.0, 3.0), (math.log(0.7), math.log(SAME_SCALE)))
#: Points of a profile likelihood, and its fall (nats) at the ends of a 95 % interval of one parameter.
PROFILE, FALL = 33, 1.92


@dataclass(frozen=True)
class LevelSums:
    """Number of rows, sums and sums of squares of each level: shapes (k, 1), (k, d) and (k, d)."""

    rows: np.ndarray
    total: np.ndarray
    squares: np.ndarray

    def of(self, index: np.ndarray) -> LevelSums:
        return LevelSums(self.rows[index], self.total[index], self.squares[index])

    def without(self, other: LevelSums) -> LevelSums:
        return LevelSums(self.rows - other.rows, self.total - other.total, self.squares - other.squares)


@dataclass(frozen=True)
class Effects:
    """Normal-inverse-gamma random effects, independent in each of d directions.

    In level l, a direction's values are normal with mean m and variance v; m is normal around 0 with variance v / kappa; v is
    ``degrees * scale`` over a chi-square variable of ``degrees`` degrees of freedom.

    Attributes:
        kappa: How many rows of a level the prior mean is worth, shape (d,): small where the label tells much.
        scale: Typical variance within a level, shape (d,).
        degrees: How much alike the levels' variances are, shape (d,).
    """

    kappa: np.ndarray
    scale: np.ndarray
    degrees: np.ndarray


def level_sums(values: np.ndarray, codes: np.ndarray, levels: int) -> LevelSums:
    """Sums of the rows (n, d) of each level, whose integer code is in ``codes`` (n,)."""
    rows = np.bincount(codes, minlength=levels).astype(float)[:, None]
    total, squares = (
        np.stack([np.bincount(codes, column, minlength=levels) for column in part.T], 1) for part in (values, values**2)
    )
    return LevelSums(rows, total, squares)


def predictive(values: np.ndarray, sums: LevelSums, effects: Effects) -> np.ndarray:
    """Log-density (nats) of rows under what the rows behind ``sums`` predict, summed over directions.

    Arguments:
        values: Shape (..., d), which broadcasts against that of the sums.
        sums: Of the levels' other rows.
        effects: The fitted model.
    """
    mean, scale, kappa, degrees = _posterior(sums, effects)
    scale = scale * (1 + 1 / kappa)
    level = gammaln((degrees + 1) / 2) - gammaln(degrees / 2) - 0.5 * np.log(math.pi * degrees * scale)
    weight, half = 1 / np.sqrt(scale), (degrees + 1) / 2
    out = np.zeros(np.broadcast_shapes(values.shape[:-1], mean.shape[:-1]))
    for j in range(values.shape[-1]):  # a direction at a time: no array of rows x levels x directions
        residuals = (values[..., j] - mean[..., j]) * weight[..., j]
        out += level[..., j] - half[..., j] * np.log1p(residuals**2 / degrees[..., j])
    return out


def _posterior(sums: LevelSums, effects: Effects) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Mean, scale, kappa and degrees of each level given its rows."""
    kappa, degrees = effects.kappa + sums.rows, effects.degrees + sums.rows
    mean = sums.total / kappa
    spread = np.maximum(sums.squares - kappa * mean**2, 0.0)
    return mean, (effects.degrees * effects.scale + spread) / degrees, kappa, degrees


def level_means_and_scales(sums: LevelSums, effects: Effects) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Posterior mean and variance of each level, shape (k, d) each, and how many rows that mean is worth."""
    mean, scale, kappa, _ = _posterior(sums, effects)
    return mean, scale, kappa


def log_evidence(sums: LevelSums, effects: Effects) -> float:
    """Log-density (nats) of the rows behind ``sums``, all directions together.

    References:
        Murphy, 2007, 'Conjugate Bayesian analysis of the Gaussian distribution', equation 95.
    """
    _, scale, kappa, degrees = _posterior(sums, effects)
    prior = effects.degrees * effects.scale
    terms = (
        gammaln(degrees / 2)
        - gammaln(effects.degrees / 2)
        + 0.5 * np.log(effects.kappa / kappa)
        + 0.5 * effects.degrees * np.log(prior)
        - 0.5 * degrees * np.log(degrees * scale)
        - 0.5 * sums.rows * math.log(math.pi)
    )
    return float(terms.sum())


def fit_effects(sums: LevelSums) -> Effects:
    """The effects of greatest evidence, each direction on its own; the values are centred at 0."""
    return Effects(*np.stack([_fit_direction(_column(sums, j)) for j in range(sums.total.shape[1])], 1))


def limits_of_spread(sums: LevelSums, effects: Effects) -> tuple[Effects, Effects]:
    """The effects with kappa at either end of its 95 % profile interval: weaker and stronger effects of the label."""
    ends = [_profile(_column(sums, j), _one(effects, j)) for j in range(len(effects.kappa))]
    weak, strong = (Effects(*np.stack([end[side] for end in ends], 1)) for side in (0, 1))
    return weak, strong


def _fit_direction(sums: LevelSums) -> np.ndarray:
    """kappa, scale and degrees of one direction."""
    from scipy.optimize import minimize

    variance = max(float(sums.squares.sum() / sums.rows.sum()), 1e-12)

    def loss(parameters: np.ndarray) -> float:
        return -log_evidence(sums, _from_logs(parameters, variance))

    # Two parameters make a null effect another one: it takes more than their number in evidence (Akaike, 1974).
    null = np.array([LOG_BOUNDS[0][1], 0.0, LOG_BOUNDS[2][1]])
    repeats = max(float((sums.rows - 1).sum()), 1.0)
    within = float((sums.squares - sums.total**2 / sums.rows).sum()) / repeats / variance
    within = min(max(within, 1e-12), 0.99)
    starts = [np.array([math.log(within / (1 - within)), math.log(within), math.log(degrees)]) for degrees in STARTS]
    fits = [minimize(loss, start, method="L-BFGS-B", bounds=LOG_BOUNDS) for start in starts]
    best = min(fits, key=lambda fit: fit.fun)
    found = _from_logs(best.x if best.fun < loss(null) - 2 else null, variance)
    return np.array([found.kappa[0], found.scale[0], found.degrees[0]])


def _from_logs(parameters: np.ndarray, variance: float) -> Effects:
    kappa, scale, degrees = np.exp(parameters)
    return Effects(np.array([kappa]), np.array([scale * variance]), np.array([degrees]))


def _profile(sums: LevelSums, effects: Effects) -> tuple[np.ndarray, np.ndarray]:
    """Parameters of one direction at the weak and the strong end of kappa's interval, scale refitted, degrees kept."""
    grid = np.union1d(math.log(effects.kappa[0]) + np.linspace(-3, 3, PROFILE), np.linspace(-4, LOG_BOUNDS[0][1], PROFILE))
    scales = effects.scale[0] * np.exp(np.linspace(-0.7, 0.7, 29))
    best = np.empty((len(grid), 2))
    for i, log_kappa in enumerate(grid):
        evidence = [log_evidence(sums, Effects(np.exp([log_kappa]), np.array([s]), effects.degrees)) for s in scales]
        best[i] = max(evidence), scales[int(np.argmax(evidence))]
    inside = np.flatnonzero(best[:, 0] >= best[:, 0].max() - FALL)
    strong, weak = (np.array([math.exp(grid[i]), best[i, 1], effects.degrees[0]]) for i in (inside[0], inside[-1]))
    return weak, strong


def _column(sums: LevelSums, j: int) -> LevelSums:
    return LevelSums(sums.rows, sums.total[:, j : j + 1], sums.squares[:, j : j + 1])


def _one(effects: Effects, j: int) -> Effects:
    return Effects(effects.kappa[j : j + 1], effects.scale[j : j + 1], effects.degrees[j : j + 1])
