"""Two functions of sequences with gradients written by hand: autograd's own take several times as long."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["largest_in_time", "shifted_sum"]


def shifted_sum(parts: Tensor, places: int) -> Tensor:
    """Sum of the contributions that meet at each time: shape (B, T, places x C) -> (B, T, C).

    Part p of time t belongs to time ``t - p + places // 2``; what would lie outside of the sequence is left out.

    Arguments:
        parts: Contributions of each time to its neighbours, the earliest one first.
        places: Number of parts, odd.

    >>> shifted_sum(torch.tensor([[[1.0, 10.0, 100.0], [2.0, 20.0, 200.0]]]), 3)
    tensor([[[210.],
             [ 21.]]])
    """
    return cast("Tensor", _ShiftedSum.apply(parts, places))


def largest_in_time(local: Tensor) -> Tensor:
    """The largest value over time, shape (B, T, C) -> (B, C); times that are equally large all get its gradient.

    >>> largest_in_time(torch.tensor([[[1.0, 5.0], [3.0, 2.0]]]))
    tensor([[3., 5.]])
    """
    return cast("Tensor", _LargestInTime.apply(local))


class _ShiftedSum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, parts: Tensor, places: int) -> Tensor:
        ctx.places = places
        beside, steps = places // 2, parts.shape[1]
        n_out = parts.shape[2] // places
        out = parts[..., beside * n_out : (beside + 1) * n_out].clone()
        for place in range(places):
            ahead = place - beside  # the part of time t + ahead belongs to time t
            if ahead and abs(ahead) < steps:
                own = parts[..., place * n_out : (place + 1) * n_out]
                to, of = slice(max(0, -ahead), steps - max(0, ahead)), slice(max(0, ahead), steps - max(0, -ahead))
                out[:, to] += own[:, of]
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor, None]:
        (grad,) = grads
        beside, steps = ctx.places // 2, grad.shape[1]
        padded = F.pad(grad, (0, 0, beside, beside))
        shifted = [padded[:, 2 * beside - place : 2 * beside - place + steps] for place in range(ctx.places)]
        return torch.cat(shifted, -1), None


class _LargestInTime(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, local: Tensor) -> Tensor:
        largest = local.amax(1)
        ctx.save_for_backward(local, largest)
        return largest

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Tensor:
        local, largest = ctx.saved_tensors
        # Compared in place as numbers: a comparison that gives booleans takes several times as long.
        return local.clone().eq_(largest.unsqueeze(1)).mul_(grads[0].unsqueeze(1))
