"""Files larger than memory: NPY is mapped as it lies, Parquet is first written row group by row group as such a file."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mine.data.outofcore import LazyRows, NamedRows, Part
from mine.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

__all__ = ["is_large_file", "map_parquet", "named_rows", "row_bytes"]

#: Bytes of numbers (in an NPY file, or the columns of one side in a Parquet file) above which they are mapped, not loaded.
MAPPED_BYTES = 128 << 20
#: Rows of a Parquet file that are decoded at a time.
BATCH_ROWS = 1 << 16


def is_large_file(file: Path) -> bool:
    return file.stat().st_size > MAPPED_BYTES


def named_rows(matrix: np.ndarray, names: Sequence[str], columns: list[int]) -> NamedRows | None:
    """Some ``columns`` of a mapped matrix (n, k) or column (n,), unread; None where they are no plain numbers.

    >>> named_rows(np.zeros((5, 3)), ["0", "2"], [0, 2]).shape
    (5, 2)
    """
    if matrix.dtype.kind not in "iuf" or matrix.dtype.itemsize > 8:
        return None
    part = Part(np.asarray(matrix).reshape(len(matrix), -1)).with_columns(columns)
    return NamedRows(tuple(names), LazyRows((part,)), tuple(names))


def row_bytes(schema: pa.Schema, names: Sequence[str]) -> int:
    """Bytes that a row of these columns takes as mapped numbers."""
    return sum(_width(schema.field(name).type) for name in names)


def _width(kind: pa.DataType) -> int:
    """Bytes a value of an arrow type, 0 for what is no plain number; 4 where float32 holds every value."""
    import pyarrow as pa

    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        return 0
    exact = kind.bit_width <= (32 if pa.types.is_floating(kind) else 16)
    return 4 if exact else 8


def map_parquet(
    reader: ParquetFile, names: Sequence[str], others: Callable[[list[str]], Any], files: ExitStack, cache: str | Path | None
) -> NamedRows:
    """Write the numeric columns into memory-mapped NPY files; missing values become NaN.

    Arguments:
        reader: The open file.
        names: The columns wanted.
        others: Reads those of them that are not numbers into memory.
        files: Deletes the temporary files when it is closed.
        cache: Folder in which their folder is made; None takes the system's.

    Raises:
        InputError: No such folder, or too little room in it.
    """
    schema, n = reader.schema_arrow, reader.metadata.num_rows
    numeric = [name for name in names if _width(schema.field(name).type)]
    folder = _folder(n * row_bytes(schema, numeric), files, cache)
    kinds = {name: _kind(reader, name) for name in numeric}
    groups = {kind: [name for name in numeric if kinds[name] == kind] for kind in sorted(set(kinds.values()))}
    parts = tuple(Part(_write(reader, wanted, folder, kind)) for kind, wanted in groups.items())
    rest = [name for name in names if name not in kinds]
    in_order = tuple(name for wanted in groups.values() for name in wanted)
    return NamedRows(tuple(names), LazyRows(parts), in_order, others(rest) if rest else None)


def _kind(reader: ParquetFile, name: str) -> str:
    """The type of a column in its mapped file: float, or 64-bit integers that float64 could merge and that have no gaps."""
    import pyarrow as pa

    kind = reader.schema_arrow.field(name).type
    if pa.types.is_integer(kind) and kind.bit_width == 64 and _complete(reader, name):
        return "<i8" if pa.types.is_signed_integer(kind) else "<u8"
    return f"<f{_width(kind)}"


def _complete(reader: ParquetFile, name: str) -> bool:
    """Whether the file says of every row group that the column has no missing value."""
    for g in range(reader.metadata.num_row_groups):
        group = reader.metadata.row_group(g)
        columns = [group.column(i) for i in range(group.num_columns)]
        statistics = next((column.statistics for column in columns if column.path_in_schema == name), None)
        if statistics is None or not statistics.has_null_count or statistics.null_count:
            return False
    return True


def _folder(needed: int, files: ExitStack, cache: str | Path | None) -> Path:
    parent = Path(tempfile.gettempdir() if cache is None else cache)
    if not parent.is_dir():
        raise InputError(f"The cache {parent} is no folder: make it, or name another with --cache.")
    free = shutil.disk_usage(parent).free
    if free < needed:
        raise InputError(
            f"These columns need {needed / 1e9:,.1f} GB of disk while they are read, and {parent} has {free / 1e9:,.1f}: "
            "name a folder on a larger disk with --cache, or fewer columns."
        )
    return Path(files.enter_context(tempfile.TemporaryDirectory(prefix="mine-", dir=parent, ignore_cleanup_errors=True)))


def _write(reader: ParquetFile, names: list[str], folder: Path, kind: str) -> np.ndarray:
    """The columns as a mapped matrix (n, k) of one type."""
    path = folder / f"{kind[1:]}.npy"
    dtype = np.dtype(kind)
    header = {"descr": dtype.str, "fortran_order": False, "shape": (reader.metadata.num_rows, len(names))}
    with path.open("wb") as stream:  # through the file, not a writable map, whose pages would count as ours
        np.lib.format.write_array_header_1_0(stream, header)
        for batch in reader.iter_batches(batch_size=BATCH_ROWS, columns=names):
            block = np.empty((batch.num_rows, len(names)), dtype)
            for j, name in enumerate(names):
                block[:, j] = batch.column(name).to_numpy(zero_copy_only=False)
            stream.write(block.data)
    mapped = np.load(path, mmap_mode="r")
    if os.name == "posix":
        path.unlink()  # the map outlives the name, so that nothing is left behind even by a kill
    return mapped
