"""Correlated normal vectors with a dial: pairs of coordinates, all correlated alike."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

__all__ = ["CorrelatedNormal", "correlation_of"]


def correlation_of(information: float) -> float:
    """Correlation of two normal variables with that information in nats, ``sqrt(1 - exp(-2 I))``.

    >>> round(correlation_of(0.413339), 2)
    0.75
    """
    return math.sqrt(-math.expm1(-2 * information))


@dataclass(frozen=True)
class CorrelatedNormal:
    """Standard normal vectors of ``dim`` coordinates; the i-th of x and of y share ``mutual_information / dim`` nats.

    Written by the noise rather than by the correlation, which at 10 nats is 1 to eight decimals.
    """

    mutual_information: float
    dim: int = 1

    @property
    def correlation(self) -> float:
        return correlation_of(self.mutual_information / self.dim)

    @property
    def dx(self) -> int:
        return self.dim

    @property
    def dy(self) -> int:
        return self.dim

    @property
    def noise(self) -> float:
        """Standard deviation of y given x."""
        return math.exp(-self.mutual_information / self.dim)

    def sampler(self, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        x = rng.normal(size=(n, self.dim))
        return x, self.correlation * x + self.noise * rng.normal(size=(n, self.dim))

    def ratio(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """``log N(y; rho x, 1 - rho^2) - log N(y; 0, 1)`` in nats, (n,)."""
        whole, left, right = self.squared_lengths(x, y)
        return self.mutual_information - (whole - left - right) / 2

    def squared_lengths(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """``u' C^-1 u`` of the rows (x, y), of x and of y."""
        standard = (y - self.correlation * x) / self.noise
        left, right = np.sum(x**2, axis=1), np.sum(y**2, axis=1)
        return left + np.sum(standard**2, axis=1), left, right
