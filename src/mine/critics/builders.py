"""Critics made for the shape of the data: convolutions for images, over time for sequences, dense layers for flat rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from mine.critics.towers import DenseHead, FlatTower, ImageTower, SequenceHead, SequenceTower
from mine.critics.two_towers import TowerCritic
from mine.errors import InputError, UnknownNameError

__all__ = ["CRITICS", "candidates", "tower_critic"]

#: The names that ``critic=`` takes.
CRITICS = ("conv", "sequence", "mlp")
#: Coordinates in which the two sides meet.
EMBED = 16
#: Widths of the dense layers of a side whose rows are flat, or are flattened.
FLAT_HIDDEN = (256, 128)


def candidates(event_x: tuple[int, ...], event_y: tuple[int, ...]) -> tuple[str, ...]:
    """The critics that suit rows of these shapes; none for flat rows on both sides.

    Rows of two axes may be grey images or sequences, rows of three or more are images with channels.

    >>> candidates((1, 28, 28), (10,)), candidates((64, 4), (64, 4)), candidates((3,), ())
    (('conv',), ('conv', 'sequence'), ())
    """
    axes = [len(event) for event in (event_x, event_y)]
    if max(axes) < 2:
        return ()
    return ("conv", "sequence") if 2 in axes else ("conv",)


def tower_critic(
    kind: str,
    event_x: tuple[int, ...],
    event_y: tuple[int, ...],
    *,
    hidden: Sequence[int] | None = None,
    dropout: float = 0.0,
    shift: int = 0,
    activation: str = "relu",
    generator: torch.Generator | None = None,
) -> TowerCritic:
    """An untrained critic of two towers for rows of these shapes.

    Arguments:
        kind: ``"conv"``, ``"sequence"`` or ``"mlp"``: what reads rows of two or more axes. ``"sequence"`` reads rows of two
            axes as (T, D); rows of three or more stay images unless no side has two. Flat rows always get dense layers.
        event_x: Shape of a row of x.
        event_y: Shape of a row of y.
        hidden: Widths of the dense layers; None for the widths of the kind.
        dropout: Share of units that are dropped in training.
        shift: Pixels by which images are shifted in training.
        activation: As for :class:`mine.critics.ConcatCritic`.
        generator: Source of the initial weights; None takes torch's global one.

    Raises:
        UnknownNameError: No such kind.
        InputError: A kind that needs a side of two or more axes, on flat rows.

    Example:
        >>> critic = tower_critic("conv", (1, 12, 20), (5,))
        >>> x, y = torch.randn(8, 1, 12, 20), torch.randn(8, 5)
        >>> critic.all_pairs(critic.encode_x(x), critic.encode_y(y)).shape
        torch.Size([8, 8])
    """
    if kind not in CRITICS:
        raise UnknownNameError("critic", kind, CRITICS)
    events = (event_x, event_y)
    if kind != "mlp" and max(map(len, events)) < 2:
        raise InputError(f"critic={kind!r} needs a side of three or more dimensions, but both are flat: leave critic out.")
    settings: dict[str, Any] = {"dropout": dropout, "activation": activation, "generator": generator}
    kinds = [_kind_of_side(kind, event, 2 in map(len, events)) for event in events]
    towers: list[Any] = [_tower(kinds[0], event_x, hidden, shift, settings)]
    shared = kinds[0] == kinds[1] and event_x == event_y and len(event_x) > 1
    towers.append(towers[0] if shared else _tower(kinds[1], event_y, hidden, shift, settings))
    aligned = kinds == ["sequence", "sequence"] and event_x[:1] == event_y[:1]
    heads = [
        SequenceHead(tower.steps, hidden or (128,), EMBED, aligned=aligned, **settings)
        if isinstance(tower, SequenceTower)
        else DenseHead(tower.n_features, EMBED, generator=generator)
        for tower in towers
    ]
    return TowerCritic(towers[0], heads[0], towers[1], heads[1])


def _kind_of_side(kind: str, event: tuple[int, ...], two_axes: bool) -> str:
    if len(event) < 2 or kind == "mlp":
        return "mlp"
    return "conv" if kind == "sequence" and len(event) > 2 and two_axes else kind


def _tower(
    kind: str, event: tuple[int, ...], hidden: Sequence[int] | None, shift: int, settings: dict[str, Any]
) -> FlatTower | ImageTower | SequenceTower:
    if kind == "conv":
        return ImageTower(event, hidden or (128,), shift=shift, **settings)
    if kind == "sequence":
        return SequenceTower(event, **settings)
    dim = 1
    for size in event:
        dim *= size
    return FlatTower(dim, hidden or FLAT_HIDDEN, **settings)
