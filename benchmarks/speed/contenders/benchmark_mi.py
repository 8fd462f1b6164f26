"""benchmark-mi: its own ``mine_training`` (JAX, the step compiled) on its own MLP."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from bmi.estimators.neural import _mine_estimator, _training_log
from bmi.estimators.neural._critics import MLP

from benchmarks.speed.race import Clock, Race, contend, one_core


def train(race: Race, clock: Clock) -> None:
    class TickingLog(_training_log.TrainingLog):
        """Its log, told of the value at the end of each step; reading the value waits for the step."""

        def log_train_mi(self, n_step: int, mi: jax.Array | float) -> None:
            super().log_train_mi(n_step, mi)
            clock.tick()

    _mine_estimator.TrainingLog = TickingLog
    x, y = (jnp.asarray(a) for a in race.data())
    key = jax.random.PRNGKey(0)
    _mine_estimator.mine_training(
        key,
        MLP(key, race.dim, race.dim, race.hidden),
        x,
        y,
        batch_size=race.batch,
        test_every_n_steps=race.all_steps + 1,
        max_n_steps=race.all_steps,
        early_stopping=False,
        learning_rate=1e-3,
        verbose=False,
    )


if __name__ == "__main__":
    one_core()
    contend(train)
