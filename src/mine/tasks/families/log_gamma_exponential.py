"""Logarithms of a gamma variable and of an exponential one whose rate it is: skewed, with one heavy tail a side."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

__all__ = ["LogGammaExponential"]


@dataclass(frozen=True)
class LogGammaExponential:
    """``x = log g``, ``g ~ Gamma(shape)``; ``y = log e``, ``e ~ Exponential(rate g)``; ``dim`` independent coordinates.

    >>> round(LogGammaExponential(1.0).mutual_information, 3)  # 1 - Euler's constant
    0.423
    """

    shape: float
    dim: int = 1

    @property
    def mutual_information(self) -> float:
        """``psi(a) - log a + 1 / a`` a coordinate, in nats (Kraskov et al., 2004; Darbellay & Vajda, 2000)."""
        a = self.shape
        return self.dim * float(special.digamma(a) - math.log(a) + 1 / a)

    def sampler(self, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        size = (n, self.dim)
        # a small shape underflows in the gamma itself: G(a) is G(a + 1) U^(1 / a) in law, taken in logarithms
        x = np.log(rng.gamma(self.shape + 1, size=size)) - rng.exponential(size=size) / self.shape
        return x, np.log(rng.exponential(size=size)) - x

    def ratio(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Log-ratio in nats, (n,); ``e`` alone is Lomax, with density ``a / (1 + e)^(a + 1)``."""
        a = self.shape
        return np.sum(x - np.exp(x + y) - math.log(a) + (a + 1) * np.logaddexp(0, y), axis=1)
