"""CSV and TSV files: their header, their separators, and their numbers written with commas."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection
from typing import TYPE_CHECKING

from mine.data.arrow import times_as_numbers
from mine.data.table import Table, check_names
from mine.data.unreadable import first_line
from mine.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["read_text"]

#: Numbers that pyarrow reads as text beside some that it does not: 12,000.5 or 1,5 or 12.000,5 (but no date, no version).
_PUNCTUATED = re.compile(r"[-+]?(\d+([.,]\d+)?|\d{1,3}(,\d{3})+(\.\d+)?|\d{1,3}(\.\d{3})+(,\d+)?)([eE][-+]?\d+)?")
_BOM = b"\xef\xbb\xbf"
_LINE_BREAK = re.compile(rb"[\r\n]")
_BEFORE_THE_HEADER = re.compile(rb"(?:\xef\xbb\xbf)?(?: *[\r\n]+)*")
_NOTHING_MORE = re.compile(rb"\s*\Z")


def read_text(data: bytes, delimiter: str, source: str) -> Table:
    """The columns of a text with a header line; a CSV may be separated by semicolons or tabs instead.

    Arguments:
        data: The whole text, UTF-8.
        delimiter: ``","`` or a tab.
        source: What messages call it.

    Raises:
        InputError: No header, no rows, other text than UTF-8, two columns of one name, or an open quote.
    """
    data = _from_header_on(data, source)
    names, delimiter = _names(data, delimiter, source)
    table = _parse(data, delimiter, ".", source) if _LINE_BREAK.search(data) else None
    if table is not None and delimiter == ";" and any(_commas(column) for column in table.columns):
        table = _parse(data, delimiter, ",", source)
    if table is None or table.num_rows == 0:
        raise InputError(f"{source} has no rows below its header line: nothing to estimate from.")
    if table.num_columns != len(names):
        raise InputError(f"{source} names {len(names)} columns and has {table.num_columns}: is a quote left open?")
    table = table.rename_columns(names)

    def load(wanted: list[str], labels: Collection[str]) -> pa.Table:
        for name in wanted:
            problem = None if name in labels else _commas(table.column(name))
            if problem is not None:
                raise InputError(f"Column {name!r} {problem}")
        return times_as_numbers(table.select(wanted))

    return Table(tuple(names), table.num_rows, load)


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
    for other in ";\t" if delimiter == "," and len(header) == 1 else "":
        cells = _header(data, other, source)
        if len(cells) > 1:
            delimiter, header = other, cells
            break
    if any("\ud800" <= letter <= "\udfff" or letter == "\0" for name in header for letter in name):
        raise InputError(f"{source} is not UTF-8 text: convert it, for example with iconv.")
    if all(_is_number(cell) for cell in header):
        first = delimiter.join(header)[:60]
        raise InputError(f"{source} has no header line (its first line is {first!r}): add the column names.")
    header = [name or f"unnamed {i}" for i, name in enumerate(header)]  # as the index that pandas writes
    check_names(header, source)
    return header, delimiter


def _header(data: bytes, delimiter: str, source: str) -> list[str]:
    text = io.TextIOWrapper(io.BytesIO(data), "utf-8-sig", errors="surrogateescape", newline="")
    try:
        return [cell.strip() for cell in next(csv.reader(text, delimiter=delimiter))]
    except csv.Error as error:
        raise InputError(f"{source} cannot be read as CSV: {error} in its header; is a quote left open?") from error


def _parse(data: bytes, delimiter: str, decimal_point: str, source: str) -> pa.Table:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    try:
        return arrow_csv.read_csv(
            io.BytesIO(data),
            # One block: the type of a column is that of all its rows, not of the first megabyte.
            read_options=arrow_csv.ReadOptions(block_size=max(1 << 20, min(len(data) + 1, (1 << 31) - 1))),
            parse_options=arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(strings_can_be_null=True, decimal_point=decimal_point),
        )
    except pa.ArrowException as error:
        raise InputError(f"{source} cannot be read as CSV: {first_line(error)}") from error


def _commas(column: pa.ChunkedArray) -> str | None:
    """What is wrong with a text column most of whose values are numbers but for their commas; None for any other."""
    import pyarrow as pa

    if not pa.types.is_string(column.type):
        return None
    values = [value for value in column.to_pylist() if value is not None]
    numbers = [value for value in values if _PUNCTUATED.fullmatch(value)]
    if not numbers:
        return None
    example = next((value for value in numbers if "," in value), numbers[0])
    if len(numbers) == len(values):
        return (
            f"holds numbers that read as text, such as {example!r}: write them with a decimal point and no thousands "
            "separators, or name the column in --discrete if they are labels."
        )
    if "," not in example or len(numbers) <= len(values) / 2:
        return None  # half-numeric text without commas is found later, and there labels may be declared too
    text = next(value for value in values if not _PUNCTUATED.fullmatch(value))
    return f"is mostly numeric but holds the text {text!r}, and numbers such as {example!r}: clean it."


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
