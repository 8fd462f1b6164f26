"""Conditional test with labels on a side: level under strong common causes, and power beside a test that knows p(x | z).

python benchmarks/conditional_level.py --repeats 400 [--first 10000] [--only WORD] [--power]

The causes have slope 3: the log-odds of a label are 3 times a standard normal function of z. `--first` is the first seed.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from mine import independence_test

SLOPE = 3.0
STRENGTHS = (0.1, 0.2, 0.4)


@dataclass(frozen=True)
class Cell:
    """``levels`` of the two sides, 0 for numbers; ``curve`` is how their common cause depends on z."""

    n: int
    dz: int
    levels: tuple[int, int]
    curve: str = "line"

    @property
    def name(self) -> str:
        sides = " and ".join("numbers" if k == 0 else f"{k} levels" for k in self.levels)
        return f"n = {self.n:,}, {self.dz} of z, {sides}, {self.curve}"

    def cause(self, z: np.ndarray) -> np.ndarray:
        along = z.sum(1) / np.sqrt(self.dz)
        if self.curve == "sine":
            return np.sqrt(2) * np.sin(2 * along)
        if self.curve == "edge":
            return np.sign(z).prod(1)
        return along

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        z = rng.normal(size=(self.n, self.dz))
        x, y = (self._side(rng, SLOPE * self.cause(z), levels) for levels in self.levels)
        return x, y, z

    def _side(self, rng: np.random.Generator, log_odds: np.ndarray, levels: int) -> np.ndarray:
        if not levels:
            return log_odds + rng.normal(size=self.n)
        cuts = np.linspace(-2.5, 2.5, levels - 1) if levels > 2 else np.zeros(1)
        return np.searchsorted(cuts, log_odds + rng.logistic(size=self.n)).astype(str)


CELLS = [
    Cell(150, 1, (2, 2)),
    Cell(150, 3, (5, 2)),
    Cell(300, 2, (3, 3)),
    Cell(500, 1, (5, 5)),
    Cell(500, 2, (2, 2), "edge"),
    Cell(1000, 1, (2, 2), "sine"),
    Cell(3000, 3, (2, 2)),
    Cell(300, 1, (2, 0)),
    Cell(1000, 3, (3, 0)),
    Cell(500, 1, (2, 0), "sine"),
]


def knowing(rng: np.random.Generator, x: np.ndarray, y: np.ndarray, p: np.ndarray, n_draws: int) -> float:
    """p-value of a test of binary labels that knows p(x | z) and p(y | z) under independence, and redraws x."""
    left = y - p
    observed = abs(float(((x - p) * left).sum()))
    drawn = np.abs(((rng.random((n_draws, len(p))) < p) - p) @ left)
    return float((drawn >= observed).sum() + 1) / (n_draws + 1)


def level(options: argparse.Namespace) -> None:
    rates = []
    for cell in CELLS:
        if options.only and options.only not in cell.name:
            continue
        p = []
        for seed in range(options.first, options.first + options.repeats):
            x, y, z = cell.draw(np.random.default_rng([seed, cell.n]))
            p.append(independence_test(x, y, z, n_permutations=options.permutations, random_state=seed).p_value)
        rates.append(np.mean(np.array(p) <= 0.05))
        print(f"{cell.name:50} {rates[-1]:6.1%} of {len(p)} at 5 %", flush=True)
    print(f"{'pooled':50} {np.mean(rates):6.1%}")


def power(options: argparse.Namespace) -> None:
    cell = Cell(500, 1, (2, 2))
    for strength in STRENGTHS:
        found = np.zeros(2)
        for seed in range(options.first, options.first + options.repeats):
            rng = np.random.default_rng([seed, 1])
            z = rng.normal(size=(cell.n, 1))
            p = expit(SLOPE * cell.cause(z))
            x, other = rng.random((2, cell.n)) < p
            y = np.where(rng.random(cell.n) < strength, x, other)
            test = independence_test(x, y, z, n_permutations=options.permutations, random_state=seed)
            found += test.p_value <= 0.05, knowing(rng, x, y, p, options.permutations) <= 0.05
        ours, known = found / options.repeats
        print(f"y copies x in {strength:.0%} of the rows: {ours:6.1%}, knowing p(x | z) {known:6.1%}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=400)
    parser.add_argument("--first", type=int, default=10_000)
    parser.add_argument("--permutations", type=int, default=199)
    parser.add_argument("--only", default="")
    parser.add_argument("--power", action="store_true")
    options = parser.parse_args()
    (power if options.power else level)(options)


if __name__ == "__main__":
    sys.exit(main())
