"""Exact permutation tests whose statistic is a sum over cells, many pairs at a time, stopped early where nothing is found."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.special import xlogy
from scipy.stats import random_table

from mine.conditional.shifts import TimeShifts
from mine.conditional.shuffles import Shuffles
from mine.data.order import TimeOrder

__all__ = ["ENOUGH", "binned_test", "sequential_p", "table_test"]

#: Permuted statistics at least as large as the observed one after which a test stops: the p-value is then known within a
#: seventh of itself, and it is no small one.
ENOUGH = 50
#: Permutations drawn at a time.
CHUNK = 250


def sequential_p(exceeded: np.ndarray, before: tuple[int, int], most: int) -> tuple[float, int, bool] | tuple[int, int]:
    """One stage of a sequential permutation test.

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


def binned_test(
    score_matrices: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    shuffles: Shuffles | TimeShifts | None = None,
    *,
    most: int,
    seed: int,
) -> list[tuple[float, int]]:
    """Test of P pairs by the mean score of their joint rows, against the rows with y permuted.

    The scores come from critics that saw none of these rows, and cells from one side alone: the test is exact.

    Arguments:
        score_matrices: Score of every pair of cells, shape (P, cells, cells).
        x: Cell of each row, shape (P, m).
        y: Likewise.
        shuffles: Whole groups of rows that take each other's place, or shifts in time, the cells in the order of its ``rows``;
            None permutes rows.
        most: Permutations at most.
        seed: The permutations; all pairs share them.

    Returns:
        The p-value and the number of permutations of each pair.
    """
    n_pairs, m = x.shape
    cells = score_matrices.shape[-1]
    flat = score_matrices.reshape(n_pairs, -1)
    offsets = (x * cells).astype(np.int32)
    small = y.astype(np.int32)
    observed = np.array([flat[p][offsets[p] + small[p]].sum(dtype=np.float64) for p in range(n_pairs)])
    slack = 1e-6 * np.abs(flat).max(1).astype(np.float64) * m**0.5 + 1e-12  # sums of one multiset differ by rounding
    state: list[tuple[int, int]] = [(0, 0)] * n_pairs
    out: list[tuple[float, int]] = [(1.0, 0)] * n_pairs
    active = list(range(n_pairs))
    for order in _of_rows(m, seed) if shuffles is None else shuffles.draw(most, seed, CHUNK * m):
        for p in tuple(active):
            drawn = flat[p].take(small[p].take(order) + offsets[p]).sum(1, dtype=np.float64)
            stage = sequential_p(drawn >= observed[p] - slack[p], state[p], most)
            if len(stage) == 3:
                out[p] = stage[:2]
                active.remove(p)
            else:
                state[p] = stage
        if not active:
            break
    return out


def _of_rows(m: int, seed: int) -> Iterator[np.ndarray]:
    """Permutations of m rows without end, shape (CHUNK, m)."""
    rng = np.random.default_rng(seed)
    rows = np.broadcast_to(np.arange(m, dtype=np.int32), (CHUNK, m))
    while True:
        yield rng.permuted(rows, axis=1)


def table_test(
    x: np.ndarray, y: np.ndarray, groups: np.ndarray | None = None, order: TimeOrder | None = None, *, most: int, seed: int
) -> tuple[float, int]:
    """Test of two labels by the information of their table, against those with y permuted: exact.

    References:
        Patefield, 1981, algorithm AS 159, as :func:`scipy.stats.random_table` draws tables of the same margins.

    Arguments:
        x: Integer labels from 0, shape (n,).
        y: Likewise.
        groups: Integer label of the unit of each row, shape (n,), or None: whole groups of as many rows are exchanged.
        order: Where rows stand in time, or None: y is shifted against x instead.
        most: Permutations at most.
        seed: Of the tables.

    Raises:
        NotEnoughDataError: Fewer than four groups.

    >>> table_test(np.repeat([0, 1], 50), np.repeat([0, 1], 50), most=99, seed=0)
    (0.01, 99)
    """
    shape = (int(x.max()) + 1, int(y.max()) + 1)
    size = int(np.clip(4_000_000 // (shape[0] * shape[1]), 1, 1000))
    if groups is None and order is None:
        observed = _tables(x, y[None], shape)
        tables = _of_the_margins(observed[0], size, seed)
    else:
        shuffles = Shuffles.of(len(x), groups) if order is None else TimeShifts.of(order)
        x, y = x[shuffles.rows], y[shuffles.rows]
        observed = _tables(x, y[None], shape)
        tables = (_tables(x, y[order], shape) for order in shuffles.draw(most, seed, size * len(x)))
    return _table_p(observed, tables, most)


def _of_the_margins(counts: np.ndarray, size: int, seed: int) -> Iterator[np.ndarray]:
    """Random tables with the margins of ``counts`` without end, shape (size, levels of x, levels of y)."""
    margins = random_table(counts.sum(1), counts.sum(0))
    rng = np.random.default_rng(seed)
    while True:
        yield margins.rvs(size=size, random_state=rng)


def _tables(x: np.ndarray, y: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Counts of x (n,) with each of y (b, n), shape (b, *shape)."""
    cells = shape[0] * shape[1]
    places = np.arange(len(y))[:, None] * cells + x * shape[1] + y
    return np.bincount(places.ravel(), minlength=len(y) * cells).reshape(-1, *shape)


def _table_p(counts: np.ndarray, tables: Iterator[np.ndarray], most: int) -> tuple[float, int]:
    observed = float(xlogy(counts, counts).sum())  # all that permutations change of the information
    state = (0, 0)
    while True:
        drawn = next(tables).astype(np.float64)
        stage = sequential_p(xlogy(drawn, drawn).sum((1, 2)) >= observed * (1 - 1e-12), state, most)
        if len(stage) == 3:
            return stage[:2]
        state = stage
