"""Tables from files: columns by name or glob, read by pyarrow and numpy."""

from __future__ import annotations

import csv
import difflib
import fnmatch
import io
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mine.errors import InputError, UnknownNameError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["FORMATS", "Table", "read_table"]

#: What `read_table` reads, by the end of the file name.
FORMATS = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".tab", ".parquet", ".pq", ".npy", ".npz")


@dataclass(frozen=True)
class Table:
    """Named columns of equal length; only those selected are read where the format allows it.

    Attributes:
        columns: Names of the columns, in order.
        n_rows: Number of rows.
        load: Names -> a pyarrow table of those columns.
        blocks: Arrays of three or more dimensions, by name: selected whole, as they are.
        families: Other names that stand for several columns, as an NPZ file's matrix for its columns.
    """

    columns: tuple[str, ...]
    n_rows: int
    load: Callable[[list[str]], pa.Table]
    blocks: dict[str, Any] = field(default_factory=dict)
    families: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def names(self, spec: str) -> list[str]:
        """Columns that a comma-separated list of names and globs stands for, each once, in the order of the list.

        An exact name wins over its meaning as a glob; a name that holds a comma is written in double quotes.

        Raises:
            UnknownNameError: A name or glob that matches no column; the nearest is suggested.
            InputError: An empty list.
        """
        known = (*self.columns, *self.blocks)
        out: list[str] = []
        for item in _split(spec):
            if item in known:
                found: Sequence[str] = [item]
            elif item in self.families:
                found = self.families[item]
            else:
                found = fnmatch.filter(known, item)
            if not found:
                raise UnknownNameError("column", item, [*known, *self.families])
            out += [name for name in found if name not in out]
        if not out:
            raise InputError("No column was named: pass a comma-separated list of names or globs.")
        return out

    def select(self, spec: str | Sequence[str]) -> Any:
        """The columns of ``spec`` (a list as in :meth:`names`, or names) in the form that :func:`mine.estimate` takes."""
        names = self.names(spec) if isinstance(spec, str) else list(spec)
        blocks = [name for name in names if name in self.blocks]
        if blocks and len(names) > 1:
            raise InputError(f"{blocks[0]!r} has three or more dimensions and must be selected alone.")
        return self.blocks[blocks[0]] if blocks else self.load(names)


def read_table(path: str) -> Table:
    """Read a CSV, TSV, Parquet, NPY or NPZ file, ``-`` for CSV from standard input, ``example:NAME`` for shipped data.

    CSV and TSV need a header line; an empty cell, ``NA`` and ``NaN`` are missing values; gzip is read as it is.

    Raises:
        InputError: No such file, an unknown or unreadable format, no rows, no header, two columns of one name.
    """
    if path == "-":
        return _read_text(sys.stdin.buffer.read(), ",", "standard input")
    if path.startswith("example:"):
        from mine.datasets.examples import example_path

        path = str(example_path(path.removeprefix("example:")))
    file = Path(path)
    if not file.is_file():
        raise InputError(_no_such_file(file))
    kind = _format(file)
    try:
        if kind in (".npy", ".npz"):
            return _read_numpy(file, kind)
        if kind in (".parquet", ".pq"):
            return _read_parquet(file)
        import pyarrow as pa

        with pa.input_stream(str(file), compression="detect") as stream:
            data = stream.read()
    except (OSError, ValueError, EOFError) as error:  # pyarrow's errors are among these
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} cannot be read as {kind.lstrip('.')}: {_first_line(error)}") from error
    return _read_text(data, "\t" if kind.startswith((".tsv", ".tab")) else ",", path)


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
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__


def _split(spec: str) -> list[str]:
    items = next(csv.reader([spec], skipinitialspace=True), [])
    return [item.strip() for item in items if item.strip()]


def _read_text(data: bytes, delimiter: str, source: str) -> Table:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    try:
        first = data[: data.find(b"\n") if b"\n" in data else len(data)].decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{source} is not UTF-8 text: convert it, for example with iconv.") from None
    if not first.strip():
        raise InputError(f"{source} is empty: it needs a header line and rows.")
    if delimiter == "," and "," not in first and ";" in first:
        delimiter = ";"
    header = next(csv.reader(io.StringIO(first), delimiter=delimiter))
    if all(_is_number(cell) for cell in header):
        raise InputError(f"{source} has no header line (its first line is {first.strip()[:60]!r}): add the column names.")
    _check_names([cell.strip() for cell in header], source)

    try:
        table = arrow_csv.read_csv(
            io.BytesIO(data),
            # One block: the type of a column is that of all its rows, not of the first megabyte.
            read_options=arrow_csv.ReadOptions(block_size=max(1 << 20, min(len(data) + 1, (1 << 31) - 1))),
            parse_options=arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(strings_can_be_null=True),
        )
    except pa.ArrowException as error:
        raise InputError(f"{source} cannot be read as CSV: {_first_line(error)}") from error
    table = table.rename_columns([name.strip() for name in table.column_names])
    return _from_arrow(table, source)


def _from_arrow(table: pa.Table, source: str) -> Table:
    if table.num_rows == 0:
        raise InputError(f"{source} has no rows.")
    return Table(tuple(table.column_names), table.num_rows, lambda names: table.select(names))


def _read_parquet(file: Path) -> Table:
    from pyarrow import parquet

    reader = parquet.ParquetFile(file)
    names = list(reader.schema_arrow.names)
    _check_names(names, str(file))
    if reader.metadata.num_rows == 0:
        raise InputError(f"{file} has no rows.")
    return Table(tuple(names), reader.metadata.num_rows, lambda wanted: reader.read(columns=wanted).select(wanted))


def _read_numpy(file: Path, kind: str) -> Table:
    import numpy as np
    import pyarrow as pa

    loaded = np.load(file, allow_pickle=False)
    arrays = {"": loaded} if kind == ".npy" else {name: loaded[name] for name in loaded.files}
    columns: dict[str, Any] = {}
    blocks: dict[str, Any] = {}
    families: dict[str, tuple[str, ...]] = {}
    for name, array in arrays.items():
        if array.ndim == 0:
            continue
        if array.ndim == 1:
            columns[name or "0"] = array
        elif array.ndim == 2:
            inner = [f"{name}[{j}]" if name else str(j) for j in range(array.shape[1])]
            columns.update(zip(inner, array.T, strict=True))
            families[name or "all"] = tuple(inner)
        else:
            blocks[name or "all"] = array
    lengths = {len(a) for a in (*columns.values(), *blocks.values())}
    if len(lengths) != 1 or 0 in lengths:
        found = ", ".join(f"{k or 'array'} {v.shape}" for k, v in arrays.items())
        raise InputError(f"{file} must hold arrays with one number of rows, at least one: it has {found or 'none'}.")
    return Table(
        tuple(columns),
        lengths.pop(),
        lambda names: pa.table({name: np.ascontiguousarray(columns[name]) for name in names}),
        blocks,
        families,
    )


def _check_names(names: list[str], source: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"{source} has two columns called {twice[0]!r}: rename one.")


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
