"""Mixtures of joint normals: the log-ratio is in closed form, the information is not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from mine.tasks.families.multinormal import JointNormal

__all__ = ["NormalMixture"]


@dataclass(frozen=True)
class NormalMixture:
    """Components of ``weights`` (k,), ``means`` (k, d) and ``covariances`` (k, d, d); the first ``dx`` coordinates are x."""

    weights: np.ndarray
    means: np.ndarray
    covariances: np.ndarray
    dx: int

    @property
    def dy(self) -> int:
        return self.means.shape[1] - self.dx

    def sampler(self, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        return self._labelled(n, rng)[1:]

    def _labelled(self, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        label = rng.choice(len(self.weights), size=n, p=self.weights)
        noise = rng.normal(size=(n, self.means.shape[1]))
        rows = np.empty_like(noise)
        for k, (mean, root) in enumerate(zip(self.means, np.linalg.cholesky(self.covariances), strict=True)):
            rows[label == k] = mean + noise[label == k] @ root.T
        return label, rows[:, : self.dx], rows[:, self.dx :]

    def ratio(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Log-ratio in nats, (n,)."""
        left, right = slice(None, self.dx), slice(self.dx, None)
        joint = self._log_density(np.hstack([x, y]), slice(None))
        return joint - self._log_density(x, left) - self._log_density(y, right)

    def information(self, n: int, rng: np.random.Generator) -> tuple[float, float]:
        """Information in nats and its standard error, by Monte Carlo over ``n`` rows.

        The log-ratio of each row's own component is taken off: its mean is known, and most of the variance goes with it.
        """
        label, x, y = self._labelled(n, rng)
        rest = self.ratio(x, y)
        known = 0.0
        for k, weight in enumerate(self.weights):
            here = label == k
            component = JointNormal(self.covariances[k], self.dx)
            mean = self.means[k]
            rest[here] -= component.ratio(x[here] - mean[: self.dx], y[here] - mean[self.dx :])
            known += weight * component.mutual_information
        return float(known + rest.mean()), float(rest.std() / np.sqrt(n))

    def _log_density(self, rows: np.ndarray, part: slice) -> np.ndarray:
        """Without the powers of 2 pi, which cancel in the ratio."""
        each = []
        for weight, mean, covariance in zip(self.weights, self.means[:, part], self.covariances[:, part, part], strict=True):
            off = rows - mean
            length = np.sum(off * np.linalg.solve(covariance, off.T).T, axis=1)
            each.append(np.log(weight) - np.linalg.slogdet(covariance)[1] / 2 - length / 2)
        return np.asarray(special.logsumexp(each, axis=0))
