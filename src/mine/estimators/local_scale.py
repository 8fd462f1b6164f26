"""Noise that is stronger for some rows than for others: residuals in units of what their neighbours' residuals are."""

from __future__ import annotations

import numpy as np

from mine.data.splits import Fold
from mine.estimators.nearest import Nearest

__all__ = ["scaled_by_neighbours"]

#: Neighbours whose residuals tell the noise of a row, and how many rows the noise of all rows counts as much as.
NEIGHBORS, PRIOR = 60, 15.0
#: Fewest rows of a fold, per neighbour.
ROWS_PER_NEIGHBOR = 2
#: Residuals beyond so many times their spread count as that.
CLIP = 6.0
#: Rows that are scaled at a time.
AT_A_TIME = 4096


def scaled_by_neighbours(predictor: np.ndarray, e: np.ndarray, folds: list[Fold]) -> tuple[np.ndarray, np.ndarray] | None:
    """``S(x)^-1 e`` and ``log |S(x)|``, of shapes (n, d) and (n,); None with too few rows.

    ``S(x) S(x)^T`` is the covariance of the residuals of the rows nearest to x, shrunk towards that of all rows. They are rows
    of the same evaluation part, so that no fit behind their residuals has seen the row itself: ``S`` is a function of x and of
    other rows only. For a given x the map of e is then invertible, and no information is lost or made.

    Arguments:
        predictor: Shape (n, p).
        e: Residuals of fits to the other folds, with unit covariance, shape (n, d).
        folds: Their evaluation parts together are all rows.
    """
    if min(len(fold.evaluation) for fold in folds) < ROWS_PER_NEIGHBOR * NEIGHBORS:
        return None
    clipped = e.clip(-CLIP, CLIP)
    overall = np.cov(clipped.T).reshape(e.shape[1], -1)
    out, log_volume = np.empty_like(e), np.empty(len(e))
    for fold in folds:
        rows = fold.evaluation
        tree = Nearest(predictor[rows])
        for start in range(0, len(rows), AT_A_TIME):
            part = rows[start : start + AT_A_TIME]
            root = np.linalg.cholesky(_covariance(tree, predictor[part], clipped[rows], overall))
            out[part] = np.linalg.solve(root, e[part][..., None])[..., 0]
            log_volume[part] = np.log(np.diagonal(root, axis1=1, axis2=2)).sum(1)
    return out, log_volume


def _covariance(tree: Nearest, at: np.ndarray, e: np.ndarray, overall: np.ndarray) -> np.ndarray:
    """Covariance of the residuals ``e`` of the rows in ``tree`` that are nearest to those ``at`` (m, p), shape (m, d, d).

    The row itself, which is the nearest, does not count. What is common to all rows is the shape; the size is the neighbours'.
    """
    distance, index = tree.query(at, NEIGHBORS + 1)
    weight = (1 - (distance / np.maximum(distance.max(1, keepdims=True), 1e-300)) ** 3).clip(1e-3) ** 3
    weight[np.arange(len(at)), distance.argmin(1)] = 0.0
    weight /= weight.sum(1, keepdims=True)
    near = e[index]
    local = np.swapaxes(near * weight[..., None], 1, 2) @ near
    size = np.trace(np.linalg.solve(overall, local), axis1=1, axis2=2) / len(overall)
    share = PRIOR / (PRIOR + 1 / (weight**2).sum(1))
    return (1 - share)[:, None, None] * local + np.maximum(share * size, 1e-12)[:, None, None] * overall
