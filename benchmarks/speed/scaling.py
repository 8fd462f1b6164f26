"""(c) Seconds against the number of rows, of coordinates and of stacked critics."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable
from dataclasses import replace

import mine
from benchmarks.speed.contenders import torch_mine
from benchmarks.speed.race import Clock, Race

BASE = Race(batch=512, width=64, layers=3, steps=60, warmup=10)


def step_seconds(race: Race, critics: int | None = None, repeats: int = 3) -> float:
    """Seconds of CPU a training step, in this process; ``critics`` are stacked, None is one without a stack."""
    taken = []
    for _ in range(repeats):
        clock = Clock(race)
        torch_mine.train(race, clock, critics=critics)
        taken.append(clock.seconds_per_step())
    return statistics.median(taken)


def against_rows(rows: Iterable[int]) -> list[tuple[int, float]]:
    return [(n, step_seconds(replace(BASE, rows=n))) for n in rows]


def against_dim(dims: Iterable[int]) -> list[tuple[int, float]]:
    return [(d, step_seconds(replace(BASE, dim=d))) for d in dims]


def against_critics(counts: Iterable[int]) -> list[tuple[int, float]]:
    return [(m, step_seconds(BASE, critics=m)) for m in counts]


def estimate_seconds(rows: Iterable[int], dim: int = 5) -> list[tuple[int, float]]:
    """Seconds of CPU of a whole ``mine.estimate`` by the default method, on correlated normals."""
    out = []
    for n in rows:
        x, y = mine.datasets.correlated_normal(n, 0.7, dim, random_state=0)
        start = time.process_time()
        mine.estimate(x, y, random_state=0)
        out.append((n, time.process_time() - start))
    return out
