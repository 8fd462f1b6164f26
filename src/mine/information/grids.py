"""Series on the regular grid of their times, where lags count rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mine.data.subjects import Subjects
from mine.data.time_index import grid_places
from mine.errors import InputError
from mine.information.series import Series
from mine.information.without_gaps import REGULAR, broken_times, gaps_sentence

__all__ = ["on_a_grid"]


def on_a_grid(
    series: Sequence[Series], *carriers: Any, drop_missing: bool, subjects: Subjects | None = None
) -> tuple[list[Series], Subjects | None]:
    """The series with empty rows where their times have gaps, so that lags can count rows; and which rows are whose then.

    Arguments:
        series: As they were read.
        *carriers: What they were read from, which may carry times.
        drop_missing: Whether values may be missing.
        subjects: Which rows are whose, or None for one series: each has a grid of its own.

    Raises:
        InputError: Gaps where no value may be missing, or times on no regular grid, that do not rise, or that differ.
    """
    times = broken_times(*carriers, subjects=subjects)
    if times is None:
        return list(series), subjects
    parts = [slice(0, len(times))] if subjects is None else list(subjects.parts())
    grids = [grid_places(times[part]) for part in parts]
    if any(places is None for places in grids):
        raise InputError(gaps_sentence(times, REGULAR, subjects))
    if not drop_missing:
        raise InputError(gaps_sentence(times, "Pass drop_missing=True to take the rows between them as missing.", subjects))
    lengths = np.array([int(places[-1]) + 1 for places in grids if places is not None])
    starts = np.cumsum(lengths) - lengths
    places = np.concatenate([start + places for start, places in zip(starts, grids, strict=True) if places is not None])
    return [one.spread(places) for one in series], None if subjects is None else Subjects(lengths)
