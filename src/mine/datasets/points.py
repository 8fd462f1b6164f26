"""Points in the plane that generative models are tried on: 25 normals on a grid, and two spirals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = ["GRID_CENTRES", "GRID_STD", "SPIRAL_STD", "gaussian_grid", "nearest_on_spirals", "spirals"]

#: Centres of the 25 normals, shape (25, 2); the label is the row.
GRID_CENTRES = np.array([(i, j) for i in range(-4, 5, 2) for j in range(-4, 5, 2)], float)
GRID_STD = 0.05

#: Noise around the spirals, whose outer end is at distance 1.
SPIRAL_STD = 0.02
_TURN = math.radians(780)


def gaussian_grid(n: int, random_state: Any = None) -> tuple[np.ndarray, np.ndarray]:
    """Points of 25 normals of standard deviation 0.05 on a grid with steps of 2, all equally likely.

    References:
        The '2D grid' of Srivastava et al., 2017 (VEEGAN, arXiv 1705.07761), as in Lin et al., 2018 (PacGAN, arXiv 1712.04086).

    Arguments:
        n: Number of points.
        random_state: Seed or ``numpy.random.Generator``.

    Returns:
        Points of shape (n, 2) and which normal each is from, shape (n,), 0 to 24.

    Example:
        >>> points, labels = gaussian_grid(1000, random_state=0)
        >>> bool((np.linalg.norm(points - GRID_CENTRES[labels], axis=1) < 6 * GRID_STD).all())
        True
    """
    rng = np.random.default_rng(random_state)
    labels = rng.integers(len(GRID_CENTRES), size=n)
    return GRID_CENTRES[labels] + GRID_STD * rng.normal(size=(n, 2)), labels


def _on_spiral(share: np.ndarray, arm: np.ndarray) -> np.ndarray:
    """The point that leaves this share of an arm's mass behind it; the arms are each other's mirror image in the origin."""
    t = np.sqrt(share)  # the length of a turn grows with its radius: the root spreads the points evenly along the curve
    angle = _TURN * t + np.pi * arm
    return np.stack([t * np.cos(angle), t * np.sin(angle)], -1)


def spirals(n: int, random_state: Any = None) -> tuple[np.ndarray, np.ndarray]:
    """Points of two spirals of 780 degrees around each other, with normal noise of standard deviation 0.02.

    The curves are mine-pytorch's curves, its box-shaped noise replaced by a normal one.

    Arguments:
        n: Number of points.
        random_state: Seed or ``numpy.random.Generator``.

    Returns:
        Points of shape (n, 2), of length about 1 at most, and which spiral each is from, shape (n,), 0 or 1.

    Example:
        >>> points, labels = spirals(1000, random_state=0)
        >>> points.shape, np.unique(labels)
        ((1000, 2), array([0, 1]))
    """
    rng = np.random.default_rng(random_state)
    labels = rng.integers(2, size=n)
    return _on_spiral(rng.uniform(size=n), labels) + SPIRAL_STD * rng.normal(size=(n, 2)), labels


def nearest_on_spirals(points: np.ndarray, pieces: int) -> tuple[np.ndarray, np.ndarray]:
    """Where points lie on the two spirals, each cut into ``pieces`` of equal probability.

    Arguments:
        points: Shape (n, 2).
        pieces: Of one spiral.

    Returns:
        The nearest piece, shape (n,), where the pieces of spiral 0 come first; and the distance to the curves, shape (n,).

    Example:
        >>> nearest_on_spirals(np.array([[0.0, 0.0]]), 10)[1].round(3)
        array([0.])
    """
    from scipy.spatial import KDTree

    steps = pieces * max(1, 8000 // pieces)  # a step along the curve is then below 0.002
    share = (np.arange(steps) + 0.5) / steps
    curve = np.concatenate([[[0.0, 0.0]], *(_on_spiral(share, np.full(steps, arm)) for arm in (0, 1))])
    distance, nearest = KDTree(curve).query(points)
    step = np.maximum(nearest - 1, 0)
    return step // (steps // pieces), distance
