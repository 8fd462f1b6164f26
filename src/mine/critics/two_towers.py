"""A critic of two towers: each side through an encoder made for it, every pair of a batch in one matrix product."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from mine.critics.critic import Critic
from mine.critics.metric import metric_matrix, metric_scores

__all__ = ["ROWS", "Meeting", "TowerCritic"]

#: Rows that are encoded at a time where no gradient is needed: what lies between the layers is much larger than the result.
ROWS = 512


class TowerCritic(Critic):
    r"""``T(x, y) = a(x) + b(y) - |f(x) - g(y)|^2 / 2``, f and a, g and b from a tower and a head for each side.

    The B^2 pairs of a batch cost 2 B passes through the towers and one matrix product.

    Arguments:
        tower_x: Maps rows of x to features. It may be ``tower_y`` itself: two sides of the same kind and shape then learn one
            set of features from twice as many rows, and differ in their heads.
        head_x: Maps features to ``embed`` coordinates and one number, shape (B, embed + 1).
        tower_y: Maps rows of y to features.
        head_y: Its head.

    References:
        Separable critics: Poole et al., 2019 (arXiv 1905.06922), section 3.
    """

    def __init__(self, tower_x: nn.Module, head_x: nn.Module, tower_y: nn.Module, head_y: nn.Module) -> None:
        super().__init__()
        self.tower_x, self.head_x = tower_x, head_x
        self.tower_y, self.head_y = tower_y, head_y

    @property
    def work(self) -> int:
        """Multiplications per pair of rows."""
        parts: list[Any] = [self.tower_x, self.head_x, self.tower_y, self.head_y]
        return sum(int(part.work) for part in parts)

    def encode_x(self, x: Tensor) -> Tensor:
        return _encoded(self.tower_x, self.head_x, x)

    def encode_y(self, y: Tensor) -> Tensor:
        return _encoded(self.tower_y, self.head_y, y)

    def combine(self, hx: Tensor, hy: Tensor) -> Tensor:
        return metric_scores(hx, hy)

    def all_pairs(self, hx: Tensor, hy: Tensor) -> Tensor:
        """Scores of every x with every y, shape (B, B)."""
        return metric_matrix(hx, hy)


class Meeting(Critic):
    """The second half of a :class:`TowerCritic`: scores of rows that its towers have encoded already."""

    def encode_x(self, x: Tensor) -> Tensor:
        return x

    def encode_y(self, y: Tensor) -> Tensor:
        return y

    def combine(self, hx: Tensor, hy: Tensor) -> Tensor:
        return metric_scores(hx, hy)


def _encoded(tower: nn.Module, head: nn.Module, rows: Tensor) -> Tensor:
    if torch.is_grad_enabled() or len(rows) <= ROWS:
        return head(tower(rows))
    return torch.cat([head(tower(part)) for part in rows.split(ROWS)])
