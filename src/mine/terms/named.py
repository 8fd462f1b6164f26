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
#: Labels that an embedding has room for at least: a first batch does not show all of them.
_LABELS = 1024


class _EmbeddedLabels(nn.Module):
    """A critic of numbers and labels: an MLP on x next to an embedding of the label."""

    def __init__(self, dx: int, labels: int) -> None:
        super().__init__()
        self.table = nn.Embedding(labels, 16)
        self.network = nn.Sequential(nn.Linear(dx + 16, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        embedded = self.table(label.reshape(len(label)))
        return self.network(torch.cat([x.flatten(1).to(embedded.dtype), embedded], 1))


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

    Raises:
        InputError: No row, rows of too many axes, or an embedding of rows that are no labels.
    """
    if not len(x):
        raise InputError(f"critic={name!r} is built from the first batch, which is empty: pass rows.")
    if max(x.ndim, y.ndim) > MOST_AXES + 1:
        raise InputError(
            f"x has shape {tuple(x.shape)}, y {tuple(y.shape)}: rows have at most {MOST_AXES} axes; pass a module."
        )
    labels = 0
    if name == "embedding":
        if y.is_floating_point() or y.dtype == torch.bool or y[0].numel() != 1:
            raise InputError(
                f'critic="embedding" takes labels as whole numbers for y, shape (B,) or (B, 1); got shape {tuple(y.shape)} of '
                f"{str(y.dtype).removeprefix('torch.')}."
            )
        if x.ndim < 2:
            raise InputError(
                f'critic="embedding" takes numbers for x, shape (B, D); got shape {tuple(x.shape)}. For labels on both sides '
                "pass a module that embeds either, or x as one-hot numbers."
            )
        labels = max(_LABELS, 4 * (int(y.max()) + 1))
    shapes = [tuple(side.shape[1:]) for side in (x, y)]
    return [number for shape in shapes for number in (len(shape), *shape, *[0] * (MOST_AXES - len(shape)))] + [labels]


def critic_by_name(name: str, events: Sequence[int], generator: torch.Generator) -> Critic:
    """The untrained critic of that name for rows of these shapes; towers are those of :func:`mine.estimate`.

    Arguments:
        name: One of :data:`CRITIC_NAMES`.
        events: The result of :func:`events_of`.
        generator: Source of the initial weights.
    """
    width = MOST_AXES + 1
    event_x, event_y = (tuple(side[1 : 1 + side[0]]) for side in (events[:width], events[width : 2 * width]))
    if name == "embedding" or event_y == (0,):  # modules of torch draw from the global generator
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(torch.randint(2**31, (), generator=generator)))
            if name == "embedding":
                return as_critic(_EmbeddedLabels(math.prod(event_x), events[-1]))
            return as_critic(_rows_network(math.prod(event_x)), concat=True)
    if name == "mlp" and max(len(event_x), len(event_y)) < 2:
        return ConcatCritic(math.prod(event_x), math.prod(event_y), generator=generator)
    if name != "mlp" and max(len(event_x), len(event_y)) < 2:
        raise InputError(f'critic={name!r} needs images or sequences on a side, but both are flat: pass critic="mlp".')
    return tower_critic(name, event_x, event_y, generator=generator)
