"""Tables of text for the tests of files."""

from __future__ import annotations

import gzip
from pathlib import Path

from mine.data.readers import Table, read_table


def text_table(folder: Path, content: str | bytes, name: str = "data.csv") -> Table:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(str(path))


def zipped(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)  # the time would make the names of tests differ from run to run
