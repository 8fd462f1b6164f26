"""Encoders of one side for critics of two towers: images, sequences and flat rows become a vector of features."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mine.critics.dropout import kept
from mine.critics.in_time import largest_in_time, shifted_sum
from mine.critics.networks import MLP, Linear, activate

__all__ = ["Convolution", "DenseHead", "FlatTower", "ImageTower", "SequenceHead", "SequenceTower", "TimeConvolution", "shifted"]

#: Channels of a convolution over images; largest side of the grid of their output; largest patch that becomes channels first.
IMAGE_CHANNELS, GRID, LARGEST_PATCH = 20, 7, 4
#: Images are shifted along an axis by at most one pixel for so many that it has: what has one column has no other place for it.
PIXELS_A_SHIFT = 8
#: Hidden units and channels at each time; codes per coded step, and the channels of the layer that bends them; the number of
#: steps that are coded; kernel of the codes at least.
TIME_HIDDEN, TIME_CHANNELS, CODES, BENT, CODED_STEPS, CODE_KERNEL = 64, 32, 8, 16, 16, 9
#: Scale of the last layers at the start.
START = 0.3


class Convolution(nn.Module):
    """A convolution over images (B, C, H, W), three pixels wide and padded by one, with weights drawn from ``generator``.

    Arguments:
        n_in: Input channels.
        n_out: Output channels.
        stride: Stride on both axes.
        generator: Source of the initial weights; None takes torch's global one.
    """

    def __init__(self, n_in: int, n_out: int, *, stride: int = 1, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.stride = stride
        limit = math.sqrt(3 / (9 * n_in))  # at torch's own, 1 / sqrt(9 n_in), four layers leave next to nothing of the rows
        self.weight = nn.Parameter(torch.empty(n_out, n_in, 3, 3).uniform_(-limit, limit, generator=generator))
        self.bias = nn.Parameter(torch.empty(n_out).uniform_(-limit, limit, generator=generator))

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight, self.bias, self.stride, 1)

    def output_size(self, size: Sequence[int]) -> tuple[int, ...]:
        """The height and width of the output for an input of ``size``."""
        return tuple((side - 1) // self.stride + 1 for side in size)


class TimeConvolution(nn.Module):
    """A convolution over time, (B, T, C) -> (B, T', C'), of whole stretches: those before, the present one, those after.

    One product of each stretch with the weights of all its places, summed where they meet: nothing is copied, and a step
    takes a third of the time of one that lays the overlapping windows side by side.

    Arguments:
        n_in: Input channels.
        n_out: Output channels.
        stride: Steps between two outputs, and the length of a stretch; T is padded by zeros to a multiple of it.
        kernel: Steps that an output sees at least; rounded up to an odd number of stretches.
        generator: Source of the initial weights.
    """

    def __init__(
        self, n_in: int, n_out: int, *, stride: int = 1, kernel: int = 1, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        self.stride, self.n_out = stride, n_out
        self.beside = max(0, -((stride - kernel) // (2 * stride)))  # stretches that are seen on either side
        places = 2 * self.beside + 1
        n_seen = stride * n_in
        self.linear = Linear(n_seen, places * n_out, (), bias=False, fan_in=places * n_seen, generator=generator)
        limit = 1 / math.sqrt(places * n_seen)
        self.bias = nn.Parameter(torch.empty(n_out).uniform_(-limit, limit, generator=generator))

    def forward(self, x: Tensor) -> Tensor:
        steps = self.output_steps(x.shape[1])
        x = F.pad(x, (0, 0, 0, steps * self.stride - x.shape[1]))
        parts = self.linear(x.reshape(len(x), steps, -1))
        return shifted_sum(parts, 2 * self.beside + 1) + self.bias

    def output_steps(self, steps: int) -> int:
        """T' for an input of ``steps``."""
        return -(-steps // self.stride)

    def work(self, steps: int) -> int:
        """Multiplications per row of ``steps`` steps."""
        return self.output_steps(steps) * self.linear.weight.numel()


class FlatTower(nn.Module):
    """Features of flat rows, or of rows of any shape that are flattened first.

    Arguments:
        dim: Numbers per row.
        hidden: Widths of the layers.
        dropout: Share of hidden units that are dropped in training.
        activation: As for :class:`mine.critics.ConcatCritic`.
        generator: Source of the initial weights.

    Attributes:
        n_features: Length of the features.
        work: Multiplications per row.
    """

    def __init__(
        self,
        dim: int,
        hidden: Sequence[int] = (256, 128),
        *,
        dropout: float = 0.0,
        activation: str = "relu",
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.dropout, self.activation = dropout, activation
        sizes = (dim, *hidden)
        self.layers = nn.ModuleList(
            MLP(pair, (), activation, activate_first=False, generator=generator) for pair in itertools.pairwise(sizes)
        )
        self.n_features = sizes[-1]
        self.work = sum(a * b for a, b in itertools.pairwise(sizes))

    def forward(self, x: Tensor) -> Tensor:
        h = x.flatten(1)
        for layer in self.layers:
            h = _dropped(activate(layer(h), self.activation), self)
        return h


class ImageTower(nn.Module):
    """Features of images ``(B, C, H, W)``, or ``(B, H, W)`` with one channel; further leading axes count as channels.

    Patches of pixels become channels, so that about two convolutions of stride 2 make the grid small; one more sees shapes, and
    a dense layer knows where on the grid a feature is. A side of 28 pixels becomes 14 patches, then a grid of 7.

    Arguments:
        event: Shape of a row: ``(C, H, W)`` or ``(H, W)``.
        hidden: Widths of the dense layers.
        dropout: Share of units that are dropped in training before and after the dense layers.
        shift: In training, images are shifted by up to so many pixels, and by at most an eighth of their size, along each axis;
            zeros move in. Afterwards the features are the mean over an image and its copies shifted by one pixel.
        activation: As for :class:`mine.critics.ConcatCritic`.
        generator: Source of the initial weights.

    Attributes:
        n_features: Length of the features.
        work: Multiplications per row.
    """

    def __init__(
        self,
        event: tuple[int, ...],
        hidden: Sequence[int] = (128,),
        *,
        dropout: float = 0.0,
        shift: int = 0,
        activation: str = "relu",
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.dropout, self.shift, self.activation = dropout, shift, activation
        self.channels = math.prod(event[:-2])
        self.patch = min(LARGEST_PATCH, max(1, math.ceil(min(event[-2:]) / (2 * GRID))))
        size = tuple(-(-side // self.patch) for side in event[-2:])
        strides = [2] * math.ceil(math.log2(max(size) / GRID)) or [1]
        channels, convolutions, self.work = self.channels * self.patch**2, [], 0
        for stride in (*strides, 1):
            convolution = Convolution(channels, IMAGE_CHANNELS, stride=stride, generator=generator)
            size = convolution.output_size(size)
            self.work += math.prod(size) * convolution.weight.numel()
            convolutions.append(convolution)
            channels = IMAGE_CHANNELS
        self.convolutions = nn.ModuleList(convolutions)
        self.dense = FlatTower(channels * math.prod(size), hidden, dropout=dropout, activation=activation, generator=generator)
        self.work += self.dense.work
        self.n_features = self.dense.n_features

    def forward(self, x: Tensor) -> Tensor:
        h = x.reshape(len(x), self.channels, *x.shape[-2:])
        most = [min(self.shift, side // PIXELS_A_SHIFT) for side in h.shape[-2:]]
        if self.training:
            return self._features(shifted(h, most))
        # What was learned from shifted images is more accurate on the mean of several than on one of them.
        down, right = (int(pixels > 0) for pixels in most)
        places = sorted({(0, 0), (-down, 0), (down, 0), (0, -right), (0, right)})
        return torch.stack([self._features(_moved(h, *place)) for place in places]).mean(0)

    def _features(self, h: Tensor) -> Tensor:
        padding = [-side % self.patch for side in h.shape[-2:]]
        if any(padding):
            h = F.pad(h, (0, padding[1], 0, padding[0]))
        if self.patch > 1:
            h = F.pixel_unshuffle(h, self.patch)
        h = h.contiguous(memory_format=torch.channels_last)  # convolutions take a third less time
        *first, last = self.convolutions
        for convolution in first:
            h = activate(convolution(h), self.activation)
        h = activate(last(h).contiguous(), self.activation)  # in the order of the dense layer, and its gradient too
        return self.dense(_dropped(h.flatten(1), self))


def _dropped(h: Tensor, layer: FlatTower | ImageTower | SequenceTower) -> Tensor:
    """``h`` with dropout while ``layer`` is trained."""
    return h * kept(h, layer.dropout) if layer.training and layer.dropout else h


def shifted(images: Tensor, most: Sequence[int]) -> Tensor:
    """Images (B, C, H, W), in eight parts, each moved by its own number of pixels up to ``most``, along H and along W."""
    if not any(most):
        return images
    parts = images.chunk(8)
    places = [torch.randint(-pixels, pixels + 1, (len(parts),)).tolist() for pixels in most]
    return torch.cat([_moved(part, *place) for part, *place in zip(parts, *places, strict=True)])


def _moved(images: Tensor, down: int, right: int) -> Tensor:
    """The images moved by so many pixels, zeros moving in."""
    if not down and not right:
        return images
    height, width = images.shape[-2:]
    padded = F.pad(images, (max(0, right), max(0, -right), max(0, down), max(0, -down)))
    return padded[..., max(0, -down) : max(0, -down) + height, max(0, -right) : max(0, -right) + width]


class SequenceTower(nn.Module):
    """What happens at each time of sequences ``(B, T, D)``, shape (B, T, channels); axes after the first are flattened into D.

    A small network that is the same at all times and sees one time only; what neighbouring times have to do with each other
    is for the head.

    Arguments:
        event: Shape of a row: ``(T, D)``.
        dropout: Share of units that are dropped in training.
        activation: As for :class:`mine.critics.ConcatCritic`.
        generator: Source of the initial weights.

    Attributes:
        steps: T.
        work: Multiplications per row.
    """

    def __init__(
        self,
        event: tuple[int, ...],
        *,
        dropout: float = 0.0,
        activation: str = "relu",
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.dropout, self.activation = dropout, activation
        self.steps = event[0]
        sizes = (math.prod(event[1:]), TIME_HIDDEN, TIME_CHANNELS)
        self.first, self.second = (Linear(a, b, (), generator=generator) for a, b in itertools.pairwise(sizes))
        self.work = self.steps * sum(a * b for a, b in itertools.pairwise(sizes))

    def forward(self, x: Tensor) -> Tensor:
        h = activate(self.first(x.flatten(2)), self.activation)
        return _dropped(activate(self.second(h), self.activation), self)


class DenseHead(nn.Module):
    """A linear map of features (B, F) to ``embed`` coordinates and one number, the score of the row itself.

    Arguments:
        n_features: F.
        embed: Number of coordinates.
        generator: Source of the initial weights.
    """

    def __init__(self, n_features: int, embed: int, *, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.embed = embed
        self.last = _small(MLP((n_features, embed + 1), (), "relu", activate_first=False, generator=generator))
        self.work = n_features * (embed + 1)

    def forward(self, features: Tensor) -> Tensor:
        return self.last(features)


class SequenceHead(nn.Module):
    """What happens at each time of a sequence, shape (B, T, channels), as coordinates and one number for the row itself.

    Codes along time come from a convolution with a stride, directly and through a layer of their own: they see the same
    things at all times and need few rows to be learned. A dense layer on the mean and the largest value over time, and on all
    codes unless these are coordinates themselves, gives coordinates of the whole. So does the mean of the bent codes: how much
    of a pattern there is, such as a frequency, whenever it occurs.

    Arguments:
        steps: T.
        hidden: Widths of the dense layers.
        embed: Number of coordinates of the whole.
        aligned: Whether the codes are coordinates themselves: two sequences of the same length are compared time by time.
        dropout: Share of units of the dense layers that are dropped in training.
        activation: As for :class:`mine.critics.ConcatCritic`.
        generator: Source of the initial weights.
    """

    def __init__(
        self,
        steps: int,
        hidden: Sequence[int],
        embed: int,
        *,
        aligned: bool,
        dropout: float = 0.0,
        activation: str = "relu",
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.aligned = aligned
        stride = max(1, steps // CODED_STEPS)
        kernel = max(CODE_KERNEL, 2 * stride + 1)
        self.codes = TimeConvolution(TIME_CHANNELS, CODES + 1 + BENT, stride=stride, kernel=kernel, generator=generator)
        self.of_bent = Linear(BENT, CODES + 1, (), generator=generator)
        coded = self.codes.output_steps(steps)
        n_codes = 0 if aligned else coded * (CODES + 1)
        n_pooled = 2 * TIME_CHANNELS + BENT
        self.dense = FlatTower(n_codes + n_pooled, hidden, dropout=dropout, activation=activation, generator=generator)
        self.whole = DenseHead(self.dense.n_features, embed, generator=generator)
        self.embed = embed + (coded * CODES if aligned else 0)
        self.activation = activation
        self.work = self.codes.work(steps) + self.dense.work + self.whole.work

    def forward(self, local: Tensor) -> Tensor:
        direct, bent = self.codes(local).split([CODES + 1, BENT], -1)
        bent = activate(bent, self.activation)
        codes = START * (direct + self.of_bent(bent))  # the critic starts small
        pooled = torch.cat([local.mean(1), largest_in_time(local), bent.mean(1)], 1)
        if not self.aligned:
            return self.whole(self.dense(torch.cat([pooled, codes.flatten(1)], 1)))
        whole = self.whole(self.dense(pooled))
        own = whole[:, -1:] + codes[..., -1].sum(1, keepdim=True)
        return torch.cat([codes[..., :-1].flatten(1), whole[:, :-1], own], 1)


Layer = TypeVar("Layer", bound=nn.Module)


def _small(layer: Layer) -> Layer:
    """A last layer whose weights start small: the critic too, but not one without slope."""
    with torch.no_grad():
        for p in layer.parameters():
            p.mul_(START)
    return layer
