"""Critics for sides of many columns: a copula and a network with dropout, on a few numbers made of each side's features."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from mine.critics.critic import Critic, Encoding
from mine.critics.dropout import kept
from mine.critics.gaussian import GaussianCritic
from mine.critics.metric import MetricCritic, metric_matrix
from mine.critics.networks import MLP

__all__ = ["DropoutMetricCritic", "ViewCritic", "WideCritic", "view"]

#: Canonical coordinates beyond this are cut off, as in :mod:`mine.critics.copula_metric`.
FARTHEST = 6.0
#: Length of the codes that are compared by distance, and the scale at which canonical coordinates are corrected.
EMBED, BEND = 16, 0.3


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
        self.dropout, self.seed, self.draws = dropout, seed, 0

    def encode_x(self, x: Tensor) -> Tensor:
        return self._encode(self.tower_x, x)

    def encode_y(self, y: Tensor) -> Tensor:
        return self._encode(self.tower_y, y)

    def _encode(self, tower: MLP, h: Tensor) -> Tensor:
        if not self.training or not self.dropout:
            return tower(h)
        self.draws += 1
        generator = torch.Generator(h.device).manual_seed((self.seed << 24) + self.draws)
        return tower(h, lambda hidden: hidden * kept(hidden, self.dropout, generator))


class WideCritic(Critic):
    """A Gaussian copula whose canonical coordinates a network corrects, and next to it a critic by distance.

    ``T = s * base(u + f(x), v + g(y)) + network(x, y)``, with u and v the canonical coordinates: curved sides need coordinates
    that are bent a little, which a sum of two critics can hardly say. The network has dropout and reads the canonical
    coordinates, weighted by how far they correlate on rows that did not fit them, and the features themselves.

    Arguments:
        base: Gaussian copula, fixed, on the first ``dims`` features of each side.
        weights: Weight of each of its directions, shape ``(*stack, 1, r)``; see
            :func:`mine.critics.copula_metric.direction_weights`.
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
        base: GaussianCritic,
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
        self.register_buffer("weights", weights)
        self.weights: Tensor
        r = weights.shape[-1]
        options: Any = {"dropout": dropout, "activation": activation, "stack": self.stack, "generator": generator}
        self.network = DropoutMetricCritic(widths[0] + r, widths[1] + r, hidden, embed=EMBED + r, seed=seed, **options)
        self.scale = nn.Parameter(torch.ones(*self.stack, 1))
        self.register_buffer("gate", torch.zeros(*self.stack, 1))  # 0: the copula alone
        self.gate: Tensor

    def start_training(self) -> None:
        """From the copula alone, which has been validated, to the copula and a network."""
        self.gate.fill_(1.0)

    def encode_x(self, x: Tensor) -> Encoding:
        coordinates = self.base.encode_x(x[..., : self.dims[0]])
        return self._encoding(coordinates, self.network.encode_x(self._inputs(coordinates, x)))

    def encode_y(self, y: Tensor) -> Encoding:
        coordinates = self.base.encode_y(y[..., : self.dims[1]])
        return self._encoding(coordinates, self.network.encode_y(self._inputs(coordinates, y)))

    def _inputs(self, coordinates: Tensor, features: Tensor) -> Tensor:
        seen = (coordinates * self.weights).clamp(-FARTHEST, FARTHEST)
        return torch.cat([seen, features.expand(*seen.shape[:-1], features.shape[-1])], -1)

    def _encoding(self, coordinates: Tensor, codes: Tensor) -> Encoding:
        r = coordinates.shape[-1]
        return coordinates + self.gate.unsqueeze(-1) * BEND * codes[..., :r], codes[..., r:]

    def combine(self, hx: Any, hy: Any) -> Tensor:
        apart = hx[1][..., :EMBED] - hy[1][..., :EMBED]
        network = hx[1][..., EMBED] + hy[1][..., EMBED] - 0.5 * apart.square().sum(-1)
        return self.scale * self.base.combine(hx[0], hy[0]) + self.gate * network

    def all_pairs(self, hx: Any, hy: Any) -> Tensor:
        """Scores of every x with every y, shape ``(*stack, B, B)``."""
        base = self.base.all_pairs(hx[0], hy[0])
        return self.scale.unsqueeze(-1) * base + self.gate.unsqueeze(-1) * metric_matrix(hx[1], hy[1])


class ViewCritic(Critic):
    """A critic that reads some columns of the features of each side, or linear combinations of them.

    Arguments:
        critic: The critic behind it, without a stack.
        name: What it reads, in words.
        share: Factor of its scores; 0 scores every pair alike.
        x: Numbers of the features of x that it reads, shape (c,), and their map to what the critic takes, shape (c, q) or None.
        y: Likewise for y.
    """

    def __init__(
        self,
        critic: Critic,
        name: str,
        share: float,
        x: tuple[Tensor, Tensor | None],
        y: tuple[Tensor, Tensor | None],
    ) -> None:
        super().__init__()
        self.critic: Any = critic
        self.name, self.share = name, share
        self.mapped = (x[1] is not None, y[1] is not None)
        for side, (columns, map_) in (("x", x), ("y", y)):
            self.register_buffer(f"columns_{side}", columns)
            if map_ is not None:
                self.register_buffer(f"map_{side}", map_)
        self.columns_x: Tensor
        self.columns_y: Tensor
        self.map_x: Tensor
        self.map_y: Tensor

    def encode_x(self, x: Tensor) -> Encoding:
        return self.critic.encode_x(view(x, self.columns_x, self.map_x if self.mapped[0] else None))

    def encode_y(self, y: Tensor) -> Encoding:
        return self.critic.encode_y(view(y, self.columns_y, self.map_y if self.mapped[1] else None))

    def combine(self, hx: Any, hy: Any) -> Tensor:
        return self.share * self.critic.combine(hx, hy)


def view(features: Tensor, columns: Tensor, map_: Tensor | None) -> Tensor:
    """The ``columns`` (c,) of features (..., p), or the combinations ``map_`` (c, q) of them."""
    picked = features.index_select(-1, columns.to(features.device))
    return picked if map_ is None else (picked @ map_.to(features.device)).clamp(-FARTHEST, FARTHEST)
