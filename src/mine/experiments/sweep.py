"""A cell that is a list of measurements, each kept as soon as it is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from mine.experiments.checkpoint import Checkpoint
from mine.experiments.experiment import Progress

__all__ = ["sweep"]

Point = TypeVar("Point")


def sweep(
    points: Sequence[Point], measure: Callable[[Point], dict[str, Any]], folder: Path, progress: Progress
) -> list[dict[str, Any]]:
    """What ``measure`` gives for each point, in order; those in the checkpoint of ``folder`` are not measured again.

    Arguments:
        points: What to measure at, the same in each call for one folder.
        measure: Point -> numbers, strings and lists of them. It takes its randomness from the point, not from its turn.
        folder: Holds the checkpoint.
        progress: Called with points done, points in all and the next point.

    Example:
        >>> sweep([1, 2], lambda point: {"square": point**2}, Path("."), lambda *_: None)
        [{'square': 1}, {'square': 4}]
    """
    checkpoint = Checkpoint(folder / "checkpoint.pt")
    saved = checkpoint.load()
    done = [] if saved is None else list(saved["done"])
    for point in points[len(done) :]:
        progress(len(done), len(points), str(point))
        done.append(measure(point))
        checkpoint.save({"done": done})
    progress(len(points), len(points), "")
    return done
