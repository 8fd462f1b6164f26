"""One side of the pair, as everything below :func:`mine.estimate` sees it: a :class:`Variable`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from mine.data import outofcore
from mine.data.outofcore import LazyRows
from mine.errors import UnknownNameError

__all__ = ["Variable", "present_codes"]


@dataclass(frozen=True)
class Variable:
    """One side of the pair.

    Attributes:
        name: ``"x"`` or ``"y"``, for messages.
        columns: Names of the coordinates kept, continuous ones first.
        continuous: Finite coordinates, shape ``(n, *event)`` in float64; ``(n, c)`` unless the input was n-D. Those of a
            large input are read when rows of them are asked for.
        discrete: Labels as integer codes from 0, shape ``(n, d)`` in int64.
        levels: For each label column, the text of each code, in the order of the text. A part of the rows need not have all.
        dropped: Names of constant coordinates left out of a wider side.
    """

    name: str
    columns: tuple[str, ...]
    continuous: np.ndarray | LazyRows
    discrete: np.ndarray
    levels: tuple[tuple[str, ...], ...] = ()
    dropped: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.continuous)

    @property
    def n_continuous(self) -> int:
        """Number of continuous coordinates, an image's pixels counted one by one."""
        return int(np.prod(self.continuous.shape[1:]))

    @property
    def n_discrete(self) -> int:
        return self.discrete.shape[1]

    @property
    def is_label(self) -> bool:
        """Whether this is one column of labels and nothing else."""
        return self.n_discrete == 1 and not self.n_continuous

    @property
    def discrete_columns(self) -> tuple[str, ...]:
        return self.columns[len(self.columns) - self.n_discrete :]

    @property
    def flat(self) -> np.ndarray:
        """Continuous coordinates as a matrix ``(n, c)``, read into memory if they are not there."""
        return np.asarray(self.continuous).reshape(len(self), self.n_continuous)

    def take(self, rows: np.ndarray | slice) -> Self:
        """These rows of it. The levels stay, so that a code means the same label in every part."""
        return replace(self, continuous=self.continuous[rows], discrete=self.discrete[rows])

    def select(self, columns: Sequence[str]) -> Self:
        """The same variable with these columns only, each kept as the number or label it is.

        Raises:
            UnknownNameError: It has no column of that name.
        """
        if self.continuous.ndim > 2:
            return self
        numeric = self.columns[: self.n_continuous]
        for column in columns:
            if column not in self.columns:
                raise UnknownNameError(f"column of {self.name}", column, self.columns)
        keep = [numeric.index(c) for c in columns if c in numeric]
        keep_labels = [self.discrete_columns.index(c) for c in columns if c in self.discrete_columns]
        return replace(
            self,
            columns=(*(numeric[i] for i in keep), *(self.discrete_columns[i] for i in keep_labels)),
            continuous=_columns(self.continuous, keep),
            discrete=self.discrete[:, keep_labels],
            levels=tuple(self.levels[i] for i in keep_labels),
        )

    def row_ids(self) -> np.ndarray:
        """One integer per row, equal for equal rows, shape (n,).

        They count from 0, except for many rows with numbers: those get a hash of 64 bits, which needs no sorting.
        """
        keys = [present_codes(column) for column in self.discrete.T]
        numbers = self.continuous
        if self.n_continuous and len(self) > outofcore.HASH_ROWS:
            return outofcore.row_hashes(len(self), self.n_continuous, lambda rows: numbers[rows], keys)
        flat = np.ascontiguousarray(self.flat) + 0.0  # -0.0 and 0.0 are one value
        if flat.shape[1]:
            view = flat.view(np.dtype((np.void, flat.dtype.itemsize * flat.shape[1]))).ravel()
            keys.append(np.unique(view, return_inverse=True)[1])
        ids = np.zeros(len(self), dtype=np.int64)
        for key in keys:
            ids = np.unique(ids * (int(key.max()) + 1) + key.ravel(), return_inverse=True)[1]
        return ids


def present_codes(codes: np.ndarray) -> np.ndarray:
    """Codes (n,) renumbered without those that no row has, in their order.

    >>> present_codes(np.array([5, 2, 5, 9]))
    array([1, 0, 1, 2])
    """
    return (np.cumsum(np.bincount(codes) > 0) - 1)[codes]


def _columns(matrix: np.ndarray | LazyRows, keep: list[int]) -> np.ndarray | LazyRows:
    if isinstance(matrix, LazyRows):
        return matrix.columns(keep) if keep else np.empty((len(matrix), 0))
    return matrix[:, keep]
