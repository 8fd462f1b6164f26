"""Tables from files: columns by name or glob, read by pyarrow and numpy."""

from __future__ import annotations

import csv
import difflib
import fnmatch
import gzip
import io
import re
import sys
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from mine.errors import InputError, UnknownNameError

if TYPE_CHECKING:
    import pyarrow as pa

    from mine.data.outofcore import NamedRows

__all__ = ["FORMATS", "Table", "read_table", "split_names"]

#: What `read_table` reads, by the end of the file name.
FORMATS = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".tab", ".parquet", ".pq", ".npy", ".npz")

#: Numbers that pyarrow reads as text beside some that it does not: 12,000.5 or 1,5 or 12.000,5 (but no date, no version).
_PUNCTUATED = re.compile(r"[-+]?(\d+([.,]\d+)?|\d{1,3}(,\d{3})+(\.\d+)?|\d{1,3}(\.\d{3})+(,\d+)?)([eE][-+]?\d+)?")

#: An entry of a list of columns: in double quotes, which are doubled inside it, or up to the next comma.
_ENTRY = re.compile(r'\s*(?:"((?:[^"]|"")*)"|([^,]*))\s*(?:,|$)')

_BOM = b"\xef\xbb\xbf"
_LINE_BREAK = re.compile(rb"[\r\n]")
_BEFORE_THE_HEADER = re.compile(rb"(?:\xef\xbb\xbf)?(?: *[\r\n]+)*")
_NOTHING_MORE = re.compile(rb"\s*\Z")


@dataclass(frozen=True)
class Table:
    """Named columns of equal length; only those selected are read where the format allows it.

    Attributes:
        columns: Names of the columns, in order.
        n_rows: Number of rows.
        load: Names, and those among them that are declared labels -> a pyarrow table of the columns, or what stands for one
            that is left in its file.
        blocks: Arrays of three or more dimensions, by name: selected whole, as they are.
        families: Other names that stand for several columns, as an NPZ file's matrix for its columns.
        files: Removes the temporary files that hold selected columns; a ``with`` block calls it.
    """

    columns: tuple[str, ...]
    n_rows: int
    load: Callable[[list[str], Collection[str]], pa.Table | NamedRows]
    blocks: dict[str, Any] = field(default_factory=dict)
    families: dict[str, tuple[str, ...]] = field(default_factory=dict)
    files: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Delete the files that a large table was converted into."""
        self.files.close()

    def names(self, spec: str, what: str = "column") -> list[str]:
        """Columns that a comma-separated list of names and globs stands for, each once, in the order of the list.

        An exact name wins over its meaning as a glob; a name that holds a comma is written in double quotes.

        Arguments:
            spec: The list.
            what: How messages call an entry.

        Raises:
            UnknownNameError: A name or glob that matches no column; the nearest is suggested.
            InputError: An empty list.
        """
        known = dict.fromkeys((*self.columns, *self.blocks))
        out: dict[str, None] = {}  # a set that keeps its order
        for item in split_names(spec):
            if item in known:
                found: Sequence[str] = (item,)
            elif item in self.families:
                found = self.families[item]
            else:
                found = [name for name in known if fnmatch.fnmatchcase(name, item)]
            if not found:
                raise UnknownNameError(what, item, [*known, *self.families])
            out |= dict.fromkeys(found)
        if not out:
            raise InputError(f"No {what} was named: pass a comma-separated list of names or globs.")
        return list(out)

    def select(self, spec: str | Sequence[str], labels: Collection[str] = ()) -> Any:
        """The columns of ``spec`` (a list as in :meth:`names`, or names) in the form that :func:`mine.estimate` takes.

        ``labels`` are columns whose text is not asked whether it was meant as numbers.
        """
        names = self.names(spec) if isinstance(spec, str) else list(spec)
        blocks = [name for name in names if name in self.blocks]
        if blocks and len(names) > 1:
            raise InputError(f"{blocks[0]!r} has three or more dimensions and must be selected alone.")
        return self.blocks[blocks[0]] if blocks else self.load(names, labels)


def read_table(path: str, cache: str | Path | None = None) -> Table:
    """Read a CSV, TSV, Parquet, NPY or NPZ file, ``-`` for CSV from standard input, ``example:NAME`` for shipped data.

    CSV and TSV need a header line; an empty cell, ``NA`` and ``NaN`` are missing values; gzip is read as it is. A CSV file may
    be separated by semicolons, with decimal commas, or by tabs.

    The numbers of a large NPY file stay where they are; those of a large Parquet file go, as columns are selected, into
    a memory-mapped file in a temporary folder; leaving a ``with`` block on the table deletes it.

    Arguments:
        path: The source.
        cache: Folder in which that temporary folder is made; None takes the system's.

    Raises:
        InputError: No such file, an unknown or unreadable format, no rows, no header, two columns of one name.

    >>> read_table("example:diabetes").names("bm?,s[12],progression")
    ['bmi', 's1', 's2', 'progression']
    """
    if path == "-":
        if sys.stdin is None:
            raise InputError("Standard input is closed: pipe CSV into it, or name a file.")
        with _readable("standard input", ".csv"):
            data = _unzipped(sys.stdin.buffer.read())
        return _read_text(data, ",", "standard input")
    if path.startswith("example:"):
        from mine.data.examples import example_path

        path = str(example_path(path.removeprefix("example:")))
    file = Path(path)
    with _readable(path, ""):  # a name that is too long, a folder that may not be entered
        if file.is_dir():
            raise InputError(f"{path or 'The current folder'} is a folder: name a file in it.")
        if not file.exists():
            raise InputError(_no_such_file(file))
    kind = _format(file) if file.is_file() else ".csv"  # a pipe, as the shell's <(...) makes, has no name to go by
    with _readable(path, kind):
        if kind in (".npy", ".npz"):
            return _read_numpy(file, kind)
        if kind in (".parquet", ".pq"):
            return _read_parquet(file, cache)
        data = _unzipped(file.read_bytes(), kind)
    return _read_text(data, "\t" if kind.startswith((".tsv", ".tab")) else ",", path)


def split_names(spec: str) -> list[str]:
    """The entries of a comma-separated list; double quotes keep a comma inside an entry.

    >>> split_names('height, "weight, kg"')
    ['height', 'weight, kg']
    """
    entries = [quoted.replace('""', '"') or plain.strip() for quoted, plain in _ENTRY.findall(spec)]
    return [entry for entry in entries if entry]


@contextmanager
def _readable(path: str, kind: str) -> Iterator[None]:
    """What goes wrong while reading becomes one sentence that names the file."""
    try:
        yield
    except InputError:
        raise
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:  # pyarrow's errors are among these
        what = f" as {kind.lstrip('.')}" if kind else ""
        raise InputError(f"{path} cannot be read{what}: {_first_line(error)}") from error


def _unzipped(data: bytes, kind: str = "") -> bytes:
    return gzip.decompress(data) if kind.endswith(".gz") or data.startswith(b"\x1f\x8b") else data


def _format(file: Path) -> str:
    name = file.name.lower()
    for kind in sorted(FORMATS, key=len, reverse=True):
        if name.endswith(kind):
            return kind
    raise InputError(f"{file.name} has an unknown format: use one of {', '.join(FORMATS)}, or pipe CSV into '-'.")


def _no_such_file(file: Path) -> str:
    near: list[str] = []
    if file.parent.is_dir():
        near = difflib.get_close_matches(file.name, [f.name for f in file.parent.iterdir()], n=1)
    hint = f"did you mean {file.parent / near[0]}?" if near else "check the path, or try 'mine examples'."
    return f"No file {file}: {hint}"


def _first_line(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__


def _read_text(data: bytes, delimiter: str, source: str) -> Table:
    before = _BEFORE_THE_HEADER.match(data)
    start = 0 if before is None else before.end()
    if _NOTHING_MORE.match(data, start):
        raise InputError(f"{source} is empty: it needs a header line and rows.")
    if data[:start] not in (b"", _BOM):
        data = data[start:]
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
    _check_names(header, source)

    table = _parse(data, delimiter, ".", source) if _LINE_BREAK.search(data) else None
    if table is not None and delimiter == ";" and any(_commas(column) for column in table.columns):
        table = _parse(data, delimiter, ",", source)
    if table is None or table.num_rows == 0:
        raise InputError(f"{source} has no rows below its header line: nothing to estimate from.")
    if table.num_columns != len(header):
        raise InputError(f"{source} names {len(header)} columns and has {table.num_columns}: is a quote left open?")
    table = table.rename_columns(header)

    def load(names: list[str], labels: Collection[str]) -> pa.Table:
        for name in names:
            found = None if name in labels else _commas(table.column(name))
            if found is not None:
                raise InputError(f"Column {name!r} {found}")
        return _times_as_numbers(table.select(names))

    return Table(tuple(header), table.num_rows, load)


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
        raise InputError(f"{source} cannot be read as CSV: {_first_line(error)}") from error


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


def _times_as_numbers(table: pa.Table) -> pa.Table:
    """Times of the day, and what is counted in nanoseconds, as the number of their units: coarser dates are numbers later."""
    import pyarrow as pa

    for i, field_ in enumerate(table.schema):
        kind = field_.type
        fine = (pa.types.is_timestamp(kind) or pa.types.is_duration(kind)) and kind.unit == "ns"
        if fine or pa.types.is_time(kind):
            width = pa.int32() if pa.types.is_time32(kind) else pa.int64()
            table = table.set_column(i, field_.name, table.column(i).cast(width))
    return table


def _read_parquet(file: Path, cache: str | Path | None) -> Table:
    from pyarrow import parquet

    from mine.data import bigfiles

    reader = parquet.ParquetFile(file)
    names = list(reader.schema_arrow.names)
    _check_names(names, str(file))
    if reader.metadata.num_rows == 0:
        raise InputError(f"{file} has no rows: nothing to estimate from.")

    files = ExitStack()

    def load(wanted: list[str], labels: Collection[str]) -> pa.Table | NamedRows:
        def read(columns: list[str]) -> pa.Table:
            with _readable(str(file), ".parquet"):
                return _times_as_numbers(reader.read(columns=columns).select(columns))

        if reader.metadata.num_rows * bigfiles.row_bytes(reader.schema_arrow, wanted) <= bigfiles.MAPPED_BYTES:
            return read(wanted)
        with _readable(str(file), ".parquet"):
            return bigfiles.map_parquet(reader, wanted, read, files, cache)

    return Table(tuple(names), reader.metadata.num_rows, load, files=files)


def _read_numpy(file: Path, kind: str) -> Table:
    import numpy as np
    import pyarrow as pa

    from mine.data.bigfiles import is_large_file, named_rows

    try:
        with file.open("rb") as stream:  # numpy leaves a file open that turns out to be no archive
            large = kind == ".npy" and is_large_file(file)
            loaded: Any = np.load(file, mmap_mode="r") if large else np.load(stream, allow_pickle=False)
            arrays = {name: loaded[name] for name in loaded.files} if hasattr(loaded, "files") else {"": loaded}
    except ValueError as error:
        if "allow_pickle" not in str(error) and "Python objects" not in str(error):
            raise
        raise InputError(f"{file} is no {kind[1:]} file of plain arrays: save numbers or text, not Python objects.") from error

    columns: list[tuple[str, Any]] = []
    blocks: dict[str, Any] = {}
    families: dict[str, tuple[str, ...]] = {}
    for name, array in arrays.items():
        if array.ndim == 0:
            continue
        if array.ndim > 2:
            blocks[name or "all"] = array
        elif array.ndim == 1 and not array.dtype.names:
            columns.append((name or "0", array))
        else:
            parts = {field_: array[field_] for field_ in array.dtype.names} if array.dtype.names else dict(enumerate(array.T))
            inner = [(f"{name}[{part}]" if name else str(part), values) for part, values in parts.items()]
            columns += inner
            if inner:
                families[name or "all"] = tuple(column for column, _ in inner)
    _check_names([*(name for name, _ in columns), *blocks], str(file))
    lengths = {len(array) for array in (*(values for _, values in columns), *blocks.values())}
    if len(lengths) != 1 or 0 in lengths:
        found = ", ".join(f"{name or 'an array'} of shape {array.shape}" for name, array in arrays.items())
        raise InputError(f"{file} must hold arrays of one and the same number of rows, at least one: it has {found or 'none'}.")
    of_name = dict(columns)
    place = {name: i for i, name in enumerate(of_name)}

    def load(names: list[str], labels: Collection[str]) -> pa.Table | NamedRows:
        unread = named_rows(arrays[""], names, [place[name] for name in names]) if large else None
        return unread or pa.table({name: _for_arrow(of_name[name], name) for name in names})

    return Table(tuple(of_name), lengths.pop(), load, blocks, families)


def _for_arrow(array: Any, name: str) -> Any:
    """A column of a kind that arrow has: in this machine's byte order, no long double, times as the number of their units."""
    import numpy as np
    import pyarrow as pa

    if array.ndim != 1:
        raise InputError(f"Column {name!r} has {array[0].size} values a row: save them as columns of their own.")
    if array.dtype.kind in "cV":
        raise InputError(f"Column {name!r} has the unsupported type {array.dtype}: save numbers or text, one a row.")
    if array.dtype.kind in "mM":
        return pa.array(array.astype(np.int64), mask=np.isnat(array))
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))


def _check_names(names: list[str], source: str) -> None:
    twice = next((name for name, count in Counter(names).items() if count > 1), None)
    if twice is not None:
        raise InputError(f"{source} has two columns called {twice!r}: rename one.")


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
