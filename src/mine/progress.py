"""A progress bar for what takes over two seconds, on a terminal only."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import Any, TypeVar

from mine.escapes import printable

__all__ = ["Callback", "progress_callback", "reported"]

#: Anything faster shows nothing.
DELAY_SECONDS = 2.0

Callback = Callable[[int, int, str], None]
Batch = TypeVar("Batch", bound=Sized)


def reported(batches: Iterable[Batch], total: int, what: str, on_progress: Callback | None) -> Iterator[Batch]:
    """The batches as they are; when the next one is asked for, ``on_progress`` is told how many entries are done.

    >>> seen = []
    >>> _ = list(reported([[1, 2], [3]], 3, "draws", lambda done, total, message: seen.append(message)))
    >>> seen
    ['2 of 3 draws', '3 of 3 draws']
    """
    done = 0
    for batch in batches:
        yield batch
        done += len(batch)
        if on_progress is not None:
            on_progress(done, total, f"{done:,} of {total:,} {what}")


@contextmanager
def progress_callback(progress: bool | Callback | None) -> Iterator[Callback | None]:
    """Yield what an estimator calls with (done, total, message), or None where nothing is to be shown.

    ``None`` shows a bar on a terminal after two seconds, True at once, False never; a function is used as it is.
    """
    if callable(progress):
        yield progress
    elif progress is False or (progress is None and not sys.stderr.isatty()):
        yield None
    else:
        bar = _Bar(delay=0.0 if progress else DELAY_SECONDS)
        try:
            yield bar
            bar.finish()
        finally:
            bar.close()


class _Bar:
    """A rich progress bar on stderr that starts late; rich is imported when it does."""

    def __init__(self, delay: float) -> None:
        self.show_after = time.monotonic() + delay
        self.live: Any = None

    def __call__(self, done: int, total: int, message: str) -> None:
        if self.live is None:
            if time.monotonic() < self.show_after:
                return
            self.live = self._start(total)
        self.live.update(self.task, completed=done, total=total, description=printable(message))

    def _start(self, total: int) -> Any:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        console = Console(stderr=True)
        live = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=console.is_terminal,  # a transient bar shows nothing at all in a pipe that asked for one
        )
        live.start()
        self.task = live.add_task("", total=total)
        return live

    def finish(self) -> None:
        """Fill the bar: training that stopped early is done too."""
        if self.live is not None:
            self.live.update(self.task, completed=self.live.tasks[0].total)

    def close(self) -> None:
        if self.live is not None:
            self.live.stop()
