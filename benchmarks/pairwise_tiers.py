"""Error, coverage and CPU seconds of ``mine.pairwise`` by effort, and of scikit-learn's neighbours in the same run.

    python -m benchmarks.pairwise_tiers --rows 500,2000,5000 --draws 8 [--coverage 100] [--json FILE]

Sixteen shapes with known information: by closed form, or for a curve with normal noise ``h(y) - h(noise)`` on a grid. Draws are
those of ``--seed``; the constants of the screen were chosen on other seeds and parameters. One core: set OMP_NUM_THREADS=1.
``--coverage`` draws more and measures the intervals of the screen alone, which takes seconds; ``--table C`` times a whole table
of C columns with tests.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.special import gammaln, ndtri, psi, xlogy

Rng = np.random.Generator
Pair = tuple[np.ndarray, np.ndarray]
Shape = tuple[float, Callable[[int, Rng], Pair]]


def of_curve(curve: Callable[[np.ndarray], np.ndarray], noise: float, quantile: Callable[[np.ndarray], np.ndarray]) -> Shape:
    """y = curve(x) + noise * N for x of the law with this quantile function: its draws, and h(y) - h(noise N) on a grid."""
    centres = curve(quantile((np.arange(4000) + 0.5) / 4000))
    y = np.linspace(centres.min() - 8 * noise, centres.max() + 8 * noise, 4001)
    density = np.exp(-0.5 * ((y[:, None] - centres) / noise) ** 2).mean(1) / (noise * math.sqrt(2 * math.pi))
    entropy = -np.trapezoid(xlogy(density, density), y)

    def draw(n: int, rng: Rng) -> Pair:
        x = quantile(rng.random(n))
        return x, curve(x) + noise * rng.normal(size=n)

    return float(entropy - 0.5 * math.log(2 * math.pi * math.e * noise**2)), draw


def normal(r: float) -> Shape:
    def draw(n: int, rng: Rng) -> Pair:
        a, b = rng.normal(size=(2, n))
        return np.exp(a), (r * a + math.sqrt(1 - r * r) * b) ** 3

    return -0.5 * math.log(1 - r * r), draw


def student(r: float, dof: float) -> Shape:
    def entropy(d: int) -> float:
        half = (dof + d) / 2
        kernel = half * (psi(half) - psi(dof / 2)) + gammaln(dof / 2) - gammaln(half)
        return kernel + d / 2 * math.log(dof * math.pi) + (d == 2) * 0.5 * math.log(1 - r * r)

    def draw(n: int, rng: Rng) -> Pair:
        a, b = rng.normal(size=(2, n)) / np.sqrt(rng.chisquare(dof, n) / dof)
        return a, r * a + math.sqrt(1 - r * r) * b

    return 2 * entropy(1) - entropy(2), draw


def chequers(k: int) -> Shape:
    def draw(n: int, rng: Rng) -> Pair:
        i = rng.integers(0, k, n)
        return i + rng.random(n), (2 * rng.integers(0, k // 2, n) + i) % k + rng.random(n)

    return math.log(2), draw


def band(e: float) -> Shape:
    def draw(n: int, rng: Rng) -> Pair:
        x = rng.random(n)
        return x, x + rng.uniform(-e, e, n)

    return e + math.log(1 / (2 * e)), draw


def ring(noise: float) -> Shape:
    """A circle with noise: the density over a grid."""
    angle = np.linspace(0, 2 * np.pi, 240, endpoint=False)
    at = np.linspace(-1 - 6 * noise, 1 + 6 * noise, 401)
    bumps = [np.exp(-0.5 * ((at[:, None] - f(angle)) / noise) ** 2) for f in (np.cos, np.sin)]
    joint = bumps[0] @ bumps[1].T
    joint /= joint.sum()

    def draw(n: int, rng: Rng) -> Pair:
        t = rng.uniform(0, 2 * np.pi, n)
        return np.cos(t) + noise * rng.normal(size=n), np.sin(t) + noise * rng.normal(size=n)

    outer = joint.sum(1)[:, None] * joint.sum(0)
    return float((xlogy(joint, joint) - xlogy(joint, outer)).sum()), draw


def uniform(q: np.ndarray) -> np.ndarray:
    return 2 * q - 1


def exponential(q: np.ndarray) -> np.ndarray:
    return -np.log1p(-q)


SHAPES: dict[str, Shape] = {
    "independent": normal(0.0),
    "normal .1": normal(0.1),
    "normal .5": normal(0.5),
    "normal .85": normal(0.85),
    "line, skewed": of_curve(lambda x: x, 0.7, exponential),
    "parabola": of_curve(lambda x: x**2, 0.25, uniform),
    "parabola, weak": of_curve(lambda x: x**2, 2.0, ndtri),
    "wave": of_curve(lambda x: np.sin(3 * np.pi * x), 0.4, uniform),
    "wave, weak": of_curve(lambda x: np.sin(3 * np.pi * x), 2.0, uniform),
    "absolute": of_curve(np.abs, 0.15, ndtri),
    "step": of_curve(np.sign, 0.8, ndtri),
    "ring": ring(0.2),
    "chequers 4": chequers(4),
    "band": band(0.2),
    "student 1.5": student(0.3, 1.5),
    "student 0": student(0.0, 2.0),
}


def draws(shape: str, n: int, count: int, seed: int) -> list[Pair]:
    draw = SHAPES[shape][1]
    return [draw(n, np.random.default_rng([seed, n, i, list(SHAPES).index(shape)])) for i in range(count)]


def by_pairwise(pairs: list[Pair], effort: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Values, lower and upper ends of x against y of each draw, each a table of two columns, and CPU seconds per pair."""
    import mine

    ends, started = [], time.process_time()
    for x, y in pairs:
        row = mine.pairwise(np.stack([x, y], 1), effort=effort, random_state=0, progress=False).iloc[0]
        ends.append((row["value"], row["low"], row["high"]))
    seconds = (time.process_time() - started) / len(pairs)
    return *np.array(ends).T, seconds  # pyright: ignore[reportReturnType]


def by_sklearn(pairs: list[Pair]) -> tuple[np.ndarray, float]:
    from sklearn.feature_selection import mutual_info_regression

    started = time.process_time()
    values = [mutual_info_regression(x[:, None], y, random_state=0)[0] for x, y in pairs]
    return np.array(values), (time.process_time() - started) / len(pairs)


def tiers(rows: list[int], count: int, seed: int, efforts: list[str]) -> list[dict[str, float | int | str]]:
    """One line per number of rows and entrant: mean absolute error, coverage, median width, CPU milliseconds per pair."""
    out: list[dict[str, float | int | str]] = []
    for n in rows:
        for entrant in (*efforts, "scikit-learn"):
            errors, held, widths, times = [], [], [], []
            for shape, (truth, _) in SHAPES.items():
                pairs = draws(shape, n, count, seed)
                if entrant == "scikit-learn":
                    values, seconds = by_sklearn(pairs)
                else:
                    values, low, high, seconds = by_pairwise(pairs, entrant)
                    held += list((low <= truth) & (truth <= high))
                    widths += list(high - low)
                errors += list(np.abs(values - truth))
                times.append(seconds)
            line: dict[str, float | int | str] = {"rows": n, "entrant": entrant, "error": float(np.mean(errors))}
            line |= {"coverage": float(np.mean(held)), "width": float(np.median(widths))} if held else {}
            out.append(line | {"cpu_ms": 1000 * float(np.mean(times))})
            print(" ".join(f"{key}={value:.4g}" if isinstance(value, float) else str(value) for key, value in out[-1].items()))
    return out


def coverage(rows: list[int], count: int, seed: int) -> None:
    """Coverage of the screen per shape: the share of intervals below the truth and above it."""
    from mine.estimators.rank_neighbours import Scores
    from mine.estimators.screen import screened

    for n in rows:
        shares = []
        for shape, (truth, _) in SHAPES.items():
            rng = np.random.default_rng(seed + 1)
            found = [screened(Scores.of(x, rng), Scores.of(y, rng)) for x, y in draws(shape, n, count, seed)]
            over = np.mean([truth < one.low for one in found])
            under = np.mean([truth > one.high for one in found])
            shares.append(1 - over - under)
            error = np.mean([one.value for one in found]) - truth
            width = np.median([one.high - one.low for one in found])
            missed = f"low>truth {over:.3f} high<truth {under:.3f}"
            print(f"{n:6,} {shape:15s} truth {truth:.3f} bias {error:+.3f} {missed} width {width:.3f}")
        print(f"{n:6,} mean coverage {np.mean(shares):.3f}, lowest {min(shares):.3f}")


def whole_table(columns: int, n: int, seed: int) -> None:
    import mine

    rng = np.random.default_rng(seed)
    data = rng.normal(size=(n, 10)) @ rng.normal(size=(10, columns)) * 0.2 + rng.normal(size=(n, columns))
    started = time.process_time()
    found = mine.pairwise(data, test=True, random_state=0, n_jobs=1, progress=False)
    print(f"{len(found):,} pairs of {n:,} rows with tests: {time.process_time() - started:.1f} CPU s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", default="500,2000,5000")
    parser.add_argument("--draws", type=int, default=8)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--efforts", default="screen,fast")
    parser.add_argument("--coverage", type=int, default=0)
    parser.add_argument("--table", type=int, default=0)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    rows = [int(n) for n in given.rows.split(",")]
    if given.coverage:
        coverage(rows, given.coverage, given.seed)
    elif given.table:
        whole_table(given.table, rows[-1], given.seed)
    else:
        lines = tiers(rows, given.draws, given.seed, given.efforts.split(","))
        if given.json:
            given.json.write_text(json.dumps(lines, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
