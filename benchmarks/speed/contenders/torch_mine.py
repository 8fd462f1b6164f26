"""torch-mine: ``mine.training.loop.train_critic``, the loop behind every neural method of the library."""

from __future__ import annotations

from collections.abc import Callable

import torch

from benchmarks.speed.race import Clock, Race, contend, one_core
from mine import bounds
from mine.critics import ConcatCritic
from mine.training.loop import train_critic
from mine.training.options import TrainingOptions
from mine.training.pairs import Pairs


def train(race: Race, clock: Clock, *, critics: int | None = None) -> None:
    """Train one critic, or a stack of ``critics``."""
    stack = () if critics is None else (critics,)
    x, y = (torch.from_numpy(a) for a in race.data())

    rows = torch.arange(race.rows).expand(*stack, race.rows)

    def run(steps: int, on_progress: Callable[[int, int, float], None] | None = None) -> None:
        train_critic(
            ConcatCritic(race.dim, race.dim, race.hidden, stack=stack),
            bounds.mine,
            Pairs(x, y),
            rows,
            rows[..., :100],
            TrainingOptions(steps, race.batch, shuffles=1, learning_rate=1e-3, eval_every=steps),
            contributions=lambda joint, marginal: joint - marginal.exp().mean(-1),
            seed=0,
            on_progress=on_progress,
        )

    run(race.warmup)
    # Called after each validation: before the first step and after the last one. The last validation is part of the time.
    run(race.steps, lambda step, steps, value: clock.tick(steps if step else race.warmup))


if __name__ == "__main__":
    one_core()
    torch.set_num_threads(1)
    contend(train)
