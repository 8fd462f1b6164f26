"""Worker processes that end with the process that started them, whatever killed it."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from typing import Any

__all__ = ["end_with", "workers"]

_watched = threading.Lock()


def workers(n_jobs: int | None, **options: Any) -> Any:
    """A :class:`joblib.Parallel` whose local processes end with this one, also while they start and wait for their first task.

    Arguments:
        n_jobs: As there.
        **options: Others of ``Parallel``.
    """
    from joblib import Parallel

    try:
        return Parallel(n_jobs=n_jobs, initializer=end_with, initargs=(os.getpid(),), **options)
    except TypeError:  # joblib below 1.5 takes no initializer: each task calls end_with
        return Parallel(n_jobs=n_jobs, **options)


def end_with(parent: int) -> None:
    """In a local worker process of joblib that ``parent`` started: end as soon as that is gone. Elsewhere: nothing.

    Workers of a cluster belong to the cluster, threads to the caller. Windows does not tell when a parent is gone.
    """
    started_here = os.name == "posix" and multiprocessing.current_process().name.startswith("LokyProcess")
    if started_here and _watched.acquire(blocking=False):
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
