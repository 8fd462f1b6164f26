"""The calls that gradient checkpointing may repeat in the backward pass: a repeated call draws the shuffles of the first."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mine.errors import InputError
from mine.terms.batch import Batch
from mine.terms.modes import region

__all__ = ["Call", "Calls"]

#: Calls that are remembered at most, and by how much the rows of a repeated one may differ, relative to their size.
MOST, TOLERANCE = 256, 1e-3


@dataclass
class Call:
    """What a call drew, to be drawn again.

    Attributes:
        draw: Count of the calls that drew shuffles.
        state: What the bound had been handed.
        shapes: Shapes of the sides.
        print: Numbers that tell its rows from others, shape (k,), on their device.
        region: Weak reference to the checkpoint that it happened in; gives None where that is unknown.
        task: The backward pass that repeated it last.
    """

    draw: int
    state: Tensor | None
    shapes: list[torch.Size]
    print: Tensor
    region: Callable[[], Any]
    task: int = -1


class Calls:
    """The last calls that happened inside a checkpoint, recognised by the checkpoint and by their rows.

    Two checkpoints may have equal rows, and the rows of one may differ a little when they are computed again.
    """

    def __init__(self) -> None:
        self._calls: deque[Call] = deque(maxlen=MOST)

    def note(self, batch: Batch, draw: int, state: Tensor | None) -> None:
        """Remember a call."""
        self._calls.append(Call(draw, state, _shapes(batch), _print(batch), _weak(region())))

    def __getstate__(self) -> dict[str, Any]:
        """Without the calls: a copy has no graph, so no backward pass repeats a call of it."""
        return {"of": "calls"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._calls = deque(maxlen=MOST)

    def repeated(self, batch: Batch) -> Call:
        """The call that this one repeats; of calls with equal rows each in its turn.

        Raises:
            InputError: There was none.
        """
        task, print_, shapes = torch._C._current_graph_task_id(), _print(batch), _shapes(batch)
        here = region()
        found = [call for call in self._calls if call.shapes == shapes]
        found = [call for call in found if here is not None and call.region() is here] or found
        distances = [float((call.print.to(print_) - print_).abs().div(print_.abs() + 1).max()) for call in found]
        nearest = min(distances, default=1.0)
        if not nearest <= TOLERANCE:
            raise InputError(
                "A backward pass called this term with rows that no forward pass had. Gradient checkpointing around a term "
                "needs torch.utils.checkpoint.checkpoint, with preserve_rng_state=True where the rows are random. Or keep the "
                "term outside the checkpoint."
            )
        alike = [call for call, distance in zip(found, distances, strict=True) if distance == nearest]
        chosen = next((call for call in alike if call.task != task), alike[-1])
        chosen.task = task
        return chosen


def _weak(thing: Any) -> Callable[[], Any]:
    try:
        return weakref.ref(thing)
    except TypeError:
        return _nothing


def _nothing() -> None:
    return None


def _sides(batch: Batch) -> list[Tensor]:
    return [side.detach() for side in (batch.x, batch.y) if isinstance(side, Tensor)]


def _shapes(batch: Batch) -> list[torch.Size]:
    return [side.shape for side in _sides(batch)]


def _print(batch: Batch) -> Tensor:
    """Mean absolute values, plain and weighted by the place, of each side; the device is not asked."""
    numbers = []
    for side in _sides(batch):
        exact = torch.float32 if side.device.type == "mps" else torch.float64  # which has no float64
        flat = side.to(exact).flatten()
        places = torch.cos(torch.arange(flat.numel(), device=flat.device, dtype=exact))
        numbers += [flat.abs().sum(), (flat * places).sum()]
    return torch.stack(numbers) / max(1, len(batch.x))
