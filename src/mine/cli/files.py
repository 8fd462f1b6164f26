"""The file that a command was given."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mine.escapes import printable

if TYPE_CHECKING:
    from mine.data.readers import Table

__all__ = ["opened"]


def opened(files: ExitStack, file: str, *, table: str | None = None, cache: Path | None = None) -> Table:
    """The table in a file; how it was read, if that needs to be known, goes to stderr.

    Arguments:
        files: Closes the file when its columns are no longer needed.
        file: As :func:`mine.data.readers.read_table` takes it.
        table: Sheet of a workbook, or table of a database.
        cache: Scratch folder for Parquet files larger than memory.

    Raises:
        InputError: The file cannot be read.
    """
    from mine.data.readers import read_table

    found = files.enter_context(read_table(file, cache, table))
    first = os.environ.get("LOCAL_RANK", "0") == "0"  # of several processes that train one estimate, one speaks
    for note in found.notes if first else ():
        typer.echo(printable(f"mine: note: {' '.join(note.split())}"), err=True)
    return found
