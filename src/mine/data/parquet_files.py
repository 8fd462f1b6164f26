"""Parquet files: the columns that are asked for, mapped if they are larger than memory."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from mine.data.arrow import times_as_numbers
from mine.data.table import Table, check_names
from mine.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

    from mine.data.outofcore import NamedRows

__all__ = ["read_parquet"]


def read_parquet(file: Path, cache: str | Path | None) -> Table:
    """The columns of a Parquet file, read when they are selected.

    Arguments:
        file: The file.
        cache: Folder for the mapped numbers of a file larger than memory; None takes the system's.

    Raises:
        InputError: No rows, or two columns of one name.
    """
    from pyarrow import parquet

    from mine.data import bigfiles

    reader = parquet.ParquetFile(file)
    names = list(reader.schema_arrow.names)
    check_names(names, str(file))
    if reader.metadata.num_rows == 0:
        raise InputError(f"{file} has no rows: nothing to estimate from.")

    files = ExitStack()

    def load(wanted: list[str]) -> pa.Table | NamedRows:
        def read(columns: list[str]) -> pa.Table:
            return times_as_numbers(reader.read(columns=columns).select(columns))

        if reader.metadata.num_rows * bigfiles.row_bytes(reader.schema_arrow, wanted) <= bigfiles.MAPPED_BYTES:
            return read(wanted)
        return bigfiles.map_parquet(reader, wanted, read, files, cache)

    return Table(tuple(names), reader.metadata.num_rows, load, files=files)
