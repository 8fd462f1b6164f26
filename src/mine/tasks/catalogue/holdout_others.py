"""Held-out tasks with closed forms of their own. Not for tuning."""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from mine.tasks.families.channel import Channel, panels
from mine.tasks.task import LogRatio, Sampler, Task

Rows = tuple[np.ndarray, np.ndarray]


def _task(name: str, size: tuple[int, int], information: float, words: str, sampler: Sampler, ratio: LogRatio) -> Task:
    return Task(
        name=f"holdout-{name}", dx=size[0], dy=size[1], mutual_information=information, description=words,
        source="this project; closed form in the task's file", suite="holdout", sampler=sampler, ratio=ratio,
    )  # fmt: skip


def _frailty(dx: int, dy: int, shape: float) -> Task:
    """Exponentials whose rate is one gamma variable: jointly Lomax, so E log(1 + sum of k) = psi(a + k) - psi(a)."""

    def log_factor(k: int) -> float:
        return float(special.gammaln(shape + k))

    def sampler(n: int, rng: np.random.Generator) -> Rows:
        logs = np.log(rng.exponential(size=(n, dx + dy))) - np.log(rng.gamma(shape, size=(n, 1)))
        return logs[:, :dx], logs[:, dx:]

    constant = log_factor(dx + dy) + log_factor(0) - log_factor(dx) - log_factor(dy)

    def ratio(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        a, b = np.exp(x).sum(axis=1), np.exp(y).sum(axis=1)
        part = (shape + dx) * np.log1p(a) + (shape + dy) * np.log1p(b)
        return constant + part - (shape + dx + dy) * np.log1p(a + b)

    def mean(k: int) -> float:
        return float(special.digamma(shape + k) - special.digamma(shape))

    information = constant + (shape + dx) * mean(dx) + (shape + dy) * mean(dy) - (shape + dx + dy) * mean(dx + dy)
    words = f"logarithms of exponentials over one gamma rate of shape {shape:g}, {dx} x {dy}"
    return _task(f"gamma-frailty-{dx}-{dy}d", (dx, dy), information, words, sampler, ratio)


def _rotated_uniforms(angle: float, d: int) -> Task:
    """A uniform square turned: ``I = 2 h(trapezium) - 0``, each margin a sum of two uniforms.

    A sum of uniforms of widths a > b has entropy ``log a + b / (2 a)``.
    """
    a, b = math.cos(angle), math.sin(angle)

    def log_margin(v: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore"):
            return np.log(np.clip(((a + b) / 2 - np.abs(v)) / (a * b), 0, 1 / a))

    def sampler(n: int, rng: np.random.Generator) -> Rows:
        u, v = rng.uniform(-0.5, 0.5, size=(2, n, d))
        return a * u - b * v, b * u + a * v

    def ratio(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        # the square's density is 1 inside; rows turned and turned back may miss its edge by a rounding error
        inside = np.maximum(np.abs(a * x + b * y), np.abs(a * y - b * x)) <= 0.5 + 1e-12
        return np.sum(np.where(inside, -log_margin(x) - log_margin(y), -np.inf), axis=1)

    words = f"uniform squares turned by {angle:g} radians, {d} x {d}"
    return _task(f"rotated-uniforms-{d}d", (d, d), d * 2 * (math.log(a) + b / (2 * a)), words, sampler, ratio)


def _phase(kappa: float) -> Task:
    """Two directions that differ by a von Mises angle: ``kappa I1 / I0 - log I0`` (both directions uniform alone)."""

    def sampler(n: int, rng: np.random.Generator) -> Rows:
        first = rng.uniform(0, 2 * np.pi, size=n)
        second = first + rng.vonmises(0, kappa, size=n)
        return np.stack([np.cos(first), np.sin(first)], axis=1), np.stack([np.cos(second), np.sin(second)], axis=1)

    log_i0 = math.log(special.i0(kappa))
    information = kappa * float(special.i1(kappa) / special.i0(kappa)) - log_i0
    words = f"points of a circle that differ by a von Mises angle, kappa {kappa:g}, 2 x 2"
    return _task("circle-2d", (2, 2), information, words, sampler, lambda x, y: kappa * np.sum(x * y, axis=1) - log_i0)


def _parity(d: int, keep: float) -> Task:
    """The sign of a product: ``log 2 - H(keep)``; fewer than all coordinates of x say nothing."""

    def sampler(n: int, rng: np.random.Generator) -> Rows:
        x = rng.normal(size=(n, d))
        sign = np.sign(np.prod(x, axis=1)) * np.where(rng.uniform(size=n) < keep, 1, -1)
        return x, (sign * np.abs(rng.normal(size=n)))[:, None]

    def ratio(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.log(2 * np.where(np.prod(x, axis=1) * y[:, 0] > 0, keep, 1 - keep))

    information = math.log(2) + keep * math.log(keep) + (1 - keep) * math.log(1 - keep)
    words = f"normal x; y has the sign of the product of its {d} coordinates with probability {keep:g}"
    return _task(f"parity-{d}-1d", (d, 1), information, words, sampler, ratio)


def _independent() -> Task:
    """Heavy tails and no dependence: log-ratio and information are 0."""

    def sampler(n: int, rng: np.random.Generator) -> Rows:
        return rng.standard_cauchy(size=(n, 2)), rng.pareto(1.2, size=(n, 3))

    words = "independent: Cauchy x, Pareto y of index 1.2, 2 x 3"
    return _task("independent-heavy-2-3d", (2, 3), 0.0, words, sampler, lambda x, y: np.zeros(len(x)))


def radius_channel(n: int = 40) -> Channel:
    """``t = log |x|^2`` of a 5-d normal, y = t + 0.4 normal; t has a density proportional to ``exp(2.5 t - e^t / 2)``."""
    points, weights = panels(-9, 4.5, n)
    weights = weights * np.exp(2.5 * points - np.exp(points) / 2)
    return Channel(
        lambda size, rng: np.log(rng.chisquare(5, size=size)),
        lambda t, rng: t + 0.4 * rng.normal(size=t.shape),
        lambda y, t: -(((y - t) / 0.4) ** 2) / 2 - math.log(0.4) - math.log(2 * math.pi) / 2,
        (points, weights / weights.sum()),
        panels(-12, 8, 4 * n),
    )


RADIUS_INFORMATION = 0.685679  # by quadrature, error below 1e-6


def _radius() -> Task:
    """x tells of y by its length alone, so the information is that of the length."""
    channel = radius_channel()

    def sampler(n: int, rng: np.random.Generator) -> Rows:
        x = rng.normal(size=(n, 5))
        return x, np.log(np.sum(x**2, axis=1, keepdims=True)) + 0.4 * rng.normal(size=(n, 1))

    def ratio(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return channel.ratio(np.log(np.sum(x**2, axis=1, keepdims=True)), y)

    words = "5-d normal x, y = log |x|^2 + 0.4 normal; information by quadrature"
    return _task("radius-5-1d", (5, 1), RADIUS_INFORMATION, words, sampler, ratio)


def laplace_noise(n: int = 4000) -> tuple[float, float]:
    """Information of a Laplace x under Laplace noise of scale 0.3 by one integral, and the noise's scale.

    y has the density ``(e^-|y| - b e^(-|y| / b)) / (2 (1 - b^2))``, the noise the entropy ``1 + log 2b``.
    """
    b = 0.3
    points, weights = panels(0, 60, n)
    density = (np.exp(-points) - b * np.exp(-points / b)) / (2 * (1 - b * b))
    return float(2 * weights @ special.entr(density)) - 1 - math.log(2 * b), b


def _laplace() -> Task:
    information, b = laplace_noise(400)

    def sampler(n: int, rng: np.random.Generator) -> Rows:
        x = rng.laplace(size=(n, 1))
        return x, x + rng.laplace(scale=b, size=(n, 1))

    def ratio(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        size = np.abs(y)
        log_margin = -size + np.log1p(-b * np.exp(size - size / b)) - math.log(2 * (1 - b * b))
        return (-np.abs(y - x) / b - math.log(2 * b) - log_margin)[:, 0]

    return _task("laplace-noise-1d", (1, 1), information, f"Laplace x, Laplace noise of scale {b:g}", sampler, ratio)


TASKS = (
    _frailty(2, 3, 0.7),
    _rotated_uniforms(math.pi / 6, 2),
    _phase(8.0),
    _parity(3, 0.95),
    _independent(),
    _radius(),
    _laplace(),
)
