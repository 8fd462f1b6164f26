"""Critics made of others: a base with a network on top, and the mean of several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mine.critics.critic import Critic, Encoding
from mine.errors import InputError

__all__ = ["MeanCritic", "ResidualCritic"]


class ResidualCritic(Critic):
    """A base critic times a learned scale, plus a network: ``T = s * base(x, y) + network(x, y)``, s from 1.

    With the network's last layer at zero, training starts from the base. The base's parameters stay fixed, and it reads
    the first ``base_dx`` and ``base_dy`` coordinates (all of them by default).

    Example:
        >>> from mine.critics import ConcatCritic, GaussianCritic
        >>> base = GaussianCritic.fit(np.eye(4)[:, :2], np.eye(4)[:, 2:])
        >>> critic = ResidualCritic(base.float(), ConcatCritic(2, 2, zero_init=True))
        >>> x, y = torch.randn(8, 2), torch.randn(8, 2)
        >>> torch.allclose(critic(x, y), base(x, y))
        True
    """

    def __init__(self, base: Critic, network: Critic, *, base_dx: int | None = None, base_dy: int | None = None) -> None:
        super().__init__()
        if base.stack != network.stack:
            raise InputError(f"The base is stacked as {base.stack}, the network as {network.stack}: make them equal.")
        self.stack = network.stack
        self.base = base.requires_grad_(False)
        self.network = network
        self.base_dx, self.base_dy = base_dx, base_dy
        self.scale = nn.Parameter(torch.ones(*self.stack, 1))

    def fixed_x(self, x: Tensor) -> tuple[Encoding, Tensor]:
        """Return what training does not change: the base's encoding, and the network's inputs."""
        return self.base.encode_x(x[..., : self.base_dx]), x

    def fixed_y(self, y: Tensor) -> tuple[Encoding, Tensor]:
        """Return the same for y: the base's encoding, and the network's inputs."""
        return self.base.encode_y(y[..., : self.base_dy]), y

    def encode_x(self, x: Tensor) -> Encoding:
        base, inputs = self.fixed_x(x)
        return base, self.network.encode_x(inputs)

    def encode_y(self, y: Tensor) -> Encoding:
        base, inputs = self.fixed_y(y)
        return base, self.network.encode_y(inputs)

    def combine(self, hx: Any, hy: Any) -> Tensor:
        # The halves stay apart in a tuple: slicing one tensor would cost a zero-filled gradient each step.
        return self.joined(self.base.combine(hx[0], hy[0]), self.network.combine(hx[1], hy[1]))

    def joined(self, base: Tensor, network: Tensor) -> Tensor:
        """Scores from the scores of the base and the scores of the network, shape ``(*stack, B)`` or ``(*stack, B, K)``."""
        return self.scale.view(*self.stack, *[1] * (base.ndim - len(self.stack))) * base + network


class MeanCritic(Critic):
    """The mean score of several critics of the same pairs, by ``weights`` that sum to 1; equal ones by default.

    Donsker-Varadhan is concave in the critic: the mean of critics trained apart bounds no less than they do on average, and
    what each has learned of noise cancels.

    Example:
        >>> from mine.critics import SeparableCritic
        >>> members = [SeparableCritic(2, 3) for _ in range(3)]
        >>> x, y = torch.randn(8, 2), torch.randn(8, 3)
        >>> torch.allclose(MeanCritic(members)(x, y), sum(m(x, y) for m in members) / 3, atol=1e-6)
        True
    """

    def __init__(self, members: Sequence[Critic], weights: Sequence[float] | None = None) -> None:
        super().__init__()
        self.stack = members[0].stack
        self.members: Any = nn.ModuleList(members)
        self.weights = tuple([1 / len(members)] * len(members) if weights is None else weights)

    def encode_x(self, x: Tensor) -> Encoding:
        return tuple(member.encode_x(x) for member in self.members)

    def encode_y(self, y: Tensor) -> Encoding:
        return tuple(member.encode_y(y) for member in self.members)

    def combine(self, hx: Any, hy: Any) -> Tensor:
        parts = zip(self.weights, self.members, hx, hy, strict=True)
        return torch.stack([weight * member.combine(u, v) for weight, member, u, v in parts]).sum(0)
