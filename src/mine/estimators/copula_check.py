"""Whether a Gaussian copula describes the rows: what it leaves of one side must not depend on the other."""

from __future__ import annotations

import numpy as np

from mine.data.preprocessing import rank_gaussianize
from mine.data.problem import Problem

__all__ = ["copula_describes"]

#: Canonical directions, the most dependent first, and rows that are looked at.
MOST_DIRECTIONS, ROWS = 5, 4000
#: Shares explained, of the noise and of its square, up to which a copula describes the rows. Of 250 normal pairs of 2 to 6
#: nats, 500 to 2,000 rows, 19 in 20 have less than .014 and .1; of sides bent after a rotation, three in four more than .019.
MOST_OF_NOISE, MOST_OF_SQUARES = 0.02, 0.15
#: Rows per function of a side that is tried.
ROWS_PER_FUNCTION = 10
#: Canonical correlations are taken to be at most this far from 1.
CLOSEST = 1e-12


def copula_describes(problem: Problem) -> bool:
    """Whether nothing speaks against a Gaussian copula between two sides of numbers.

    In canonical directions u of one side and v of the other a Gaussian copula says that ``(v - r u) / sqrt(1 - r^2)`` is normal
    noise. It and its square are regressed on squares, products and cubes of all u, and likewise the other way round. A share
    that is explained beyond chance is dependence that the copula does not have. Few rows show less of it, and ranks blur the
    squares of a strong dependence, hence shares and not tests.

    References:
        White, 1980, 'A heteroskedasticity-consistent covariance matrix' (the regression of squared residuals).
    """
    rows = slice(None, None, -(-problem.n // ROWS))
    sides = [_whitened(rank_gaussianize(side.take(rows).flat)) for side in (problem.x, problem.y)]
    left, r, right = np.linalg.svd(sides[0].T @ sides[1] / len(sides[0]), full_matrices=False)
    r = r.clip(0, 1 - CLOSEST)[:MOST_DIRECTIONS]
    u, v = sides[0] @ left[:, : len(r)], sides[1] @ right.T[:, : len(r)]
    noise = np.sqrt(1 - r**2)
    of_noise, of_squares = np.maximum(_explained((v - r * u) / noise, u), _explained((u - r * v) / noise, v))
    return bool(of_noise.max() < MOST_OF_NOISE and of_squares.max() < MOST_OF_SQUARES)


def _whitened(scores: np.ndarray) -> np.ndarray:
    """Orthonormal directions of the columns of (n, d), in units in which each has variance 1."""
    vectors, lengths, _ = np.linalg.svd(scores - scores.mean(0), full_matrices=False)
    return vectors[:, lengths > 1e-9 * lengths[0]] * np.sqrt(len(scores))


def _explained(noise: np.ndarray, side: np.ndarray) -> np.ndarray:
    """Share of each column of ``noise`` (n, d), and of its square, that functions of ``side`` (n, d) explain, beyond chance.

    Shape (2, d); nothing for too few rows.
    """
    n, d = side.shape
    functions = [side[:, i] * side[:, j] for i in range(d) for j in range(i, d)] + [column**3 for column in side.T]
    if n < ROWS_PER_FUNCTION * len(functions):
        functions = [column**power for column in side.T for power in (2, 3)]
    if n < ROWS_PER_FUNCTION * len(functions):
        return np.zeros((2, d))
    design = np.column_stack([np.ones(n), side, *functions])
    basis = np.linalg.qr(design)[0]
    targets = np.concatenate([noise, noise**2], 1)
    targets = targets - targets.mean(0)
    explained = ((basis.T @ targets) ** 2).sum(0) / (targets**2).sum(0)
    count = design.shape[1] - 1
    return (1 - (1 - explained) * (n - 1) / (n - 1 - count)).reshape(2, d)
