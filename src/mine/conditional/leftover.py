"""The sides without what z explains of them: ``I(X; Y | Z) = I(X - f(Z); Y - g(Z) | Z)`` for all functions f and g."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mine.conditional.given import residuals_and_share
from mine.data.kernels import coordinates
from mine.data.preprocessing import rank_gaussianize
from mine.data.variable import Variable, present_codes

__all__ = ["NEARLY", "ROUNDING", "Leftover", "without_copies_of_z", "without_line", "without_regression"]

#: A column of which a line in z leaves less than this share of its standard deviation is a function of z up to rounding.
ROUNDING = 2e-7
#: Below this share, what z leaves takes the place of the column: the two terms of the chain rule would be too large to be
#: subtracted, and ranks of two near copies differ by chance alone. Above it, the column itself shows sharper edges.
NEARLY = 0.3
#: Share left by a smooth regression from which noise and the regression's own error cannot be distinguished.
UNRESOLVED = 0.05
#: Magnitude whose squares, summed over rows, float64 still holds.
FARTHEST = 1e140


@dataclass(frozen=True)
class Leftover:
    """A side without what z explains of its numbers.

    Attributes:
        side: The side; without any column if all of it follows from z.
        unresolved: Names of the columns that are nearly a curved function of z.
    """

    side: Variable
    unresolved: tuple[str, ...] = ()

    @property
    def determined(self) -> bool:
        """Whether nothing is left."""
        return not self.side.columns


def without_copies_of_z(side: Variable, third: Variable) -> Leftover:
    """``side`` without the columns that follow from z, and with near copies of z replaced by what a line in z leaves of them.

    Other columns, labels and n-D inputs stay as they are.
    """
    if not side.n_continuous or side.continuous.ndim > 2:
        return Leftover(side)
    values, inputs = side.flat.astype(np.float64), _inputs(third)
    if inputs.shape[1] > len(side) // 4:
        return Leftover(side)
    left, shares = _lines(values, inputs)
    kept = shares > ROUNDING
    names = [name for name, keep in zip(side.columns, kept, strict=False) if keep]
    numbers = np.where(shares < NEARLY, left, values)[:, kept]
    return Leftover(replace(side, columns=(*names, *side.discrete_columns), continuous=numbers))


def without_regression(
    sides: list[Leftover],
    third: Variable,
    groups: np.ndarray | None,
    seed: int,
    *,
    trees: bool = False,
    needed_below: float = np.inf,
) -> list[Leftover]:
    """The sides' numbers as normal scores less a smooth regression on z, all by the same folds and the same functions of z.

    If x and y are nearly the same, so are then the errors of their regressions, which otherwise would hide how nearly.

    Arguments:
        sides: Labels and n-D inputs stay as they are.
        third: z.
        groups: Integer label of the unit of each row, shape (n,), or None.
        seed: Of the regression.
        trees: Whether boosted trees are tried too, which see edges in z.
        needed_below: The sides come back as they are unless z leaves less than this share of some column's spread.
    """
    regressed = [left for left in sides if left.side.n_continuous and left.side.continuous.ndim == 2]
    if not regressed:
        return sides
    scores = np.concatenate([rank_gaussianize(left.side.flat) for left in regressed], 1)
    numbers, shares = residuals_and_share(scores, coordinates(third), groups, seed, trees=trees, own_penalty=not trees)
    if shares.min() >= needed_below:
        return sides
    out, start = [], 0
    for left in sides:
        width = left.side.n_continuous if any(left is other for other in regressed) else 0
        part = slice(start, start + width)
        start += width
        nearly = [name for name, share in zip(left.side.columns, shares[part], strict=False) if share < UNRESOLVED]
        side = replace(left.side, continuous=numbers[:, part]) if width else left.side
        out.append(Leftover(side, tuple(nearly)))
    return out


def without_line(values: np.ndarray, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What least squares on ``inputs`` (n, p) leave of ``values`` (n, d), shape (n, d), and as share of the spread, (d,).

    >>> left, share = without_line(np.array([[1.0], [3.0], [5.0]]), np.array([[0.0], [1.0], [2.0]]))
    >>> bool(share < 1e-12)
    True
    """
    values, inputs = _tame(values), _tame(inputs)
    centred = values - values.mean(0)
    inputs = inputs - inputs.mean(0)
    inputs = inputs / np.maximum(inputs.std(0), np.finfo(float).tiny)
    left = centred - inputs @ np.linalg.lstsq(inputs, centred, rcond=None)[0]
    return left, left.std(0) / np.maximum(values.std(0), np.finfo(float).tiny)


def _tame(values: np.ndarray) -> np.ndarray:
    """The same columns; those of a scale whose squares are beyond float64 divided by their largest magnitude."""
    largest = np.abs(values).max(0)
    extreme = (largest > FARTHEST) | ((largest > 0) & (largest < 1 / FARTHEST))
    return values / np.where(extreme, largest, 1.0) if extreme.any() else values


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
