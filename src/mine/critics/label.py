"""The critic of one column of labels: one score per level, all of them from one evaluation of the other side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from mine.critics.critic import Critic
from mine.critics.networks import MLP

__all__ = ["LabelCritic"]


class LabelCritic(Critic):
    r"""``T(c, y) = s_0(y) + sum_k c_k s_k(y)``, c the features of a label, s one network with an output a feature.

    Any function of label and y is of this form, and every pair of a batch costs one run of the network per row. At its best it
    is a classifier, ``log p(c | y) - log p(c)``.

    Arguments:
        levels: Number of features of the label, as :class:`mine.data.preprocessing.SideEncoder` makes them.
        dim: Number of features of the other side.
        hidden: Widths of the hidden layers.
        labels: The side of the label, ``"x"`` or ``"y"``.
        activation: relu, leaky_relu, elu, silu, gelu or tanh.
        stack: ``(M,)`` for M independent critics, ``()`` for one.
        generator: Source of the initial weights; None takes torch's global one. The last layer starts at zero.

    Example:
        >>> critic = LabelCritic(3, 2, labels="y")
        >>> critic(torch.randn(8, 2), torch.eye(3)[torch.randint(3, (8,))]).shape
        torch.Size([8])
    """

    def __init__(
        self,
        levels: int,
        dim: int,
        hidden: Sequence[int] = (128, 128),
        *,
        labels: Literal["x", "y"],
        activation: str = "relu",
        stack: tuple[int, ...] = (),
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.stack = stack
        self.labels = labels
        sizes = (dim, *hidden, levels + 1)
        self.network = MLP(sizes, stack, activation, activate_first=False, zero_last=True, generator=generator)

    def encode_x(self, x: Tensor) -> Tensor:
        return self._with_one(x) if self.labels == "x" else self.network(x)

    def encode_y(self, y: Tensor) -> Tensor:
        return self._with_one(y) if self.labels == "y" else self.network(y)

    def combine(self, hx: Tensor, hy: Tensor) -> Tensor:
        return (hx * hy).sum(-1)

    def all_pairs(self, hx: Tensor, hy: Tensor) -> Tensor:
        """Scores of every x with every y, shape ``(*stack, B, B)``."""
        return hx @ hy.mT

    def _with_one(self, label: Tensor) -> Tensor:
        label = torch.cat([label, label.new_ones(*label.shape[:-1], 1)], -1)
        return label.expand(*self.stack, *label.shape[-2:])  # a stack may share its rows
