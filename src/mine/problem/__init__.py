"""The old place of :mod:`mine.data.problem`."""

from typing import Any

from mine.errors import moved

_MOVED = {
    "Problem": "mine.data.problem",
}


def __getattr__(name: str) -> Any:
    return moved(__name__, name, _MOVED)
