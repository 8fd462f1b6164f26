"""Power of the independence test at n = 500 against HSIC and distance correlation, both with permutations.

    python benchmarks/power.py --repeats 400

Five shapes, each at a noise where the better of the two classical tests rejects in half to four fifths of the data sets.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.spatial.distance import cdist

from mine import independence_test

Draw = Callable[[np.random.Generator, int, float], tuple[np.ndarray, np.ndarray]]
PERMUTATIONS = 199


def linear(rng: np.random.Generator, n: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    x = rng.normal(size=n)
    return x, x + noise * rng.normal(size=n)


def quadratic(rng: np.random.Generator, n: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    x = rng.uniform(-1, 1, n)
    return x, x**2 + noise * rng.normal(size=n)


def circle(rng: np.random.Generator, n: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    angle = rng.uniform(0, 2 * np.pi, n)
    return np.cos(angle) + noise * rng.normal(size=n), np.sin(angle) + noise * rng.normal(size=n)


def sine(rng: np.random.Generator, n: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    x = rng.uniform(-1, 1, n)
    return x, np.sin(4 * np.pi * x) + noise * rng.normal(size=n)


def checkerboard(rng: np.random.Generator, n: int, noise: float) -> tuple[np.ndarray, np.ndarray]:
    column = rng.integers(0, 4, n)
    row = 2 * rng.integers(0, 2, n) + column % 2
    x, y = column + rng.uniform(size=n), row + rng.uniform(size=n)
    return x + noise * rng.normal(size=n), y + noise * rng.normal(size=n)


#: Shape, and the noise at which it is measured.
SHAPES: dict[str, tuple[Draw, float]] = {
    "linear": (linear, 8.0),
    "quadratic": (quadratic, 1.8),
    "circle": (circle, 0.48),
    "sine": (sine, 1.4),
    "checkerboard": (checkerboard, 0.7),
}


def hsic_and_distance_correlation(x: np.ndarray, y: np.ndarray, seed: int) -> tuple[float, float]:
    """p-values of HSIC (Gaussian kernels, median bandwidth) and of distance covariance from the same permutations.

    References:
        Gretton et al., 2008, 'A kernel statistical test of independence'; Szekely et al., 2007, 'Measuring and testing
        dependence by correlation of distances'.
    """
    far_x, far_y = (cdist(s[:, None], s[:, None]) for s in (x, y))
    grams = [np.exp(-(far**2) / (2 * np.median(far[far > 0]) ** 2)) for far in (far_x, far_y)]
    pairs = [(_centred(a).astype(np.float32), _centred(b).astype(np.float32)) for a, b in (grams, (far_x, far_y))]
    rng = np.random.default_rng([seed, 1])
    orders = [np.arange(len(x)), *(rng.permutation(len(x)) for _ in range(PERMUTATIONS))]
    p = []
    for a, b in pairs:
        values = np.array([np.vdot(a, b[order][:, order]) for order in orders])
        p.append(float((1 + (values[1:] >= values[0]).sum()) / len(orders)))
    return p[0], p[1]


def _centred(gram: np.ndarray) -> np.ndarray:
    return gram - gram.mean(0) - gram.mean(1)[:, None] + gram.mean()


def measure(shape: str, repeats: int, n: int, noise: float | None = None, ours: bool = True) -> dict[str, float]:
    """Share of ``repeats`` data sets in which each test rejects at 5 %."""
    draw, usual = SHAPES[shape]
    noise = usual if noise is None else noise
    rejected = np.zeros(3)
    for seed in range(repeats):
        x, y = draw(np.random.default_rng([seed, 0]), n, noise)
        p = [*hsic_and_distance_correlation(x, y, seed), 1.0]
        if ours:
            p[2] = independence_test(x, y, n_permutations=PERMUTATIONS, random_state=seed).p_value
        rejected += np.array(p) <= 0.05
    return dict(zip(("HSIC", "distance correlation", "mine"), (rejected / repeats).round(3).tolist(), strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=400)
    parser.add_argument("-n", type=int, default=500)
    parser.add_argument("--shapes", nargs="*", default=list(SHAPES), choices=list(SHAPES))
    parser.add_argument("--out", type=Path, help="CSV file to write")
    options = parser.parse_args()
    lines = []
    for shape in options.shapes:
        lines.append({"shape": shape, "noise": SHAPES[shape][1], **measure(shape, options.repeats, options.n)})
        print("  ".join(f"{key} {value}" for key, value in lines[-1].items()), flush=True)
    if options.out is not None:
        with options.out.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(lines[0]))
            writer.writeheader()
            writer.writerows(lines)


if __name__ == "__main__":
    sys.exit(main())
