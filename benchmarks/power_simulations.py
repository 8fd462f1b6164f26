"""Power of the independence test on hyppo's simulations, next to distance correlation, HSIC and MGC.

    pip install hyppo
    python benchmarks/power_simulations.py --repeats 500 --nulls 1000 --out benchmarks/results/power_simulations.csv

The simulations of hyppo 0.5 at n = 100: with noise in one column, and without further noise in as many columns as leave the
best of the rivals about half power. A rival rejects if its statistic is above the 95 % quantile of independent data sets, made
by permuting y. The test of this library rejects if its p-value is at most 5 %. All see the same data sets.

A finished line is kept: the same command resumes.
"""

from __future__ import annotations

import argparse
import csv
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.spatial.distance import cdist

from mine import independence_test

RIVALS = ("distance correlation", "HSIC", "MGC")
#: Columns at which the best rival has about half power at n = 100, and rows in one column.
COLUMNS = {
    "linear": 1000,
    "exponential": 1000,
    "cubic": 700,
    "joint_normal": 10,
    "step": 20,
    "quadratic": 15,
    "w_shaped": 15,
    "spiral": 10,
    "uncorrelated_bernoulli": 100,
    "logarithmic": 100,
    "fourth_root": 20,
    "sin_four_pi": 3,
    "sin_sixteen_pi": 2,
    "square": 2,
    "two_parabolas": 10,
    "circle": 5,
    "ellipse": 5,
    "diamond": 4,
    "multiplicative_noise": 10,
    "multimodal_independence": 5,
}
#: Found in nearly every data set of 100 rows in one column: 30 rows leave something to compare.
EASY_IN_ONE_COLUMN = {
    "linear",
    "exponential",
    "cubic",
    "joint_normal",
    "step",
    "quadratic",
    "uncorrelated_bernoulli",
    "logarithmic",
    "multiplicative_noise",
}
#: Simulations without an argument for noise.
WITHOUT_NOISE = {"multiplicative_noise", "multimodal_independence"}


def cells() -> list[tuple[str, int, int]]:
    """(simulation, columns, rows) of every line, the many columns first."""
    wide = [(name, columns, 100) for name, columns in COLUMNS.items()]
    return wide + [(name, 1, 30 if name in EASY_IN_ONE_COLUMN else 100) for name in COLUMNS]


def draw(name: str, columns: int, rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """One data set of a simulation: hyppo draws from numpy's global generator, so that is where the seed goes."""
    from hyppo.tools import SIMULATIONS

    np.random.seed([seed, zlib.crc32(name.encode()), columns, rows])
    options = {} if name in WITHOUT_NOISE else {"noise": columns == 1}
    x, y = SIMULATIONS[name](rows, columns, **options)
    return np.asarray(x, np.float64), np.asarray(y, np.float64)


def rival_statistics() -> Callable[[np.ndarray, np.ndarray], list[float]]:
    """The statistics of the three rivals, on distances computed once."""
    from hyppo.independence import MGC, Dcorr, Hsic

    tests = Dcorr(compute_distance=None), Hsic(compute_kernel=None), MGC(compute_distance=None)

    def statistics(x: np.ndarray, y: np.ndarray) -> list[float]:
        far = [cdist(side, side) for side in (x, y)]
        grams = [np.exp(-(d**2) / (2 * np.median(d[d > 0]) ** 2)) for d in far]
        return [float(test.statistic(*sides)) for test, sides in zip(tests, (far, grams, far), strict=True)]

    return statistics


def measure(name: str, columns: int, rows: int, options: argparse.Namespace) -> dict[str, object]:
    """Share of the data sets in which each test rejects at 5 %."""
    statistics = rival_statistics()
    null = []
    for seed in range(options.nulls):
        x, y = draw(name, columns, rows, options.seed + 1_000_000 + seed)
        null.append(statistics(x, np.random.default_rng(seed).permutation(y)))
    critical = np.quantile(null, 0.95, axis=0)
    rejected = np.zeros(4)
    for seed in range(options.repeats):
        x, y = draw(name, columns, rows, options.seed + seed)
        rejected[:3] += np.array(statistics(x, y)) > critical
        test = independence_test(x, y, discrete=False, n_permutations=options.permutations, random_state=seed)
        rejected[3] += test.p_value <= 0.05
    shares = dict(zip((*RIVALS, "mine"), (rejected / options.repeats).round(3).tolist(), strict=True))
    return {"simulation": name, "columns": columns, "rows": rows, "data sets": options.repeats, **shares}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=500)
    parser.add_argument("--nulls", type=int, default=1000, help="independent data sets for the rivals' critical values")
    parser.add_argument("--permutations", type=int, default=199)
    parser.add_argument("--seed", type=int, default=0, help="first data set")
    parser.add_argument("--out", type=Path, required=True, help="CSV file, a line per simulation")
    options = parser.parse_args()
    done: set[tuple[str, str]] = set()
    if options.out.exists():
        with options.out.open(newline="") as file:
            done = {(line["simulation"], line["columns"]) for line in csv.DictReader(file)}
    for name, columns, rows in cells():
        if (name, str(columns)) in done:
            continue
        line = measure(name, columns, rows, options)
        print("  ".join(f"{key} {value}" for key, value in line.items()), flush=True)
        new = not options.out.exists()
        with options.out.open("a", newline="") as file:
            writer = csv.DictWriter(file, list(line))
            if new:
                writer.writeheader()
            writer.writerow(line)


if __name__ == "__main__":
    sys.exit(main())
