"""Permutation test of two columns of numbers by their ranks alone, made for thousands of pairs.

Ranks without ties are the same list for every column of n rows. If the columns are independent, all pairs of a table therefore
have one and the same distribution, which is drawn once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from scipy.special import gammaincc

from mine.conditional.shifts import TimeShifts
from mine.conditional.shuffles import Shuffles
from mine.independence.permutations import ENOUGH, sequential_p

__all__ = ["COSINES", "covariances", "null_statistics", "rank_cosines", "rank_test", "shared_p", "statistics"]

#: Cosines of each column, and how many of them (the lowest) the statistic is asked of in turn.
COSINES, LEVELS = 8, (1, 2, 4, 8)
#: Numbers that are moved at a time.
AT_A_TIME = 1 << 22


def rank_cosines(numbers: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """``sqrt(2) cos(pi j u)``, j = 1 to ``COSINES``, of the ranks u in (0, 1) of numbers (n,): shape (COSINES, n), float32.

    ``rng`` orders tied rows at random: the ranks of independent columns then stay random orders, and the test exact.
    """
    n = len(numbers)
    mixed = rng.permutation(n)
    rank = np.empty(n)
    rank[mixed[np.argsort(numbers[mixed], kind="stable")]] = np.arange(n)
    return _cosines((rank + 0.5) / n)


def _cosines(u: np.ndarray) -> np.ndarray:
    return (np.sqrt(2) * np.cos(np.pi * np.arange(1, COSINES + 1)[:, None] * u)).astype(np.float32)


def covariances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """``sqrt(n)`` times the covariances of the cosines of x (COSINES, n) with those of P columns, shape (P, COSINES, COSINES).

    Arguments:
        x: Of one column.
        y: Of P columns, shape (P, COSINES, n), all in one matrix product.
    """
    n = x.shape[-1]
    return (y.reshape(-1, n) @ x.T).reshape(len(y), COSINES, COSINES) / np.sqrt(n)


def statistics(covariances: np.ndarray) -> np.ndarray:
    """The smallest of the tail probabilities at all levels, as ``-log p``, shape (P,) from covariances (P, COSINES, COSINES).

    Under independence the sum of the squares at level K is nearly a chi-square of K^2 degrees of freedom. Low levels see trends
    and parabolas, high ones waves, rings and chequers.

    References:
        Kallenberg & Ledwina, 1999, 'Data-driven rank tests for independence' (doi 10.1080/01621459.1999.10473844).

    >>> float(statistics(np.zeros((1, COSINES, COSINES)))[0]) == 0
    True
    """
    squares = np.square(covariances, dtype=np.float64).cumsum(1).cumsum(2)
    tails = np.stack([gammaincc(K * K / 2, squares[:, K - 1, K - 1] / 2) for K in LEVELS])
    return -np.log(tails.min(0).clip(1e-300)) + 0.0


def null_statistics(n: int, most: int, seed: int) -> Iterator[np.ndarray]:
    """The statistic of ``most`` independent random orders of n rows, in batches (b,)."""
    generator = torch.Generator().manual_seed(seed % 2**63)
    fixed = _cosines((np.arange(n) + 0.5) / n)
    size = max(1, AT_A_TIME // (n * COSINES))
    for first in range(0, most, size):
        b = min(size, most - first)
        orders = np.stack([torch.randperm(n, generator=generator).numpy() for _ in range(b)])
        product = np.matmul(_multiples(fixed[0].take(orders)), fixed.T)
        yield statistics(product / np.sqrt(n))


def _multiples(first: np.ndarray) -> np.ndarray:
    """All cosines (b, COSINES, n) from the first ones (b, n): Chebyshev's recurrence is quicker than moving them all."""
    out = np.empty((len(first), COSINES, first.shape[1]), np.float32)
    cosine = first * np.float32(2**0.5)  # twice the cosine itself
    out[:, 0], before = first, np.float32(2**0.5)
    for j in range(1, COSINES):
        out[:, j] = cosine * out[:, j - 1] - before
        before = out[:, j - 1]
    return out


def _of_orders(fixed: np.ndarray, moved: np.ndarray, orders: np.ndarray) -> np.ndarray:
    """Covariances of the cosines ``fixed`` (COSINES, n) with the rows of ``moved`` (n, COSINES) in many orders (n, b)."""
    n, b = orders.shape
    product = fixed @ moved[orders].reshape(n, b * COSINES)  # one product for all orders
    return product.reshape(COSINES, b, COSINES).transpose(1, 0, 2) / np.sqrt(n)


def shared_p(observed: np.ndarray, null: Iterable[np.ndarray], most: int) -> list[tuple[float, int]]:
    """p-value and permutations of each of P statistics (P,) against the same random orders, each stopped by its own count.

    As :func:`mine.independence.permutations.sequential_p`: after ``ENOUGH`` orders with a statistic at least as large.
    """
    out: list[tuple[float, int]] = [(1.0, 0)] * len(observed)
    active = np.arange(len(observed))
    exceeded, drawn = np.zeros(len(observed), np.int64), 0
    for batch in null:
        ordered = np.sort(batch)
        total = exceeded[active] + len(batch) - np.searchsorted(ordered, observed[active], side="left")
        done = active[total >= ENOUGH]
        for p in done:
            stage = sequential_p(batch >= observed[p], (int(exceeded[p]), drawn), most)
            out[p] = stage[0], stage[1]
        exceeded[active] = total
        active, drawn = active[total < ENOUGH], drawn + len(batch)
        if not len(active):
            break
    for p in active:
        out[p] = (float(exceeded[p]) + 1) / (drawn + 1), drawn
    return out


def rank_test(x: np.ndarray, y: np.ndarray, shuffles: Shuffles | TimeShifts, *, most: int, seed: int) -> tuple[float, int]:
    """The test of one pair whose rows are exchanged in groups or shifted in time: exact.

    Arguments:
        x: Numbers of n rows.
        y: Numbers of the same rows.
        shuffles: Which rows may take each other's place.
        most: Permutations at most.
        seed: Of the permutations, and of the order of ties.

    Returns:
        p-value and permutations.
    """
    rng = np.random.default_rng(seed)
    fixed = rank_cosines(x[shuffles.rows], rng)
    moved = np.ascontiguousarray(rank_cosines(y[shuffles.rows], rng).T)
    n = len(moved)
    observed = statistics(_of_orders(fixed, moved, np.arange(n)[:, None]))
    orders = shuffles.draw(most, seed, max(n, AT_A_TIME // COSINES))
    null = (statistics(_of_orders(fixed, moved, batch.T)) for batch in orders)
    return shared_p(observed - 1e-6 * np.abs(observed), null, most)[0]
