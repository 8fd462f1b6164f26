"""Kraskov's estimator of two columns of numbers on their normal scores, ties included: C speed, no training."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np
from scipy.spatial import KDTree
from scipy.special import digamma, ndtr, ndtri

from mine.estimators.ties import LARGEST_TIE, told_by_counts

__all__ = ["NEIGHBOURS", "RankNeighbours", "Scores", "heap_rows", "rank_neighbours"]

#: The k of the estimator; twice as many see half as finely, and how much less they find tells what is missed.
NEIGHBOURS = 3
#: A distance less this share of itself: rows at that distance are no longer within it, whatever the rounding.
JUST_WITHIN = 1 - 1e-9


@dataclass(frozen=True)
class Scores:
    """The normal scores of one column of n numbers.

    Tied rows take the ranks that they share in a random order. That leaves the information as it is: the number is a function
    of the new rank, and which of its ranks a row got depends on nothing. Only heaps (rainfall's zeros) keep one rank, their
    mean, because neighbours see the edge of a large cell less well than they count its rows.

    Attributes:
        values: ``ndtri((rank - 1/2) / n)`` of each row, shape (n,).
        up_to: How many rows have a rank (less 1/2) of at most j / 2, shape (2 n + 1,).
        heap: How many rows share the score of each row, shape (n,), or None without a heap.
        told: The most (nats) that the column can tell, by its entropy where its numbers repeat; infinite otherwise
            (:func:`mine.estimators.ties.most_told`).
    """

    values: np.ndarray
    up_to: np.ndarray
    heap: np.ndarray | None
    told: float

    @classmethod
    def of(cls, numbers: np.ndarray, rng: np.random.Generator) -> Self:
        """The scores of numbers (n,); ``rng`` orders tied rows, and must be another one than the data were made by."""
        n = len(numbers)
        order = np.argsort(numbers)
        risen = numbers[order]
        place, heap, told = 2 * np.arange(n) + 1, None, math.inf
        if (risen[1:] == risen[:-1]).any():
            mixed = rng.permutation(n)
            order = mixed[np.argsort(numbers[mixed], kind="stable")]
            first = np.flatnonzero(np.concatenate([[True], risen[1:] != risen[:-1]]))
            counts = np.diff(first, append=n)
            told = told_by_counts(counts)
            heaped = np.repeat(counts > heap_rows(n), counts)
            if heaped.any():
                place = np.where(heaped, np.repeat(2 * first + counts, counts), place)
                heap = np.empty(n, np.int64)
                heap[order] = np.where(heaped, np.repeat(counts, counts), 1)
        values = np.empty(n)
        values[order] = ndtri(place / (2 * n))
        up_to = np.cumsum(np.bincount(place, minlength=2 * n + 1))
        return cls(values, up_to, heap, told)

    def closer(self, distance: np.ndarray) -> np.ndarray:
        """Rows strictly closer than ``distance`` (n,), above 0, to each row, itself included, shape (n,)."""
        last = len(self.up_to) - 1  # scores are quantiles of the normal law: its distribution function finds their places
        within = JUST_WITHIN * distance
        high = np.floor(last * ndtr(self.values + within)).astype(np.int64)
        low = np.ceil(last * ndtr(self.values - within)).astype(np.int64) - 1
        return np.maximum(self.up_to[high] - self.up_to[np.maximum(low, 0)], 1)


def heap_rows(n: int) -> float:
    """Rows from which one value out of n is a heap: so many that their neighbours share their value, or a large share.

    Among c rows of one value the 2 k nearest are 2 k n / c ranks away, and the rows of the next value about c / 2.
    """
    return min(2 * math.sqrt(2 * NEIGHBOURS * n), LARGEST_TIE * n)


@dataclass(frozen=True)
class RankNeighbours:
    """What nearest neighbours find: ``rows`` (n,) whose mean is the estimate (nats), and ``coarse``, that of twice as many."""

    rows: np.ndarray
    coarse: float

    @property
    def value(self) -> float:
        return float(self.rows.mean())


def rank_neighbours(x: Scores, y: Scores, k: int = NEIGHBOURS) -> RankNeighbours:
    r"""Kraskov's first estimator on normal scores, with ``k`` and with ``2 k`` neighbours from one search.

    Ranks have no tails, and any increasing map of a column leaves them as they are. Rows in a heap of either column count all
    rows of both heaps instead of nearest ones (Gao et al., 2017). The mean rank of a heap is half its share away from the next
    number, so that a heap is no neighbour of the rows beside it.

    References:
        Kraskov, Stoegbauer & Grassberger, 2004 (arXiv cond-mat/0305641), eq. 8; Gao, Kannan, Oh & Viswanath, 2017, 'Estimating
        mutual information for discrete-continuous mixtures' (arXiv 1709.06212), algorithm 1, for rows at distance 0.

    Arguments:
        x: Scores of n rows.
        y: Scores of the same rows of the other column.
        k: Neighbours, from 1 to (n - 1) / 2.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> a, b = rng.normal(size=(2, 2000))
        >>> x, y = Scores.of(a, rng), Scores.of(0.75 * a + b, rng)
        >>> round(rank_neighbours(x, y).value, 1)  # log(1 + 0.75^2) / 2 = 0.22
        0.2
    """
    places = np.stack([x.values, y.values], 1)
    tree = KDTree(places, compact_nodes=False, balanced_tree=False)
    near = tree.indices  # rows in the order of the tree's leaves: one search then finds in the cache what the last one read
    distances = np.empty((len(places), 2))
    distances[near] = tree.query(places[near], 2 * k + 1, p=np.inf)[0][:, [k, 2 * k]]
    fine, coarse = (_rows(x, y, distances[:, j], count) for j, count in enumerate((k, 2 * k)))
    return RankNeighbours(fine, float(coarse.mean()))


def _rows(x: Scores, y: Scores, distance: np.ndarray, k: int) -> np.ndarray:
    """What each row contributes, shape (n,), its ``k``-th neighbour being so far away."""
    psi = _digamma(len(distance))
    rows = psi[k] + psi[-1] - psi[x.closer(distance)] - psi[y.closer(distance)]
    if x.heap is None or y.heap is None or not (same := distance == 0).any():
        return rows
    pairs = np.stack([x.values[same], y.values[same]], 1)
    _, pair, together = np.unique(pairs, axis=0, return_inverse=True, return_counts=True)
    rows[same] = psi[together[pair.ravel()]] + psi[-1] - psi[x.heap[same]] - psi[y.heap[same]]
    return rows


@lru_cache(maxsize=8)
def _digamma(n: int) -> np.ndarray:
    """The digamma function of 0 to n, shape (n + 1,); all pairs of a table share it."""
    return digamma(np.arange(n + 1.0).clip(0.5))
