"""Two vectors that are jointly Student: a joint normal over one shared random scale, which informs by itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from mine.tasks.families.multinormal import JointNormal
from mine.tasks.families.normal import CorrelatedNormal

__all__ = ["JointStudent", "shared_scale_information"]


def shared_scale_information(dx: int, dy: int, dof: float) -> float:
    """Information in nats that the shared scale gives, what remains where no coordinates correlate.

    References:
        Arellano-Valle, Contreras-Reyes & Genton, 2013, Shannon entropy and mutual information for multivariate
        skew-elliptical distributions; 'Beyond Normal' (Czyz et al., 2023, arXiv 2306.11078).

    Example:
        >>> round(shared_scale_information(1, 1, 1), 3)  # log(8 pi) - 3
        0.224
    """

    def f(k: float) -> float:
        return float(special.gammaln(k / 2) - k / 2 * special.digamma(k / 2))

    return f(dof) + f(dof + dx + dy) - f(dof + dx) - f(dof + dy)


@dataclass(frozen=True)
class JointStudent:
    """``normal`` rows divided by ``sqrt(chi^2_dof / dof)``, one scale a row."""

    normal: JointNormal | CorrelatedNormal
    dof: float

    @property
    def mutual_information(self) -> float:
        """That of the normal rows and that of the scale, in nats."""
        return self.normal.mutual_information + shared_scale_information(self.normal.dx, self.normal.dy, self.dof)

    def sampler(self, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        x, y = self.normal.sampler(n, rng)
        scale = np.sqrt(rng.chisquare(self.dof, size=(n, 1)) / self.dof)
        return x / scale, y / scale

    def ratio(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Log-ratio in nats, (n,): the difference of three Student log-densities."""
        nu, dx, dy = self.dof, self.normal.dx, self.normal.dy
        whole, left, right = self.normal.squared_lengths(x, y)

        def log_density(q: np.ndarray, d: int) -> np.ndarray:
            # without the factors that cancel: powers of nu pi, and the determinants, which make up the normal information
            return special.gammaln((nu + d) / 2) - special.gammaln(nu / 2) - (nu + d) / 2 * np.log1p(q / nu)

        remainder = log_density(whole, dx + dy) - log_density(left, dx) - log_density(right, dy)
        return self.normal.mutual_information + remainder
