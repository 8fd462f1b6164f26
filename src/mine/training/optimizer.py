"""AdamW with a warm-up and a cosine, without the cost of its class."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from mine.training.options import OptimizerLike, TrainingOptions
from mine.training.orthogonal import OrthogonalUpdates, updates_orthogonally

__all__ = ["AdamW", "optimizer_step"]

_fused_adamw: Any = torch.ops.aten._fused_adamw_.default


def optimizer_step(
    trainable: list[nn.Parameter], options: TrainingOptions, stack_dims: int, optimizer: OptimizerLike | None
) -> Callable[[int], None]:
    """The function that updates the parameters: our AdamW, with orthogonal updates if asked, or a user's own optimizer."""
    if optimizer is None and options.orthogonal_rate and not stack_dims:
        return _with_orthogonal(trainable, options)
    if optimizer is None:
        return AdamW(trainable, options, stack_dims).step
    users = optimizer if isinstance(optimizer, torch.optim.Optimizer) else optimizer(trainable)

    def update(step: int) -> None:
        users.step()

    return update


def _with_orthogonal(trainable: list[nn.Parameter], options: TrainingOptions) -> Callable[[int], None]:
    """Orthogonal updates of matrices, and AdamW for all else, at rates that rise and fall together."""
    matrices = [p for p in trainable if updates_orthogonally(p)]
    orthogonal = OrthogonalUpdates(matrices, options.orthogonal_rate, options.weight_decay)
    taken = set(map(id, matrices))
    others = [p for p in trainable if id(p) not in taken]
    adamw = AdamW(others, options, 0) if others else None
    factor = _warm_cosine(options)

    def update(step: int) -> None:
        if adamw is not None:
            adamw.step(step)
        orthogonal.step(factor(step - 1))

    return update


class AdamW:
    """AdamW that decays matrices, not biases and scales, at the rates of ``options``.

    On a CPU or a GPU of CUDA it calls the kernel below :class:`torch.optim.AdamW`: for small critics the class, its hooks and
    a scheduler take ten times as long as the update itself.
    """

    def __init__(self, trainable: list[nn.Parameter], options: TrainingOptions, stack_dims: int) -> None:
        matrices = [p for p in trainable if p.ndim - stack_dims > 1 and p.shape[-2] > 1]
        decayed = {id(p) for p in matrices}
        others = [p for p in trainable if id(p) not in decayed]
        self.groups = [(decay, group) for decay, group in ((options.weight_decay, matrices), (0.0, others)) if group]
        self.rate, self.factor = options.learning_rate, _warm_cosine(options)
        self.count = torch.zeros((), device=trainable[0].device)
        self.means, self.squares = ({p: torch.zeros_like(p) for p in trainable} for _ in range(2))
        self.plain: torch.optim.AdamW | None = None
        if trainable[0].device.type not in ("cpu", "cuda"):
            self.plain = torch.optim.AdamW([{"params": group, "weight_decay": decay} for decay, group in self.groups])

    def step(self, step: int) -> None:
        """Update by the gradients of step number ``step``, counted from 1; what has no gradient stays."""
        rate = self.rate * self.factor(step - 1)
        if self.plain is not None:
            for settings in self.plain.param_groups:
                settings["lr"] = rate
            self.plain.step()
            return
        with torch.no_grad():
            self.count += 1
            for decay, group in self.groups:
                reached = [p for p in group if p.grad is not None]
                _fused_adamw(
                    reached, [p.grad for p in reached], [self.means[p] for p in reached], [self.squares[p] for p in reached],
                    [], [self.count] * len(reached),
                    lr=rate, beta1=0.9, beta2=0.999, weight_decay=decay, eps=1e-8, amsgrad=False, maximize=False,
                )  # fmt: skip


def _warm_cosine(options: TrainingOptions) -> Callable[[int], float]:
    warm = max(1, int(options.warmup * options.steps))

    def factor(step: int) -> float:
        if step < warm:
            return (step + 1) / warm
        return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warm) / max(1, options.steps - warm))))

    return factor
