"""How well the other rows of a level tell which level a row is of: a lower bound of the information, row by row."""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from mine.estimators.levels.effects import Effects, LevelSums, level_sums, predictive

__all__ = ["canonical_directions", "left_out_ratios"]

#: Rows times levels that are compared at a time.
BLOCK = 1 << 20


def left_out_ratios(values: np.ndarray, codes: np.ndarray, effects: Effects, rows: np.ndarray) -> np.ndarray:
    """``log q(level | value) - log p(level)`` (nats) of the rows ``rows``, shape (m,).

    The density of a row's own level is that which the level's other rows predict: no row is judged by itself. The mean is
    InfoNCE with all rows as candidates, a lower bound whatever the model.

    References:
        Barber & Agakov, 2003; van den Oord et al., 2018, equation 4.

    Arguments:
        values: Rows along the directions of the model, shape (n, d).
        codes: Integer level of each row from 0, each seen, shape (n,).
        effects: The model.
        rows: Which rows to judge.
    """
    sums = level_sums(values, codes, int(codes.max()) + 1)
    log_share = np.log(sums.rows[:, 0] / len(codes))
    once = LevelSums(np.ones((len(rows), 1)), values[rows], values[rows] ** 2)
    own = predictive(values[rows], sums.of(codes[rows]).without(once), effects)
    out = np.empty(len(rows))
    step = max(1, BLOCK // len(log_share))
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        table = predictive(values[rows[part], None, :], sums, effects)
        table[np.arange(len(table)), codes[rows[part]]] = own[part]
        out[part] = own[part] - logsumexp(table + log_share, axis=1)
    return out


def canonical_directions(values: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Directions (d, r) that whiten the rows (n, d) of one level, those that levels differ in most first (Fisher, 1936).

    One column is only scaled. The within-level covariance is shrunk towards its diagonal where repeated rows are few.
    """
    d, levels = values.shape[1], int(codes.max()) + 1
    sums = level_sums(values, codes, levels)
    within = values - (sums.total / sums.rows)[codes]
    spare = max(len(codes) - levels, 1)
    covariance = within.T @ within / spare
    covariance += (d / (spare + d)) * (np.diag(np.diag(covariance)) - covariance)
    size, axes = np.linalg.eigh(covariance)
    white = axes / np.sqrt(np.maximum(size, size.max() * 1e-9 + 1e-300))
    means = (sums.total @ white) / np.sqrt(sums.rows)
    return white @ np.linalg.eigh(means.T @ means)[1][:, ::-1]
