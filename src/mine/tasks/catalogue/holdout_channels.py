"""Held-out tasks: a scalar through a noisy channel. Not for tuning; information by quadrature, recomputed in the tests."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy import special, stats

from mine.tasks.families.channel import Channel, Nodes, panels
from mine.tasks.task import Task

INPUTS = 40  # panels over x; the tests double them


def _normal(y: np.ndarray, mean: np.ndarray, sd: np.ndarray | float) -> np.ndarray:
    return -((y - mean) ** 2) / (2 * sd**2) - np.log(sd) - math.log(2 * math.pi) / 2


def _weighted(nodes: Nodes, density: Callable[[np.ndarray], np.ndarray]) -> Nodes:
    weights = nodes[1] * density(nodes[0])
    return nodes[0], weights / weights.sum()


def _functions(function: Callable[[np.ndarray], np.ndarray], sd: float, n: int) -> Channel:
    """``x ~ U(-1, 1)``, ``y = function(x) + sd * normal``."""
    return Channel(
        lambda size, rng: rng.uniform(-1, 1, size=size),
        lambda t, rng: function(t) + sd * rng.normal(size=t.shape),
        lambda y, t: _normal(y, function(t), sd),
        _weighted(panels(-1, 1, n), np.ones_like),
        panels(-4, 4, 5 * n),
    )


def sine(n: int = INPUTS) -> Channel:
    return _functions(lambda t: np.sin(3 * np.pi * t), 0.3, n)


def parabola(n: int = INPUTS) -> Channel:
    return _functions(lambda t: 2 * t**2 - 1, 0.2, n)


def cross(n: int = INPUTS) -> Channel:
    """``y`` is x or -x, by a coin, with normal noise of 0.15."""
    return Channel(
        lambda size, rng: rng.uniform(-1, 1, size=size),
        lambda t, rng: t * rng.choice([-1.0, 1.0], size=t.shape) + 0.15 * rng.normal(size=t.shape),
        lambda y, t: np.logaddexp(_normal(y, t, 0.15), _normal(y, -t, 0.15)) - math.log(2),
        _weighted(panels(-1, 1, n), np.ones_like),
        panels(-3, 3, 5 * n),
    )


def logistic(n: int = INPUTS) -> Channel:
    """Normal x, logistic noise of scale 0.25, three coordinates."""
    return Channel(
        lambda size, rng: rng.normal(size=size),
        lambda t, rng: t + rng.logistic(scale=0.25, size=t.shape),
        lambda y, t: np.asarray(stats.logistic.logpdf((y - t) / 0.25)) - math.log(0.25),
        _weighted(panels(-8, 8, n), lambda t: np.exp(-(t**2) / 2)),
        panels(-16, 16, 4 * n),
        dim=3,
    )


def cauchy(n: int = INPUTS) -> Channel:
    """Normal x, Cauchy noise of scale 0.2; y in logarithmic scale, which the information does not mind."""
    return Channel(
        lambda size, rng: rng.normal(size=size),
        lambda t, rng: np.arcsinh(t + 0.2 * rng.standard_cauchy(size=t.shape)),
        # the density of asinh(v) is that of v times cosh
        lambda y, t: -np.log1p(((np.sinh(y) - t) / 0.2) ** 2) - math.log(0.2 * math.pi) + np.log(np.cosh(y)),
        _weighted(panels(-8, 8, 2 * n), lambda t: np.exp(-(t**2) / 2)),
        panels(-20, 20, 6 * n),
    )


def heteroscedastic(n: int = INPUTS) -> Channel:
    """``y = x + exp(x - 1) * normal``."""
    return Channel(
        lambda size, rng: rng.normal(size=size),
        lambda t, rng: t + np.exp(t - 1) * rng.normal(size=t.shape),
        lambda y, t: _normal(y, t, np.exp(t - 1)),
        _weighted(panels(-6, 6, n), lambda t: np.exp(-(t**2) / 2)),
        _stretched(12.0, 20 * n),
    )


def variance_only(n: int = INPUTS) -> Channel:
    """``y = exp(x) * normal`` in four coordinates: no mean of y moves with x."""
    return Channel(
        lambda size, rng: rng.normal(size=size),
        lambda t, rng: np.exp(t) * rng.normal(size=t.shape),
        lambda y, t: _normal(y, np.zeros(()), np.exp(t)),
        _weighted(panels(-7, 7, n), lambda t: np.exp(-(t**2) / 2)),
        _stretched(16.0, 20 * n),
        dim=4,
    )


def _stretched(reach: float, n: int) -> Nodes:
    """Nodes dense at 0 and sparse far out: ``sinh`` of equal panels, its slope in the weights."""
    points, weights = panels(-reach, reach, n)
    return np.sinh(points) / 100, np.cosh(points) / 100 * weights


def poisson(n: int = INPUTS) -> Channel:
    """``x ~ Gamma(2)``, counts of mean 5 x, two coordinates."""
    counts = np.arange(400.0)
    return Channel(
        lambda size, rng: rng.gamma(2.0, size=size),
        lambda t, rng: rng.poisson(5 * t).astype(float),
        lambda y, t: special.xlogy(y, 5 * t) - 5 * t - special.gammaln(y + 1),
        _weighted(panels(0, 40, 2 * n), lambda t: t * np.exp(-t)),
        (counts, np.ones_like(counts)),
        dim=2,
    )


#: name, how to build it, information in nats by quadrature (error below 1e-5), words
CHANNELS: tuple[tuple[str, Callable[[int], Channel], float, str], ...] = (
    ("sine-1d", sine, 0.861632, "x uniform on (-1, 1), y = sin(3 pi x) + 0.3 normal"),
    ("parabola-1d", parabola, 1.029419, "x uniform on (-1, 1), y = 2 x^2 - 1 + 0.2 normal"),
    ("cross-1d", cross, 0.728654, "x uniform on (-1, 1), y = x or -x by a coin, + 0.15 normal"),
    ("logistic-noise-3d", logistic, 2.696111, "normal x, logistic noise of scale 0.25, 3 x 3"),
    ("cauchy-noise-1d", cauchy, 0.894492, "normal x, y = asinh(x + 0.2 Cauchy)"),
    ("heteroscedastic-1d", heteroscedastic, 1.163234, "normal x, y = x + exp(x - 1) normal"),
    ("variance-only-4d", variance_only, 1.728546, "normal x, y = exp(x) normal, 4 x 4"),
    ("poisson-2d", poisson, 1.709213, "x gamma of shape 2, y Poisson of mean 5 x, 2 x 2"),
)

TASKS = tuple(
    Task(
        name=f"holdout-{name}", dx=channel.dim, dy=channel.dim, mutual_information=information, description=words,
        source="this project; information by quadrature", suite="holdout", sampler=channel.sampler, ratio=channel.ratio,
    )
    for name, build, information, words in CHANNELS
    for channel in (build(INPUTS),)
)  # fmt: skip
