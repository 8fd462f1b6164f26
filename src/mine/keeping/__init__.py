"""The old place of :mod:`mine.critics.storage`."""

from typing import Any

from mine.errors import moved

_MOVED = {
    "load_critic": "mine.critics.storage",
    "save_critic": "mine.critics.storage",
}


def __getattr__(name: str) -> Any:
    return moved(__name__, name, _MOVED)
