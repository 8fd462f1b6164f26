"""Which side the chain rule puts first: by what the sides hold, whichever is called x."""

from __future__ import annotations

import math

import numpy as np

from mine.conditional.given import residuals_and_share
from mine.data.kernels import coordinates
from mine.data.preprocessing import rank_gaussianize
from mine.data.variable import Variable

__all__ = ["by_content", "ordered"]

#: Rows that the regressions are compared on, and columns of both sides up to which they are.
MOST_ROWS, MOST_COLUMNS = 4000, 12


def ordered(x: Variable, y: Variable, third: Variable, groups: np.ndarray | None, seed: int) -> tuple[Variable, Variable]:
    """The side a and the side b of ``I(a; b, z) - I(a; z)``.

    A side of labels comes first, for its entropy bounds both terms. Of two sides of numbers it is the one that the other helps
    more to predict, given z: y = f(x, z) + noise is far easier to learn from (x, z) than x is from (y, z).
    """
    numbers = x.n_continuous and y.n_continuous and max(x.continuous.ndim, y.continuous.ndim) == 2
    if numbers and x.n_continuous + y.n_continuous <= MOST_COLUMNS:
        some = slice(None, None, -(-len(x) // MOST_ROWS))
        x_part, y_part, z = (side.take(some) for side in (x, y, third))
        of_part = None if groups is None else groups[some]
        gains = _gain(x_part, y_part, z, of_part, seed), _gain(y_part, x_part, z, of_part, seed)
        if gains[0] != gains[1]:
            return (x, y) if gains[0] > gains[1] else (y, x)
    return by_content(x, y)


def by_content(x: Variable, y: Variable) -> tuple[Variable, Variable]:
    """Labels first, then the side of fewer columns or levels, then by the values themselves."""
    first, second = sorted((x, y), key=_content)
    return first, second


def _gain(side: Variable, other: Variable, third: Variable, groups: np.ndarray | None, seed: int) -> float:
    """How much less (nats, of normal variables) a regression on z and ``other`` leaves of a side than one on z alone."""
    scores = rank_gaussianize(side.flat)
    z = coordinates(third)
    _, alone = residuals_and_share(scores, z, groups, seed)
    _, both = residuals_and_share(scores, np.concatenate([coordinates(other), z], 1), groups, seed)
    return float(np.log(np.maximum(alone, 1e-9) / np.maximum(both, 1e-9)).mean())


def _content(side: Variable) -> tuple[bool, int, bytes]:
    """What :func:`by_content` sorts by."""
    width = side.n_continuous or math.prod(len(levels) for levels in side.levels)
    return bool(side.n_continuous), width, np.concatenate([side.flat, side.discrete], 1).tobytes()
