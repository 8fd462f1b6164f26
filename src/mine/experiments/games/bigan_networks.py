"""Encoder, generator and discriminator of a bidirectional GAN, dense or convolutional, all weights from a generator."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from mine.critics.networks import SeparableCritic
from mine.experiments.games.image_networks import ImageGenerator
from mine.experiments.games.refinements import waves

__all__ = [
    "ConvDiscriminator",
    "ConvEncoder",
    "ConvGenerator",
    "DecoderCritic",
    "Dense",
    "DenseEncoder",
    "DenseGenerator",
    "PairDiscriminator",
]

_SLOPE = 0.2


def _layer(kind: Any, *arguments: Any, generator: torch.Generator, **options: Any) -> Any:
    """A linear or convolutional layer whose outputs have the variance of its inputs, after a leaky ReLU."""
    layer: Any = nn.utils.skip_init(kind, *arguments, **options)  # its own values would come from the global generator
    limit = math.sqrt(6 / ((1 + _SLOPE**2) * layer.weight[0].numel()))
    with torch.no_grad():
        layer.weight.uniform_(-limit, limit, generator=generator)
        layer.bias.zero_()
    return layer


class Dense(nn.Module):
    """Linear layers with leaky ReLUs between them.

    Arguments:
        sizes: Of input, hidden layers and output.
        generator: Source of the weights.
        bounded: Whether the output goes through a tanh.
        batch_norm: Whether hidden layers are normalised by batch.
        standardised: Whether the output has mean 0 and variance 1 in every batch.
    """

    def __init__(
        self,
        sizes: list[int],
        generator: torch.Generator,
        *,
        bounded: bool = False,
        batch_norm: bool = False,
        standardised: bool = False,
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(_layer(nn.Linear, a, b, generator=generator) for a, b in pairwise(sizes))
        self.norms = nn.ModuleList(nn.BatchNorm1d(size) if batch_norm else nn.Identity() for size in sizes[1:-1])
        self.standard = nn.BatchNorm1d(sizes[-1], affine=False) if standardised else nn.Identity()
        self.bounded = bounded
        if bounded:  # near zero before a tanh, which passes little gradient where it starts black or white
            last: Any = self.layers[-1]
            with torch.no_grad():
                last.weight.mul_(0.1)

    def forward(self, h: Tensor) -> Tensor:
        *hidden, last = self.layers
        for layer, norm in zip(hidden, self.norms, strict=True):
            h = leaky_relu(norm(layer(h)), _SLOPE)
        out = self.standard(last(h))
        return torch.tanh(out) if self.bounded else out


class DecoderCritic(SeparableCritic):
    """``T(x, z) = (x . m(z) - |m(z)|^2 / 2) / spread^2``: how near x lies to what a dense network m makes of z.

    The log-ratio of a normal density around m(z), up to a function of x, which InfoNCE does not see. The fixed spread is what
    matters: a critic that may grow tells a batch's rows apart within a few hundred steps, InfoNCE is then at its end,
    ``log(shuffles + 1)``, and pushes no more. This one reads rows as if through noise of that size, has nats to gain until
    m(z) is x, and what it gains brings m, E and G each other's images.
    """

    def __init__(
        self, x_dim: int, z_dim: int, hidden: list[int], spread: float, generator: torch.Generator, *, bounded: bool
    ) -> None:
        nn.Module.__init__(self)  # two towers of its own
        self.decoder = Dense([z_dim, *hidden, x_dim], generator, bounded=bounded)
        self.spread = spread

    def encode_x(self, x: Tensor) -> Tensor:
        return torch.cat([x, x.new_ones(len(x), 1)], 1) / self.spread**2

    def encode_y(self, y: Tensor) -> Tensor:
        m = self.decoder(y)
        return torch.cat([m, -m.square().sum(1, keepdim=True) / 2], 1)


class DenseEncoder(nn.Module):
    """Rows, their waves and noise to codes, by a dense network.

    Arguments:
        x_dim: Length of a row.
        z_dim: Length of a code.
        hidden: Of the hidden layers.
        generator: Source of the weights.
        octaves: Of :func:`~.refinements.waves`.
        noise_dim: Length of the noise.
        batch_norm: As in :class:`Dense`.
        standardised: As in :class:`Dense`.
    """

    def __init__(
        self,
        x_dim: int,
        z_dim: int,
        hidden: list[int],
        generator: torch.Generator,
        *,
        octaves: int = 0,
        noise_dim: int = 0,
        batch_norm: bool = False,
        standardised: bool = False,
    ) -> None:
        super().__init__()
        self.octaves, self.noise_dim = octaves, noise_dim
        sizes = [x_dim * (1 + 2 * octaves) + noise_dim, *hidden, z_dim]
        self.network = Dense(sizes, generator, batch_norm=batch_norm, standardised=standardised)

    def forward(self, x: Tensor, noise: Tensor | None = None) -> Tensor:
        """Codes, shape (n, z_dim), of rows and of noise of shape (n, noise_dim), which is 0 if not given."""
        noise = x.new_zeros(len(x), self.noise_dim) if noise is None else noise
        return self.network(torch.cat([waves(x, self.octaves), noise], 1))


class DenseGenerator(nn.Module):
    """Codes and their waves to rows, by a dense network.

    Arguments:
        x_dim: Length of a row.
        z_dim: Length of a code.
        hidden: Of the hidden layers.
        generator: Source of the weights.
        octaves: Of :func:`~.refinements.waves`.
        bounded: As in :class:`Dense`.
        batch_norm: As in :class:`Dense`.
    """

    def __init__(
        self,
        x_dim: int,
        z_dim: int,
        hidden: list[int],
        generator: torch.Generator,
        *,
        octaves: int = 0,
        bounded: bool = False,
        batch_norm: bool = False,
    ) -> None:
        super().__init__()
        self.octaves = octaves
        self.network = Dense([z_dim * (1 + 2 * octaves), *hidden, x_dim], generator, bounded=bounded, batch_norm=batch_norm)

    def forward(self, z: Tensor) -> Tensor:
        return self.network(waves(z, self.octaves))


class PairDiscriminator(nn.Module):
    """Scores of pairs (x, z), by a dense network on both side by side, x with its waves."""

    def __init__(self, x_dim: int, z_dim: int, hidden: list[int], generator: torch.Generator, *, octaves: int = 0) -> None:
        super().__init__()
        self.octaves = octaves
        self.network = Dense([x_dim * (1 + 2 * octaves) + z_dim, *hidden, 1], generator)

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return self.network(torch.cat([waves(x, self.octaves), z], 1)).squeeze(1)


def _down(width: int, generator: torch.Generator) -> nn.ModuleList:
    """28 x 28 pixels to 7 x 7 with 2 ``width`` channels."""
    return nn.ModuleList(
        _layer(nn.Conv2d, a, b, 4, stride=2, padding=1, generator=generator) for a, b in pairwise([1, width, 2 * width])
    )


class ConvEncoder(nn.Module):
    """Rows of 784 pixels to codes, by two convolutions of stride 2 and dense layers, the hidden ones normalised by batch."""

    def __init__(self, z_dim: int, width: int, hidden: int, generator: torch.Generator, *, standardised: bool = False) -> None:
        super().__init__()
        self.down = _down(width, generator)
        self.norms = nn.ModuleList([nn.BatchNorm2d(width), nn.BatchNorm2d(2 * width)])
        self.head = Dense([98 * width, hidden, z_dim], generator, batch_norm=True, standardised=standardised)

    def forward(self, x: Tensor) -> Tensor:
        h = x.view(-1, 1, 28, 28)
        for layer, norm in zip(self.down, self.norms, strict=True):
            h = leaky_relu(norm(layer(h)), _SLOPE)
        return self.head(h.flatten(1))


class ConvGenerator(nn.Module):
    """Codes to rows of 784 pixels from -1 to 1, by DCGAN's generator."""

    def __init__(self, z_dim: int, width: int, generator: torch.Generator) -> None:
        super().__init__()
        self.network = ImageGenerator(z_dim, 28, 1, width, generator)

    def forward(self, z: Tensor) -> Tensor:
        return self.network(z).flatten(1)


class ConvDiscriminator(nn.Module):
    """Scores of pairs of 784 pixels and a code: features of both sides, then a dense network on both."""

    def __init__(self, z_dim: int, width: int, hidden: int, generator: torch.Generator) -> None:
        super().__init__()
        self.down = _down(width, generator)
        self.of_x = _layer(nn.Linear, 98 * width, hidden, generator=generator)
        self.of_z = _layer(nn.Linear, z_dim, hidden, generator=generator)
        self.head = Dense([2 * hidden, hidden, 1], generator)

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        h = x.view(-1, 1, 28, 28)
        for layer in self.down:
            h = leaky_relu(layer(h), _SLOPE)
        of_x = self.of_x(h.flatten(1))
        return self.head(leaky_relu(torch.cat([of_x, self.of_z(z)], 1), _SLOPE)).squeeze(1)
