"""The old place of :mod:`mine.reporting.figures`."""

from typing import Any

from mine.errors import moved

_MOVED = {
    "new_figure": "mine.reporting.figures",
    "STYLE": "mine.reporting.figures",
}


def __getattr__(name: str) -> Any:
    return moved(__name__, name, _MOVED)
