"""torch-mine: ``mine.training.train_critic``, the loop behind every neural method of the library."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmarks.speed.race import Clock, Race, contend, one_core
from mine import bounds
from mine.critics import ConcatCritic
from mine.training import Pairs, TrainingOptions, train_critic


def train(race: Race, clock: Clock, *, critics: int | None = None) -> None:
    """Train one critic, or a stack of ``critics``."""
    stack = () if critics is None else (critics,)
    x, y = (torch.from_numpy(a) for a in race.data())

    def bound(joint: Tensor, marginal: Tensor, state: Tensor | None) -> bounds.BoundResult:
        clock.tick()  # called once a step; the time between two ticks is that of a whole step
        return bounds.mine(joint, marginal, state)

    rows = torch.arange(race.rows).expand(*stack, race.rows)
    train_critic(
        ConcatCritic(race.dim, race.dim, race.hidden, stack=stack),
        bound,
        Pairs(x, y),
        rows,
        rows[..., :500],  # looked at before the first and after the last step, outside the time taken
        TrainingOptions(race.all_steps, race.batch, shuffles=1, learning_rate=1e-3, eval_every=race.all_steps),
        stop_rows=lambda joint, marginal: joint - marginal.exp().mean(-1),
        seed=0,
    )


if __name__ == "__main__":
    one_core()
    torch.set_num_threads(1)
    contend(train)
