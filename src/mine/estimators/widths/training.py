"""Training of bottleneck critics of all widths at once: the same batches for every width of a fold."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from mine.critics.bottleneck import BottleneckCritic
from mine.data.splits import Fold
from mine.estimators.folds import even_rows
from mine.training.loop import run_training
from mine.training.options import TrainingOptions

__all__ = ["log_ratios", "train_widths"]

#: The training, the passes through the training rows that it takes, and the fewest and most steps.
OPTIONS = TrainingOptions(batch_size=256, learning_rate=3e-3, weight_decay=0.1, eval_every=15, patience=8, averaging=0.1)
PASSES, STEPS = 30, (200, 450)
#: Validation rows that choose a critic's step.
MOST_VALIDATION = 400


def train_widths(
    critic: BottleneckCritic,
    x: Tensor,
    y: Tensor,
    folds: list[Fold],
    seed: int,
    *,
    steps: int | None = None,
    on_progress: Callable[[int, int, str], None] | None = None,
) -> None:
    """Train a stack of critics, those of all widths for the first fold, then those for the second, and so on.

    Arguments:
        critic: The stack; it keeps the weights of the best validation of each critic.
        x: Features of x, shape (n, dx).
        y: Features of y, shape (n, dy).
        folds: The folds.
        seed: Seed of the batches.
        steps: Number of steps; None lets the number of rows decide.
        on_progress: Called with (done, total, message) at each validation.
    """
    widths = critic.stack[0] // len(folds)
    train = even_rows([fold.train for fold in folds], seed, x.device)
    validation = even_rows([fold.validation for fold in folds], seed, x.device)[:, :MOST_VALIDATION]
    size = min(OPTIONS.batch_size, train.shape[-1])
    batches = _batches(train, size, torch.Generator(x.device).manual_seed(seed))

    def bound_rows(rows: Tensor) -> Tensor:
        sides = (side[rows].repeat_interleave(widths, 0) for side in (x, y))
        return log_ratios(critic.all_pairs(critic.encode_x(next(sides)), critic.encode_y(next(sides))))

    def take_step() -> Tensor:
        critic.zero_grad()
        value = bound_rows(next(batches)).mean(-1)
        (-value.sum()).backward()
        return value

    def validate() -> Tensor:
        with torch.no_grad():
            return bound_rows(validation)

    def report(step: int, total: int, bound: float) -> None:
        if on_progress is not None:
            on_progress(step, total, f"bottlenecks of 1 to {widths} numbers")

    steps = steps or int(np.clip(PASSES * train.shape[-1] / size, *STEPS))
    options = replace(OPTIONS, steps=steps)
    run_training(critic, options, stack=critic.stack, take_step=take_step, validate=validate, on_progress=report)


def log_ratios(scores: Tensor) -> Tensor:
    """Contribution of each row to InfoNCE, the mean of both directions, from scores (..., B, B): shape (..., B).

    >>> log_ratios(1e3 * torch.eye(4)).exp()
    tensor([4., 4., 4., 4.])
    """
    joint = scores.diagonal(dim1=-2, dim2=-1)
    return joint - 0.5 * (scores.logsumexp(-1) + scores.logsumexp(-2)) + math.log(scores.shape[-1])


def _batches(rows: Tensor, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Endless batches without replacement of the rows (F, n) of each fold: shape (F, size)."""
    while True:
        order = torch.rand(rows.shape, generator=generator, device=rows.device).argsort(-1)
        for start in range(0, rows.shape[-1] - size + 1, size):
            yield rows.gather(-1, order[:, start : start + size])
