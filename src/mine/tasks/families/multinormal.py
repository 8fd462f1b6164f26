"""Two jointly normal vectors: any covariance."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

__all__ = ["JointNormal", "dense_covariance", "paired_covariance"]


@dataclass(frozen=True)
class JointNormal:
    """Normal with mean 0 whose first ``dx`` coordinates are x and the others y.

    Example:
        >>> pair = JointNormal(paired_covariance(2, 2, 0.8), 2)
        >>> round(pair.mutual_information, 3)  # -log(1 - 0.8^2)
        1.022
    """

    covariance: np.ndarray
    dx: int

    @property
    def dy(self) -> int:
        return len(self.covariance) - self.dx

    @property
    def mutual_information(self) -> float:
        """``log(|Cx| |Cy| / |C|) / 2`` in nats (Cover & Thomas, Elements of Information Theory, example 8.5.1)."""
        c, dx = self.covariance, self.dx
        whole, x, y = (np.linalg.slogdet(block)[1] for block in (c, c[:dx, :dx], c[dx:, dx:]))
        return float(x + y - whole) / 2

    def sampler(self, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        rows = rng.normal(size=(n, len(self.covariance))) @ np.linalg.cholesky(self.covariance).T
        return rows[:, : self.dx], rows[:, self.dx :]

    def ratio(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Log-ratio in nats, (n,)."""
        whole, left, right = self.squared_lengths(x, y)
        return self.mutual_information - (whole - left - right) / 2

    def squared_lengths(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """``u' C^-1 u`` of the rows (x, y), of x and of y."""
        c, dx = self.covariance, self.dx
        parts = ((c, np.hstack([x, y])), (c[:dx, :dx], x), (c[dx:, dx:], y))
        whole, left, right = (np.sum(rows * np.linalg.solve(block, rows.T).T, axis=1) for block, rows in parts)
        return whole, left, right


def dense_covariance(d: int, correlation: float) -> np.ndarray:
    """Unit variances, every two coordinates correlated alike; (d, d)."""
    return np.full((d, d), correlation) + (1 - correlation) * np.eye(d)


def paired_covariance(d: int, n_pairs: int, correlation: float) -> np.ndarray:
    """Unit variances; the first ``n_pairs`` coordinates of x correlate with those of y, nothing else; (2 d, 2 d)."""
    if not 0 <= n_pairs <= d:
        raise ValueError(f"n_pairs must lie in [0, {d}], got {n_pairs}.")
    if not -1 < correlation < 1 or not math.isfinite(correlation):
        raise ValueError(f"correlation must lie in (-1, 1), got {correlation}.")
    cross = np.diag(np.where(np.arange(d) < n_pairs, correlation, 0.0))
    return np.block([[np.eye(d), cross], [cross, np.eye(d)]])
