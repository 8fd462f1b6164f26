"""Several series in one table, each in the order of time: as of several subjects. No lag crosses from one to another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mine.data.order import AS_THEY_COME, in_order, row_times
from mine.data.rows import equally_long
from mine.data.sides import as_variable
from mine.errors import InputError

__all__ = ["Subjects", "by_subject", "group_codes"]


@dataclass(frozen=True)
class Subjects:
    """Rows of series one after the other.

    Attributes:
        lengths: Rows of each series, shape (s,).
    """

    lengths: np.ndarray

    @property
    def ends(self) -> np.ndarray:
        """The row after the last of each series, shape (s,)."""
        return np.cumsum(self.lengths)

    @property
    def starts(self) -> np.ndarray:
        """The first row of each series, shape (s,)."""
        return self.ends - self.lengths

    @property
    def codes(self) -> np.ndarray:
        """The number of each row's series, shape (n,)."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)

    def parts(self) -> Iterator[slice]:
        """The rows of each series."""
        return (slice(int(a), int(b)) for a, b in zip(self.starts, self.ends, strict=True))

    def rows(self, first: int, last: int) -> np.ndarray:
        """All rows but the ``first`` and the ``last`` ones of each series.

        >>> Subjects(np.array([4, 3])).rows(1, 1)
        array([1, 2, 5])
        """
        parts = [np.arange(part.start + first, part.stop - last) for part in self.parts()]
        return np.concatenate(parts)

    def shifted(self, rows: np.ndarray, shifts: Any) -> np.ndarray:
        """The rows (m,), each moved by the shift of its series, the end to the beginning; ``shifts`` has shape (s,).

        >>> Subjects(np.array([4, 3])).shifted(np.array([0, 3, 5, 6]), [1, 2])
        array([1, 0, 4, 5])
        """
        code = np.searchsorted(self.ends, rows, side="right")
        starts, lengths = self.starts[code], self.lengths[code]
        return starts + (rows - starts + np.asarray(shifts)[code]) % lengths


def by_subject(groups: Any, order: Any, **sides: Any) -> tuple[list[Any], Subjects | None]:
    """The sides with the rows of each group together, within a group in their order; and which rows are whose.

    Arguments:
        groups: One label per row, or None for a single series.
        order: As for :func:`mine.data.order.in_order`.
        **sides: What users pass in, by name; one that is None stays None.

    Raises:
        InputError: Groups or an order that cannot be read, or sides of different length.

    >>> (x,), subjects = by_subject(["b", "a", "b"], [2, 1, 1], x=[1, 2, 3])
    >>> x.columns[0], subjects.lengths
    (array([2, 3, 1]), array([1, 2]))
    """
    if groups is None:
        return in_order(order, **sides), None
    read = equally_long(**sides)
    n = next(len(side) for side in read if side is not None)
    codes = np.unique(group_codes(groups, n), return_inverse=True)[1].ravel()
    if order is None or (isinstance(order, str) and order == AS_THEY_COME):
        places = np.argsort(codes, kind="stable")
        sorted_sides = [None if side is None else side.filter(places) for side in read]
    else:
        times = row_times(order, n)
        places = np.lexsort((times, codes))
        sorted_sides = [None if side is None else replace(side.filter(places), times=times[places]) for side in read]
    return sorted_sides, Subjects(np.bincount(codes))


def group_codes(groups: Any, n: int) -> np.ndarray:
    """A code of each row's group, shape (n,).

    Raises:
        InputError: Labels that cannot be read, or that are not as many as there are rows.
    """
    labels = as_variable(groups, "groups", True, allow_constant=True)
    if len(labels) != n:
        raise InputError(f"groups has {len(labels)} labels for {n} rows: pass one per row.")
    return labels.row_ids()
