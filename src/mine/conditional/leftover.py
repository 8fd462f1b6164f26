"""The sides without what z explains of them: ``I(X; Y | Z) = I(X - f(Z); Y - g(Z) | Z)`` for all functions f and g."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mine.conditional.given import residuals_and_share
from mine.data.kernels import coordinates
from mine.data.preprocessing import rank_gaussianize
from mine.data.variable import Variable, present_codes

__all__ = ["NEARLY", "ROUNDING", "Leftover", "leftover", "without_line"]

#: A column of which a line in z leaves less than this share of its standard deviation is a function of z up to rounding.
ROUNDING = 2e-7
#: Below this share, what a line leaves takes the place of the column: ranks of two near copies differ by chance alone.
NEARLY = 0.1
#: Share left by a smooth regression from which noise and the regression's own error cannot be told apart.
UNRESOLVED = 0.05


@dataclass(frozen=True)
class Leftover:
    """A side without what z explains of its numbers.

    Attributes:
        side: The side; without any column if all of it follows from z.
        share: The largest share of a column's standard deviation that z leaves.
        unresolved: Names of the columns that are nearly a curved function of z.
    """

    side: Variable
    share: float
    unresolved: tuple[str, ...] = ()

    @property
    def determined(self) -> bool:
        """Whether nothing is left."""
        return not self.side.columns


def leftover(
    side: Variable, third: Variable, groups: np.ndarray | None, seed: int, *, smooth: bool = True, trees: bool = False
) -> Leftover:
    """What z leaves of ``side``: columns that follow from z are dropped, near copies of it replaced by their difference.

    Arguments:
        side: Labels and n-D inputs stay as they are.
        third: z.
        groups: Integer label of the unit of each row, shape (n,), or None.
        seed: Of the regression.
        smooth: Whether a smooth regression on z is taken out of every column as well, which then is in normal scores.
        trees: Whether boosted trees are tried too.
    """
    if not side.n_continuous or side.continuous.ndim > 2:
        return Leftover(side, 1.0)
    values = side.flat.astype(np.float64)
    inputs = _inputs(third)
    if inputs.shape[1] > len(side) // 4:
        left, shares = values, np.ones(values.shape[1])
    else:
        left, shares = _lines(values, inputs)
    kept = shares > ROUNDING
    names = [name for name, keep in zip(side.columns, kept, strict=False) if keep]
    columns = (*names, *side.discrete_columns)
    if not kept.any():
        return Leftover(replace(side, columns=columns, continuous=np.empty((len(side), 0))), 0.0)
    near = shares[kept] < NEARLY
    numbers = np.where(near, left[:, kept], values[:, kept])
    share = float(shares[kept].max())
    if not smooth:
        return Leftover(replace(side, columns=columns, continuous=numbers), share)
    scores = rank_gaussianize(numbers)
    numbers, smooth_shares = residuals_and_share(scores, coordinates(third), groups, seed, trees=trees)
    unresolved = tuple(name for name, s in zip(names, smooth_shares, strict=True) if s < UNRESOLVED)
    share = float((np.where(near, shares[kept], 1.0) * smooth_shares).max())
    return Leftover(replace(side, columns=columns, continuous=numbers), share, unresolved)


def without_line(values: np.ndarray, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What least squares on ``inputs`` (n, p) leave of ``values`` (n, d), shape (n, d), and as share of the spread, (d,).

    >>> left, share = without_line(np.array([[1.0], [3.0], [5.0]]), np.array([[0.0], [1.0], [2.0]]))
    >>> bool(share < 1e-12)
    True
    """
    centred = values - values.mean(0)
    inputs = inputs - inputs.mean(0)
    inputs = inputs / np.maximum(inputs.std(0), np.finfo(float).tiny)
    left = centred - inputs @ np.linalg.lstsq(inputs, centred, rcond=None)[0]
    return left, left.std(0) / np.maximum(values.std(0), np.finfo(float).tiny)


def _lines(values: np.ndarray, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What a line leaves of each column, or of its logarithm if that is less."""
    left, shares = without_line(values, inputs)
    positive = (values > 0).all(0)
    if positive.any():
        of_logs, log_shares = without_line(np.log(np.where(positive, values, 1.0)), inputs)
        better = positive & (log_shares < shares)
        left, shares = np.where(better, of_logs, left), np.where(better, log_shares, shares)
    return left, shares


def _inputs(third: Variable) -> np.ndarray:
    """Numbers of z, the logarithms of positive ones, and indicators of its labels, shape (n, p)."""
    numbers = third.flat.astype(np.float64)
    positive = (numbers > 0).all(0)
    labels = [np.eye(codes.max() + 1)[codes] for codes in map(present_codes, third.discrete.T)]
    return np.concatenate([numbers, np.log(numbers[:, positive]), *labels], 1)
