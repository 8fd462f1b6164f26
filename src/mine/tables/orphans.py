"""Worker processes that end with the process that started them, whatever killed it."""

from __future__ import annotations

import os
import threading
import time

__all__ = ["end_with"]

_watched = threading.Lock()


def end_with(parent: int) -> None:
    """In a process that ``parent`` started: end as soon as that is gone. Elsewhere: nothing.

    Workers on other machines, or in threads, are not children of ``parent`` and stay as they are. Windows does not tell when a
    parent is gone.
    """
    if os.name == "posix" and os.getppid() == parent and _watched.acquire(blocking=False):
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
