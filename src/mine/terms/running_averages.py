"""The running averages of batch normalisation, protected from one wild batch as the critic's gradient is."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

__all__ = ["limited_running_averages"]

#: A batch counts with this many standard deviations from the average at most, and with the square of it in the variance.
_FURTHEST = 10.0
#: Batches that count in full at the beginning, where the averages are of nothing yet.
_FREE = 10


@torch.no_grad()
def limited_running_averages(part: nn.Module, before: dict[str, Tensor]) -> dict[str, Tensor]:
    """The running averages of a layer, as far as one batch may have changed them; by name, none for other modules.

    A batch of huge numbers would else leave a variance that evaluation divides by for a hundred batches.

    Arguments:
        part: A module, which stays as it is: the backward pass may need its buffers.
        before: Its buffers before the batch.
    """
    if not isinstance(part, _NormBase) or "running_var" not in before:
        return {}
    assert part.running_mean is not None and part.running_var is not None and part.num_batches_tracked is not None
    mean, var = before["running_mean"], before["running_var"]
    count = part.num_batches_tracked
    share = 1 / count.clamp(min=1).to(var.dtype) if part.momentum is None else torch.full_like(var[:1], part.momentum)
    share = torch.where(count <= _FREE, torch.inf, share)
    scale = var + part.eps
    furthest = share * _FURTHEST * scale.sqrt()
    return {
        "running_mean": torch.clamp(part.running_mean, mean - furthest, mean + furthest),
        "running_var": torch.minimum(part.running_var, var + share * _FURTHEST**2 * scale),
    }
