"""From whatever users pass in to named one-dimensional columns: the one reader of every entry point.

numpy, torch, lists, arrays of xarray and MNE, and any frame or series that narwhals knows (pandas, polars, pyarrow, ...) come
in. Columns go out as they are, views wherever possible; :mod:`mine.data.columns` checks their values.
"""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mine.data import outofcore
from mine.data.arrow import stream_as_table
from mine.data.labelled import read_labelled
from mine.data.moments import is_periods
from mine.data.outofcore import LazyRows, NamedRows, Part
from mine.data.tensors import array_of_tensor
from mine.data.time_index import index_times
from mine.data.times import check_microseconds
from mine.data.unreadable import foreign
from mine.errors import InputError

__all__ = [
    "Category",
    "Source",
    "named_columns",
    "plain_array",
    "read_source",
]

#: Integers up to this size are float64 numbers exactly.
EXACT_INTEGERS = 2**53


class Category(str):
    """A value of a categorical column: a label whatever it looks like."""


@dataclass(frozen=True)
class Source:
    """What was passed in, as named columns of shape (n,).

    Attributes:
        names: Name of each column.
        columns: The columns, at least one, with at least one row.
        event: Shape of one row of an input of three or more dimensions.
        matrix: The same columns, or those with a number in ``matrix_places``, side by side, shape (n, k).
        matrix_places: The position in ``columns`` of each column of ``matrix``.
        times: The time of each row where the data carry it, as an index of pandas or a coordinate, shape (n,), or None.
    """

    names: list[str]
    columns: list[np.ndarray]
    event: tuple[int, ...] | None = None
    matrix: LazyRows | None = None
    matrix_places: tuple[int, ...] = ()
    times: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.columns[0])

    def filter(self, keep: np.ndarray) -> Source:
        """The rows of a boolean mask, or by number in the order given."""
        matrix = None if self.matrix is None else self.matrix.rows(keep)
        times = None if self.times is None else self.times[keep]
        return replace(self, columns=[column[keep] for column in self.columns], matrix=matrix, times=times)

    def lazy(self) -> tuple[LazyRows | None, dict[int, int]]:
        """The numeric columns where they lie, if they are many numbers, and the place of each among them."""
        places = [i for i, c in enumerate(self.columns) if c.dtype.kind in "iuf" and c.dtype.itemsize <= 8]
        if sum(len(self.columns[i]) for i in places) <= outofcore.LARGE_VALUES:
            return None, {}
        if self.matrix is not None:
            places = list(self.matrix_places)
            return self.matrix, {i: j for j, i in enumerate(places)}
        return LazyRows(tuple(Part(self.columns[i][:, None]) for i in places)), {i: j for j, i in enumerate(places)}


def named_columns(data: Any, name: str) -> dict[str, np.ndarray]:
    """The columns of a table by name, as they are: shape (n,), their values unchecked.

    Raises:
        InputError: Data that cannot be read, no columns or rows, or an input of three or more dimensions.

    >>> list(named_columns(np.zeros((3, 2)), "x"))
    ['x[0]', 'x[1]']
    """
    source = read_source(data, name)
    if source.event is not None:
        raise InputError(f"{name} has shape {(len(source), *source.event)}: pass a table, one column per variable.")
    return dict(zip(source.names, source.columns, strict=True))


def read_source(data: Any, name: str) -> Source:
    """The named columns of anything that can be read.

    Arguments:
        data: numpy array, torch tensor, (nested) list, generator, an array of xarray or MNE, a pandas, polars or other column
            or frame, or a query that streams arrow tables (DuckDB). A source stays as it is.
        name: Unnamed columns are called by it, for example ``x``, or ``x[0]``, ``x[1]``, ...

    Raises:
        InputError: Data of another kind, sparse or ragged data, columns of the same name, no columns or no rows.
    """
    if isinstance(data, Source):
        return data
    with foreign(name):
        source = _read(data, name)
    if not source.columns or not len(source):
        raise InputError(
            f"{name} is empty: {len(source.columns)} feature(s) (shape={_shape(data)}) while a minimum of 1 is required, "
            "with rows."
        )
    if len(set(source.names)) < len(source.names):
        raise _same_names(name)
    return replace(source, columns=[_decoded(column) for column in source.columns])


def _decoded(column: np.ndarray) -> np.ndarray:
    """Bytes in a column as the text they stand for: ``b"12.3"`` is a number written as text, as ``"12.3"`` is."""
    if column.dtype.kind not in "SO" or not any(issubclass(kind, bytes) for kind in set(map(type, column))):
        return column
    texts: dict[bytes, str] = {}  # one copy of each, however many rows have it
    for value in column:
        if isinstance(value, bytes) and value not in texts:
            texts[bytes(value)] = value.decode(errors="backslashreplace")
    return np.fromiter((texts[v] if isinstance(v, bytes) else v for v in column), object, len(column))


def plain_array(data: Any, name: str) -> np.ndarray:
    """Data that are no frame as one array of any shape, masked entries as None.

    Raises:
        InputError: Data that hold no readable values, such as sparse ones.
    """
    with foreign(name):
        return _as_array(_without_torch(data, name), name)


def _read(data: Any, name: str) -> Source:
    data = stream_as_table(_without_torch(data, name))
    if isinstance(data, NamedRows):
        return _from_named(data, name)
    if isinstance(data, np.ndarray):
        return _from_array(_plain(data), name)
    labelled = read_labelled(data, name)
    if labelled is not None:
        source = _from_array(labelled.values, name)
        return replace(source, names=labelled.names or source.names, times=labelled.times)
    framed = _from_frame(data, name)
    return Source(*framed, times=index_times(data)) if framed is not None else _from_array(_as_array(data, name), name)


def _without_torch(data: Any, name: str) -> Any:
    torch = sys.modules.get("torch")  # a tensor can only come from an imported torch
    return array_of_tensor(data, name) if torch is not None and isinstance(data, torch.Tensor) else data


def _as_array(data: Any, name: str) -> np.ndarray:
    if not hasattr(data, "__iter__") and hasattr(data, "__array__"):
        data = np.asarray(data)
    return _plain(data if isinstance(data, np.ndarray) else _from_sequence(data, name))


def _from_array(array: np.ndarray, name: str) -> Source:
    if array.ndim == 0:
        raise InputError(f"{name} is a single value: pass one row for each observation.")
    if array.ndim == 1:
        return Source([name], [array])
    flat = array.reshape(len(array), math.prod(array.shape[1:]))
    if flat.shape[1] == 1 and array.ndim == 2:
        return Source([name], [flat[:, 0]])
    names = [f"{name}[{', '.join(map(str, i))}]" for i in np.ndindex(array.shape[1:])]
    event = array.shape[1:] if array.ndim > 2 else None
    return Source(names, list(flat.T), event, LazyRows((Part(flat),)), tuple(range(flat.shape[1])))


def _plain(array: np.ndarray) -> np.ndarray:
    """The array without its subclass (matrix, masked array), masked entries as None."""
    out = np.asarray(array)
    if array.dtype.names is None and np.ma.is_masked(array):  # records are refused later
        out = out.astype(object)
        out[np.ma.getmaskarray(array)] = None
    return out


def _shape(data: Any) -> tuple[int, ...]:
    return tuple(data.shape) if hasattr(data, "shape") else (len(data) if hasattr(data, "__len__") else 0,)


def _same_names(name: str) -> InputError:
    return InputError(f"{name} has several columns of the same name: rename them.")


# === Files and frames ===


def _from_named(data: NamedRows, name: str) -> Source:
    """Columns of a large file: views of those of numbers, the others in memory."""
    views = (part.column(j) for part in data.numbers.parts for j in range(part.width))
    columns = dict(zip(data.numeric, views, strict=True))
    if data.others is not None:
        others = read_source(data.others, name)
        columns |= dict(zip(others.names, others.columns, strict=True))
    places = tuple(data.names.index(column) for column in data.numeric)
    return Source(list(data.names), [columns[column] for column in data.names], None, data.numbers, places)


def _from_frame(data: Any, name: str) -> tuple[list[str], list[np.ndarray]] | None:
    """Columns of whatever narwhals takes for a frame or a series; None for anything else."""
    if isinstance(data, (list, tuple)) or not hasattr(data, "__len__"):
        return None
    import narwhals as nw

    arrow = sys.modules.get("pyarrow")
    if arrow is not None and isinstance(data, (arrow.Array, arrow.RecordBatch)):  # narwhals knows the chunked kinds
        data = arrow.chunked_array([data]) if isinstance(data, arrow.Array) else arrow.Table.from_batches([data])
    try:
        native: Any = nw.from_native(data, allow_series=True, eager_only=True, pass_through=True)
    except nw.exceptions.DuplicateError:
        raise _same_names(name) from None
    if isinstance(native, nw.Series):
        return [str(native.name) if native.name not in (None, "") else name], [_from_series(native)]
    if isinstance(native, nw.DataFrame):
        return [str(c) for c in native.columns], [_from_series(c) for c in native.iter_columns()]
    return None


def _from_series(series: Any) -> np.ndarray:
    import narwhals as nw

    if is_periods(series.to_native()):
        series = nw.from_native(series.to_native().dt.to_timestamp(), series_only=True)
    dtype = series.dtype
    if isinstance(dtype, (nw.Date, nw.Datetime)):
        check_microseconds(series)
        series = series.dt.timestamp("us")
    elif isinstance(dtype, nw.Duration):
        check_microseconds(series)
        series = series.dt.total_microseconds()
    elif isinstance(dtype, (nw.Categorical, nw.Enum)):
        return _from_categories(series)
    elif isinstance(dtype, (nw.Int128, nw.UInt128)):
        return np.fromiter(series.to_list(), object, len(series))
    if series.dtype.is_numeric() and not series.dtype.is_decimal():
        missing = series.is_null().to_numpy()
        if not missing.any():
            return series.to_numpy()
        if not _beyond_float(series):
            return np.where(missing, np.nan, series.cast(nw.Float64).to_numpy())
    if isinstance(dtype, nw.String):
        return _from_texts(series)
    return np.fromiter(series.to_list(), object, len(series))


def _from_texts(series: Any) -> np.ndarray:
    """Texts as objects, those of arrow columns one for each distinct text, however many rows have it."""
    native, arrow = series.to_native(), sys.modules.get("pyarrow")
    if arrow is None or not isinstance(native, arrow.ChunkedArray):
        return np.fromiter(series.to_list(), object, len(series))
    encoded = native.dictionary_encode().combine_chunks()
    if isinstance(encoded, arrow.ChunkedArray):  # without rows
        return np.empty(0, object)
    texts = np.array([*encoded.dictionary.to_pylist(), None], object)
    return texts[encoded.indices.fill_null(len(texts) - 1).to_numpy(zero_copy_only=False)]


def _from_categories(series: Any) -> np.ndarray:
    missing = series.is_null().to_list()
    categories: dict[Any, Category] = {}  # one copy of each, however many rows have it
    out = np.full(len(series), None, object)
    for i, value in enumerate(series.to_list()):
        if not missing[i]:
            if value not in categories:
                categories[value] = Category(value)
            out[i] = categories[value]
    return out


def _beyond_float(series: Any) -> bool:
    """Whether these are integers that float64 would merge with their neighbours."""
    if not series.dtype.is_integer():
        return False
    low, high = series.min(), series.max()
    return low is not None and max(-int(low), int(high)) > EXACT_INTEGERS


# === Sequences ===


def _from_sequence(data: Any, name: str) -> np.ndarray:
    if hasattr(data, "tocsr"):
        raise InputError(f"{name} is sparse, and sparse input is not supported: pass {name}.toarray().")
    table = inspect.getattr_static(data, "columns", None) is not None  # an unread one iterates over its columns' names
    if table or isinstance(data, (str, bytes, Mapping, set, frozenset)) or not hasattr(data, "__iter__"):
        raise InputError(
            f"{name} must be an array, a tensor, a list, or a column or frame of a table; got {type(data).__name__}."
        )
    items = _plain_items(list(data), name)
    try:
        array = np.asarray(items, dtype=object if _has_text(items) else None)
        if array.dtype.kind in "USO":
            array = np.asarray(items, dtype=object)
            if any(isinstance(v, (list, tuple, np.ndarray)) for v in array.flat):
                raise ValueError
    except ValueError:
        raise InputError(f"{name} is ragged: every row must have the same shape.") from None
    return array


def _plain_items(items: list[Any], name: str) -> list[Any]:
    """The items, tensors and masked arrays among them as plain arrays."""
    torch = sys.modules.get("torch")
    special = (np.ma.MaskedArray,) if torch is None else (np.ma.MaskedArray, torch.Tensor)
    if not any(issubclass(kind, special) for kind in set(map(type, items))):
        return items
    return [
        _plain(item)
        if isinstance(item, np.ma.MaskedArray)
        else array_of_tensor(item, name)
        if isinstance(item, special)
        else item
        for item in items
    ]


def _has_text(items: Collection[Any]) -> bool:
    """Whether there is text at any depth.

    numpy would turn [1, "a"] into text and hide that one was a number, cut off trailing NULs, and give every text the room of
    the longest.
    """
    kinds = set(map(type, items))
    if any(issubclass(kind, (str, bytes)) for kind in kinds):
        return True
    if any(issubclass(kind, np.ndarray) for kind in kinds):
        return any(isinstance(item, np.ndarray) and item.dtype.kind in "USTO" for item in items)
    nested = tuple(kind for kind in kinds if issubclass(kind, (list, tuple)))
    return bool(nested) and any(_has_text(item) for item in items if isinstance(item, nested))
