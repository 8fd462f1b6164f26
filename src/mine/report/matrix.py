"""The old place of :mod:`mine.reporting.matrix`."""

from typing import Any

from mine.errors import moved

_MOVED = {
    "clustered_order": "mine.reporting.matrix",
    "plot_pairwise": "mine.reporting.matrix",
}


def __getattr__(name: str) -> Any:
    return moved(__name__, name, _MOVED)
