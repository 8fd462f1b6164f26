"""Dates and times as numbers: microseconds since 1970, or an error where 64 bits cannot count them."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np

from mine.errors import InputError

__all__ = ["check_microseconds", "microseconds", "naive"]

#: Microseconds in the units that are coarser.
_MICROSECONDS = {"D": 86_400_000_000, "s": 1_000_000, "ms": 1000}


def microseconds(stamps: np.ndarray, name: str) -> np.ndarray:
    """Microseconds as float64 from datetime64 or timedelta64, NaT as NaN.

    Raises:
        InputError: 64 bits cannot count them.
    """
    fine = stamps.astype(f"{stamps.dtype.kind}8[us]")
    missing = np.isnat(stamps)
    coarser = np.datetime_data(stamps.dtype)[0] in ("Y", "M", "W", "D", "h", "m", "s", "ms")
    if coarser and not np.array_equal(fine.astype(stamps.dtype)[~missing], stamps[~missing]):  # numpy starts again from below
        raise _too_far(name)
    out = fine.astype(np.int64).astype(np.float64)
    out[missing] = np.nan
    return out


def naive(moment: Any) -> Any:
    """A moment without its time zone, in UTC."""
    if getattr(moment, "tzinfo", None) is None:
        return moment
    return moment.astimezone(datetime.UTC).replace(tzinfo=None)


def check_microseconds(series: Any) -> None:
    """Raise where 64 bits cannot count the microseconds of a narwhals series of dates, times or durations.

    Raises:
        InputError: They cannot; libraries would start again from below without a word.
    """
    import pyarrow as pa

    stamps = series.to_arrow()
    unit = "D" if pa.types.is_date32(stamps.type) else getattr(stamps.type, "unit", "ms")
    most = (2**63 - 1) // _MICROSECONDS.get(unit, 1)
    counts = stamps.cast(pa.int32() if unit == "D" else pa.int64()).drop_null().to_numpy()
    if len(counts) and max(-int(counts.min()), int(counts.max())) > most:
        raise _too_far(series.name)


def _too_far(column: str) -> InputError:
    return InputError(f"Column {column!r} has dates or times too far from 1970 to count in microseconds: leave them out.")
