"""Tables from files: the reader of each format, by the name of the file."""

from __future__ import annotations

import codecs
import difflib
import gzip
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mine.data.arrow_files import read_feather, read_json_lines, read_orc
from mine.data.encodings import as_utf8
from mine.data.numpy_files import read_numpy
from mine.data.parquet_files import read_parquet
from mine.data.sheets import read_excel, read_sqlite
from mine.data.table import Table, split_names
from mine.data.text_files import read_text
from mine.data.unreadable import readable
from mine.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

    from mine.data.outofcore import NamedRows

__all__ = ["FORMATS", "Table", "read_table", "split_names"]

#: What `read_table` reads, by the end of the file name.
FORMATS = (
    ".csv", ".csv.gz", ".tsv", ".tsv.gz", ".tab", ".parquet", ".pq", ".npy", ".npz", ".feather", ".arrow", ".orc", ".jsonl",
    ".jsonl.gz", ".ndjson", ".ndjson.gz", ".xlsx", ".xlsm", ".sqlite", ".sqlite3", ".db",
)  # fmt: skip
#: What pandas calls an index without a name in Parquet and Feather files.
_INDEX = re.compile(r"__index_level_\d+__")
_SHEETS, _DATABASES = (".xlsx", ".xlsm"), (".sqlite", ".sqlite3", ".db")


def read_table(path: str, cache: str | Path | None = None, table: str | None = None) -> Table:
    """Read a file by the end of its name: one of ``FORMATS``; ``-`` is CSV from standard input, ``example:NAME`` shipped data.

    CSV and TSV need a header line; an empty cell, ``NA`` and ``NaN`` are missing values; gzip is read as it is. A CSV file may
    be separated by semicolons, with decimal commas, or by tabs or bars.

    The numbers of a large NPY file stay where they are; the numbers of a large Parquet file go, as columns are selected, into
    a memory-mapped file in a temporary folder; leaving a ``with`` block on the table deletes it.

    Arguments:
        path: The source.
        cache: Folder in which that temporary folder is made; None takes the system's.
        table: The sheet of a workbook (None: the first), or the table of a database (None: the only one).

    Raises:
        InputError: No such file, an unknown or unreadable format, no rows, no header, ``table`` for a file without tables.
        MineError: A package that the format needs is not installed; the message says how to get it.

    >>> read_table("example:diabetes").names("bm?,s[12],progression")
    ['bmi', 's1', 's2', 'progression']
    """
    if path == "-":
        _check_one_table(table, "standard input")
        if sys.stdin is None:
            raise InputError("Standard input is closed: pipe CSV into it, or name a file.")
        with readable("standard input", ".csv"):
            return read_text(_unzipped(sys.stdin.buffer.read()), ",", "standard input")
    if path.startswith("example:"):
        from mine.data.examples import example_path

        path = str(example_path(path.removeprefix("example:")))
    file = Path(path)
    with readable(path, ""):  # a name that is too long, a folder that may not be entered
        if file.is_dir():
            raise InputError(f"{path or 'The current folder'} is a folder: name a file in it.")
        if not file.exists():
            raise InputError(_no_such_file(file))
    kind = _format(file) if file.is_file() else ".csv"  # a pipe, as the shell's <(...) makes, has no name to go by
    if kind not in (*_SHEETS, *_DATABASES):
        _check_one_table(table, path)
    with readable(path, kind):
        return _without_index(_guarded(_read(file, path, kind, cache, table), path, kind))


def _read(file: Path, path: str, kind: str, cache: str | Path | None, table: str | None) -> Table:
    """Read a file by the reader of its kind."""
    if kind in _SHEETS:
        return read_excel(file, table)
    if kind in _DATABASES:
        return read_sqlite(file, table)
    if kind in (".npy", ".npz"):
        return read_numpy(file, kind)
    if kind in (".parquet", ".pq"):
        return read_parquet(file, cache)
    if kind in (".feather", ".arrow"):
        return read_feather(file)
    if kind == ".orc":
        return read_orc(file)
    data = _unzipped(file.read_bytes(), kind)
    if kind.startswith((".jsonl", ".ndjson")):
        data, recoded = as_utf8(data, path)
        return replace(read_json_lines(data.removeprefix(codecs.BOM_UTF8), path), notes=tuple(recoded))
    return read_text(data, "\t" if kind.startswith((".tsv", ".tab")) else ",", path)


def _guarded(table: Table, path: str, kind: str) -> Table:
    """The table, whose columns, which most files give when they are selected, cannot fail in another way than the file."""

    def load(names: list[str]) -> pa.Table | NamedRows:
        with readable(path, kind):
            return table.load(names)

    return replace(table, load=load)


def _without_index(table: Table) -> Table:
    """The table without the index that pandas wrote into a file as a column because it had no name: row numbers, mostly."""
    kept = tuple(name for name in table.columns if not _INDEX.fullmatch(name))
    if len(kept) in (0, len(table.columns)):
        return table
    note = "the index of pandas, which has no name in this file, was left out; name it (frame.index.name = ...) to use it."
    return replace(table, columns=kept, notes=(*table.notes, note))


def _check_one_table(table: str | None, source: str) -> None:
    if table is not None:
        raise InputError(f"{source} holds one table: --table is for workbooks ({_SHEETS[0]}) and SQLite databases.")


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
