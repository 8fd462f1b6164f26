"""The contingency table of two columns of labels, stored as its occupied cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Margin", "Table", "distinct_codes"]

#: Counts up to this one keep a group of their own; larger ones share a group with those within this factor of them.
EXACT_COUNTS, GROUP_FACTOR = 300, 1.02


def distinct_codes(column: np.ndarray) -> np.ndarray:
    """Integers (n,) from 0, equal for equal entries of ``column`` (n,), with no number left out."""
    return np.unique(column, return_inverse=True)[1].ravel().astype(np.int64)


@dataclass(frozen=True)
class Margin:
    """The levels of one column.

    Attributes:
        counts: Rows per level, shape (k,), each 1 or more.
        sizes: Typical count of each group of levels that are equally frequent, or nearly so, shape (g,), ascending.
        group: Group of each level, shape (k,).
        weights: Number of levels in each group, shape (g,).
    """

    counts: np.ndarray
    sizes: np.ndarray
    group: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, counts: np.ndarray) -> Margin:
        key = counts.astype(np.int64)
        large = key > EXACT_COUNTS
        if large.any():
            steps = np.log(key[large] / EXACT_COUNTS) / np.log(GROUP_FACTOR)
            key[large] = EXACT_COUNTS + 1 + steps.astype(np.int64)
        _, group, weights = np.unique(key, return_inverse=True, return_counts=True)
        sizes = np.rint(np.bincount(group, counts) / weights).astype(np.int64)
        return cls(counts, sizes, group, weights)

    def __len__(self) -> int:
        return len(self.counts)


@dataclass(frozen=True)
class Table:
    """The counts of two columns of labels.

    Attributes:
        n: Number of rows.
        x: Levels of the first column.
        y: Levels of the second column.
        row: First column's level of each occupied cell, shape (m,).
        column: Second column's level of each occupied cell, shape (m,).
        counts: Rows in each occupied cell, shape (m,).
        cell: Occupied cell of each row of the data, shape (n,).
    """

    n: int
    x: Margin
    y: Margin
    row: np.ndarray
    column: np.ndarray
    counts: np.ndarray
    cell: np.ndarray

    @classmethod
    def of(cls, x: np.ndarray, y: np.ndarray) -> Table:
        """The table of codes ``x`` and ``y``, both of shape (n,), which count from 0 with no number left out.

        >>> Table.of(np.array([0, 0, 1]), np.array([1, 1, 0])).counts
        array([2, 1])
        """
        x_counts, y_counts = np.bincount(x), np.bincount(y)
        keys, cell, counts = np.unique(x * np.int64(len(y_counts)) + y, return_inverse=True, return_counts=True)
        row, column = np.divmod(keys, len(y_counts))
        return cls(len(x), Margin.of(x_counts), Margin.of(y_counts), row, column, counts, cell.ravel())

    def transposed(self) -> Table:
        """The table of the columns in the other order; its cells keep theirs."""
        return Table(self.n, self.y, self.x, self.column, self.row, self.counts, self.cell)

    @property
    def expected(self) -> np.ndarray:
        """Expected rows in each occupied cell if the columns are independent, shape (m,)."""
        return self.x.counts[self.row] * self.y.counts[self.column] / self.n

    @property
    def degrees(self) -> int:
        """Degrees of freedom of independence: (levels of x - 1) (levels of y - 1)."""
        return (len(self.x) - 1) * (len(self.y) - 1)
