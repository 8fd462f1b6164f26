"""What every contender is given: the same rows, critic, batch and number of steps, on one core."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np

# This file is imported in the environments of the rivals too: nothing but numpy here.


@dataclass(frozen=True)
class Race:
    """A training run to be timed.

    Attributes:
        batch: Joint pairs a step; as many shuffled pairs.
        width: Units of each hidden layer.
        layers: Hidden layers, ReLU between them, one linear output.
        steps: Steps that are timed.
        rows: Rows of the data.
        dim: Coordinates of x, and of y.
        warmup: Steps before the clock starts; compilation falls in here.
    """

    batch: int
    width: int
    layers: int = 2
    steps: int = 500
    rows: int = 10_000
    dim: int = 5
    warmup: int = 20

    @property
    def hidden(self) -> tuple[int, ...]:
        return (self.width,) * self.layers

    @property
    def all_steps(self) -> int:
        return self.warmup + self.steps

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Normal x and y, float32, shape (rows, dim), whose i-th coordinates correlate by 0.7."""
        rng = np.random.default_rng(0)
        x = rng.normal(size=(self.rows, self.dim))
        y = 0.7 * x + (1 - 0.7**2) ** 0.5 * rng.normal(size=x.shape)
        return x.astype(np.float32), y.astype(np.float32)

    def to_json(self) -> str:
        return json.dumps(asdict(self))


class Clock:
    """Counts steps; takes the CPU time from the end of the warm-up to the last step.

    On one core CPU time is the wall time, less what other programs took. What a contender does before its first step (splits,
    checks, compilation) and after its last one is left out.
    """

    def __init__(self, race: Race) -> None:
        self.race = race
        self.steps = 0
        self.began = self.ended = 0.0

    def tick(self, steps: int = 1) -> None:
        """So many steps more are finished."""
        self.steps += steps
        if self.steps == self.race.warmup:
            self.began = time.process_time()
        elif self.steps == self.race.all_steps:
            self.ended = time.process_time()

    def seconds_per_step(self) -> float:
        """Seconds a step; a run that stopped early or went on is an error, not a number."""
        if self.steps != self.race.all_steps or not self.began or not self.ended:
            raise RuntimeError(f"{self.steps} steps instead of {self.race.all_steps}")
        return (self.ended - self.began) / self.race.steps


def one_core() -> None:
    """Keep this process on one core: whatever pool a library starts, it cannot use two."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def contend(train: Callable[[Race, Clock], None]) -> None:
    """The main function of a contender: train as told on the command line, print the result as the last line."""
    race = Race(**json.loads(sys.argv[1]))
    clock = Clock(race)
    train(race, clock)
    print(json.dumps({"seconds_per_step": clock.seconds_per_step()}))
