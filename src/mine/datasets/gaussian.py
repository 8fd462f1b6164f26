"""Correlated normal variables: the paper's first experiment, with its closed form."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mine.errors import InputError

__all__ = ["correlated_normal", "correlated_normal_mi"]


def correlated_normal(n: int, rho: float, dim: int = 1, random_state: Any = None) -> tuple[np.ndarray, np.ndarray]:
    """Rows of two standard normal vectors whose i-th coordinates correlate by ``rho``, the others not at all.

    References:
        Belghazi et al., 2018 (arXiv 1801.04062), section 4.1.

    Arguments:
        n: Number of rows.
        rho: Correlation, in [-1, 1].
        dim: Coordinates a side.
        random_state: Seed or ``numpy.random.Generator``.

    Returns:
        x and y, each of shape (n, dim).

    Raises:
        InputError: ``rho`` out of range.

    Example:
        >>> x, y = correlated_normal(10_000, 0.8, random_state=0)
        >>> x.shape, round(float(np.corrcoef(x[:, 0], y[:, 0])[0, 1]), 1)
        ((10000, 1), 0.8)
    """
    if not -1 <= rho <= 1:
        raise InputError(f"rho must lie in [-1, 1], got {rho!r}.")
    rng = np.random.default_rng(random_state)
    x = rng.normal(size=(n, dim))
    y = rho * x + math.sqrt(1 - rho**2) * rng.normal(size=(n, dim))
    return x, y


def correlated_normal_mi(rho: float, dim: int = 1) -> float:
    """Mutual information of :func:`correlated_normal` in nats, ``-dim / 2 log(1 - rho^2)``.

    >>> round(correlated_normal_mi(0.99, 20), 2)
    39.17
    """
    if not -1 <= rho <= 1:
        raise InputError(f"rho must lie in [-1, 1], got {rho!r}.")
    return math.inf if abs(rho) == 1 else -dim / 2 * math.log1p(-(rho**2))
