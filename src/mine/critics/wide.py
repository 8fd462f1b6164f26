"""Critics for sides of many columns: a copula and a network with dropout, on a few numbers made of each side's features."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from mine.critics.critic import Critic, Encoding
from mine.critics.gaussian import GaussianCritic
from mine.critics.metric import MetricCritic
from mine.critics.networks import MLP

__all__ = ["DropoutMetricCritic", "ViewCritic", "WideCritic", "view"]

#: Canonical coordinates beyond this are cut off, as in :mod:`mine.critics.copula_metric`.
FARTHEST = 6.0
#: Canonical directions that the network is shown.
MOST_DIRECTIONS = 16
_INT64 = torch.iinfo(torch.int64)


class DropoutMetricCritic(MetricCritic):
    """A :class:`~mine.critics.metric.MetricCritic` whose hidden units are left out at random while it trains.

    Arguments:
        dx: Number of coordinates of x.
        dy: Number of coordinates of y.
        hidden: Widths of each tower's hidden layers.
        dropout: Share of hidden units left out, in [0, 1).
        seed: Seed of the choice; torch's global generator is not used.
        embed: Length of f(x) and g(y).
        stack: ``(M,)`` for M independent critics, ``()`` for one.
        generator: Source of the initial weights.

    References:
        Srivastava et al., 2014 (Journal of Machine Learning Research 15).
    """

    def __init__(
        self,
        dx: int,
        dy: int,
        hidden: tuple[int, ...] = (256, 256),
        *,
        dropout: float,
        seed: int = 0,
        embed: int = 16,
        activation: str = "relu",
        stack: tuple[int, ...] = (),
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__(dx, dy, hidden, embed=embed, activation=activation, stack=stack, generator=generator)
        self.dropout, self.seed = dropout, seed
        self._noise: torch.Generator | None = None

    def train(self, mode: bool = True) -> DropoutMetricCritic:
        super().train(mode)
        if not mode:
            return self
        if self._noise is None:
            self._noise = torch.Generator(self.tower_x.layers[0].weight.device).manual_seed(self.seed)
        return self

    def encode_x(self, x: Tensor) -> Tensor:
        return self._encode(self.tower_x, x)

    def encode_y(self, y: Tensor) -> Tensor:
        return self._encode(self.tower_y, y)

    def _encode(self, tower: MLP, h: Tensor) -> Tensor:
        if not self.training or self._noise is None or not self.dropout:
            return tower(h)
        return tower(h, lambda hidden: hidden * _kept(hidden, self.dropout, self._noise))


def _kept(like: Tensor, dropout: float, generator: torch.Generator | None) -> Tensor:
    """Factors of the shape of ``like``: 0 with probability ``dropout`` (to 1/256), otherwise what keeps the mean."""
    out = round(256 * dropout)
    words = torch.empty((like.numel() + 7) // 8, dtype=torch.int64, device=like.device)
    bytes_ = words.random_(_INT64.min, None, generator=generator).view(
        torch.uint8
    )  # a random number per byte is eight times as fast
    return (bytes_[: like.numel()].view(like.shape) >= out).to(like.dtype).mul_(256 / (256 - out))


class WideCritic(Critic):
    """``T = s * base(x, y) + network(x, y)``: a fixed copula times a share learned from 1, and a network with dropout.

    The network reads a side's canonical coordinates, weighted by how far they correlate on rows that did not fit them, and
    the features themselves.

    Arguments:
        base: Copula log-ratio, fixed, on the first ``dims`` features of each side.
        directions: Gaussian fitted to the same features: its canonical coordinates are the network's first inputs.
        weights: Weight of each direction, shape ``(*stack, 1, r)``; see :func:`mine.critics.copula_metric.direction_weights`.
        dims: Number of features of x and of y that the base reads.
        widths: Number of all features of x and of y.
        hidden: Widths of the network.
        dropout: Share of its hidden units left out while it trains.
        activation: Its activation.
        seed: Seed of the dropout.
        generator: Source of its initial weights.
    """

    def __init__(
        self,
        base: Critic,
        directions: GaussianCritic,
        weights: Tensor,
        dims: tuple[int, int],
        widths: tuple[int, int],
        *,
        hidden: tuple[int, ...] = (256, 256),
        dropout: float = 0.3,
        activation: str = "relu",
        seed: int = 0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.stack, self.dims = base.stack, dims
        self.base: Any = base.requires_grad_(False)
        self.register_buffer("shift_x", directions.mean_x)
        self.register_buffer("shift_y", directions.mean_y)
        keep = min(MOST_DIRECTIONS, weights.shape[-1])
        self.register_buffer("look_x", directions.map_x[..., :keep] * weights[..., :keep])
        self.register_buffer("look_y", directions.map_y[..., :keep] * weights[..., :keep])
        self.shift_x: Tensor
        self.shift_y: Tensor
        self.look_x: Tensor
        self.look_y: Tensor
        self.network = DropoutMetricCritic(
            widths[0] + keep,
            widths[1] + keep,
            hidden,
            dropout=dropout,
            seed=seed,
            activation=activation,
            stack=self.stack,
            generator=generator,
        )
        self.scale = nn.Parameter(torch.ones(*self.stack, 1))
        self.register_buffer("gate", torch.zeros(*self.stack, 1))  # 0: the copula alone
        self.gate: Tensor

    def start_training(self) -> None:
        """From the copula alone, which has been validated, to the copula and a network."""
        self.gate.fill_(1.0)

    def encode_x(self, x: Tensor) -> Encoding:
        seen = x[..., : self.dims[0]]
        return self.base.encode_x(seen), self.network.encode_x(_joined(seen, x, self.shift_x, self.look_x))

    def encode_y(self, y: Tensor) -> Encoding:
        seen = y[..., : self.dims[1]]
        return self.base.encode_y(seen), self.network.encode_y(_joined(seen, y, self.shift_y, self.look_y))

    def combine(self, hx: Any, hy: Any) -> Tensor:
        return self.scale * self.base.combine(hx[0], hy[0]) + self.gate * self.network.combine(hx[1], hy[1])

    def all_pairs(self, hx: Any, hy: Any) -> Tensor:
        """Scores of every x with every y, shape ``(*stack, B, B)``."""
        with torch.no_grad():
            base = self.base.all_pairs(hx[0], hy[0])
        return self.scale.unsqueeze(-1) * base + self.gate.unsqueeze(-1) * self.network.all_pairs(hx[1], hy[1])


def _joined(seen: Tensor, features: Tensor, shift: Tensor, look: Tensor) -> Tensor:
    directions = ((seen - shift) @ look).clamp(-FARTHEST, FARTHEST)
    return torch.cat([directions, features.expand(*directions.shape[:-1], features.shape[-1])], -1)


class ViewCritic(Critic):
    """A critic that reads some columns of the features of each side, or linear combinations of them.

    Arguments:
        critic: The critic behind it, without a stack.
        name: What it reads, in words.
        x: Numbers of the features of x that it reads, shape (c,), and their map to what the critic takes, shape (c, q) or None.
        y: Likewise for y.
    """

    def __init__(self, critic: Critic, name: str, x: tuple[Tensor, Tensor | None], y: tuple[Tensor, Tensor | None]) -> None:
        super().__init__()
        self.critic: Any = critic
        self.name = name
        for side, (columns, map_) in (("x", x), ("y", y)):
            self.register_buffer(f"columns_{side}", columns)
            self.register_buffer(f"map_{side}", map_)
        self.columns_x: Tensor
        self.columns_y: Tensor
        self.map_x: Tensor | None
        self.map_y: Tensor | None

    def encode_x(self, x: Tensor) -> Encoding:
        return self.critic.encode_x(view(x, self.columns_x, self.map_x))

    def encode_y(self, y: Tensor) -> Encoding:
        return self.critic.encode_y(view(y, self.columns_y, self.map_y))

    def combine(self, hx: Any, hy: Any) -> Tensor:
        return self.critic.combine(hx, hy)


def view(features: Tensor, columns: Tensor, map_: Tensor | None) -> Tensor:
    """The ``columns`` (c,) of features (..., p), or the combinations ``map_`` (c, q) of them."""
    picked = features.index_select(-1, columns.to(features.device))
    return picked if map_ is None else (picked @ map_.to(features.device)).clamp(-FARTHEST, FARTHEST)
