"""Series on the regular grid of their times, where lags count rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mine.data.time_index import grid_places
from mine.errors import InputError
from mine.information.series import Series
from mine.information.without_gaps import REGULAR, broken_times, gaps_sentence

__all__ = ["on_a_grid"]


def on_a_grid(series: Sequence[Series], *carriers: Any, drop_missing: bool) -> list[Series]:
    """The series with empty rows where their times have gaps, so that lags can count rows.

    Arguments:
        series: As they were read.
        *carriers: What they were read from, which may carry times.
        drop_missing: Whether values may be missing.

    Raises:
        InputError: Gaps where no value may be missing, or times on no regular grid, that do not rise, or that differ.
    """
    times = broken_times(*carriers)
    if times is None:
        return list(series)
    places = grid_places(times)
    if places is None:
        raise InputError(gaps_sentence(times, REGULAR))
    if not drop_missing:
        raise InputError(gaps_sentence(times, "Pass drop_missing=True to take the rows between them as missing."))
    return [one.spread(places) for one in series]
