"""Two columns of labels: error, coverage and width of the interval, from 2 x 2 to every row its own level.

    python benchmarks/labels.py [--repeats 40] [--n 50,200,1000,10000] [--others] [--methods] [--output FILE]

One line per relation, number of levels, margin and n: truth, bias, spread, share of intervals that hold the truth, their median
width as a multiple of the parametric bootstrap of the true table (3.92 standard deviations of the plug-in value over tables
drawn from the truth), share of flagged estimates, milliseconds per estimate. All truths are closed forms or exact sums.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mine.estimators.counts.choose import information
from mine.estimators.counts.entropy import chao_wang_jost, miller_madow
from mine.estimators.counts.mixture import fit_ratios
from mine.estimators.counts.table import Table, distinct_codes

#: The relations that the targets are set for, and further ones.
GRID = ("independent", "renamed", "noisy copy", "function of")
OTHERS = ("independent of two", "little noise", "much noise", "noisy function", "rates of two", "ring")
LEVELS = ("2", "5", "20", "100", "500", "n/4", "n/2", "n")


@dataclass(frozen=True)
class Relation:
    """A joint distribution: ``p`` (k,) of x, and y drawn given x."""

    name: str
    p: np.ndarray

    @property
    def k(self) -> int:
        return len(self.p)

    def truth(self) -> float:
        """Mutual information in nats."""
        p = self.p
        match self.name:
            case "independent" | "independent of two":
                return 0.0
            case "renamed":
                return entropy(p)
            case "noisy copy" | "little noise" | "much noise":
                noise = NOISE[self.name]
                same = (1 - noise) * p + noise * p**2
                return float((same * np.log(same / p**2)).sum() + noise * (1 - (p**2).sum()) * math.log(noise))
            case "function of":
                return entropy(self._images())
            case "noisy function":
                q = self._images()
                hit = 0.8 + 0.2 * q
                return float((q * (hit * np.log(hit / q) + 0.2 * (1 - q) * math.log(0.2))).sum())
            case "rates of two":
                rate = self._rates()
                return binary(float(p @ rate)) - float(p @ np.array([binary(r) for r in rate]))
            case _:
                return math.log(self.k) - entropy(self._steps())  # uniform p only

    def draw(self, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Rows of x and y, both of shape (n,)."""
        x = rng.choice(self.k, n, p=self.p)
        match self.name:
            case "independent":
                return x, rng.choice(self.k, n, p=self.p)
            case "independent of two":
                return x, rng.integers(0, 2, n)
            case "renamed":
                return x, rng.permutation(self.k)[x]
            case "noisy copy" | "little noise" | "much noise":
                return x, np.where(rng.random(n) < NOISE[self.name], rng.choice(self.k, n, p=self.p), x)
            case "function of":
                return x, x % self._n_images()
            case "noisy function":
                q = self._images()
                return x, np.where(rng.random(n) < 0.2, rng.choice(len(q), n, p=q), x % self._n_images())
            case "rates of two":
                return x, (rng.random(n) < self._rates()[x]).astype(int)
            case _:
                return x, (x + rng.choice(self.k, n, p=self._steps())) % self.k

    def _n_images(self) -> int:
        return max(2, math.ceil(math.sqrt(self.k)))

    def _images(self) -> np.ndarray:
        return np.bincount(np.arange(self.k) % self._n_images(), self.p)

    def _rates(self) -> np.ndarray:
        return np.random.default_rng(99).beta(2, 2, self.k)

    def _steps(self) -> np.ndarray:
        distance = np.minimum(np.arange(self.k), self.k - np.arange(self.k))
        weight = np.exp(-distance / (0.1 * self.k))
        return weight / weight.sum()


NOISE = {"noisy copy": 0.3, "little noise": 0.1, "much noise": 0.6}


def entropy(p: np.ndarray) -> float:
    p = p[p > 0]
    return float(-(p * np.log(p)).sum())


def binary(rate: float) -> float:
    return -rate * math.log(rate) - (1 - rate) * math.log1p(-rate)


def margin(k: int, kind: str) -> np.ndarray:
    weight = np.ones(k) if kind == "uniform" else 1 / np.arange(1.0, k + 1)
    return weight / weight.sum()


@dataclass
class Cell:
    """What the repeats of one cell of the grid gave."""

    name: str
    kind: str
    n: int
    k: int
    truth: float
    values: np.ndarray
    low: np.ndarray
    high: np.ndarray
    flagged: float
    plain: np.ndarray
    seconds: float
    cells: int

    @property
    def coverage(self) -> float:
        return float(np.mean((self.low <= self.truth + 1e-9) & (self.truth <= self.high + 1e-9)))

    @property
    def width(self) -> float:
        """Median width as a multiple of the parametric bootstrap."""
        return float(np.median(self.high - self.low) / (3.92 * max(self.plain.std(ddof=1), 1e-9)))

    @property
    def dense(self) -> bool:
        """Whether the true table has five rows per cell or more."""
        return self.n >= 5 * self.cells

    def line(self) -> str:
        bias, spread = (self.values - self.truth).mean(), self.values.std(ddof=1)
        return (
            f"{self.name:<19} {self.kind:<7} {self.n:>6} {self.k:>6} {self.truth:>6.3f} {bias:>+7.3f} {spread:>6.3f} "
            f"{self.coverage:>5.2f} {self.width:>6.2f} {self.flagged:>5.2f} {1000 * self.seconds:>7.1f}"
        )


def measured(relation: Relation, kind: str, n: int, repeats: int) -> Cell | None:
    """One cell, or None if some draw has a constant column."""
    results, plain, seconds = [], [], 0.0
    for seed in range(repeats):
        rng = np.random.default_rng([seed, n, relation.k, sum(map(ord, relation.name + kind))])
        x, y = (distinct_codes(side) for side in relation.draw(n, rng))
        if not x.max() or not y.max():
            return None
        started = time.perf_counter()
        results.append(information(x, y))
        seconds += time.perf_counter() - started
        plain.append(results[-1].plug_in)
    columns = 2 if relation.name.endswith("two") else relation._n_images() if "function" in relation.name else relation.k
    return Cell(
        relation.name, kind, n, relation.k, relation.truth(), np.array([r.value for r in results]),
        np.array([r.low for r in results]), np.array([r.high for r in results]),
        float(np.mean([r.undersampled for r in results])), np.array(plain), seconds / repeats, relation.k * columns,
    )  # fmt: skip


def grid(names: tuple[str, ...], sizes: list[int], repeats: int) -> list[Cell]:
    """All cells, printed as they finish."""
    cells = []
    for n in sizes:
        for k in sorted({number_of_levels(word, n) for word in LEVELS}):
            for kind in ("uniform", "zipf"):
                for name in names:
                    if k > n or k < 2 or (name == "ring" and kind == "zipf"):
                        continue
                    few = max(repeats // (5 if n >= 10_000 else 2 if n >= 3000 else 1), 5)
                    cell = measured(Relation(name, margin(k, kind)), kind, n, few)
                    if cell is not None:
                        cells.append(cell)
    return cells


def number_of_levels(word: str, n: int) -> int:
    return n // int(word[2:] or 1) if word.startswith("n") else int(word)


def summary(cells: list[Cell], title: str) -> str:
    draws = np.array([len(c.values) for c in cells])
    coverage = np.array([c.coverage for c in cells])
    flagged = np.array([c.flagged >= 0.5 for c in cells])
    dense = [c for c in cells if c.dense]
    return (
        f"{title}: pooled coverage {np.average(coverage, weights=draws):.3f} over {draws.sum():,} estimates, "
        f"median width {np.median([c.width for c in cells]):.2f} of the parametric bootstrap's; "
        f"{int(((coverage < 0.8) & ~flagged).sum())} of {len(cells)} cells under 80 % without a flag; "
        f"flags in {np.mean([c.flagged for c in dense]):.1%} of {len(dense)} cells with five rows per cell or more; "
        f"slowest {max(c.seconds for c in cells):.3f} s"
    )


def compare(names: tuple[str, ...], sizes: list[int], repeats: int) -> list[str]:
    """Mean absolute error of estimators of the field on the same tables."""
    errors: dict[str, dict[str, list[float]]] = {name: {} for name in names}
    for n in sizes:
        for k in sorted({number_of_levels(word, n) for word in LEVELS}):
            for kind in ("uniform", "zipf"):
                for name in names:
                    if not 2 <= k <= n or (name == "ring" and kind == "zipf"):
                        continue
                    relation = Relation(name, margin(k, kind))
                    for seed in range(max(repeats // 8, 2)):
                        x, y = (distinct_codes(side) for side in relation.draw(n, np.random.default_rng([seed, n, k])))
                        if x.max() and y.max():
                            for method, value in every_method(x, y).items():
                                errors[name].setdefault(method, []).append(abs(value - relation.truth()))
    methods = list(next(iter(errors.values())))
    lines = [f"{'mean absolute error':<19} " + " ".join(f"{m:>15}" for m in methods)]
    lines += [f"{name:<19} " + " ".join(f"{np.mean(found[m]):>15.3f}" for m in methods) for name, found in errors.items()]
    return lines


def every_method(x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """Values of the estimators compared, in nats."""
    table, chosen = Table.of(x, y), information(x, y)
    parts = table.x.counts, table.y.counts, table.counts

    def difference(entropy_of: Callable[[np.ndarray], float]) -> float:
        a, b, c = (entropy_of(counts) for counts in parts)
        return a + b - c

    return {
        "chosen": chosen.value,
        "plug-in": chosen.plug_in,
        "Miller-Madow": difference(miller_madow),
        "Chao-Shen": difference(chao_shen),
        "Chao-Wang-Jost": difference(chao_wang_jost),
        "Grassberger": difference(grassberger),
        "James-Stein": james_stein(table),
        "NSB": nsb(table),
        "mixture": fit_ratios(table).value,
    }


def chao_shen(counts: np.ndarray) -> float:
    """Chao & Shen, 2003: coverage-adjusted, Horvitz-Thompson."""
    n, once = int(counts.sum()), int((counts == 1).sum())
    p = (1 - min(once, n - 1) / n) * counts / n
    return float(-(p * np.log(p) / (1 - (1 - p) ** n)).sum())


def grassberger(counts: np.ndarray) -> float:
    """Grassberger, 1988: digamma functions in place of logarithms."""
    from scipy.special import digamma

    n = int(counts.sum())
    return float((counts * (digamma(n) - digamma(counts))).sum() / n)


def james_stein(table: Table) -> float:
    """Hausser & Strimmer, 2009: the joint shares shrunk towards equal ones over the observed levels' cells."""
    n, size = table.n, len(table.x) * len(table.y)
    p, target = table.counts / n, 1 / size
    spread = float(((p - target) ** 2).sum()) + (size - len(p)) * target**2
    weight = 1.0 if not spread else min(1.0, (1 - float((p**2).sum())) / ((n - 1) * spread))
    joint, rest = (1 - weight) * p + weight * target, weight * target
    x, y = ((1 - weight) * side.counts / n + weight / len(side) for side in (table.x, table.y))
    occupied = -float((joint * np.log(joint)).sum())
    empty = 0.0 if not rest else -(size - len(p)) * rest * math.log(rest)
    return entropy(x) + entropy(y) - occupied - empty


def nsb(table: Table) -> float:
    """Nemenman, Shafee & Bialek, 2002, with the observed levels' cells as the alphabet."""
    size = len(table.x) * len(table.y)
    return (
        nsb_entropy(table.x.counts, len(table.x)) + nsb_entropy(table.y.counts, len(table.y)) - nsb_entropy(table.counts, size)
    )


def nsb_entropy(counts: np.ndarray, size: int) -> float:
    """Posterior mean entropy under Dirichlet priors mixed to be flat in the prior entropy."""
    from scipy.special import digamma, gammaln, polygamma

    n = int(counts.sum())
    beta = np.geomspace(1e-4 / size, 1e4, 200)
    value, times = np.unique(counts, return_counts=True)
    prior = size * polygamma(1, size * beta + 1) - polygamma(1, beta + 1)
    b = beta[:, None]
    likelihood = gammaln(size * beta) - gammaln(size * beta + n) + (times * (gammaln(value + b) - gammaln(b))).sum(1)
    zeros = size - len(counts)
    mean = digamma(n + size * beta + 1) - (
        (times * (value + b) * digamma(value + b + 1)).sum(1) + zeros * beta * digamma(beta + 1)
    ) / (n + size * beta)
    weight = np.exp(likelihood - likelihood.max()) * prior * beta
    return float((weight * mean).sum() / weight.sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=40)
    parser.add_argument("--n", default="50,200,1000,10000")
    parser.add_argument("--others", action="store_true", help="add relations that the targets are not set for")
    parser.add_argument("--methods", action="store_true", help="compare with estimators of the field instead")
    parser.add_argument("--output", type=Path, help="write the table to this file, too")
    options = parser.parse_args()
    sizes = [int(n) for n in options.n.split(",")]
    names = (*GRID, *OTHERS) if options.others else GRID
    if options.methods:
        lines = compare(names, sizes, options.repeats)
    else:
        cells = grid(names, sizes, options.repeats)
        head = (
            f"{'relation':<19} {'margin':<7} {'n':>6} {'levels':>6} {'truth':>6} {'bias':>7} {'sd':>6} "
            f"{'cover':>5} {'width':>6} {'flags':>5} {'ms':>7}"
        )
        lines = [head, *(cell.line() for cell in cells)]
        for name in names:
            lines.append(summary([c for c in cells if c.name == name], name))
        lines.append(summary([c for c in cells if c.name in GRID], "the grid"))
    text = "\n".join(lines)
    print(text)
    if options.output:
        options.output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
