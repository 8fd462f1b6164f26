"""Rows of series whose past reaches across no gap in the times that the series carry."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from mine.data.rows import carried_times
from mine.data.subjects import Subjects
from mine.data.time_index import gaps_before, same_times
from mine.errors import InputError, NotEnoughDataError

__all__ = ["REGULAR", "broken_times", "gaps_sentence", "refuse_gaps", "without_gaps"]

#: Stretches of time that must be left.
FEWEST = 8
#: The remedy for times that no grid explains.
REGULAR = "Put the rows on a regular grid first, for example with x.asfreq('h'). Empty rows of the grid need drop_missing=True."


def without_gaps(
    rows: np.ndarray, blocks: np.ndarray, past: int, *series: Any, subjects: Subjects | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The rows, and their stretches, that have no gap between themselves and ``past`` rows before.

    Arguments:
        rows: Row numbers, shape (m,).
        blocks: Stretch of time of each, shape (m,).
        past: How far a row looks back.
        *series: What the caller passed in, such as frames with an index of times; others have no gaps.
        subjects: Which rows are whose, or None for one series.

    Raises:
        InputError: Times that do not rise, or that differ between the series.
        NotEnoughDataError: Rows of fewer than eight stretches are left.
    """
    for times in _times(series):
        piece = np.cumsum(_gaps_before(times, subjects))
        keep = piece[rows] == piece[rows - past]
        rows, blocks = rows[keep], blocks[keep]
    if len(np.unique(blocks)) < FEWEST:
        raise NotEnoughDataError(f"The time index has so many gaps that few rows have {past} rows without a gap before them.")
    return rows, blocks


def refuse_gaps(*series: Any) -> None:
    """Refuse series whose time index has gaps, where every lag counts rows.

    Raises:
        InputError: An index with gaps, or times that do not rise or that differ between the series.
    """
    times = broken_times(*series)
    if times is not None:
        raise InputError(gaps_sentence(times, REGULAR))


def broken_times(*series: Any, subjects: Subjects | None = None) -> np.ndarray | None:
    """The times that the series carry, shape (n,), if there are gaps in them, else None.

    Raises:
        InputError: Times that do not rise, or that differ between the series.
    """
    return next((times for times in _times(series) if _gaps_before(times, subjects).any()), None)


def _gaps_before(times: np.ndarray, subjects: Subjects | None) -> np.ndarray:
    """Whether there is a gap between each row and the one before it in the same series, shape (n,)."""
    if subjects is None:
        return gaps_before(times)
    return np.concatenate([gaps_before(times[part]) for part in subjects.parts()])


def gaps_sentence(times: np.ndarray, remedy: str, subjects: Subjects | None = None) -> str:
    """What an error says of the gaps in ``times`` (n,), and what to do about them."""
    gaps = int(_gaps_before(times, subjects).sum())
    return f"The time index has {gaps:,} gap{'s' * (gaps > 1)}, and lags and windows count rows. {remedy}"


def _times(series: Iterable[Any]) -> list[np.ndarray]:
    """The times that the series carry, shape (n,) each; only frames, columns and arrays with coordinates have any."""
    carried = [times for data in series if (times := carried_times(data)) is not None]
    if not same_times(carried):
        raise InputError("The series carry different time indices: align them first, for example x.align(y, join='inner').")
    return carried
