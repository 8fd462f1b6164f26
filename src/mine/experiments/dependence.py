"""Two classical measures of dependence, to compare with mutual information."""

from __future__ import annotations

import numpy as np

__all__ = ["distance_correlation", "largest_pearson"]


def largest_pearson(x: np.ndarray, y: np.ndarray) -> float:
    """Largest absolute correlation of a coordinate of x, (n, dx), with one of y, (n, dy).

    >>> x = np.arange(4.0)[:, None]
    >>> round(largest_pearson(x, -x), 6)
    1.0
    """
    return float(np.abs(np.corrcoef(x, y, rowvar=False)[: x.shape[1], x.shape[1] :]).max())


def distance_correlation(x: np.ndarray, y: np.ndarray, *, chunk: int = 500) -> float:
    """Distance correlation of rows of x, (n, dx), and of y, (n, dy): from 0 to 1; in large samples 0 means no dependence.

    References:
        Székely, Rizzo & Bakirov, 2007 (doi 10.1214/009053607000000505), definition 5.

    Arguments:
        x: Rows of the first variable.
        y: Rows of the second one.
        chunk: Rows of the n x n distances held at a time.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(500, 1))
        >>> round(distance_correlation(x, 2 * x + 1), 6), distance_correlation(x, x**2) > 0.3
        (1.0, True)
    """
    from scipy.spatial.distance import cdist

    n = len(x)
    row_means, products = np.zeros((2, n)), np.zeros((2, 2))
    for start in range(0, n, chunk):
        rows = slice(start, start + chunk)
        a, b = cdist(x[rows], x), cdist(y[rows], y)
        row_means[:, rows] = a.mean(1), b.mean(1)
        products += [[(a * a).sum(), (a * b).sum()], [0.0, (b * b).sum()]]
    # the mean of the product of two doubly centred matrices, from the means of the matrices themselves
    means = row_means.mean(1)
    covariance = products / n**2 - 2 * (row_means @ row_means.T) / n + np.outer(means, means)
    return float(np.sqrt(max(0.0, covariance[0, 1]) / np.sqrt(covariance[0, 0] * covariance[1, 1])))
