"""Tables from files: the reader of each format, by the name of the file."""

from __future__ import annotations

import difflib
import gzip
import sys
from pathlib import Path

from mine.data.numpy_files import read_numpy
from mine.data.parquet_files import read_parquet
from mine.data.table import Table, split_names
from mine.data.text_files import read_text
from mine.data.unreadable import readable
from mine.errors import InputError

__all__ = ["FORMATS", "Table", "read_table", "split_names"]

#: What `read_table` reads, by the end of the file name.
FORMATS = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".tab", ".parquet", ".pq", ".npy", ".npz")


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
        with readable("standard input", ".csv"):
            data = _unzipped(sys.stdin.buffer.read())
        return read_text(data, ",", "standard input")
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
    with readable(path, kind):
        if kind in (".npy", ".npz"):
            return read_numpy(file, kind)
        if kind in (".parquet", ".pq"):
            return read_parquet(file, cache)
        data = _unzipped(file.read_bytes(), kind)
    return read_text(data, "\t" if kind.startswith((".tsv", ".tab")) else ",", path)


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
