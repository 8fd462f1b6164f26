"""The base class of all critics: two encoders and a combination.

``encode_x`` and ``encode_y`` do the work that depends on one side only, ``combine`` turns two encodings into scores. Shuffled
pairs then reuse the encodings: with K shuffles a batch costs one encoding and K + 1 combinations.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, Self, TypeAlias

from torch import Tensor, nn

from mine.errors import InputError

__all__ = ["Critic", "Encoding", "map_encoding"]

#: What an encoder gives: a tensor of shape ``(*stack, B, ...)``, or a nested tuple of such tensors.
Encoding: TypeAlias = "Tensor | tuple[Encoding, ...]"


class Critic(nn.Module):
    """Base class of the built-in critics: two encoders and a combination.

    Subclass it to write a critic of your own that shuffles cheaply, or pass any ``nn.Module`` taking ``(x, y)`` to
    ``mine.estimate(critic=...)``.
    """

    stack: tuple[int, ...] = ()

    def encode_x(self, x: Tensor) -> Encoding:
        """The part of the work that depends on x alone: tensors of shape ``(*stack, B, ...)``."""
        return x

    def encode_y(self, y: Tensor) -> Encoding:
        """The part of the work that depends on y alone: tensors of shape ``(*stack, B, ...)``."""
        return y

    def combine(self, hx: Any, hy: Any) -> Tensor:
        """Scores of paired encodings, shape ``(*stack, B)``."""
        raise NotImplementedError

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Scores of the pairs ``(x_i, y_i)``, shape ``(*stack, B)``."""
        return self.combine(self.encode_x(x), self.encode_y(y))

    def select(self, k: int) -> Self:
        """Critic ``k`` of a stack, as an independent copy without the stack dimension."""
        if not self.stack:
            raise InputError("select() needs a stacked critic, one made with stack=(M,).")
        out = copy.deepcopy(self)
        for module in out.modules():
            if isinstance(module, Critic):
                module.stack = ()
            for name, parameter in module._parameters.items():
                if parameter is not None:
                    picked = parameter.detach()[k].clone()
                    module._parameters[name] = nn.Parameter(picked, parameter.requires_grad)
            for name, buffer in module._buffers.items():
                if buffer is not None:
                    module._buffers[name] = buffer.detach()[k].clone()
        return out


def map_encoding(function: Callable[[Tensor], Tensor], encoding: Encoding) -> Encoding:
    """Apply ``function`` to every tensor of an encoding."""
    if isinstance(encoding, tuple):
        return tuple(map_encoding(function, part) for part in encoding)
    return function(encoding)
