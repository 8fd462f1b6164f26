"""The running averages of batch normalisation, protected from one wild batch as the critic's gradient is."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

__all__ = ["limit_running_averages"]

#: A batch counts with this many standard deviations from the average at most, and with the square of it in the variance.
_FURTHEST = 10.0
#: Batches that count in full at the beginning, where the averages are of nothing yet.
_FREE = 10


@torch.no_grad()
def limit_running_averages(part: nn.Module, before: dict[str, Tensor]) -> None:
    """Pull the running averages of a layer back to what one batch may change.

    A batch of huge numbers would else leave a variance that evaluation divides by for a hundred batches.

    Arguments:
        part: A module, changed only if it is a layer of batch or instance normalisation.
        before: Its buffers before the batch.
    """
    if not isinstance(part, _NormBase) or "running_var" not in before:
        return
    assert part.running_mean is not None and part.running_var is not None and part.num_batches_tracked is not None
    mean, var = before["running_mean"], before["running_var"]
    count = part.num_batches_tracked
    share = 1 / count.clamp(min=1).to(var.dtype) if part.momentum is None else torch.full_like(var[:1], part.momentum)
    share = torch.where(count <= _FREE, torch.inf, share)
    scale = var + part.eps
    part.running_var.copy_(torch.minimum(part.running_var, var + share * _FURTHEST**2 * scale))
    furthest = share * _FURTHEST * scale.sqrt()
    part.running_mean.copy_(torch.clamp(part.running_mean, mean - furthest, mean + furthest))
