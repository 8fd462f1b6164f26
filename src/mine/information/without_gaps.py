"""Rows of series whose past reaches across no gap in the times that the series carry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from mine.data.rows import times_sentence
from mine.data.sources import read_source
from mine.data.time_index import unbroken
from mine.errors import InputError, NotEnoughDataError

__all__ = ["without_gaps"]

#: Stretches of time that must be left.
FEWEST = 8


def without_gaps(rows: np.ndarray, blocks: np.ndarray, past: int, *series: Any) -> tuple[np.ndarray, np.ndarray]:
    """The rows, and their stretches, that have no gap between themselves and ``past`` rows before.

    Arguments:
        rows: Row numbers, shape (m,).
        blocks: Stretch of time of each, shape (m,).
        past: How far a row looks back.
        *series: What the caller passed in, such as frames with an index of times; others have no gaps.

    Raises:
        InputError: Times that do not rise, or that differ between the series.
        NotEnoughDataError: Rows of fewer than eight stretches are left.
    """
    sources = [read_source(data, "a series") for data in series if not isinstance(data, Iterator)]  # those have no index
    if times_sentence(*sources):
        raise InputError("The series carry different time indices: align them first, for example x.align(y, join='inner').")
    for source in sources:
        keep = unbroken(source.times, rows, past)
        rows, blocks = rows[keep], blocks[keep]
    if len(np.unique(blocks)) < FEWEST:
        raise NotEnoughDataError(f"The time index has so many gaps that few rows have {past} rows without a gap before them.")
    return rows, blocks
