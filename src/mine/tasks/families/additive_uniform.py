"""A uniform variable seen through uniform noise: sharp edges, half of the pairs' plane empty."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

__all__ = ["AdditiveUniform"]


@dataclass(frozen=True)
class AdditiveUniform:
    """``x ~ U(0, 1)``, ``y = x + U(-epsilon, epsilon)``, in ``dim`` independent coordinates.

    >>> round(AdditiveUniform(0.1).mutual_information, 3), round(AdditiveUniform(0.75).mutual_information, 3)
    (1.709, 0.333)
    """

    epsilon: float
    dim: int = 1

    @property
    def mutual_information(self) -> float:
        """``epsilon - log(2 epsilon)`` a coordinate for noise narrower than x, else ``1 / (4 epsilon)``, in nats.

        It is h(y) - h(y | x): y has the density of a trapezium ('Beyond Normal', Czyz et al., 2023).
        """
        e = self.epsilon
        return self.dim * (e - math.log(2 * e) if e <= 0.5 else 1 / (4 * e))

    def sampler(self, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        x = rng.uniform(size=(n, self.dim))
        return x, x + rng.uniform(-self.epsilon, self.epsilon, size=(n, self.dim))

    def ratio(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Log-ratio in nats, (n,): minus infinity off the support."""
        e = self.epsilon
        # length of the x's that can have made y; written so that it is exactly 2 e where nothing is cut off
        possible = np.clip(2 * e - np.maximum(0.0, e - y) - np.maximum(0.0, y + e - 1), 0.0, None)
        inside = (np.abs(y - x) <= e) & (x >= 0) & (x <= 1)
        with np.errstate(divide="ignore"):
            return np.sum(np.where(inside, -np.log(possible), -np.inf), axis=1)
