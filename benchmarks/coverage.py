"""Bias, error and interval coverage of the default method on tasks with known information, and near independence.

    python benchmarks/coverage.py [--n 200,1000] [--draws 20] [--methods auto]

A line a task and n: mean error, spread, mean stderr, share of intervals that hold the truth, seconds an estimate. These tasks
calibrated the interval's width; they are not those of the published benchmark.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable

import numpy as np

import mine

Sampler = Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]


def independent(dim: int) -> Sampler:
    return lambda rng, n: (rng.normal(size=(n, dim)), rng.normal(size=(n, dim)))


def normal(rho: float, dim: int) -> Sampler:
    return lambda rng, n: mine.datasets.correlated_normal(n, rho, dim, rng)


def sine(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    x = rng.uniform(-math.pi, math.pi, n)
    return x, np.sin(2 * x) + 0.3 * rng.normal(size=n)


def circle(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    angle = rng.uniform(0, 2 * math.pi, n)
    return np.cos(angle) + 0.3 * rng.normal(size=n), np.sin(angle) + 0.3 * rng.normal(size=n)


def label(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    y = rng.integers(0, 3, n)
    return 1.5 * y + rng.normal(size=n), y.astype(str)


def sine_truth() -> float:
    x = np.linspace(-math.pi, math.pi, 2001)[:-1]
    y = np.linspace(-3, 3, 6001)
    density = _normal_density(y[:, None], np.sin(2 * x), 0.3).mean(1)
    return _entropy(density, y[1] - y[0]) - _normal_entropy(0.3)


def circle_truth() -> float:
    angle = np.linspace(0, 2 * math.pi, 2001)[:-1]
    grid = np.linspace(-3, 3, 601)
    step = grid[1] - grid[0]
    a, b = (_normal_density(grid[:, None], f(angle), 0.3) for f in (np.cos, np.sin))
    return _entropy(a.mean(1), step) + _entropy(b.mean(1), step) - _entropy(a @ b.T / len(angle), step**2)


def label_truth() -> float:
    grid = np.linspace(-8, 11, 20001)
    density = _normal_density(grid[:, None], 1.5 * np.arange(3), 1.0).mean(1)
    return _entropy(density, grid[1] - grid[0]) - _normal_entropy(1.0)


def _normal_density(x: np.ndarray, mean: np.ndarray, scale: float) -> np.ndarray:
    return np.exp(-0.5 * ((x - mean) / scale) ** 2) / (scale * math.sqrt(2 * math.pi))


def _entropy(density: np.ndarray, cell: float) -> float:
    return float(-(density * np.log(density + 1e-300)).sum() * cell)


def _normal_entropy(scale: float) -> float:
    return 0.5 * math.log(2 * math.pi * math.e * scale**2)


TASKS: dict[str, tuple[Sampler, float]] = {
    "independent 1-d": (independent(1), 0.0),
    "independent 5-d": (independent(5), 0.0),
    "normal .6 1-d": (normal(0.6, 1), mine.datasets.correlated_normal_mi(0.6, 1)),
    "normal .6 5-d": (normal(0.6, 5), mine.datasets.correlated_normal_mi(0.6, 5)),
    "normal .3 20-d": (normal(0.3, 20), mine.datasets.correlated_normal_mi(0.3, 20)),
    "sine": (sine, sine_truth()),
    "circle": (circle, circle_truth()),
    "label of three": (label, label_truth()),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", default="200,1000")
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--methods", default="auto")
    parser.add_argument("--tasks", default=",".join(TASKS))
    args = parser.parse_args()

    print(
        f"{'task':<16} {'n':>6} {'method':<9} {'truth':>6} {'bias':>7} {'mae':>6} {'sd':>6} {'stderr':>6} {'cover':>5} {'s':>5}"
    )
    covered: list[bool] = []
    for name in args.tasks.split(","):
        sample, truth = TASKS[name]
        for n in map(int, args.n.split(",")):
            for method in args.methods.split(","):
                started = time.perf_counter()
                runs = [
                    mine.estimate(*sample(np.random.default_rng(draw), n), method=method, random_state=draw)
                    for draw in range(args.draws)
                ]
                seconds = (time.perf_counter() - started) / args.draws
                errors = np.array([e.value - truth for e in runs])
                inside = [e.interval[0] <= truth <= e.interval[1] for e in runs]
                covered += inside
                print(
                    f"{name:<16} {n:>6} {method:<9} {truth:>6.3f} {errors.mean():>+7.4f} {np.abs(errors).mean():>6.4f} "
                    f"{errors.std():>6.4f} {np.mean([e.stderr for e in runs]):>6.4f} {np.mean(inside):>5.2f} {seconds:>5.1f}",
                    flush=True,
                )
    print(f"pooled coverage of the 95 % interval: {np.mean(covered):.3f} over {len(covered)} estimates")


if __name__ == "__main__":
    main()
