"""Shifts in time that a test draws: what neighbouring rows share stays, what both series share is undone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from mine.data.order import TimeOrder

__all__ = ["TimeShifts"]


@dataclass(frozen=True)
class TimeShifts:
    """Circular shifts of y against x, each series on its own.

    A stationary series that has nothing to do with another looks the same against it wherever it starts; its own
    autocorrelation, seasons among them, stays as it is. Only where the end meets the beginning is a join that the true order
    lacks, hence the test is approximate, and good where a series is long against the time that it remembers.

    References:
        Quian Quiroga et al., 2002, 'Performance of different synchronization measures in real data', for shifted surrogates;
        Harris, 2020, 'A shift test for independence in generic time series' (arXiv 2012.06862), for their level.

    Attributes:
        rows: Row numbers in the order of time, series after series, shape (n,).
        starts: Where each series begins in ``rows``, shape (s,).
        units: Block of time of each place of ``rows``, shape (n,): rows of one block are alike for being near in time.
    """

    rows: np.ndarray
    starts: np.ndarray
    units: np.ndarray

    @classmethod
    def of(cls, order: TimeOrder) -> Self:
        """The shifts of all rows of ``order``."""
        rows = np.argsort(order.position)
        starts = np.zeros(1, np.int64)
        if order.series is not None:
            series = order.series[rows]
            starts = np.flatnonzero(np.append(True, series[1:] != series[:-1]))
        return cls(rows, starts, order.blocks[rows])

    def draw(self, count: int, seed: int, most: int = 1 << 21) -> Iterator[np.ndarray]:
        """``count`` shifted orders in batches (b, n) of positions in ``rows``: place i gets what stands at ``batch[:, i]``.

        One series is shifted by as many different lengths as there are, and by some of them twice only where more are asked
        for; several series are shifted independently.

        >>> shifts = TimeShifts(np.arange(30), np.zeros(1, np.int64), np.arange(30))
        >>> (batch,) = shifts.draw(99, seed=0)
        >>> batch.shape, sorted(set((batch[:, 0]).tolist())) == list(range(1, 30))
        ((99, 30), True)
        """
        rng = np.random.default_rng(seed)
        n = len(self.rows)
        lengths = np.diff(np.append(self.starts, n))
        shifts = np.stack([_lengths(int(length), count, rng) for length in lengths], 1)
        series_of = np.repeat(np.arange(len(lengths)), lengths)
        offset = np.arange(n) - self.starts[series_of]
        per_batch = max(1, most // n)
        for first in range(0, count, per_batch):
            part = shifts[first : first + per_batch][:, series_of]
            yield self.starts[series_of] + (offset + part) % lengths[series_of]


def _lengths(length: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """Shifts of a series of ``length`` rows, shape (count,): short ones too, for under independence all are alike."""
    if length - 1 >= count:
        return 1 + rng.choice(length - 1, count, replace=False)
    return 1 + np.concatenate([rng.permutation(length - 1) for _ in range(-(-count // (length - 1)))])[:count]
