"""Critics that are networks: on the concatenated pair, and two towers with a dot product."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mine.critics.critic import Critic
from mine.errors import InputError

__all__ = ["MLP", "ConcatCritic", "Linear", "SeparableCritic", "activate"]

_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "leaky_relu": F.leaky_relu,
    "elu": F.elu,
    "silu": F.silu,
    "gelu": F.gelu,
    "tanh": torch.tanh,
}


def activate(h: Tensor, activation: str) -> Tensor:
    """``h`` after the activation of that name."""
    return _ACTIVATIONS[activation](h)


class Linear(nn.Module):
    """Affine map ``(*stack, B, n_in) -> (*stack, B, n_out)`` with a weight of its own for each critic in the stack."""

    def __init__(
        self,
        n_in: int,
        n_out: int,
        stack: tuple[int, ...],
        *,
        bias: bool = True,
        fan_in: int | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        limit = 1 / math.sqrt(max(1, fan_in or n_in))  # torch's own default for nn.Linear
        self.weight = nn.Parameter(torch.empty(*stack, n_in, n_out).uniform_(-limit, limit, generator=generator))
        self.bias = nn.Parameter(torch.empty(*stack, 1, n_out).uniform_(-limit, limit, generator=generator)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        if self.bias is None:
            return x @ self.weight
        if self.weight.ndim == 3 and x.ndim == 3:
            if self.weight.shape[-1] == 1:  # as a row: three times as fast as a column
                return torch.baddbmm(self.bias, self.weight.mT, x.mT).mT
            return torch.baddbmm(self.bias, x, self.weight)
        return x @ self.weight + self.bias

    def extra_repr(self) -> str:
        n_in, n_out = self.weight.shape[-2:]
        return f"{n_in}, {n_out}"


class MLP(nn.Module):
    """Hidden layers and a linear last one, which starts at zero when ``zero_last``; inputs may be pre-activations."""

    def __init__(
        self,
        sizes: Sequence[int],
        stack: tuple[int, ...],
        activation: str,
        *,
        activate_first: bool,
        zero_last: bool = False,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if activation not in _ACTIVATIONS:
            raise InputError(f"Unknown activation {activation!r}. Valid: {', '.join(_ACTIVATIONS)}.")
        self.activation = activation
        self.activate_first = activate_first
        self.layers = nn.ModuleList(Linear(a, b, stack, generator=generator) for a, b in itertools.pairwise(sizes))
        if zero_last:
            last: Any = self.layers[-1]
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def forward(self, h: Tensor, hidden: Callable[[Tensor], Tensor] | None = None) -> Tensor:
        """Scores of ``h``, which is overwritten when ``activate_first``: hand over a tensor that nobody else needs.

        ``hidden`` is applied to the activations of every hidden layer.
        """
        activation = _ACTIVATIONS[self.activation]
        for i, layer in enumerate(self.layers):
            if i or self.activate_first:
                h = F.relu(h, inplace=True) if activation is F.relu else activation(h)  # a fresh tensor costs three times that
                h = h if hidden is None else hidden(h)
            h = layer(h)
        return h


class ConcatCritic(Critic):
    r"""MLP on the concatenated pair, its first layer factored: ``W[x; y] = Wx x + Wy y``.

    References:
        The statistics network of Belghazi et al., 2018 (arXiv 1801.04062).

    Arguments:
        dx: Number of coordinates of x.
        dy: Number of coordinates of y.
        hidden: Widths of the hidden layers, at least one.
        activation: relu, leaky_relu, elu, silu, gelu or tanh.
        stack: ``(M,)`` for M independent critics, ``()`` for one.
        zero_init: Start the last layer at zero, so that the untrained critic scores 0 everywhere.
        generator: Source of the initial weights; None takes torch's global one.

    Example:
        >>> critic = ConcatCritic(2, 3, hidden=(16, 16))
        >>> critic(torch.randn(8, 2), torch.randn(8, 3)).shape
        torch.Size([8])
        >>> ConcatCritic(2, 3, stack=(5,))(torch.randn(5, 8, 2), torch.randn(5, 8, 3)).shape
        torch.Size([5, 8])
    """

    #: The rows that it scores, in words, for messages.
    takes: str = "rows of numbers"  # of a critic from an older file

    def __init__(
        self,
        dx: int,
        dy: int,
        hidden: Sequence[int] = (64, 64, 64),
        *,
        activation: str = "relu",
        stack: tuple[int, ...] = (),
        zero_init: bool = False,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if not hidden:
            raise InputError("hidden needs at least one layer, for example (64, 64).")
        self.stack = stack
        self.takes = f"rows of {dx} and of {dy} numbers"
        fan_in = dx + dy
        self.first_x = Linear(dx, hidden[0], stack, fan_in=fan_in, generator=generator)
        self.first_y = Linear(dy, hidden[0], stack, bias=False, fan_in=fan_in, generator=generator)
        self.rest = MLP((*hidden, 1), stack, activation, activate_first=True, zero_last=zero_init, generator=generator)

    def encode_x(self, x: Tensor) -> Tensor:
        return self.first_x(x)

    def encode_y(self, y: Tensor) -> Tensor:
        return self.first_y(y)

    def combine(self, hx: Tensor, hy: Tensor) -> Tensor:
        return self.rest(hx + hy).squeeze(-1)


class SeparableCritic(Critic):
    r"""Two towers and a dot product, ``T(x, y) = f(x) . g(y)``: every pair of a batch for the price of two encodings.

    References:
        van den Oord et al., 2018 (arXiv 1807.03748); Poole et al., 2019 (arXiv 1905.06922), section 3.

    Arguments:
        dx: Number of coordinates of x.
        dy: Number of coordinates of y.
        hidden: Widths of each tower's hidden layers.
        embed: Length of the embeddings f(x) and g(y).
        activation: relu, leaky_relu, elu, silu, gelu or tanh.
        stack: ``(M,)`` for M independent critics, ``()`` for one.
        generator: Source of the initial weights; None takes torch's global one.

    Example:
        >>> SeparableCritic(2, 3)(torch.randn(8, 2), torch.randn(8, 3)).shape
        torch.Size([8])
    """

    #: The rows that it scores, in words, for messages.
    takes: str = "rows of numbers"  # of a critic from an older file

    def __init__(
        self,
        dx: int,
        dy: int,
        hidden: Sequence[int] = (64, 64),
        *,
        embed: int = 32,
        activation: str = "relu",
        stack: tuple[int, ...] = (),
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.stack = stack
        self.takes = f"rows of {dx} and of {dy} numbers"
        self.tower_x = MLP((dx, *hidden, embed), stack, activation, activate_first=False, generator=generator)
        self.tower_y = MLP((dy, *hidden, embed), stack, activation, activate_first=False, generator=generator)

    def encode_x(self, x: Tensor) -> Tensor:
        return self.tower_x(x)

    def encode_y(self, y: Tensor) -> Tensor:
        return self.tower_y(y)

    def combine(self, hx: Tensor, hy: Tensor) -> Tensor:
        return (hx * hy).sum(-1)

    def all_pairs(self, hx: Tensor, hy: Tensor) -> Tensor:
        """Scores of every x with every y, shape ``(*stack, B, B)``."""
        return hx @ hy.mT
