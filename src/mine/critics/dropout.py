"""Dropout at an eighth of the random numbers."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["kept"]

_INT64 = torch.iinfo(torch.int64)


def kept(like: Tensor, dropout: float, generator: torch.Generator | None = None) -> Tensor:
    """Factors of the shape of ``like``: 0 with probability ``dropout`` (to 1/256), otherwise what keeps the mean.

    Drawing a number for each unit takes longer than the layer that they belong to; here one draw serves eight.

    >>> factors = kept(torch.empty(100, 100), 0.25)
    >>> [round(value, 3) for value in sorted(set(factors.flatten().tolist()))], abs(factors.mean().item() - 1) < 0.05
    ([0.0, 1.333], True)
    """
    out = round(256 * dropout)
    words = torch.empty((like.numel() + 7) // 8, dtype=torch.int64, device=like.device)
    numbers = words.random_(_INT64.min, None, generator=generator).view(torch.uint8)  # eight from each draw
    # Compared as numbers: a comparison that gives booleans takes four times as long.
    return numbers[: like.numel()].view(like.shape).to(like.dtype).ge_(out).mul_(256 / (256 - out))
