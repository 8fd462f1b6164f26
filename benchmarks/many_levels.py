"""Labels of many levels on one side, numbers on the other: bias, coverage and width of the interval of ``auto``.

    python benchmarks/many_levels.py [--draws 10] [--n 300,1000,10000] [--seed 0] [--output FILE]

One line per relation, margin, n and number of levels: truth, bias, spread, share of intervals that hold the truth, their median
width and the entropy of the labels, share of estimates with a warning, seconds of one core. In each draw the levels' means are
new, and the truth is that of these levels: the mean of the exact log-ratio over 20,000 fresh rows.
"""

from __future__ import annotations

import argparse
import math
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import logsumexp

import mine

#: Rows per level, of uniform levels, whose number follows from n.
ROWS_PER_LEVEL = (2, 5, 15)


@dataclass(frozen=True)
class Relation:
    """Numbers ``mean of the level + noise`` of so many columns, the first of spread ``signal``, further ones of half of it."""

    name: str
    signal: float
    columns: int = 1
    noise: str = "normal"
    effect: str = "normal"


RELATIONS = (
    Relation("independent", 0.0),
    Relation("independent, 3 columns", 0.0, 3),
    Relation("weak", 0.3),
    Relation("as strong as noise", 1.0),
    Relation("strong", 3.0),
    Relation("nearly names it", 20.0),
    Relation("3 columns", 1.0, 3),
    Relation("Laplace noise", 1.5, noise="laplace"),
    Relation("uniform noise", 1.5, noise="uniform"),
    Relation("four kinds of level", 1.5, effect="kinds"),
    Relation("skewed means", 1.5, effect="skewed"),
    Relation("scale", 1.0, effect="scale"),
)


def draw(relation: Relation, n: int, p: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, float]:
    """Labels (n,), numbers (n, d) and the information between them in nats."""
    shape = (len(p), relation.columns)
    means = {"kinds": 2.0 * rng.integers(0, 4, shape), "skewed": rng.exponential(size=shape)}.get(
        relation.effect, rng.normal(size=shape)
    )
    means = means * relation.signal * np.where(np.arange(relation.columns), 0.5, 1.0)
    scales = np.ones(shape)
    if relation.effect == "scale":
        means, scales = np.zeros(shape), np.exp(relation.signal * rng.normal(size=shape))

    def rows(size: int) -> tuple[np.ndarray, np.ndarray]:
        labels = rng.choice(len(p), size, p=p)
        return labels, means[labels] + scales[labels] * noise(relation.noise, (size, relation.columns), rng)

    labels, numbers = rows(n)
    if not relation.signal:
        return labels, numbers, 0.0
    total = 0.0
    for _ in range(20):
        fresh, values = rows(1000)
        table = np.zeros((1000, len(p)))
        for j in range(relation.columns):
            table += log_density(relation.noise, (values[:, j, None] - means[:, j]) / scales[:, j]) - np.log(scales[:, j])
        total += float((table[np.arange(1000), fresh] - logsumexp(table + np.log(p), axis=1)).mean())
    return labels, numbers, total / 20


def noise(kind: str, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Noise of variance 1."""
    if kind == "laplace":
        return rng.laplace(size=shape) / math.sqrt(2)
    return rng.uniform(-math.sqrt(3), math.sqrt(3), shape) if kind == "uniform" else rng.normal(size=shape)


def log_density(kind: str, z: np.ndarray) -> np.ndarray:
    if kind == "laplace":
        return -math.sqrt(2) * np.abs(z) - 0.5 * math.log(2)
    if kind == "uniform":
        return np.where(np.abs(z) <= math.sqrt(3), -0.5 * math.log(12), -1e300)
    return -0.5 * z**2 - 0.5 * math.log(2 * math.pi)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--n", default="300,1000,10000")
    parser.add_argument("--rows-per-level", default=",".join(map(str, ROWS_PER_LEVEL)))
    parser.add_argument("--relations", default="", help="names, commas between; all by default")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, help="write the table to this file, too")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    head = f"{'relation':<22} {'margin':<7} {'n':>6} {'levels':>6} {'truth':>6} {'bias':>7} {'sd':>6} {'cover':>5} {'width':>6}"
    lines = [f"{head} {'H':>5} {'warns':>5} {'s':>5}"]
    print(lines[0])
    all_covered: list[bool] = []
    missing = 0
    chosen = [r for r in RELATIONS if not options.relations or r.name in options.relations.split(",")]
    for n in map(int, options.n.split(",")):
        for each in map(int, options.rows_per_level.split(",")):
            for margin in ("uniform", "zipf"):
                levels = n // each
                weight = np.ones(levels) if margin == "uniform" else 1 / np.arange(1, levels + 1)
                p = weight / weight.sum()
                for relation in chosen:
                    truths, errors, covered, widths, warned = [], [], [], [], []
                    started = time.process_time()
                    for k in range(options.draws):
                        rng = np.random.default_rng([options.seed, k, n, levels])
                        labels, numbers, truth = draw(relation, n, p, rng)
                        est = mine.estimate(labels.astype(str), numbers, random_state=k)
                        truths.append(truth)
                        errors.append(est.value - truth)
                        covered.append(bool(est.interval[0] <= truth <= est.interval[1]))
                        widths.append(est.interval[1] - est.interval[0])
                        warned.append(bool(est.warnings))
                    seconds = (time.process_time() - started) / options.draws
                    all_covered += covered
                    missing += np.mean(covered) < 0.8 and not np.mean(warned) > 0.5
                    lines.append(
                        f"{relation.name:<22} {margin:<7} {n:>6} {levels:>6} {np.mean(truths):>6.3f} {np.mean(errors):>+7.3f} "
                        f"{np.std(errors):>6.3f} {np.mean(covered):>5.2f} {np.median(widths):>6.3f} "
                        f"{-(p * np.log(p)).sum():>5.2f} {np.mean(warned):>5.2f} {seconds:>5.1f}"
                    )
                    print(lines[-1], flush=True)
    pooled = f"pooled coverage {np.mean(all_covered):.3f} over {len(all_covered):,} estimates"
    lines.append(f"{pooled}; {missing} cells under 80 % without a warning")
    print(lines[-1])
    if options.output:
        options.output.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
