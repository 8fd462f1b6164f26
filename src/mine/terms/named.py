"""Critics that are chosen by name and built from the first batch, whose shapes they need."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mine.critics import ConcatCritic
from mine.critics.builders import tower_critic
from mine.critics.critic import Critic
from mine.critics.users import as_critic
from mine.errors import InputError, UnknownNameError
from mine.terms.critic_optimizer import CriticOptimizer, OptimizerLike

__all__ = ["CRITIC_NAMES", "Unbuilt", "critic_by_name", "events_of"]

#: The names that ``critic=`` of a term takes.
CRITIC_NAMES = ("mlp", "conv", "sequence", "embedding")
#: Axes of a row at most, so that the shapes fit into a tensor of fixed size.
MOST_AXES = 4
#: In the place of the number of axes: x has labels, and their number follows.
_LABELS_OF_X = MOST_AXES + 1
#: Coordinates of an embedded label.
_EMBEDDED = 16
#: Labels that an embedding has room for at least: a first batch does not show all of them.
_LABELS = 1024


class _EmbeddedLabels(nn.Module):
    """A critic with labels on one side or both: an MLP on the numbers of a side and the embeddings of labels.

    Arguments:
        widths: Numbers per row of x and of y; 0 for a side of labels.
        labels: Labels that x and y can have; 0 for a side of numbers.
    """

    def __init__(self, widths: Sequence[int], labels: Sequence[int]) -> None:
        super().__init__()
        x, y = labels
        self.x_table = nn.Embedding(x, _EMBEDDED) if x else None
        self.table = nn.Embedding(y, _EMBEDDED) if y else None
        width = sum(_EMBEDDED if count else width for width, count in zip(widths, labels, strict=True))
        self.network = nn.Sequential(nn.Linear(width, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
        sides = [
            f"labels from 0 to {count - 1} for {name}" if count else f"rows of {width} numbers for {name}"
            for name, width, count in zip("xy", widths, labels, strict=True)
        ]
        self.takes = f"{' and '.join(sides)}, as the first batch had; for more labels pass a module with a larger nn.Embedding"

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        dtype = next(self.network.parameters()).dtype
        sides = [
            side.flatten(1).to(dtype) if table is None else table(side.reshape(len(side)).long())
            for side, table in ((x, self.x_table), (y, self.table))
        ]
        return self.network(torch.cat(sides, 1))


def _rows_network(width: int) -> nn.Module:
    """A critic of rows (B, width) alone, as of columns that may depend on each other."""
    return nn.Sequential(nn.Linear(width, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))


class Unbuilt:
    """A critic and its optimizer, as far as they are known before the first batch.

    Arguments:
        name: One of :data:`CRITIC_NAMES`.
        optimizer: A function that makes the optimizer from the critic's parameters; None is Adam.
        learning_rate: Adam's rate.

    Raises:
        UnknownNameError: There is no critic of that name.
        InputError: An optimizer: it cannot hold parameters that do not exist yet.
    """

    def __init__(self, name: str, optimizer: OptimizerLike | None, learning_rate: float) -> None:
        if name not in CRITIC_NAMES:
            raise UnknownNameError("critic", name, CRITIC_NAMES)
        if optimizer is not None and (isinstance(optimizer, torch.optim.Optimizer) or not callable(optimizer)):
            raise InputError(
                f"critic={name!r} is built from the first batch, so optimizer must be a function that makes one from the "
                f"critic's parameters; got {type(optimizer).__name__}."
            )
        self._name, self._optimizer, self._learning_rate = name, optimizer, learning_rate

    def no_events(self) -> Tensor:
        """What stands for the shapes before they are known."""
        return torch.full((2 * (MOST_AXES + 1) + 1,), -1, device="cpu")

    def are_known(self, events: Tensor) -> bool:
        """Whether a checkpoint holds shapes."""
        return events.shape == self.no_events().shape and bool((events >= 0).all())

    def events(self, x: Tensor, y: Tensor) -> list[int]:
        """As :func:`events_of`."""
        return events_of(self._name, x, y)

    def critic(self, events: Sequence[int], generator: torch.Generator) -> Critic:
        """As :func:`critic_by_name`."""
        return critic_by_name(self._name, events, generator)

    def training(self, critic: nn.Module) -> CriticOptimizer:
        """The optimizer of the critic that was built."""
        return CriticOptimizer(critic, self._optimizer, self._learning_rate)


def events_of(name: str, x: Tensor, y: Tensor) -> list[int]:
    """The sizes that the critic depends on, as whole numbers: axes and shape of a row on each side, and the number of labels.

    For an embedding a side with one whole number per row has labels. Those of x stand in the place of its shape.

    Raises:
        InputError: No row, rows of too many axes, negative labels, or an embedding of rows without labels.
    """
    if not len(x):
        raise InputError(f"critic={name!r} is built from the first batch, which is empty: pass rows.")
    if max(x.ndim, y.ndim) > MOST_AXES + 1:
        raise InputError(
            f"x has shape {tuple(x.shape)}, y {tuple(y.shape)}: rows have at most {MOST_AXES} axes; pass a module."
        )
    events = [[side.ndim - 1, *side.shape[1:], *[0] * (MOST_AXES - side.ndim + 1)] for side in (x, y)]
    labels = 0
    if name == "embedding":
        counts = [_label_count(side, axis) for side, axis in ((x, "x"), (y, "y"))]
        if not any(counts):
            shapes = " and ".join(
                f"{axis} of shape {tuple(side.shape)} ({str(side.dtype).removeprefix('torch.')})"
                for axis, side in (("x", x), ("y", y))
            )
            raise InputError(
                'critic="embedding" takes labels as whole numbers for x, for y or for both, shape (B,) or (B, 1); got '
                f'{shapes}. Pass critic="mlp" for numbers.'
            )
        if counts[0]:
            events[0] = [_LABELS_OF_X, counts[0], *[0] * (MOST_AXES - 1)]
        labels = counts[1]
    return [*events[0], *events[1], labels]


def _label_count(side: Tensor, name: str) -> int:
    """Labels that a side can have: four times those of the first batch; 0 for a side of numbers.

    Raises:
        InputError: A label is negative.
    """
    if side.is_floating_point() or side[0].numel() != 1:
        return 0
    if side.min() < 0:
        raise InputError(
            f"{name} has the label {int(side.min())}, of shape {tuple(side.shape)}: labels are whole numbers from 0. Leave out "
            "rows without a label."
        )
    return max(_LABELS, 4 * (int(side.max()) + 1))


def critic_by_name(name: str, events: Sequence[int], generator: torch.Generator) -> Critic:
    """The untrained critic of that name for rows of these shapes; towers are those of :func:`mine.estimate`.

    Arguments:
        name: One of :data:`CRITIC_NAMES`.
        events: The result of :func:`events_of`.
        generator: Source of the initial weights.
    """
    width = MOST_AXES + 1
    labels = [events[1] if events[0] == _LABELS_OF_X else 0, events[-1]]
    sides = ([0] if labels[0] else events[:width], events[width : 2 * width])
    event_x, event_y = (tuple(side[1 : 1 + side[0]]) for side in sides)
    if name == "embedding" or event_y == (0,):  # modules of torch draw from the global generator
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(torch.randint(2**31, (), generator=generator)))
            if name == "embedding":
                widths = [0 if count else math.prod(event) for event, count in zip((event_x, event_y), labels, strict=True)]
                return as_critic(_EmbeddedLabels(widths, labels), concat=False)
            return as_critic(_rows_network(math.prod(event_x)), concat=True)
    if name == "mlp" and max(len(event_x), len(event_y)) < 2:
        return ConcatCritic(math.prod(event_x), math.prod(event_y), generator=generator)
    if name != "mlp" and max(len(event_x), len(event_y)) < 2:
        raise InputError(
            f'critic={name!r} needs images or sequences on a side, but both are flat: pass critic="mlp". Rows of x have shape '
            f"{event_x}, rows of y {event_y}."
        )
    return tower_critic(name, event_x, event_y, generator=generator)
