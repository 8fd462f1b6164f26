"""A scalar sent through a noisy channel, ``t -> y``; the information by quadrature over both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

__all__ = ["Channel", "Nodes", "panels"]

#: Quadrature: points and their weights, each (m,).
Nodes = tuple[np.ndarray, np.ndarray]


def panels(lower: float, upper: float, n: int, order: int = 10) -> Nodes:
    """Gauss-Legendre of that order on each of ``n`` equal parts: kinks that fall on an edge cost nothing."""
    points, weights = special.roots_legendre(order)
    edges = np.linspace(lower, upper, n + 1)
    half = np.diff(edges)[:, None] / 2
    return (edges[:-1, None] + half * (points + 1)).ravel(), (half * weights).ravel()


@dataclass(frozen=True)
class Channel:
    """``dim`` independent uses of one channel, whose input is the coordinate of x.

    Attributes:
        draw_input: ``(size, generator) -> t``.
        draw_output: ``(t, generator) -> y``, element by element.
        log_density: ``(y, t) -> log p(y | t)``, element by element with broadcasting.
        inputs: Quadrature for the distribution of t: weights that sum to 1.
        outputs: Quadrature over y's line, or y's values with weights 1.
        dim: Coordinates a side.
    """

    draw_input: Callable[[tuple[int, int], np.random.Generator], np.ndarray]
    draw_output: Callable[[np.ndarray, np.random.Generator], np.ndarray]
    log_density: Callable[[np.ndarray, np.ndarray], np.ndarray]
    inputs: Nodes
    outputs: Nodes
    dim: int = 1

    def sampler(self, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        t = self.draw_input((n, self.dim), rng)
        return t, self.draw_output(t, rng)

    def log_marginal(self, y: np.ndarray) -> np.ndarray:
        """``log p(y)``, the shape of ``y``."""
        t, w = self.inputs
        flat = y.ravel()
        parts = np.array_split(flat, 1 + flat.size * t.size // 2_000_000)  # 16 MB at a time
        logs = [np.asarray(special.logsumexp(self.log_density(p[:, None], t), b=w, axis=1)) for p in parts]
        return np.concatenate(logs).reshape(y.shape)

    def ratio(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Log-ratio in nats, (n,)."""
        return np.sum(self.log_density(y, x) - self.log_marginal(y), axis=1)

    def information(self) -> float:
        """``dim`` times the double integral of ``p(t) p(y | t) (log p(y | t) - log p(y))``, in nats."""
        (t, wt), (y, wy) = self.inputs, self.outputs
        log_p = self.log_density(y[:, None], t)
        density = np.exp(log_p)
        term = special.xlogy(density, density) @ wt - special.xlogy(density @ wt, density @ wt)
        return self.dim * float(wy @ term)
