"""The times that data carry themselves, as a pandas index or a coordinate of xarray, and the gaps in them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from mine.errors import InputError

__all__ = ["as_times", "gaps_before", "grid_places", "index_times", "same_times", "unbroken"]

#: A step is a gap if it is so many times as long as a usual one, which this share of all steps do not exceed: weekends in a
#: calendar of working days are no gaps, a missing sample of a regular recording is one. So is a step so many times as long as
#: the median one, however frequent: pieces of a few rows each.
GAP, USUAL, FAR = 1.5, 0.9, 5.0
#: How far a step may be from a whole number of usual steps, in usual steps and as a share of itself: months differ in length.
OFF_GRID, OFF_SHARE = 0.15, 0.05
#: The indices of pandas that hold times.
INDICES = ("DatetimeIndex", "TimedeltaIndex", "PeriodIndex")


def as_times(values: np.ndarray) -> np.ndarray | None:
    """Dates, durations or numbers (n,) as float64, or None where any is missing or they are none of these.

    >>> as_times(np.array(["1970-01-01", "1970-01-02"], "datetime64[D]"))
    array([0.00e+00, 8.64e+10])
    """
    if values.dtype.kind in "mM":
        if np.isnat(values).any():
            return None
        return values.astype(f"{values.dtype.kind}8[us]").astype(np.int64).astype(np.float64)
    if values.dtype.kind not in "iuf" or not np.isfinite(values).all():
        return None
    return values.astype(np.float64)


def index_times(data: Any) -> np.ndarray | None:
    """The times of the index of a pandas frame or series, shape (n,), None where it has no index of times."""
    index: Any = getattr(data, "index", None)
    kind = type(index).__name__
    if kind not in INDICES or index.hasnans:
        return None
    if kind == "PeriodIndex":
        return np.asarray(index.asi8, np.float64)
    return np.asarray(index.as_unit("us").asi8, np.float64)


def same_times(carried: Sequence[np.ndarray]) -> bool:
    """Whether the times (n,) of several series are one and the same.

    >>> same_times([np.arange(3), np.arange(3)]), same_times([np.arange(3), np.arange(4)]), same_times([])
    (True, False, True)
    """
    return all(np.array_equal(carried[0], times) for times in carried[1:])


def gaps_before(times: np.ndarray, name: str = "x") -> np.ndarray:
    """Whether there is a gap between each row and the one before it, shape (n,).

    Raises:
        InputError: The times do not rise.

    >>> gaps_before(np.array([0.0, 1.0, 2.0, 9.0, 10.0]))
    array([False, False, False,  True, False])
    """
    steps = np.diff(times)
    if (steps <= 0).any():
        raise InputError(
            f"The time index of {name} does not rise from row to row: sort the rows by time first, and keep one row per time. "
            "If several series share these times, pass groups= if there is such an argument, or one series at a time."
        )
    if not len(steps):
        return np.zeros(len(times), bool)
    usual = np.quantile(steps, USUAL, method="inverted_cdf")
    return np.append(False, steps > min(GAP * usual, FAR * np.median(steps)))


def unbroken(times: np.ndarray | None, rows: np.ndarray, past: int, name: str = "x") -> np.ndarray:
    """Which of ``rows`` have no gap between themselves and the row ``past`` rows before: mask of the shape of ``rows``.

    >>> unbroken(np.array([0.0, 1.0, 2.0, 9.0, 10.0]), np.array([1, 2, 3, 4]), 1)
    array([ True,  True, False,  True])
    """
    if times is None:
        return np.ones(len(rows), bool)
    piece = np.cumsum(gaps_before(times, name))
    return piece[rows] == piece[rows - past]


def grid_places(times: np.ndarray) -> np.ndarray | None:
    """The place of each row on the regular grid of its times, from 0, shape (n,); None if they lie on no such grid.

    >>> grid_places(np.array([0.0, 1.0, 2.0, 9.0, 10.0]))
    array([ 0,  1,  2,  9, 10])
    >>> grid_places(np.array([0.0, 1.0, 2.4, 9.1, 9.7]))
    """
    steps, gaps = np.diff(times), gaps_before(times)[1:]
    usual = steps[~gaps].mean() if not gaps.all() else math.nan
    counts = np.round(steps / usual)
    if not (np.abs(steps - counts * usual) <= OFF_GRID * usual + OFF_SHARE * steps).all() or (counts < 1).any():
        return None
    return np.append(0, np.cumsum(counts)).astype(np.int64)
