"""The old place of :mod:`mine.tables.pairwise`."""

from typing import Any

from mine.errors import moved

_MOVED = {
    "measure": "mine.tables.pairwise",
    "strength": "mine.tables.measured",
}


def __getattr__(name: str) -> Any:
    return moved(__name__, name, _MOVED)
