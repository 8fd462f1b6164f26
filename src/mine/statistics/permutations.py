"""Exact permutation tests whose statistic is a sum over cells, many pairs at a time, stopped early where nothing is found."""

from __future__ import annotations

import numpy as np
from scipy.special import xlogy
from scipy.stats import random_table

__all__ = ["ENOUGH", "binned_test", "sequential_p", "table_test"]

#: Permuted statistics at least as large as the observed one after which a test stops: the p-value is then known within a
#: seventh of itself, and it is no small one.
ENOUGH = 50
#: Permutations drawn at a time.
CHUNK = 250


def sequential_p(exceeded: np.ndarray, before: tuple[int, int], most: int) -> tuple[float, int, bool] | tuple[int, int]:
    """One look of a sequential permutation test.

    The p-value is ``ENOUGH / l`` where the l-th permutation is the one that makes ``ENOUGH`` exceedances, and
    ``(b + 1) / (m + 1)`` after ``most`` of them: valid at any level.

    References:
        Besag & Clifford, 1991, 'Sequential Monte Carlo p-values' (doi 10.1093/biomet/78.2.301).

    Arguments:
        exceeded: Whether each new permutation's statistic is at least the observed one, shape (k,).
        before: Exceedances and permutations so far.
        most: Permutations after which the test ends.

    Returns:
        (p-value, permutations, True) where the test has ended, else exceedances and permutations so far.

    >>> sequential_p(np.array([False] * 99), (0, 0), 99)
    (0.01, 99, True)
    >>> sequential_p(np.array([True] * 60), (0, 0), 1000)
    (1.0, 50, True)
    """
    b, m = before
    exceeded = exceeded[: most - m]
    total = b + np.cumsum(exceeded)
    if len(total) and total[-1] >= ENOUGH:
        last = m + int(np.argmax(total >= ENOUGH)) + 1
        return ENOUGH / last, last, True
    b, m = int(total[-1]) if len(total) else b, m + len(exceeded)
    return ((b + 1) / (m + 1), m, True) if m >= most else (b, m)


def binned_test(tables: np.ndarray, x: np.ndarray, y: np.ndarray, *, most: int, seed: int) -> list[tuple[float, int]]:
    """Test of P pairs by the mean score of their joint rows, against the rows with y permuted.

    The scores come from critics that saw none of these rows, and cells from one side alone: the test is exact.

    Arguments:
        tables: Score of every pair of cells, shape (P, cells, cells).
        x: Cell of each row, shape (P, m).
        y: Likewise.
        most: Permutations at most.
        seed: The permutations; all pairs share them.

    Returns:
        The p-value and the number of permutations of each pair.
    """
    n_pairs, m = x.shape
    cells = tables.shape[-1]
    rng = np.random.default_rng(seed)
    flat = tables.reshape(n_pairs, -1)
    offsets = (x * cells).astype(np.int32)
    small = y.astype(np.int32)
    observed = np.array([flat[p][offsets[p] + small[p]].sum(dtype=np.float64) for p in range(n_pairs)])
    slack = 1e-6 * np.abs(flat).max(1).astype(np.float64) * m**0.5 + 1e-12  # sums of one multiset differ by rounding
    state: list[tuple[int, int]] = [(0, 0)] * n_pairs
    out: list[tuple[float, int]] = [(1.0, 0)] * n_pairs
    active = list(range(n_pairs))
    rows = np.broadcast_to(np.arange(m, dtype=np.int32), (CHUNK, m))
    while active:
        order = rng.permuted(rows, axis=1)
        for p in tuple(active):
            drawn = flat[p].take(small[p].take(order) + offsets[p]).sum(1, dtype=np.float64)
            look = sequential_p(drawn >= observed[p] - slack[p], state[p], most)
            if len(look) == 3:
                out[p] = look[:2]
                active.remove(p)
            else:
                state[p] = look
    return out


def table_test(x: np.ndarray, y: np.ndarray, *, most: int, seed: int) -> tuple[float, int]:
    """Test of two labels by the information of their table, against tables of the same margins: exact.

    References:
        Patefield, 1981, algorithm AS 159, as :func:`scipy.stats.random_table` draws them.

    Arguments:
        x: Integer labels from 0, shape (n,).
        y: Likewise.
        most: Permutations at most.
        seed: Of the tables.

    >>> table_test(np.repeat([0, 1], 50), np.repeat([0, 1], 50), most=99, seed=0)
    (0.01, 99)
    """
    counts = np.zeros((x.max() + 1, y.max() + 1), np.int64)
    np.add.at(counts, (x, y), 1)
    margins = random_table(counts.sum(1), counts.sum(0))
    rng = np.random.default_rng(seed)
    observed = float(xlogy(counts, counts).sum())  # all that permutations change of the information
    state = (0, 0)
    size = int(np.clip(4_000_000 // counts.size, 1, 1000))
    while True:
        drawn = margins.rvs(size=size, random_state=rng).astype(np.float64)
        look = sequential_p(xlogy(drawn, drawn).sum((1, 2)) >= observed * (1 - 1e-12), state, most)
        if len(look) == 3:
            return look[:2]
        state = look
