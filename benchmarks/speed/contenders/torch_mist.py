"""torch-mist: its MINE estimator on a joint critic, by its own ``train_mi_estimator`` without logs or progress bars."""

from __future__ import annotations

import warnings

import torch
from torch_mist.estimators.discriminative.factories import mine
from torch_mist.utils.logging.logger.base import DummyLogger
from torch_mist.utils.train import train_mi_estimator

from benchmarks.speed.race import Clock, Race, contend, one_core


class TickingLogger(DummyLogger):
    """Its quietest logger, which it tells of the end of each step."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock

    def on_iteration_end(self) -> None:
        super().on_iteration_end()
        self.clock.tick()


def train(race: Race, clock: Clock) -> None:
    estimator = mine(x_dim=race.dim, y_dim=race.dim, hidden_dims=list(race.hidden), critic_type="joint", neg_samples=1)
    train_mi_estimator(
        estimator,
        race.data(),
        valid_percentage=0,
        batch_size=race.batch,
        max_iterations=race.all_steps,
        optimizer_class=torch.optim.Adam,
        optimizer_params={"lr": 1e-3},
        fast_train=True,
        verbose=False,
        logger=TickingLogger(clock),
    )


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    one_core()
    torch.set_num_threads(1)
    contend(train)
