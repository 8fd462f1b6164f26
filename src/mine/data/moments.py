"""Which columns of a frame are dates and times, before they become numbers."""

from __future__ import annotations

import sys
from typing import Any, Literal, TypeAlias

import numpy as np

from mine.data.arrow import MOMENT

__all__ = ["MomentUnit", "is_periods", "moment_columns", "moment_text"]

#: What one unit of a column's numbers is: the units of numpy's dates, or a length of time.
MomentUnit: TypeAlias = Literal["s", "ms", "us", "ns", "duration"]


def moment_columns(data: Any) -> dict[str, MomentUnit]:
    """The columns of dates, times and durations of a frame, and the unit of the numbers that they are read as.

    >>> import pyarrow as pa
    >>> moment_columns(pa.table({"day": pa.array([0], pa.date32()), "n": [1]}))
    {'day': 'us'}
    """
    import narwhals as nw

    if isinstance(data, (list, tuple, np.ndarray)) or not hasattr(data, "__len__"):
        return {}
    native: Any = nw.from_native(data, allow_series=True, eager_only=True, pass_through=True)
    if isinstance(native, nw.Series):
        native = native.to_frame()
    if not isinstance(native, nw.DataFrame):
        return {}
    out: dict[str, MomentUnit] = {}
    for name, kind in native.schema.items():
        if isinstance(kind, (nw.Date, nw.Datetime)) or is_periods(native.get_column(name).to_native()):
            out[str(name)] = "us"
        elif isinstance(kind, (nw.Duration, nw.Time)):
            out[str(name)] = "duration"
    arrow = sys.modules.get("pyarrow")
    for field in data.schema if arrow is not None and isinstance(data, arrow.Table) else ():
        if field.metadata and MOMENT in field.metadata:  # those that a reader of files made numbers of
            unit = field.metadata[MOMENT].decode()
            out[field.name] = "ns" if unit == "ns" else "duration"
    return out


def is_periods(native: Any) -> bool:
    """Whether a pandas series or index holds periods, such as months: narwhals does not know them, and they have a start."""
    return type(getattr(native, "dtype", None)).__name__ == "PeriodDtype"


def moment_text(value: float, unit: MomentUnit) -> str:
    """A date or a length of time as text.

    >>> moment_text(86_400_000_000, "us"), moment_text(5_000_000, "duration")
    ('1970-01-02', '5000000')
    """
    if unit == "duration":
        return str(int(value))
    text = str(np.datetime64(int(value), unit))
    return text.partition("T")[0] if text.partition("T")[2].strip("0:.") == "" else text.rstrip("0").rstrip(".:")
