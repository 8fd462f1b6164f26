"""Noisy functions of a uniform variable, and their mutual information by quadrature."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mine.errors import InputError, UnknownNameError

__all__ = ["NOISY_FUNCTIONS", "NoisyFunction", "noisy_function", "noisy_function_mi"]


@dataclass(frozen=True)
class NoisyFunction:
    """What a coordinate of y is before the noise: one of the branches at x, with equal chances.

    Attributes:
        branches: x of shape (n,) -> values of shape (n, k).
        half_width: Where positive, the value is uniform within this distance of the branch.
    """

    branches: Callable[[np.ndarray], np.ndarray]
    half_width: float = 0.0


def _curve(function: Callable[[np.ndarray], np.ndarray]) -> NoisyFunction:
    return NoisyFunction(lambda x: function(x)[:, None])


def _mirrored(function: Callable[[np.ndarray], np.ndarray]) -> NoisyFunction:
    return NoisyFunction(lambda x: function(x)[:, None] * np.array([1.0, -1.0]))


def _squares(x: np.ndarray) -> np.ndarray:
    """Centres of the two dark squares of a column; the board of 4 x 4 squares fills [-1, 1] x [-1, 1]."""
    odd = np.floor(2 * (x + 1)) % 2
    return np.stack([-0.75 + 0.5 * odd, 0.25 + 0.5 * odd], -1)


#: By name; the first three are the MINE paper's.
NOISY_FUNCTIONS: dict[str, NoisyFunction] = {
    "x": _curve(lambda x: x),
    "x^3": _curve(lambda x: x**3),
    "sin x": _curve(np.sin),
    "exp x": _curve(np.exp),
    "sawtooth": _curve(lambda x: 2 * ((x + 1) % 1) - 1),
    "circle": _mirrored(lambda x: np.sqrt(1 - x**2)),
    "cross": _mirrored(lambda x: x),
    "checkerboard": NoisyFunction(_squares, half_width=0.25),
}


def noisy_function(n: int, name: str, sigma: float, dim: int = 1, random_state: Any = None) -> tuple[np.ndarray, np.ndarray]:
    """Rows of x, uniform on (-1, 1), and of ``y = f(x) + sigma * noise``, coordinate by coordinate.

    Circle and cross take either sign with equal chances; the checkerboard is uniform on its dark squares.

    References:
        Belghazi et al., 2018 (arXiv 1801.04062), section 4.2, for x, x^3 and sin x.

    Arguments:
        n: Number of rows.
        name: One of :data:`NOISY_FUNCTIONS`.
        sigma: Standard deviation of the normal noise, 0 or more.
        dim: Coordinates a side, independent of each other.
        random_state: Seed or ``numpy.random.Generator``.

    Returns:
        x and y, each of shape (n, dim).

    Raises:
        UnknownNameError: No such function.
        InputError: ``sigma`` is negative.

    Example:
        >>> x, y = noisy_function(10_000, "circle", 0.1, random_state=0)
        >>> bool(abs(np.corrcoef(x[:, 0], y[:, 0])[0, 1]) < 0.05)
        True
    """
    shape = _checked(name, sigma)
    rng = np.random.default_rng(random_state)
    x = rng.uniform(-1, 1, size=n * dim)
    values = shape.branches(x)
    picked = values[np.arange(n * dim), rng.integers(values.shape[1], size=n * dim)]
    y = picked + shape.half_width * rng.uniform(-1, 1, size=n * dim) + sigma * rng.normal(size=n * dim)
    return x.reshape(n, dim), y.reshape(n, dim)


def noisy_function_mi(name: str, sigma: float, dim: int = 1) -> float:
    """Mutual information of :func:`noisy_function` in nats, infinite without noise; good to 1e-4 for ``sigma`` from 0.05.

    The integral of ``p(y | x) log p(y | x) / p(y)``: midpoints in x, equal steps of a sixteenth of ``sigma`` in y, where the
    integrand is smooth and vanishes at both ends.

    Example:
        >>> round(noisy_function_mi("x", 0.1), 3)
        1.667
        >>> noisy_function_mi("x", 0.0)
        inf
    """
    shape = _checked(name, sigma)
    if sigma == 0 and shape.half_width == 0:
        return math.inf
    if sigma == 0:
        return dim * math.log(2)  # of the checkerboard: x decides which half of y is dark
    centres = shape.branches((np.arange(2_000) + 0.5) / 1_000 - 1)  # (x, k)
    reach = shape.half_width + 9 * sigma
    low, high = centres.min() - reach, centres.max() + reach
    y, step = np.linspace(low, high, math.ceil(16 * (high - low) / sigma), retstep=True)
    total = 0.0
    for part in np.array_split(y, math.ceil(len(y) / 100)):
        density = _density(part[:, None, None] - centres, sigma, shape.half_width).mean(-1)  # (y, x)
        total += _x_log_x(density).mean(1).sum() - _x_log_x(density.mean(1)).sum()
    return dim * float(total * step)


def _density(distance: np.ndarray, sigma: float, half_width: float) -> np.ndarray:
    """Of normal noise, plus uniform noise of that half-width where it is positive."""
    from scipy.special import ndtr

    if half_width == 0:
        return np.exp(-0.5 * (distance / sigma) ** 2) / (sigma * math.sqrt(2 * math.pi))
    return (ndtr((distance + half_width) / sigma) - ndtr((distance - half_width) / sigma)) / (2 * half_width)


def _x_log_x(p: np.ndarray) -> np.ndarray:
    from scipy.special import xlogy

    return xlogy(p, p)


def _checked(name: str, sigma: float) -> NoisyFunction:
    if name not in NOISY_FUNCTIONS:
        raise UnknownNameError("function", name, NOISY_FUNCTIONS)
    if not sigma >= 0:
        raise InputError(f"sigma must be 0 or more, got {sigma!r}.")
    return NOISY_FUNCTIONS[name]
