"""The graph of nearest rows: which rows of one side are alike, on the finest scale there is."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.spatial import KDTree
from scipy.spatial.distance import cdist

__all__ = ["nearest_rows"]

#: Neighbours of each row, and how many nearest ones are searched for some that belong to other units.
NEIGHBOURS, SEARCHED = 3, 12
#: Columns up to which a tree finds neighbours; in more, all distances among at most this many rows.
TREE_COLUMNS, MOST_ROWS = 8, 4000
#: Noise that parts tied rows, as a share of a column's scale: the order of the file must not decide who is near.
JITTER = 1e-9


def nearest_rows(places: np.ndarray, units: np.ndarray, rng: np.random.Generator) -> csr_array:
    """Symmetric adjacency (n, n) of each row and its ``NEIGHBOURS`` nearest rows of other units.

    Arguments:
        places: Coordinates of the rows, shape (n, d).
        units: Unit of each row, shape (n,): rows that a permutation keeps together tell nothing about one another.
        rng: Parts ties, and chooses the rows if there are too many.

    >>> graph = nearest_rows(np.array([[0.0], [1.0], [9.0], [10.0]]), np.arange(4), np.random.default_rng(0))
    >>> graph.shape, int(graph.sum())
    ((4, 4), 24)
    """
    n, d = places.shape
    chosen = np.arange(n)
    if d > TREE_COLUMNS and n > MOST_ROWS:
        chosen = np.sort(rng.choice(n, MOST_ROWS, replace=False))
    scale = np.maximum(places.std(0), 1e-300)
    values = (places + JITTER * scale * rng.normal(size=places.shape))[chosen]
    found = _searched(values, min(len(chosen), SEARCHED + 1))
    other = units[chosen][found] != units[chosen][:, None]
    kept = other & (np.cumsum(other, axis=1) <= NEIGHBOURS)
    row, rank = np.nonzero(kept)
    edges = csr_array((np.ones(len(row), np.float32), (chosen[row], chosen[found[row, rank]])), shape=(n, n))
    return csr_array(edges + edges.T)


def _searched(values: np.ndarray, k: int) -> np.ndarray:
    """The k nearest rows of each row, itself among them, the nearest first, shape (n, k)."""
    if values.shape[1] <= TREE_COLUMNS:
        return np.atleast_2d(KDTree(values).query(values, k)[1])
    distances = cdist(values, values, "sqeuclidean")
    few = np.argpartition(distances, k - 1, axis=1)[:, :k]
    return np.take_along_axis(few, np.argsort(np.take_along_axis(distances, few, axis=1), axis=1), axis=1)
