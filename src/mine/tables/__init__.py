"""Whole tables: every pair of columns, and the selection of features."""

from typing import Any

from mine.errors import moved

#: Files are read in :mod:`mine.data.readers`; the old place warns and works until 1.1.
_MOVED = {
    "Table": "mine.data.readers",
    "read_table": "mine.data.readers",
}


def __getattr__(name: str) -> Any:
    return moved(__name__, name, _MOVED)
