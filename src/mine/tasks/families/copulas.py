"""Copulas beyond the normal: uniform margins, dependence in one tail, in both, or in neither."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mine.tasks.families.channel import Nodes, panels

__all__ = ["Clayton", "Frank", "Gumbel", "information"]

Rows = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Clayton:
    """Dependence in the lower tail. Uniforms from exponentials over a shared gamma variable (Marshall & Olkin, 1988)."""

    theta: float

    def sampler(self, n: int, rng: np.random.Generator) -> Rows:
        u = (1 + rng.exponential(size=(n, 2)) / rng.gamma(1 / self.theta, size=(n, 1))) ** (-1 / self.theta)
        return u[:, :1], u[:, 1:]

    def log_density(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        t = self.theta
        return math.log1p(t) - (1 + t) * np.log(u * v) - (2 + 1 / t) * np.log(u**-t + v**-t - 1)

    def ratio(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return self.log_density(x[:, 0], y[:, 0])

    @property
    def mutual_information(self) -> float:
        """``log(1 + theta) - theta / (1 + theta)``: the mean of the log-density, E log C by Kendall's distribution."""
        return math.log1p(self.theta) - self.theta / (1 + self.theta)


@dataclass(frozen=True)
class Gumbel:
    """Dependence in the upper tail. Exponentials over a shared positive stable variable (Marshall & Olkin, 1988)."""

    theta: float

    def sampler(self, n: int, rng: np.random.Generator) -> Rows:
        a = 1 / self.theta
        # a positive stable variable of index a (Kanter, 1975)
        angle, e = rng.uniform(0, np.pi, size=(n, 1)), rng.exponential(size=(n, 1))
        s = np.sin(a * angle) / np.sin(angle) ** (1 / a) * (np.sin((1 - a) * angle) / e) ** ((1 - a) / a)
        u = np.exp(-((rng.exponential(size=(n, 2)) / s) ** a))
        return u[:, :1], u[:, 1:]

    def log_density(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        t, a, b = self.theta, -np.log(u), -np.log(v)
        w = a**t + b**t
        r = w ** (1 / t)
        return -r + a + b + (t - 1) * np.log(a * b) + (1 / t - 2) * np.log(w) + np.log(r + t - 1)

    def ratio(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return self.log_density(x[:, 0], y[:, 0])


@dataclass(frozen=True)
class Frank:
    """No tail dependence; negative ``theta`` for opposite order. Sampled by the inverse of v's distribution given u."""

    theta: float

    def sampler(self, n: int, rng: np.random.Generator) -> Rows:
        u, w = rng.uniform(size=(2, n, 1))
        t = self.theta
        fall = np.exp(-t * u)
        return u, -np.log1p(w * np.expm1(-t) / (w + (1 - w) * fall)) / t

    def log_density(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        t = self.theta
        below = -math.expm1(-t) - np.expm1(-t * u) * np.expm1(-t * v)
        return math.log(-t * math.expm1(-t)) - t * (u + v) - 2 * np.log(np.abs(below))

    def ratio(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return self.log_density(x[:, 0], y[:, 0])


def information(copula: Clayton | Gumbel | Frank, n: int = 60) -> float:
    """Integral of ``c log c`` over the square, in nats; each axis is ``u = 1 / (1 + e^-s)``, which opens the corners."""
    s, w = panels(-36.0, 36.0, n)
    u, slope = 1 / (1 + np.exp(-s)), 1 / (np.exp(s / 2) + np.exp(-s / 2)) ** 2
    axis: Nodes = (u, w * slope)
    inside = (u > 0) & (u < 1)
    u, weights = axis[0][inside], axis[1][inside]
    log_c = copula.log_density(u[:, None], u[None, :])
    return float(weights @ (np.exp(log_c) * log_c) @ weights)
