"""The typed columns of a CSV text, block by block: little more memory than the text and its columns take."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from mine.data.unreadable import first_line
from mine.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["csv_columns", "csv_texts", "plain_texts", "texts_that_match"]

T = TypeVar("T")

#: Bytes that are parsed at a time, unless one row has more.
BLOCK_BYTES = 4 << 20
#: A column whose later rows need a wider type starts the reading again, at most so often; then it is read in one piece.
MOST_STARTS = 40
_REFUSED = re.compile(r"In CSV column #(\d+): .*CSV conversion error")


def csv_columns(data: bytes, delimiter: str, source: str, *, decimal_point: str = ".") -> pa.Table:
    """All columns, the type of each the first that holds all its rows, not those of the first block alone.

    Texts are dictionary encoded, each distinct one once per block: :func:`plain_texts` decodes them. Integers have 32 bits if
    these hold them all.

    Arguments:
        data: A UTF-8 text that begins with the header.
        delimiter: What separates cells.
        source: What messages call it.
        decimal_point: What separates the whole part of a number from its fraction.

    Raises:
        InputError: It cannot be parsed.
    """

    def read(block_bytes: int) -> pa.Table:
        found = _typed(data, delimiter, block_bytes, decimal_point)
        return found or _table(_open(data, delimiter, len(data), decimal_point=decimal_point))

    return _by_blocks(data, source, read)


def plain_texts(table: pa.Table) -> pa.Table:
    """The table with texts as they are read elsewhere, not encoded."""
    import pyarrow as pa

    for i, kind in enumerate(table.schema.types):
        if pa.types.is_dictionary(kind):
            table = table.set_column(i, table.schema.names[i], table.column(i).cast(pa.string()))
    return table


def csv_texts(data: bytes, delimiter: str, source: str, names: Sequence[str]) -> pa.Table:
    """These columns as text, as it is written; their names must be unique.

    Raises:
        InputError: It cannot be parsed.
    """
    return _by_blocks(data, source, lambda block_bytes: _texts(data, delimiter, block_bytes, names).read_all())


def texts_that_match(data: bytes, delimiter: str, source: str, names: Sequence[str], pattern: str) -> list[str]:
    """Those of these columns in which a cell, as it is written, matches a regular expression; the texts are not kept.

    Raises:
        InputError: It cannot be parsed.
    """
    from importlib import import_module

    kernels: Any = import_module("pyarrow.compute")

    def search(block_bytes: int) -> list[str]:
        found: set[str] = set()
        for batch in _texts(data, delimiter, block_bytes, names):
            for name in names:
                if name not in found and kernels.any(kernels.match_substring_regex(batch[name], pattern)).as_py():
                    found.add(name)
        return [name for name in names if name in found]

    return _by_blocks(data, source, search)


def _typed(data: bytes, delimiter: str, block_bytes: int, decimal_point: str) -> pa.Table | None:
    """The columns by a reader that takes the types of the first block, wider ones where those fail; None if in vain."""
    import pyarrow as pa

    types: dict[str, pa.DataType] = {}
    schema: pa.Schema | None = None
    for _ in range(MOST_STARTS):
        try:
            reader = _open(data, delimiter, block_bytes, column_types=types, decimal_point=decimal_point)
            schema = reader.schema
            return _table(reader)
        except pa.ArrowInvalid as error:
            refused = _REFUSED.search(str(error))
            if refused is None:
                raise
            if schema is None or len(set(schema.names)) < len(schema.names):
                return None
            name = schema.names[int(refused[1])]
            wider = _wider(types.get(name, schema.field(name).type))
            if wider is None:
                return None
            types[name] = wider
    return None


def _table(reader: Any) -> pa.Table:
    """All blocks, texts encoded and integers narrowed as they come."""
    import pyarrow as pa

    chunks: list[list[Any]] = [[] for _ in reader.schema]
    for batch in reader:
        for column, parts in zip(batch.columns, chunks, strict=True):
            parts.append(_compact(column))
    kinds = [None if parts else kind for parts, kind in zip(chunks, reader.schema.types, strict=True)]
    columns = [pa.chunked_array(_of_one_type(parts), type=kind) for parts, kind in zip(chunks, kinds, strict=True)]
    return pa.Table.from_arrays(columns, names=reader.schema.names)


def _compact(column: pa.Array) -> pa.Array:
    """Texts as codes, integers in 32 bits where these hold them."""
    import pyarrow as pa

    if pa.types.is_string(column.type):
        return column.dictionary_encode()
    if not pa.types.is_int64(column.type):
        return column
    try:
        return column.cast(pa.int32())
    except pa.ArrowInvalid:
        return column


def _of_one_type(parts: list[pa.Array]) -> list[pa.Array]:
    import pyarrow as pa

    mixed = len({part.type for part in parts}) > 1  # integers alone are of two
    return [part.cast(pa.int64()) for part in parts] if mixed else parts


def _wider(kind: pa.DataType) -> pa.DataType | None:
    """The type that pyarrow tries after this one; None for one that is not among them."""
    import pyarrow as pa

    kinds = [
        pa.null(), pa.int64(), pa.bool_(), pa.date32(), pa.time32("s"), pa.timestamp("s"), pa.timestamp("ns"),
        pa.timestamp("s", "UTC"), pa.timestamp("ns", "UTC"), pa.float64(), pa.string(),
    ]  # fmt: skip
    return kinds[kinds.index(kind) + 1] if kind in kinds[:-1] else None


def _texts(data: bytes, delimiter: str, block_bytes: int, names: Sequence[str]) -> Any:
    import pyarrow as pa

    types = dict.fromkeys(names, pa.string())
    return _open(data, delimiter, block_bytes, include_columns=list(names), column_types=types)


def _open(data: bytes, delimiter: str, block_bytes: int, **convert: Any) -> Any:
    """A reader of blocks; the types that are not given are those of the first block."""
    import pyarrow as pa
    from pyarrow import csv

    return csv.open_csv(
        pa.BufferReader(data),
        read_options=csv.ReadOptions(block_size=min(block_bytes + 1, (1 << 31) - 1)),
        parse_options=csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=csv.ConvertOptions(strings_can_be_null=True, **convert),
    )


def _by_blocks(data: bytes, source: str, read: Callable[[int], T]) -> T:
    """What ``read`` returns for blocks of so many bytes, or of all bytes if a row is longer than that."""
    import pyarrow as pa

    try:
        try:
            return read(BLOCK_BYTES)
        except pa.ArrowInvalid as error:
            if "straddling" not in str(error):
                raise
        return read(len(data))
    except pa.ArrowException as error:
        raise InputError(f"{source} cannot be read as CSV: {first_line(error)}") from error
