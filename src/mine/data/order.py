"""Rows in the order of time: where each stands, how far apart rows must be to count as independent, and blocks of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from mine.data.columns import numbers_with_gaps
from mine.data.moments import is_periods
from mine.data.parsing import read_texts
from mine.data.rows import equally_long
from mine.data.serial import drifts, same_season, serial_features, slowest_autocorrelation, summed_time
from mine.data.sources import named_columns
from mine.data.variable import Variable
from mine.errors import InputError

__all__ = ["AS_THEY_COME", "ENOUGH_SUBJECTS", "TimeOrder", "clock_warning", "in_order", "read_order", "row_times", "time_order"]

#: What says that rows come in the order of time as they are.
AS_THEY_COME = "time"
#: Blocks of time that a standard error rests on at least; a block lasts so many times as long as rows resemble each other.
FEWEST_BLOCKS, TIMES_A_BLOCK = 20, 2.0
#: A summed autocorrelation reads low by this many times its square, over n: each side's is about 4 / n too small at every lag
#: (Marriott & Pope, 1954).
SHORTFALL = 8.0
#: Subjects from which on each is one unit of folds and errors, and time within it does not matter.
ENOUGH_SUBJECTS = 10
#: Independent rows below which nothing much can be said.
ENOUGH_ROWS = 20

#: What to say of two series with a trend each.
DRIFT = (
    "Both sides drift from the first row to the last, and share what changes with time alone: unrelated series with a trend "
    "look dependent. Take differences, or the residuals of a trend in each series. P-values are too small here."
)
#: And of two series that repeat with one period.
SEASON = (
    "Both sides repeat with the same period, and share what the season alone tells: unrelated series with a season look "
    "dependent. Subtract from each series its mean at each phase of the period. P-values are too small here."
)


@dataclass(frozen=True)
class TimeOrder:
    """Where rows stand in time.

    Attributes:
        position: Place of each row, from 0, one series after the other, shape (n,).
        series: Code of the series of each row, shape (n,), or None where there is one.
        time: Rows that tell as much as one independent row.
        blocks: Code of the stretch of time of each row, shape (n,): what folds and standard errors are made of.
        widening: Factor of a standard error of blocks, for what neighbouring ones share and for being few.
        in_stretches: Whether the blocks are stretches of time; else they are whole series, as of many subjects.
        drifting: Whether both sides drift from the first row to the last.
        seasonal: Whether both sides repeat with the same period.
        tied: How many rows have the time of another row of their series.
    """

    position: np.ndarray
    series: np.ndarray | None
    time: float
    blocks: np.ndarray
    widening: float
    in_stretches: bool = True
    drifting: bool = False
    seasonal: bool = False
    tied: int = 0

    @property
    def about_ties(self) -> str | None:
        """A sentence if rows share their time with others, whose order nobody knows; else None."""
        if not self.tied:
            return None
        return (
            f"{self.tied:,} rows have the same time as another row, and were taken in the order they come. If several "
            "series share the times, pass groups=."
        )

    @property
    def warning(self) -> str | None:
        """A sentence if few independent rows are left, or if both sides drift or repeat with one period; else None."""
        if self.seasonal:  # which never dies away: no number of rows is worth more
            return SEASON
        if self.independent_rows >= ENOUGH_ROWS:
            return DRIFT if self.drifting else None
        return (
            f"{len(self.position):,} rows of series with so long a memory are worth {self.independent_rows} independent ones: "
            "take differences, or the residuals of a model of each series. P-values are too small here."
        )

    @property
    def independent_rows(self) -> int:
        """Rows that these are worth."""
        return max(2, round(len(self.position) / self.time))

    @property
    def apart(self) -> int:
        """Rows of time that are left out between rows that train and rows that are reported on."""
        return max(1, min(math.ceil(self.time), len(self.position) // (2 * FEWEST_BLOCKS)))

    def rows(self, count: int) -> list[np.ndarray]:
        """The rows cut into ``count`` sets, each of every ``count``-th row in time."""
        places = np.argsort(self.position)
        return [np.sort(places[k::count]) for k in range(count)]

    def against(self, x: Variable, y: Variable) -> TimeOrder:
        """The same rows in the same order, for two other sides: they may remember longer."""
        return _of_positions(self.position, self.series, x, y)

    def take(self, rows: np.ndarray) -> Self:
        """Some rows of it, in their order of time; the time that they share stays as it was measured."""
        position = np.argsort(np.argsort(self.position[rows], kind="stable"), kind="stable")
        series = None if self.series is None else self.series[rows]
        return replace(self, position=position, series=series, blocks=self.blocks[rows])


def read_order(order: Any, n: int, series: np.ndarray | None) -> np.ndarray:
    """The place of each of ``n`` rows in time, from 0, series after series.

    Arguments:
        order: ``"time"``, for rows as they come; or one number or date a row, shape (n,), of which later is larger.
        n: Number of rows.
        series: Code of each row's series, or None.

    Raises:
        InputError: Neither of these.

    >>> read_order([30, 10, 20], 3, None)
    array([2, 0, 1])
    """
    return _placed(order, n, series)[0]


def _placed(order: Any, n: int, series: np.ndarray | None) -> tuple[np.ndarray, int]:
    """The places of :func:`read_order`, and how many rows have the time of the row before them in their series."""
    as_they_come = isinstance(order, str) and order == AS_THEY_COME
    times = np.arange(n) if as_they_come else row_times(order, n)
    keys = (times,) if series is None else (times, series)
    places = np.lexsort(keys)
    position = np.empty(n, np.int64)
    position[places] = np.arange(n)
    alike = np.all([key[places][1:] == key[places][:-1] for key in keys], axis=0)
    return position, int(alike.sum())


def in_order(order: Any, **sides: Any) -> list[Any]:
    """The sides with their rows sorted by ``order``, whose times they carry from then on; None leaves them as they are.

    Arguments:
        order: As for :func:`read_order`; with ``"time"`` rows keep their order.
        **sides: What users pass in, by name; one that is None stays None.

    Raises:
        InputError: An order that cannot be read or has another number of values than there are rows; sides of different length.

    >>> (x,) = in_order([30, 10, 20], x=[1, 2, 3])
    >>> x.columns[0], x.times
    (array([2, 3, 1]), array([10., 20., 30.]))
    """
    if order is None or (isinstance(order, str) and order == AS_THEY_COME):
        return list(sides.values())
    read = equally_long(**sides)
    times = row_times(order, next(len(side) for side in read if side is not None))
    places = np.argsort(times, kind="stable")
    return [None if side is None else replace(side.filter(places), times=times[places]) for side in read]


def clock_warning(x: np.ndarray, y: np.ndarray) -> str | None:
    """A sentence if features of two sides, (n, f) and (n, g) in the order of time, both drift or repeat with one period."""
    if same_season(x, y):
        return SEASON
    return DRIFT if drifts(x) and drifts(y) else None


def row_times(order: Any, n: int) -> np.ndarray:
    """The numbers or dates of ``order`` as float64, shape (n,)."""
    if isinstance(order, str):
        raise InputError(
            f"order={order!r}: pass order='time' where rows come in the order of time, or one number or date a row."
        )
    if is_periods(order) and not hasattr(order, "index"):  # an index; the reader knows a column of them
        order = order.to_timestamp()
    (when,), _ = read_texts(True, False, order=order)  # dates written as text, too
    columns = named_columns(when, "order")
    if len(columns) != 1:
        raise InputError(f"order has {len(columns)} columns: pass one number or date a row.")
    ((name, column),) = columns.items()
    if len(column) != n:
        raise InputError(f"order has {len(column)} values for {n} rows: pass one per row.")
    times = numbers_with_gaps(column, name)
    if np.isnan(times).any():
        raise InputError("order has missing values: every row needs its time. Leave out the rows without one.")
    return times


def time_order(order: Any, x: Variable, y: Variable, subjects: Any = None) -> TimeOrder:
    """What the order of time makes of two sides.

    Rows count as independent once the product of both sides' autocorrelations has died away: that is what two unrelated series
    share by chance (Bartlett, 1935). A block of time lasts twice as long, or shorter where there would be fewer than twenty.

    Arguments:
        order: As for :func:`read_order`.
        x: The first side.
        y: The second.
        subjects: Code of each row's series, or None: blocks never span two of them. Ten or more are blocks themselves.
    """
    n = len(x)
    series = None if subjects is None else np.unique(subjects, return_inverse=True)[1].ravel()
    if series is not None and not series.any():  # one series, as without groups
        series = None
    position, tied = _placed(order, n, series)
    return replace(_of_positions(position, series, x, y), tied=tied)


def _of_positions(position: np.ndarray, series: np.ndarray | None, x: Variable, y: Variable) -> TimeOrder:
    n = len(position)
    places = np.argsort(position)
    features = [serial_features(side.take(places)) for side in (x, y)]
    slowest = [slowest_autocorrelation(side) for side in features]
    acf = slowest[0] * slowest[1]
    raw = summed_time(acf)
    time = raw / max(1 - SHORTFALL * raw / n, 0.25)
    if series is not None and len(np.unique(series)) >= ENOUGH_SUBJECTS:
        return TimeOrder(position, series, time, series, 1.0, in_stretches=False)
    length = int(np.clip(math.ceil(TIMES_A_BLOCK * time), 1, max(1, n // FEWEST_BLOCKS)))
    blocks = position // length
    if series is not None:
        blocks = np.unique(blocks * (int(series.max()) + 1) + series, return_inverse=True)[1].ravel()
    drifting = series is None and all(map(drifts, features))
    seasonal = series is None and same_season(*features)
    widening = _widening(acf, raw, time, length, n // length)
    return TimeOrder(position, series, time, blocks, widening, drifting=drifting, seasonal=seasonal)


def _widening(acf: np.ndarray, raw: float, time: float, length: int, count: int) -> float:
    """What a standard error of ``count`` blocks lacks: the resemblance across blocks, and Student's quantile for the normal."""
    from scipy.stats import t

    k = np.arange(1, min(length, len(acf)))
    within = 1 + 2 * float(((1 - k / length) * np.maximum(acf[1 : len(k) + 1], 0)).sum())
    within = min(within, raw)
    return math.sqrt(time / within) * float(t.isf(0.025, max(2, count - 1))) / 1.96
