"""Which rows may lend each row their y while z stays: near in z, of the same labels, of another group."""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree

__all__ = ["exchange_partners"]


def exchange_partners(
    z: np.ndarray,
    labels: np.ndarray,
    count: int,
    rng: np.random.Generator,
    groups: np.ndarray | None = None,
) -> np.ndarray:
    """``count`` partners of every row, shape (n, count): their y with the row's own x and z is like p(x|z) p(y|z) p(z).

    Partners are the nearest other rows in ``z`` among those of the same labels, at random where all of these are equally near:
    then the product is exact. A row with fewer of them meets them again, one with none meets itself.

    References:
        Runge, 2018, 'Conditional independence testing based on a nearest-neighbor estimator of conditional mutual information'
        (arXiv 1709.01447); Mukherjee, Asnani & Kannan, 2020, 'CCMI' (arXiv 1906.01824).

    Arguments:
        z: Coordinates in which rows are near, of one scale, shape (n, d); d = 0 where there are labels only.
        labels: Integer class of each row, shape (n,).
        count: Partners of each row.
        rng: Breaks ties.
        groups: Integer label of the unit of each row, shape (n,): partners are of other units.

    >>> z, labels = np.array([[0.0], [1.0], [5.0], [6.0], [9.0]]), np.array([0, 0, 0, 0, 1])
    >>> exchange_partners(z, labels, 1, np.random.default_rng(0)).ravel()
    array([1, 0, 3, 2, 4])
    """
    n = len(labels)
    # Noise far below any difference that means something: equal rows have no order of their own.
    near = z + 1e-9 * rng.normal(size=z.shape) if z.shape[1] else rng.random((n, 1))
    out = np.repeat(np.arange(n)[:, None], count, 1)
    order = np.argsort(labels, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(labels[order])) + 1):
        if len(members) > 1:
            out[members] = members[_nearest(near[members], count, None if groups is None else groups[members])]
    return out


def _nearest(z: np.ndarray, count: int, groups: np.ndarray | None) -> np.ndarray:
    """Positions (n, count) of the nearest rows of other groups; a row's own where there are none."""
    n = len(z)
    units = np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1].ravel()
    tree = KDTree(z)
    enough = min(n, count + int(np.bincount(units).max()))  # so many hold as many strangers as there are, up to count
    k = min(enough, count + 1)
    while True:
        neighbours = tree.query(z, k)[1].reshape(n, k)
        own = units[neighbours] == units[:, None]
        strangers = k - own.sum(1)
        if k == enough or strangers.min() >= count:
            break
        k = min(enough, 2 * k)
    nearest = np.argsort(own, axis=1, kind="stable")  # strangers first, nearest first
    column = np.arange(count) % np.maximum(strangers, 1)[:, None]
    out = np.take_along_axis(neighbours, np.take_along_axis(nearest, column, 1), 1)
    return np.where(strangers[:, None] > 0, out, np.arange(n)[:, None])
