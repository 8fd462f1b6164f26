"""Rows of whatever users pass in: which lack nothing, and a part of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from mine.data.arrow import stream_as_table
from mine.data.gaps import infinite_rows, unusable_rows
from mine.data.labelled import read_labelled
from mine.data.outofcore import NamedRows
from mine.data.sources import Source, read_source
from mine.data.time_index import index_times, same_times
from mine.data.unreadable import foreign
from mine.errors import InputError, NotEnoughDataError

__all__ = [
    "MIN_ROWS",
    "carried_order",
    "carried_times",
    "complete_rows",
    "equally_long",
    "infinite_sentence",
    "rereadable",
    "same_length",
    "select_rows",
    "times_sentence",
]

#: Below this no split leaves evaluation rows.
MIN_ROWS = 20


def complete_rows(**sides: Any) -> tuple[list[Any], int]:
    """The sides without the rows in which any of them has a missing or infinite value, in their order; and how many these are.

    A side that is None or a word, as ``order="time"``, stays as it is. Data that can be read only once come back as a list.

    Raises:
        InputError: Data that cannot be read, sides of different length, or a missing or infinite value in every row.
        NotEnoughDataError: Too few rows are left.

    >>> complete_rows(x=[1.0, 2.0], y=[3.0, 4.0], groups=None)
    ([[1.0, 2.0], [3.0, 4.0], None], 0)
    """
    sides = {name: rereadable(data) for name, data in sides.items()}
    missing = {name: unusable_rows(data, name) for name, data in sides.items() if not _has_no_rows(data)}
    first, *others = missing
    for name in others:
        same_length(len(missing[first]), len(missing[name]), name, first=first)
    keep = ~np.any(list(missing.values()), axis=0)
    if keep.all():
        return list(sides.values()), 0
    if not keep.any():
        raise InputError("Every row has a missing or infinite value: choose other columns, or fill the gaps.")
    n_dropped, n_kept = int((~keep).sum()), int(keep.sum())
    if n_kept < MIN_ROWS:
        raise NotEnoughDataError(
            f"Leaving out {n_dropped:,} rows with a missing or infinite value leaves {n_kept} rows: an honest estimate needs "
            f"at least {MIN_ROWS}. Choose columns with fewer gaps, or fill them."
        )
    return [data if _has_no_rows(data) else select_rows(data, keep, name) for name, data in sides.items()], n_dropped


def equally_long(**sides: Any) -> list[Any]:
    """The sides, read but not checked, all with the same number of rows; a side that is None stays None.

    Whoever checks the values of one side after the other asks for this first: that x has too few rows is no help where y has
    enough.

    Raises:
        InputError: Data that cannot be read, or sides of different length.

    >>> equally_long(x=[1.0, 2.0], y=[3.0])
    Traceback (most recent call last):
    ...
    mine.errors.InputError: x has 2 rows and y has 1: x and y need the same number of rows.
    """
    read = {name: None if data is None else read_source(data, name) for name, data in sides.items()}
    (first, n), *others = ((name, len(source)) for name, source in read.items() if source is not None)
    for name, count in others:
        same_length(n, count, name, first=first)
    return list(read.values())


def infinite_sentence(*sides: Any) -> list[str]:
    """What a result says of rows that were left out for an infinite value: nothing if there are none.

    Arguments:
        *sides: What :func:`equally_long` returns, before any row was left out.

    >>> infinite_sentence(*equally_long(x=[1.0, float("inf")], y=[1.0, 2.0]))
    ['1 row with an infinite value was left out.']
    """
    count = int(np.any([infinite_rows(side) for side in sides if side is not None], axis=0).sum())
    return [f"{count:,} row{'s' if count > 1 else ''} with an infinite value {'were' if count > 1 else 'was'} left out."] * (
        count > 0
    )


def times_sentence(*sides: Any) -> list[str]:
    """What a result says of sides that carry different times: nothing if they do not.

    Arguments:
        *sides: What :func:`equally_long` returns.
    """
    carried = [side.times for side in sides if side is not None and side.times is not None]
    if same_times(carried):
        return []
    return ["The sides carry different time indices: rows were paired by position, not by time."]


def carried_times(data: Any) -> np.ndarray | None:
    """The time of each row where data carry them, shape (n,), or None; columns are not read for that."""
    if isinstance(data, Source):
        return data.times
    labelled = read_labelled(data, "x")
    return index_times(data) if labelled is None else labelled.times


def carried_order(order: Any, *sides: Any) -> Any:
    """``order``, or for ``"time"`` the times that a side carries: rows then need not come in their order."""
    if not isinstance(order, str) or order != "time":
        return order
    carried = (times for side in sides if (times := carried_times(side)) is not None)
    return next(carried, order)


def _has_no_rows(data: Any) -> bool:
    return data is None or isinstance(data, str)


def rereadable(data: Any) -> Any:
    """Data that can be read only once, as a generator or a query, as a list or a table; other data as they are."""
    with foreign("A generator"):
        data = stream_as_table(data)
        return list(data) if isinstance(data, Iterator) else data


def same_length(n_first: int, n_second: int, second: str = "y", *, first: str = "x") -> None:
    """Raise InputError unless two sides have the same number of rows."""
    if n_first != n_second:
        raise InputError(
            f"{first} has {n_first} rows and {second} has {n_second}: {first} and {second} need the same number of rows."
        )


def select_rows(data: Any, keep: np.ndarray, name: str = "x") -> Any:
    """Rows of any accepted input by a boolean mask; ``name`` is what unnamed columns are called."""
    if isinstance(data, (list, tuple)):
        return [row for row, kept in zip(data, keep, strict=True) if kept]
    if isinstance(data, np.ndarray):
        return data[keep]
    if isinstance(data, NamedRows):
        return data.rows(keep)
    if isinstance(data, Source):
        return data.filter(keep)
    if hasattr(data, "detach"):
        import torch

        return data[torch.as_tensor(keep, device=data.device)]
    if read_labelled(data, name) is not None:
        return read_source(data, name).filter(keep)
    import narwhals as nw

    frame: Any = nw.from_native(data, allow_series=True, eager_only=True, pass_through=True)
    if isinstance(frame, (nw.DataFrame, nw.Series)):
        return frame.filter(keep.tolist()).to_native()
    arrow = sys.modules.get("pyarrow")
    if arrow is not None and isinstance(data, (arrow.Array, arrow.RecordBatch)):  # narwhals knows the chunked kinds
        return data.filter(arrow.array(keep))
    if not hasattr(data, "__iter__") and hasattr(data, "__array__"):  # as spikes in windows
        return np.asarray(data)[keep]
    return [row for row, kept in zip(data, keep, strict=True) if kept]  # an index, a deque, an array.array, ...
