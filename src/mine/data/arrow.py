"""Arrays and times in types that arrow columns, and their reader, can hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mine.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["MOMENT", "for_arrow", "stream_as_table", "times_as_numbers"]

#: Key of the metadata of a column that was dates or times: its unit ("ns"), or "duration".
MOMENT = b"torch-mine:moment"

#: Packages whose frames are read as they are, though they can hand out a stream.
IN_MEMORY = ("pandas", "polars", "pyarrow", "modin", "cudf")


def stream_as_table(data: Any) -> Any:
    """The rows of a query, such as a relation of DuckDB, as a table of arrow; other data as they are.

    A query may run anew, and give rows in another order, whenever it is asked: it is read once.
    """
    kind = type(data)
    read_as_it_is = kind.__module__.partition(".")[0] in IN_MEMORY and kind.__name__ != "RecordBatchReader"
    if read_as_it_is or not hasattr(kind, "__arrow_c_stream__"):
        return data
    import pyarrow as pa

    return pa.table(data)


def times_as_numbers(table: pa.Table) -> pa.Table:
    """The table with times of day, and dates in nanoseconds, as integers in their own unit: coarser dates are numbers later."""
    import pyarrow as pa

    for i, field_ in enumerate(table.schema):
        kind = field_.type
        fine = (pa.types.is_timestamp(kind) or pa.types.is_duration(kind)) and kind.unit == "ns"
        if fine or pa.types.is_time(kind):
            width = pa.int32() if pa.types.is_time32(kind) else pa.int64()
            was = "ns" if pa.types.is_timestamp(kind) else "duration"
            named = pa.field(field_.name, width, metadata={MOMENT: was.encode()})
            table = table.set_column(i, named, table.column(i).cast(width))
    return table


def for_arrow(array: Any, name: str) -> Any:
    """A column (n,) of a type that arrow has: this machine's byte order, no long double, times as integers in their own unit.

    Raises:
        InputError: Complex numbers, records, or several values per row.
    """
    import numpy as np
    import pyarrow as pa

    if array.ndim != 1:
        raise InputError(f"Column {name!r} has {array[0].size} values per row: save them as columns of their own.")
    if array.dtype.kind in "cV":
        raise InputError(f"Column {name!r} has the unsupported type {array.dtype}: save numbers or text, one per row.")
    if array.dtype.kind in "mM":
        return pa.array(array.astype(np.int64), mask=np.isnat(array))
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))
