"""A few numbers behind hundreds of columns: a fixed two-layer network, and a little noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

__all__ = ["Embedding"]

#: Of the tanh layer.
UNITS = 256


@dataclass(frozen=True)
class Embedding:
    """``tanh(t A + b) C + noise``: ``latent`` normal numbers become ``width`` columns; the weights follow from ``seed``.

    The map is invertible (A and C have full rank, ``width`` at least the number of tanh units). The noise costs below 0.001
    nats in the tasks of the catalogue: :meth:`read` finds the numbers again.
    """

    latent: int
    width: int
    seed: int
    noise: float = 0.01
    units: int = UNITS

    @cached_property
    def _weights(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        rng = np.random.default_rng(self.seed)
        first = rng.normal(size=(self.latent, self.units)) * 1.5 / math.sqrt(self.latent)
        return first, 0.5 * rng.normal(size=self.units), rng.normal(size=(self.units, self.width)) / math.sqrt(self.units)

    def draw(self, t: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(n, latent) -> (n, width)."""
        first, bias, second = self._weights
        hidden = (np.tanh(t @ first + bias) @ second).astype(np.float32)
        return hidden + np.float32(self.noise) * rng.standard_normal(size=hidden.shape, dtype=np.float32)

    def read(self, rows: np.ndarray, steps: int = 4) -> np.ndarray:
        """(n, width) -> (n, latent): the tanh units by least squares, then Gauss-Newton steps for the numbers.

        The first guess inverts each unit, weighted by its slope: units near their limits say little.
        """
        first, bias, second = self._weights
        units = rows @ np.linalg.pinv(second)
        safe = np.clip(units, -0.95, 0.95)
        t = _least_squares(first, 1 - safe**2, (np.arctanh(safe) - bias) * (1 - safe**2))
        for _ in range(steps):
            now = np.tanh(t @ first + bias)
            t = t + _least_squares(first, 1 - now**2, units - now)
        return t


def _least_squares(matrix: np.ndarray, slopes: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """The solution of ``(t @ matrix) * slopes = targets`` for each row, shape (n, latent)."""
    jacobian = matrix[None] * slopes[:, None, :]
    return np.linalg.solve(jacobian @ jacobian.transpose(0, 2, 1), jacobian @ targets[:, :, None])[:, :, 0]
