"""How a critic is trained, and the history of its training."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

import torch
from torch import nn

from mine.errors import warn_renamed

__all__ = ["History", "OptimizerLike", "TrainingOptions", "is_flat"]

OptimizerLike: TypeAlias = "torch.optim.Optimizer | Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]"


@dataclass(frozen=True)
class TrainingOptions:
    """How a critic is trained; the defaults belong to ``method='auto'``.

    Attributes:
        steps: Maximum number of optimiser steps.
        batch_size: Rows per step and critic.
        shuffles: Shuffled pairs per joint pair.
        learning_rate: Peak learning rate of AdamW, decayed by a cosine.
        weight_decay: Weight decay of AdamW, applied to weight matrices.
        eval_every: Steps between validations.
        patience: Validations without a better bound, in every critic, after which training ends.
        warmup: Share of the steps over which the learning rate rises.
        all_pairs: Take every pair of the batch, for a critic that has ``all_pairs``, where rows have no groups; ``shuffles``
            is then not used.
        bf16: Score training pairs under bfloat16 autocast, for GPUs whose matrix units use it; the bound, the
            validations and the evaluation stay in float32.
        orthogonal_rate: Peak rate of orthogonal updates of weight matrices and convolutions, for a critic without a stack; 0
            updates them by AdamW too. See :mod:`mine.training.orthogonal`.
        averaging: Validations and the result use a running average of the weights over about this share of all steps; 0 uses
            the weights as they are.
    """

    steps: int = 1000
    batch_size: int = 512
    shuffles: int = 2
    learning_rate: float = 1e-2
    weight_decay: float = 0.1
    eval_every: int = 25
    patience: int = 16
    warmup: float = 0.05
    orthogonal_rate: float = 0.0
    averaging: float = 0.0
    bf16: bool = False
    all_pairs: bool = False


@dataclass
class History:
    """The validations of a training run.

    Attributes:
        step: The step of each.
        train: Mean bound (nats) on the training batches since the one before; NaN for the first.
        validation: Bound (nats) on the validation rows.
        converged: Whether the bound had stopped rising before the last tenth of all steps.
        most_steps: Maximum number of steps of the training.
    """

    step: list[int] = field(default_factory=list)
    train: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    converged: bool = False
    most_steps: int = 0

    @property
    def stop(self) -> list[float]:
        """The old name of ``validation``."""
        warn_renamed("history.stop", "history.validation")
        return self.validation

    def add(self, step: int, train: float, validation: float) -> None:
        """Add one validation."""
        self.step.append(step)
        self.train.append(train)
        self.validation.append(validation)


def is_flat(bounds: list[float]) -> bool:
    """Whether the last tenth of the validations gained less than a hundredth of a nat (or 1 %)."""
    tail = max(1, len(bounds) // 10)
    before, after = max(bounds[:-tail], default=-math.inf), max(bounds[-tail:])
    return after - before < max(0.01, 0.01 * abs(after))
