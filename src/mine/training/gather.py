"""The same gradient on many processes as on one: rows and scores are gathered, losses are never averaged.

The logarithm of a mean is not the mean of logarithms, so a bound cannot be computed rank by rank. Every rank scores its own
rows of x against the y of all ranks, the scores are gathered, and each rank computes the bound of the whole batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor, nn

__all__ = ["Rows", "average_over_ranks", "copy_from_first_rank", "gather_rows", "rows_of_all_ranks", "world_size"]


class Rows(NamedTuple):
    """Where a rank's rows lie in the joined batch."""

    sizes: list[int]
    start: int

    @property
    def total(self) -> int:
        return sum(self.sizes)


def world_size() -> int:
    """Number of processes that train together, 1 without ``torch.distributed``."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rows_of_all_ranks(n: int, device: torch.device) -> Rows:
    """Every rank sends how many rows it has; the last batch of an epoch may be shorter on some."""
    if world_size() == 1:
        return Rows([n], 0)
    mine = torch.tensor([n], device=device)
    counts = [torch.empty_like(mine) for _ in range(world_size())]
    dist.all_gather(counts, mine)
    sizes = [int(count) for count in counts]
    return Rows(sizes, sum(sizes[: dist.get_rank()]))


class _Gather(torch.autograd.Function):
    """Rows of all ranks, in the order of the ranks. Backward adds up what all ranks ask of a row.

    The objective is then the sum of the ranks' equal losses, and DistributedDataParallel, which divides by their number,
    leaves the gradient of one.
    """

    @staticmethod
    def forward(ctx: Any, own: Tensor, rows: Rows) -> Tensor:
        ctx.rows, ctx.n = rows, len(own)
        longest = max(rows.sizes)
        padded = own.new_zeros(longest, *own.shape[1:])  # a collective wants equal shapes
        padded[: len(own)] = own
        parts = [torch.empty_like(padded) for _ in rows.sizes]
        dist.all_gather(parts, padded)
        return torch.cat([part[:n] for part, n in zip(parts, rows.sizes, strict=True)])

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor, None]:
        total = grads[0].clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total[ctx.rows.start : ctx.rows.start + ctx.n], None


def gather_rows(own: Tensor, rows: Rows) -> Tensor:
    """``own`` (n, ...) of every rank below each other, shape (N, ...), with the gradient of the joined batch."""
    if len(rows.sizes) == 1:
        return own
    gathered: Any = _Gather.apply(own, rows)
    return gathered


def average_over_ranks(gradients: Sequence[Tensor | None]) -> None:
    """Replace gradients by their mean over the ranks, in place; as DistributedDataParallel does."""
    if world_size() == 1:
        return
    for gradient in gradients:
        if gradient is not None:
            dist.all_reduce(gradient)
            gradient /= world_size()


def copy_from_first_rank(module: nn.Module) -> None:
    """Give every rank the weights of rank 0."""
    if world_size() > 1:
        with torch.no_grad():
            for tensor in (*module.parameters(), *module.buffers()):
                dist.broadcast(tensor, 0)
