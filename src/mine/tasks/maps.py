"""Invertible maps of one side: they change the shape of the data and leave the information alone.

Each is a :class:`mine.tasks.Map` of rows, (n, d) -> (n, d'), whose ``inverse`` gives the log-ratio of the mapped task.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import special

from mine.tasks.task import Map

__all__ = [
    "ASINH",
    "CUBIC",
    "HALF_CUBE",
    "NORMAL_CDF",
    "SWISS_ROLL",
    "WIGGLY_X",
    "WIGGLY_Y",
    "chain",
    "increasing",
    "power",
    "scale",
    "solve_increasing",
    "spiral",
    "to_normal_mixture",
]

Function = Callable[[np.ndarray], np.ndarray]


def chain(*maps: Map) -> Map:
    """One map after the other, the first one first.

    >>> both = chain(ASINH, HALF_CUBE)
    >>> np.allclose(both.inverse(both.forward(np.array([[-3.0]]))), -3)
    True
    """
    inverses = [m.inverse for m in maps]

    def forward(rows: np.ndarray) -> np.ndarray:
        for m in maps:
            rows = m.forward(rows)
        return rows

    def inverse(rows: np.ndarray) -> np.ndarray:
        for back in reversed(inverses):
            assert back is not None  # else `inverse` is not handed out
            rows = back(rows)
        return rows

    return Map(forward, None if None in inverses else inverse)


def solve_increasing(function: Function, values: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """``u`` with ``function(u) == values`` by bisection, element-wise; ``function`` increases from ``lower`` to ``upper``."""
    for _ in range(60):
        middle = 0.5 * (lower + upper)
        below = function(middle) < values
        lower, upper = np.where(below, middle, lower), np.where(below, upper, middle)
    return 0.5 * (lower + upper)


def increasing(function: Function, within: float) -> Map:
    """An increasing map of every coordinate that moves no point by more than ``within``; its inverse is found by bisection."""
    return Map(function, lambda v: solve_increasing(function, v, v - within, v + within))


def power(exponent: float) -> Map:
    """Every coordinate to a power with its sign kept, ``sign(u) |u|^exponent``: above 1 tails grow, below 1 they shrink."""
    return Map(lambda u: np.sign(u) * np.abs(u) ** exponent, lambda v: np.sign(v) * np.abs(v) ** (1 / exponent))


#: ``u sqrt|u|``: longer tails ('Beyond Normal').
HALF_CUBE = power(1.5)

#: Inverse hyperbolic sine: tails of a Student variable become nearly exponential.
ASINH = Map(np.arcsinh, np.sinh)


def scale(factor: float) -> Map:
    """Every coordinate times a factor."""
    return Map(lambda u: factor * u, lambda v: v / factor)


#: ``u + u^3 / 3``, whose inverse is Cardano's in hyperbolic form: ``2 sinh(asinh(3 v / 2) / 3)``.
CUBIC = Map(lambda u: u + u**3 / 3, lambda v: 2 * np.sinh(np.arcsinh(1.5 * v) / 3))

#: The standard normal's distribution function: uniform margins on (0, 1).
NORMAL_CDF = Map(special.ndtr, special.ndtri)


def _wiggly_x(u: np.ndarray) -> np.ndarray:
    return u + 0.4 * np.sin(u) + 0.2 * np.sin(1.7 * u + 1) + 0.03 * np.sin(3.3 * u - 2.5)


def _wiggly_y(u: np.ndarray) -> np.ndarray:
    return u - 0.4 * np.sin(0.4 * u) + 0.17 * np.sin(1.3 * u + 3.5) + 0.02 * np.sin(4.3 * u - 2.5)


#: Sums of sines that stay increasing: slopes between 0.16 and 1.84 ('Beyond Normal'), for x and for y.
WIGGLY_X = increasing(_wiggly_x, within=0.63)
WIGGLY_Y = increasing(_wiggly_y, within=0.59)


def spiral(speed: float, plane: tuple[int, int] = (0, 1)) -> Map:
    """Turns a plane of two coordinates by ``speed`` times the squared length of the whole row, in radians.

    The length does not change, so the inverse turns back by the same angle ('Beyond Normal', Czyz et al., 2023).
    """
    i, j = plane

    def turn(rows: np.ndarray, direction: float) -> np.ndarray:
        angle = direction * speed * np.sum(rows**2, axis=1)
        turned = rows.copy()
        turned[:, i] = np.cos(angle) * rows[:, i] - np.sin(angle) * rows[:, j]
        turned[:, j] = np.sin(angle) * rows[:, i] + np.cos(angle) * rows[:, j]
        return turned

    return Map(lambda u: turn(u, 1.0), lambda v: turn(v, -1.0))


def _roll(u: np.ndarray) -> np.ndarray:
    angle = 1.5 * np.pi * (1 + 2 * u)
    return np.hstack([angle * np.cos(angle), angle * np.sin(angle)]) / 21


#: The unit interval rolled up in the plane, (n, 1) -> (n, 2); the distance from the centre tells where on it a point lies.
SWISS_ROLL = Map(_roll, lambda v: (21 * np.linalg.norm(v, axis=1, keepdims=True) / (1.5 * np.pi) - 1) / 2)


def to_normal_mixture(weights: tuple[float, ...], means: tuple[float, ...]) -> Map:
    """Takes a standard normal coordinate to a mixture of unit normals, quantile by quantile."""

    def cdf(v: np.ndarray) -> np.ndarray:
        return sum((w * special.ndtr(v - m) for w, m in zip(weights, means, strict=True)), start=np.zeros_like(v))

    def forward(u: np.ndarray) -> np.ndarray:
        # each quantile of the mixture lies between those of its components
        return solve_increasing(cdf, special.ndtr(u), u + min(means), u + max(means))

    return Map(forward, lambda v: special.ndtri(cdf(v)))
