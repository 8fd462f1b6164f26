"""``parse=True``: columns of numbers written as text, read as the numbers they stand for."""

from __future__ import annotations

from typing import Any

import numpy as np

from mine.data.columns import written_numbers
from mine.data.rows import rereadable
from mine.data.sources import missing_values, read_source
from mine.errors import InputError

__all__ = ["PARSE_REMEDY", "parsed"]

#: What a message adds where the caller takes ``parse=``.
PARSE_REMEDY = "Or pass parse=True to read them as numbers."


def parsed(data: Any, name: str) -> tuple[Any, list[str]]:
    """The data with its columns of numbers written as text as numbers, and the names of these columns.

    A frame stays a frame of its library. Columns of few texts that repeat often are labels, and stay text.

    Raises:
        InputError: A text in such a column that stands for no number, or data that cannot be read.

    >>> parsed(["$1,200.50", "$3.25", "$7"], "x")
    (array([1200.5 ,    3.25,    7.  ]), ['x'])
    """
    import narwhals as nw

    data = rereadable(data)
    source = read_source(data, name)
    texts = {n: c for n, c in zip(source.names, source.columns, strict=True) if c.dtype.kind in "OUT"}
    numbers = {n: read for n, c in texts.items() if (read := _numbers(c, n)) is not None}
    if not numbers:
        return data, []
    native: Any = nw.from_native(data, allow_series=True, eager_only=True, pass_through=True)
    if isinstance(native, nw.DataFrame):
        backend = nw.get_native_namespace(native)
        series = [nw.new_series(n, values, backend=backend) for n, values in numbers.items()]
        if hasattr(native.to_native(), "index"):  # pandas aligns by its index
            return native.to_native().assign(**numbers), list(numbers)
        return native.with_columns(*series).to_native(), list(numbers)
    columns = [numbers.get(n, c) for n, c in zip(source.names, source.columns, strict=True)]
    if len(columns) == 1:
        return columns[0], list(numbers)
    return np.stack([c.astype(object) for c in columns], 1), list(numbers)


def _numbers(column: np.ndarray, name: str) -> np.ndarray | None:
    """A column (n,) of text as float64, NaN where a value is missing; None where it is no column of written numbers."""
    values = column.astype(object)
    present = ~missing_values(values)
    written = written_numbers(values[present]) if present.any() else None
    if written is None:
        return None
    other = next((text for text in values[present] if text not in written), None)
    if other is not None:
        row = int(np.flatnonzero(present & (values == other))[0])
        raise InputError(f"Column {name!r} holds numbers written as text but also {other!r} (row {row}): clean it.")
    out = np.full(len(values), np.nan)
    out[present] = [written[text] for text in values[present]]
    return out
