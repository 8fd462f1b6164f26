"""The data of a training run on one device."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from mine.data.components import WideLayout
from mine.data.features import Features

__all__ = ["Pairs"]


@dataclass(frozen=True)
class Pairs:
    """The data on one device: ``x`` (n, ...), ``y`` (n, ...), tensors or encoded when read; a group label per row or None.

    ``layouts`` says which features of wide sides are what.
    """

    x: Features
    y: Features
    groups: Tensor | None = None
    layouts: tuple[WideLayout, WideLayout] | None = None

    def rows(self, index: Tensor) -> tuple[Tensor, Tensor]:
        return _read(self.x, index), _read(self.y, index)


def _read(side: Features, index: Tensor) -> Tensor:
    if isinstance(side, Tensor) and index.ndim == 1:  # half the time of the general indexing
        return side.index_select(0, index)
    return side[index]
