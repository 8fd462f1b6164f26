"""Columns with so many tied numbers that ranks, or neighbours, lose their meaning."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from mine.data.problem import Problem
from mine.data.variable import Variable
from mine.errors import InputError

__all__ = [
    "LARGEST_TIE",
    "TiesError",
    "check_neighbours",
    "check_ranks",
    "is_heaped",
    "is_tied",
    "most_told",
    "tied_column",
    "told_by_counts",
]

#: Ranks need at least this many distinct values; a tie is large from this share of the rows on.
FEWEST_VALUES, LARGEST_TIE = 11, 0.25
#: Columns of a side up to which a heap in one of them misleads neighbours.
FEW_COLUMNS = 6


class TiesError(InputError):
    """A method that needs numbers without large ties was asked about tied ones."""


def is_heaped(values: np.ndarray) -> bool:
    """Whether a large share of numbers (n,) is one value, and the others are many: rainfall with its zeros.

    >>> is_heaped(np.maximum(np.arange(200), 80)), is_heaped(np.arange(200) % 2), is_heaped(np.arange(200))
    (True, False, False)
    """
    counts = _counts(values)
    return len(counts) >= FEWEST_VALUES and int(counts.max()) > LARGEST_TIE * len(values)


def is_tied(values: np.ndarray) -> bool:
    """Whether the ranks of numbers (n,) are mostly ties: few distinct values, or a large share of the rows at one.

    Few rows do not tell; and a constant is read as no information.

    >>> is_tied(np.arange(200) % 5), is_tied(np.maximum(np.arange(200), 80)), is_tied(np.arange(200) % 20)
    (True, True, False)
    """
    counts = _counts(values)
    if len(values) < 2 * FEWEST_VALUES or len(counts) == 1:
        return False
    return len(counts) < FEWEST_VALUES or int(counts.max()) > LARGEST_TIE * len(values)


def tied_column(*sides: Variable, tied: Callable[[np.ndarray], bool] = is_tied) -> tuple[str, np.ndarray] | None:
    """The name and the values (n,) of the first column of the sides that is ``tied``; None if no column is."""
    for side in sides:
        for j, values in enumerate(side.flat.T):
            if tied(values):
                return side.columns[j], values
    return None


def most_told(problem: Problem) -> float:
    """The most (nats) that the sides of a problem can tell of each other, by the entropies of columns that repeat their values.

    Infinite where each side has a column more than half of whose values are distinct.
    """
    return min(sum(told_by_counts(_counts(values)) for values in side.flat.T) for side in (problem.x, problem.y))


def check_ranks(problem: Problem, method: str) -> None:
    """Refuse numbers with so many ties that their ranks have no normal scores; all rows decide, whatever part is estimated.

    Raises:
        TiesError: Such a column, by name, with the remedy.
    """
    whole = problem.whole or problem
    tied = tied_column(whole.x, whole.y)
    if tied is not None:
        raise TiesError(f"{_what(method, *tied)}: ranks of ties have no normal scores. {_remedy('auto', 'ksg')}")


def check_neighbours(problem: Problem, method: str) -> None:
    """Refuse numbers heaped at one value, which would count as the neighbours of every row near it.

    A heap in one of many columns does no harm as long as the others tell its rows apart: pixels that are mostly black. All rows
    decide, whatever part is estimated.

    Raises:
        TiesError: Such a column, by name, with the remedy.
    """
    whole = problem.whole or problem
    asked = [side for side in (whole.x, whole.y) if side.n_continuous <= FEW_COLUMNS or is_heaped(side.row_ids())]
    column = tied_column(*asked, tied=is_heaped)
    if column is not None:
        raise TiesError(f"{_what(method, *column)}: they would be neighbours of every row near. {_remedy('auto')}")


def _what(method: str, name: str, values: np.ndarray) -> str:
    counts = _counts(values)
    return (
        f"method {method!r} needs numbers without large ties, and column {name!r} has {len(counts):,} distinct values in "
        f"{len(values):,} rows, one of them in {counts.max() / len(values):.0%} of the rows"
    )


def _remedy(*methods: str) -> str:
    return (
        f"Use method {' or '.join(map(repr, methods))}; if these are labels, 'discrete' with discrete=True, or 'ross' for "
        "labels against numbers."
    )


def _counts(values: np.ndarray) -> np.ndarray:
    return np.unique(values, return_counts=True)[1]


def told_by_counts(counts: np.ndarray) -> float:
    """Entropy (nats) of a column from how many rows have each value; infinite where more than half of the values are distinct.

    >>> round(told_by_counts(np.array([10, 10])), 3), told_by_counts(np.ones(9))
    (0.693, inf)
    """
    n = counts.sum()
    if 2 * len(counts) > n:
        return math.inf
    shares = counts / n
    return -float((shares * np.log(shares)).sum())
