"""CSV and TSV files: their header, their separators, and the digits that are no numbers."""

from __future__ import annotations

import csv
import io
import re
from importlib import import_module
from typing import TYPE_CHECKING, Any

from mine.data.arrow import times_as_numbers
from mine.data.cells import distinct_names
from mine.data.csv_blocks import csv_columns, csv_texts, plain_texts, texts_that_match
from mine.data.encodings import as_utf8
from mine.data.number_texts import DECIMAL_COMMAS, numbers_written
from mine.data.table import Table
from mine.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["may_be_digits", "read_text"]

_BOM = b"\xef\xbb\xbf"
_LINE_BREAK = re.compile(rb"[\r\n]")
_BEFORE_THE_HEADER = re.compile(rb"(?:\xef\xbb\xbf)?(?: *[\r\n]+)*")
_LEADING_ZERO, _ONLY_DIGITS = r"^\s*[+-]?0[0-9]", r"^[+-]?[0-9]+$"
_NOTHING_MORE = re.compile(rb"\s*\Z")


def read_text(data: bytes, delimiter: str, source: str) -> Table:
    """The columns of a text with a header line; a CSV may be separated by semicolons, tabs or bars instead.

    Another encoding than UTF-8, and columns of the same name, are read as pandas would, and the table's notes say so.

    Arguments:
        data: The whole text.
        delimiter: ``","`` or a tab.
        source: What messages call it.

    Raises:
        InputError: No header, no rows, no text, or an open quote.
    """
    data, recoded = as_utf8(data, source)
    data = _from_header_on(data, source)
    names, delimiter = _names(data, delimiter, source)
    names, renamed = distinct_names(names, source)
    table = csv_columns(data, delimiter, source) if _LINE_BREAK.search(data) else None
    if table is not None and delimiter == ";" and any(map(_has_decimal_commas, table.columns)):
        table = csv_columns(data, delimiter, source, decimal_point=",")
    if table is None or table.num_rows == 0:
        raise InputError(f"{source} has no rows below its header line: nothing to estimate from.")
    if table.num_columns != len(names):
        raise InputError(f"{source} names {len(names)} columns and has {table.num_columns}: is a quote left open?")
    table = _with_digits_kept(table, data, delimiter, source).rename_columns(names)

    def load(wanted: list[str]) -> pa.Table:
        return times_as_numbers(plain_texts(table.select(wanted)))

    return Table(tuple(names), table.num_rows, load, notes=(*recoded, *renamed))


def _from_header_on(data: bytes, source: str) -> bytes:
    """The text without the empty lines in front of its header."""
    before = _BEFORE_THE_HEADER.match(data)
    start = 0 if before is None else before.end()
    if _NOTHING_MORE.match(data, start):
        raise InputError(f"{source} is empty: it needs a header line and rows.")
    return data if data[:start] in (b"", _BOM) else data[start:]


def _names(data: bytes, delimiter: str, source: str) -> tuple[list[str], str]:
    """The names of the columns, and what separates them."""
    # The header by itself: what pyarrow makes of a missing or repeated name would hide it.
    header = _header(data, delimiter, source)
    for other in ";\t|" if delimiter == "," and len(header) == 1 else "":
        cells = _header(data, other, source)
        if len(cells) > 1:
            delimiter, header = other, cells
            break
    if any("\0" in name for name in header):
        raise InputError(f"{source} is not UTF-8 text: convert it, for example with iconv.")
    if all(_is_number(cell) for cell in header):
        first = delimiter.join(header)[:60]
        raise InputError(f"{source} has no header line (its first line is {first!r}): add the column names.")
    return [name or f"unnamed {i}" for i, name in enumerate(header)], delimiter  # as the index that pandas writes


def _header(data: bytes, delimiter: str, source: str) -> list[str]:
    text = io.TextIOWrapper(io.BytesIO(data), "utf-8-sig", newline="")
    try:
        return [cell.strip() for cell in next(csv.reader(text, delimiter=delimiter))]
    except csv.Error as error:
        raise InputError(f"{source} cannot be read as CSV: {error} in its header; is a quote left open?") from error


def _has_decimal_commas(column: pa.ChunkedArray) -> bool:
    """Whether most of a column's texts are numbers with a decimal comma."""
    import pyarrow as pa

    if not pa.types.is_dictionary(column.type):
        return False
    texts = [text for text in column.unique().to_pylist() if text is not None]
    written = numbers_written(texts)
    return written is not None and written.form == DECIMAL_COMMAS and len(written.values) > len(texts) / 2


def _with_digits_kept(table: pa.Table, data: bytes, delimiter: str, source: str) -> pa.Table:
    """The table, its columns as text whose digits are no numbers: with leading zeros, or so long that float64 merges them."""
    import pyarrow as pa

    kernels: Any = import_module("pyarrow.compute")
    names = table.column_names
    numbers = [name for name in names if names.count(name) == 1 and may_be_digits(table[name])]
    whole = [name for name in numbers if pa.types.is_integer(table[name].type)]
    kept = texts_that_match(data, delimiter, source, whole, _LEADING_ZERO) if whole else []
    doubtful = [name for name in numbers if name not in whole]
    if not kept and not doubtful:
        return table
    texts = csv_texts(data, delimiter, source, [*kept, *doubtful])
    for name in (*kept, *doubtful):
        text = kernels.utf8_trim_whitespace(texts[name])
        if name in kept or _merged(text, table[name]):
            table = table.set_column(names.index(name), name, text)
    return table


def _merged(text: pa.ChunkedArray, numbers: pa.ChunkedArray) -> bool:
    """Whether these are texts of digits alone, and fewer of them differ as numbers."""
    kernels: Any = import_module("pyarrow.compute")
    only_digits = kernels.all(kernels.match_substring_regex(text, _ONLY_DIGITS)).as_py()
    return only_digits and kernels.count_distinct(text).as_py() > kernels.count_distinct(numbers).as_py()


def may_be_digits(column: pa.ChunkedArray) -> bool:
    """Whether pyarrow took a column for integers, or for the numbers nearest to integers beyond 64 bits."""
    import pyarrow as pa

    if pa.types.is_floating(column.type):
        kernels: Any = import_module("pyarrow.compute")
        largest = kernels.max(kernels.abs(column)).as_py()
        return largest is not None and largest >= 2.0**63
    return pa.types.is_integer(column.type)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
