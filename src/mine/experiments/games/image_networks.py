"""DCGAN's networks for small images, and a statistics network that looks at them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mine.critics.critic import Critic

__all__ = ["ImageCode", "ImageDiscriminator", "ImageGenerator"]

_SLOPE = 0.2


def _drawn(make: Any, *sizes: int, generator: torch.Generator, std: float = 0.02, **options: Any) -> Any:
    """A layer with weights from ``generator``, of DCGAN's standard deviation; its own would come from the global one."""
    layer: Any = nn.utils.skip_init(make, *sizes, **options)
    with torch.no_grad():
        layer.weight.normal_(std=std, generator=generator)
        if layer.bias is not None:
            layer.bias.zero_()
    return layer


class ImageGenerator(nn.Module):
    """Noise and code -> images from -1 to 1, by two transposed convolutions that double the size each.

    References:
        Radford, Metz & Chintala, 2016 (DCGAN, arXiv 1511.06434).

    Arguments:
        inputs: Length of noise and code together.
        size: Height and width, in pixels; a multiple of 4.
        channels: Of an image.
        width: Channels before the last layer; twice as many in the layer before.
        generator: Source of the weights.

    Example:
        >>> ImageGenerator(5, 8, 3, 4, torch.Generator())(torch.zeros(2, 5)).shape
        torch.Size([2, 3, 8, 8])
    """

    def __init__(self, inputs: int, size: int, channels: int, width: int, generator: torch.Generator) -> None:
        super().__init__()
        self.side = size // 4
        halve = {"kernel_size": 4, "stride": 2, "padding": 1}
        self.first = _drawn(nn.Linear, inputs, 2 * width * self.side**2, bias=False, generator=generator)
        self.middle = _drawn(nn.ConvTranspose2d, 2 * width, width, bias=False, generator=generator, **halve)
        self.last = _drawn(nn.ConvTranspose2d, width, channels, generator=generator, **halve)
        self.norms = nn.ModuleList([nn.BatchNorm2d(2 * width), nn.BatchNorm2d(width)])

    def forward(self, z: Tensor) -> Tensor:
        h = self.first(z).unflatten(1, (-1, self.side, self.side))
        h = F.relu(self.norms[0](h))
        h = F.relu(self.norms[1](self.middle(h)))
        return torch.tanh(self.last(h))


class ImageDiscriminator(nn.Module):
    """Images -> a logit each: positive where they look real.

    Arguments:
        size: Height and width, in pixels; a multiple of 4.
        channels: Of an image.
        width: Channels of the first layer; twice as many in the second.
        generator: Source of the weights.

    Example:
        >>> ImageDiscriminator(8, 3, 4, torch.Generator())(torch.zeros(2, 3, 8, 8)).shape
        torch.Size([2])
    """

    def __init__(self, size: int, channels: int, width: int, generator: torch.Generator) -> None:
        super().__init__()
        halve = {"kernel_size": 4, "stride": 2, "padding": 1}
        self.first = _drawn(nn.Conv2d, channels, width, generator=generator, **halve)
        self.middle = _drawn(nn.Conv2d, width, 2 * width, bias=False, generator=generator, **halve)
        self.norm = nn.BatchNorm2d(2 * width)
        self.last = _drawn(nn.Linear, 2 * width * (size // 4) ** 2, 1, generator=generator)

    def forward(self, images: Tensor) -> Tensor:
        h = F.leaky_relu(self.first(images), _SLOPE)
        h = F.leaky_relu(self.norm(self.middle(h)), _SLOPE)
        return self.last(h.flatten(1))[:, 0]


class ImageCode(Critic):
    """The statistics network of an image and a code: convolutions look at the image, the code joins what they found.

    The image's half is computed once a batch, however many shuffled codes it meets.

    Arguments:
        size: Height and width, in pixels; a multiple of 4.
        channels: Of an image.
        code: Length of a code.
        width: Channels of the first layer; twice as many in the second.
        hidden: Width of the two layers that see image and code.
        generator: Source of the weights.

    Example:
        >>> ImageCode(8, 3, 2, 4, 16, torch.Generator())(torch.zeros(5, 3, 8, 8), torch.zeros(5, 2)).shape
        torch.Size([5])
    """

    def __init__(self, size: int, channels: int, code: int, width: int, hidden: int, generator: torch.Generator) -> None:
        super().__init__()
        halve = {"kernel_size": 4, "stride": 2, "padding": 1}
        n_features = 2 * width * (size // 4) ** 2

        def std(fan_in: int) -> float:  # no norm by batch here: it would mix rows, so the scale has to be right
            return (2 / fan_in) ** 0.5

        self.first = _drawn(nn.Conv2d, channels, width, generator=generator, std=std(16 * channels), **halve)
        self.second = _drawn(nn.Conv2d, width, 2 * width, generator=generator, std=std(16 * width), **halve)
        self.of_image = _drawn(nn.Linear, n_features, hidden, generator=generator, std=std(2 * n_features))
        self.of_code = _drawn(nn.Linear, code, hidden, bias=False, generator=generator, std=std(2 * code))
        self.middle = _drawn(nn.Linear, hidden, hidden, generator=generator, std=std(hidden))
        self.last = _drawn(nn.Linear, hidden, 1, generator=generator, std=std(2 * hidden))

    def encode_x(self, x: Tensor) -> Tensor:
        h = F.leaky_relu(self.first(x), _SLOPE)
        return self.of_image(F.leaky_relu(self.second(h), _SLOPE).flatten(1))

    def encode_y(self, y: Tensor) -> Tensor:
        return self.of_code(y)

    def combine(self, hx: Tensor, hy: Tensor) -> Tensor:
        h = F.leaky_relu(hx + hy, _SLOPE)
        return self.last(F.leaky_relu(self.middle(h), _SLOPE))[:, 0]
