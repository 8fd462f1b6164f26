"""The critic of the default method: a fitted copula, and a network that starts from the copula's directions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from mine.critics.critic import Critic, Encoding
from mine.critics.gaussian import GaussianCritic
from mine.critics.metric import MetricCritic

__all__ = ["CopulaMetricCritic", "SideLayout", "direction_weights"]

#: Canonical directions that the network is shown, and the dimension from which plain coordinates are shown more faintly.
MOST_DIRECTIONS, PLAIN_DIMENSION = 16, 8
#: Canonical coordinates beyond this are cut off: where columns are nearly collinear, rows that are not have enormous ones.
FARTHEST = 6.0
#: The base's share when training starts. From 1, the network would have to unlearn a wrong copula first; from here it finds
#: its own way, and the copula alone stays the critic to beat.
STARTING_SHARE = 0.1


@dataclass(frozen=True)
class SideLayout:
    """How the features of a side are laid out: ``dim`` ranked coordinates, ``dim`` scaled ones, ``norms``, then labels."""

    dim: int
    norms: int
    labels: int = 0

    @property
    def width(self) -> int:
        return 2 * self.dim + self.norms + self.labels

    def seen(self, directions: int) -> int:
        """Number of inputs that the network gets."""
        return directions + self.width + self.norms * (directions + self.dim)


class CopulaMetricCritic(Critic):
    r"""``T = s * base(x, y) + network(x, y)``: the base alone until :meth:`start_training`, then s from a tenth.

    The network reads a side's canonical coordinates weighted by how far they correlate on rows that did not fit them, its
    plain coordinates, fainter the more of them there are, and both times the side's norms. In 25 dimensions of which two
    matter, a network on plain coordinates learns the noise of the others first; norms and products with them are what
    a shared scale or a rotation that grows with the radius is made of.

    Arguments:
        base: Copula log-ratio, fixed, on the first ``dim`` features of each side.
        directions: Gaussian fitted to the same features: its canonical coordinates are the network's first inputs.
        weights: Weight of each direction, shape ``(*stack, 1, r)``; see :func:`direction_weights`.
        x: Layout of the features of x, ``y`` likewise.
        y: Layout of the features of y.
        hidden: Widths of the network.
        activation: Its activation.
        generator: Source of its initial weights.
    """

    def __init__(
        self,
        base: Critic,
        directions: GaussianCritic,
        weights: Tensor,
        x: SideLayout,
        y: SideLayout,
        *,
        hidden: tuple[int, ...] = (64, 64, 64),
        activation: str = "relu",
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.stack = base.stack
        self.base: Any = base.requires_grad_(False)
        keep = min(MOST_DIRECTIONS, weights.shape[-1])
        self.sides = (x, y)
        self.register_buffer("shift_x", directions.mean_x)
        self.register_buffer("shift_y", directions.mean_y)
        self.register_buffer("look_x", directions.map_x[..., :keep] * weights[..., :keep])
        self.register_buffer("look_y", directions.map_y[..., :keep] * weights[..., :keep])
        self.look_x: Tensor
        self.look_y: Tensor
        self.shift_x: Tensor
        self.shift_y: Tensor
        self.network = MetricCritic(
            x.seen(keep),
            y.seen(keep),
            hidden,
            activation=activation,
            stack=self.stack,
            generator=generator,
        )
        self.scale = nn.Parameter(torch.ones(*self.stack, 1))
        self.register_buffer("gate", torch.zeros(*self.stack, 1))  # 0: the copula alone
        self.gate: Tensor

    def start_training(self) -> None:
        """From the copula alone, which has been validated, to a network that may use it."""
        with torch.no_grad():
            self.scale.fill_(STARTING_SHARE)
            self.gate.fill_(1.0)

    def _inputs(self, features: Tensor, layout: SideLayout, shift: Tensor, look: Tensor) -> Tensor:
        d, faint = layout.dim, min(1.0, PLAIN_DIMENSION / max(1, layout.dim))
        directions = ((features[..., :d] - shift) @ look).clamp(-FARTHEST, FARTHEST)
        plain = features[..., :d] * faint
        parts = [directions, plain, features[..., d : 2 * d] * faint, features[..., 2 * d :]]
        for k in range(2 * d, 2 * d + layout.norms):
            length = features[..., k : k + 1]
            parts += [directions * length, plain * length]
        if any(p.shape[:-1] != directions.shape[:-1] for p in parts):  # a stack that shares its rows
            parts = [p.expand(*directions.shape[:-1], p.shape[-1]) for p in parts]
        return torch.cat(parts, -1)

    def encode_x(self, x: Tensor) -> Encoding:
        base, inputs = self.fixed_x(x)
        return base, self.network.encode_x(inputs)

    def encode_y(self, y: Tensor) -> Encoding:
        base, inputs = self.fixed_y(y)
        return base, self.network.encode_y(inputs)

    def fixed_x(self, x: Tensor) -> tuple[Encoding, Tensor]:
        """What training does not change: the base's encoding, and the network's inputs, shape ``(*stack, B, inputs)``."""
        side = self.sides[0]
        return self.base.encode_x(x[..., : side.dim]), self._inputs(x, side, self.shift_x, self.look_x)

    def fixed_y(self, y: Tensor) -> tuple[Encoding, Tensor]:
        """As :meth:`fixed_x`."""
        side = self.sides[1]
        return self.base.encode_y(y[..., : side.dim]), self._inputs(y, side, self.shift_y, self.look_y)

    def all_pairs(self, hx: Any, hy: Any) -> Tensor:
        """Scores of every x with every y, shape ``(*stack, B, B)``."""
        with torch.no_grad():
            base = self.base.all_pairs(hx[0], hy[0])
        return self.joined(base, self.network.all_pairs(hx[1], hy[1]))

    def combine(self, hx: Any, hy: Any) -> Tensor:
        return self.joined(self.base.combine(hx[0], hy[0]), self.network.combine(hx[1], hy[1]))

    def joined(self, base: Tensor, network: Tensor) -> Tensor:
        """Scores from those of the base and of the network, shape ``(*stack, B)`` or ``(*stack, B, K)``."""
        scale, gate = (t.view(*self.stack, *[1] * (base.ndim - len(self.stack))) for t in (self.scale, self.gate))
        return scale * base + gate * network


def direction_weights(gaussian: GaussianCritic, x: Tensor, y: Tensor) -> Tensor:
    """Squared correlations of the canonical coordinates on rows (m, dx), (m, dy) that did not fit them, the largest at 1.

    A direction that correlated by chance gets next to nothing. Shape (1, r).

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(4000, 3)); y = np.c_[x[:, :1] + rng.normal(size=(4000, 1)), rng.normal(size=(4000, 2))]
    >>> gaussian = GaussianCritic.fit(x[:2000], y[:2000])
    >>> direction_weights(gaussian, torch.tensor(x[2000:]), torch.tensor(y[2000:])).round(decimals=1)
    tensor([[1., 0., 0.]], dtype=torch.float64)
    """
    u, v = gaussian.encode_x(x), gaussian.encode_y(y)
    u, v = u - u.mean(0), v - v.mean(0)
    covariance = (u * v).mean(0, keepdim=True)
    correlation = covariance / (u.square().mean(0) * v.square().mean(0)).sqrt().clamp(min=1e-12)
    weight = correlation.clamp(min=0) ** 2
    return weight / weight.amax().clamp(min=0.05)
