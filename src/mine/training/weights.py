"""Which weights a critic keeps: the running average, and the weights of its best validation."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mine.training.options import TrainingOptions

__all__ = ["Average", "BestWeights"]


class Average:
    """Running average of the weights over the last ``averaging`` share of the steps: it removes the jumps of a high rate."""

    def __init__(self, live: list[nn.Parameter], options: TrainingOptions) -> None:
        self.live = live
        self.mean = [p.detach().clone() for p in live]
        self.horizon = max(1.0, options.averaging * options.steps)

    def update(self, step: int) -> None:
        weight = max(1 / step, 1 / self.horizon)
        for p, mean in zip(self.live, self.mean, strict=True):
            mean.lerp_(p.detach(), weight)

    def swap(self) -> None:
        """Exchange the live weights and their average."""
        for p, mean in zip(self.live, self.mean, strict=True):
            p.data, mean.data = mean.data, p.data


class BestWeights:
    """Best weights so far, kept separately for each critic of a stack.

    Later weights must beat the best by half a standard error of the paired difference over the validation rows, and by half a
    nat over their number: on a handful of rows the highest of many noisy validations is an overfitted critic.
    """

    def __init__(self, model: nn.Module, stack_dims: int) -> None:
        self.stack_dims = stack_dims
        self.live = [t for t in (*model.parameters(), *model.buffers()) if t.ndim >= stack_dims]
        self.best = [t.detach().clone() for t in self.live]
        self.rows: Tensor | None = None
        self.step: Tensor | None = None

    def update(self, rows: Tensor, step: int) -> bool:
        """Keep the live weights of every critic whose bound, the mean of ``rows`` (*stack, n), rose; True if any did."""
        rows = torch.nan_to_num(rows.detach(), nan=-1e30)
        if self.rows is None or self.step is None:
            self.rows, self.step = rows.clone(), torch.full(rows.shape[:-1], step, device=rows.device)
            return True
        n = rows.shape[-1]
        gain = rows - self.rows
        better = gain.mean(-1) > 0.5 * gain.std(-1, correction=0) / n**0.5 + 0.5 / n
        if bool(better.any()):
            for live, best in zip(self.live, self.best, strict=True):
                mask = better.reshape(better.shape + (1,) * (live.ndim - self.stack_dims))
                best.copy_(torch.where(mask, live.detach(), best))
            self.step = torch.where(better, torch.full_like(self.step, step), self.step)
            self.rows = torch.where(better.unsqueeze(-1), rows, self.rows)
        return bool(better.any())

    def restore(self) -> None:
        with torch.no_grad():
            for live, best in zip(self.live, self.best, strict=True):
                live.copy_(best)

    def last_step(self) -> float:
        return 0.0 if self.step is None else float(self.step.max())
