"""Canonical directions of two sides, shrunk by what helps on rows that they were not fitted to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Canonical", "canonical_directions"]

#: Shares of the mean variance that are added to every direction's own; the best on validation rows is taken.
RIDGES = (1e-3, 1e-2, 0.1, 0.5)
#: Largest correlation that a ratio starts from.
LARGEST = 0.995


@dataclass(frozen=True)
class Canonical:
    """Linear codes of both sides.

    Attributes:
        x: Directions of x, shape (dx, k): codes of unit variance on the rows that they were fitted to.
        y: Directions of y, shape (dy, k).
        correlations: Correlation of each pair on rows that they were not fitted to, from 0 to ``LARGEST``, shape (k,).
    """

    x: np.ndarray
    y: np.ndarray
    correlations: np.ndarray

    @property
    def nats(self) -> float:
        """The information of a Gaussian with these correlations."""
        return -0.5 * float(np.log1p(-(self.correlations**2)).sum())


def canonical_directions(train: tuple[np.ndarray, np.ndarray], validation: tuple[np.ndarray, np.ndarray], k: int) -> Canonical:
    """The ``k`` leading canonical pairs of centred rows ``train``, ridge and order chosen on ``validation``.

    Where a side has fewer than ``k`` columns, or the rows do not span so many directions, the others are zero.
    """
    found = [_directions(*train, ridge) for ridge in RIDGES]
    scored = [_correlations(validation, x[:, :k], y[:, :k]) for x, y in found]
    best = int(np.argmax([-np.log1p(-(r**2)).sum() for r in scored]))
    (x, y), r = found[best], scored[best]
    missing = k - len(r)
    x, y = (np.pad(side[:, :k], ((0, 0), (0, missing))) for side in (x, y))
    return Canonical(x, y, np.pad(r, (0, missing)))


def _directions(x: np.ndarray, y: np.ndarray, ridge: float) -> tuple[np.ndarray, np.ndarray]:
    white = [_whitener(side, ridge) for side in (x, y)]
    left, _, right = np.linalg.svd((x @ white[0]).T @ (y @ white[1]), full_matrices=False)
    pair = white[0] @ left, white[1] @ right.T
    scales = [np.maximum((side @ directions).std(0), 1e-12) for side, directions in zip((x, y), pair, strict=True)]
    return pair[0] / scales[0], pair[1] / scales[1]


def _whitener(side: np.ndarray, ridge: float) -> np.ndarray:
    """W with W' (S + ridge) W = I for the covariance S of centred rows (n, d)."""
    values, vectors = np.linalg.eigh(side.T @ side / len(side))
    return vectors * (np.maximum(values, 0) + ridge * max(float(values.mean()), 1e-12)) ** -0.5


def _correlations(rows: tuple[np.ndarray, np.ndarray], x: np.ndarray, y: np.ndarray) -> np.ndarray:
    u, v = rows[0] @ x, rows[1] @ y
    u, v = u - u.mean(0), v - v.mean(0)
    scale = np.sqrt((u**2).sum(0) * (v**2).sum(0))
    return ((u * v).sum(0) / np.maximum(scale, 1e-12)).clip(0, LARGEST)
