"""The old place of :mod:`mine.reporting.page`."""

from typing import Any

from mine.errors import moved

_MOVED = {
    "render_report": "mine.reporting.page",
}


def __getattr__(name: str) -> Any:
    return moved(__name__, name, _MOVED)
