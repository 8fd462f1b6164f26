"""The difference of two estimates: error, coverage of its interval, and how often it is found.

    python benchmarks/differences.py [--pairs 200] [--n 300,1000] [--methods closed,auto] [--auto-n 500] [--output FILE]

One line per scenario, method and n: true difference, mean error, spread of the value, mean standard error, share of intervals
that contain the true difference, their median width as a multiple of 3.92 spreads, share of p-values of at most 0.05 (the level
if the true difference is 0, else the power), mean correlation of the two errors. All truths are closed forms.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import mine

Draw = Callable[[int, np.random.Generator], tuple[tuple, tuple]]


@dataclass(frozen=True)
class Scenario:
    """Two pairs of columns from n rows, and what is true of them.

    Attributes:
        draw: (n, generator) -> ((x1, y1), (x2, y2)), or with groups as a third of each.
        truth: I(x1; y1) - I(x2; y2) in nats.
        kind: ``"numbers"``, ``"labels"`` or ``"mixed"``: which methods apply.
        paired: As for :meth:`mine.Estimate.difference`.
    """

    draw: Draw
    truth: float
    kind: str = "numbers"
    paired: bool | str = "auto"


def of_normal(noise: float) -> float:
    """I(y + noise e; y) of standard normals."""
    return 0.5 * math.log1p(noise**-2)


def two_views(first: float, second: float, shared: float = 0.0) -> Draw:
    """x1 and x2 are y with noise of these sizes, of which a share is common to both."""

    def draw(n: int, g: np.random.Generator) -> tuple[tuple, tuple]:
        y, common = g.normal(size=(2, n))
        a, b = (math.sqrt(shared) * common + math.sqrt(1 - shared) * g.normal(size=n) for _ in range(2))
        return (y + first * a, y), (y + second * b, y)

    return draw


def two_labels(first: float, second: float, k: int, scale: int = 1, shared: bool = False) -> Draw:
    """x1 and x2 name the label y of k levels but for these shares of the rows; x1 in ``scale`` times as many levels.

    With ``shared`` the rows in which one is wrong are those in which the other one is, as far as their shares allow.
    """

    def draw(n: int, g: np.random.Generator) -> tuple[tuple, tuple]:
        y, once = g.integers(0, k, n), g.random(n)
        chance = (once, once if shared else g.random(n))
        x1, x2 = (np.where(u < noise, g.integers(0, k, n), y) for u, noise in zip(chance, (first, second), strict=True))
        x1 = x1 + k * g.integers(0, scale, n)
        return (_text(x1), _text(y)), (_text(x2), _text(y))

    return draw


def of_labels(noise: float, k: int) -> float:
    same = 1 - noise + noise / k
    return math.log(k) + same * math.log(same) + (k - 1) * (noise / k) * math.log(noise / k)


def label_and_numbers(first: float, second: float) -> Draw:
    """x1 and x2 are a fair binary y at these distances, with normal noise."""

    def draw(n: int, g: np.random.Generator) -> tuple[tuple, tuple]:
        y = g.integers(0, 2, n)
        return (first * y + g.normal(size=n), _text(y)), (second * y + g.normal(size=n), _text(y))

    return draw


def of_distance(distance: float) -> float:
    grid = np.linspace(-9, 9 + distance, 20_001)
    density = (np.exp(-0.5 * grid**2) + np.exp(-0.5 * (grid - distance) ** 2)) / math.sqrt(8 * math.pi)
    return -float((density * np.log(density)).sum() * (grid[1] - grid[0])) - 0.5 * math.log(2 * math.pi * math.e)


def two_samples(first: float, second: float) -> Draw:
    """The same question asked of two independent samples, the second one smaller."""

    def draw(n: int, g: np.random.Generator) -> tuple[tuple, tuple]:
        y1, y2 = g.normal(size=n), g.normal(size=2 * n // 3)
        return (y1 + first * g.normal(size=n), y1), (y2 + second * g.normal(size=len(y2)), y2)

    return draw


def visits(first: float, second: float) -> Draw:
    """Four visits each of n / 4 patients, whose values hardly change between visits."""

    def draw(n: int, g: np.random.Generator) -> tuple[tuple, tuple]:
        patient = np.arange(n) // 4

        def steady() -> np.ndarray:
            return math.sqrt(0.9) * g.normal(size=n)[patient] + math.sqrt(0.1) * g.normal(size=n)

        y = steady()
        return (y + first * steady(), y, patient), (y + second * steady(), y, patient)

    return draw


def _text(codes: np.ndarray) -> np.ndarray:
    return np.char.add("v", codes.astype(str))


SCENARIOS: dict[str, Scenario] = {
    "equal": Scenario(two_views(1.0, 1.0), 0.0),
    "equal, noise shared": Scenario(two_views(1.0, 1.0, 0.9), 0.0),
    "different": Scenario(two_views(0.8, 1.0), of_normal(0.8) - of_normal(1.0)),
    "different, noise shared": Scenario(two_views(0.9, 1.0, 0.9), of_normal(0.9) - of_normal(1.0)),
    "strong and weak": Scenario(two_views(0.2, 3.0), of_normal(0.2) - of_normal(3.0)),
    "something and nothing": Scenario(two_views(3.0, 1e6), of_normal(3.0)),
    "nothing twice": Scenario(two_views(1e6, 1e6), 0.0),
    "visits, equal": Scenario(visits(1.0, 1.0), 0.0),
    "two samples, equal": Scenario(two_samples(1.0, 1.0), 0.0, paired=False),
    "two samples, different": Scenario(two_samples(0.7, 1.2), of_normal(0.7) - of_normal(1.2), paired=False),
    "labels, equal": Scenario(two_labels(0.4, 0.4, 4), 0.0, "labels"),
    "labels, different": Scenario(two_labels(0.3, 0.5, 4), of_labels(0.3, 4) - of_labels(0.5, 4), "labels"),
    "labels, noise shared": Scenario(two_labels(0.4, 0.5, 4, shared=True), of_labels(0.4, 4) - of_labels(0.5, 4), "labels"),
    "labels, many levels": Scenario(two_labels(0.4, 0.4, 12, 5), 0.0, "labels"),
    "label and numbers, equal": Scenario(label_and_numbers(1.5, 1.5), 0.0, "mixed"),
    "label and numbers, different": Scenario(label_and_numbers(2.0, 1.0), of_distance(2.0) - of_distance(1.0), "mixed"),
}  # fmt: skip
#: Methods without training, by the kind of columns.
CLOSED = {"numbers": ("gaussian", "ksg"), "labels": ("discrete",), "mixed": ("ross",)}


def measured(scenario: Scenario, method: str, n: int, pairs: int) -> str:
    """One line."""
    options = {"effort": "fast"} if method == "auto" else {}
    found = []
    for seed in range(pairs):
        sides = scenario.draw(n, np.random.default_rng([seed, n]))
        first, second = (
            mine.estimate(*side[:2], method=method, groups=side[2] if len(side) > 2 else None, random_state=seed, **options)
            for side in sides
        )
        found.append(first.difference(second, paired=scenario.paired))
    truth = scenario.truth
    values = np.array([d.value for d in found])
    low, high = np.array([d.interval for d in found]).T
    correlations = [d.diagnostics["correlation"] for d in found]
    correlation = math.nan if None in correlations else float(np.mean(correlations))
    covered = (low <= truth) & (truth <= high)
    spread = values.std(ddof=1)
    return (
        f"{method:<9} {n:>5} {pairs:>5} {truth:>6.3f} {(values - truth).mean():>+7.3f} {spread:>6.3f} "
        f"{np.mean([d.stderr for d in found]):>6.3f} {covered.mean():>6.3f} {np.median(high - low) / (3.92 * spread):>6.2f} "
        f"{np.mean([d.p_value <= 0.05 for d in found]):>6.3f} {correlation:>6.2f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--n", default="300,1000")
    parser.add_argument("--methods", default="closed", help="closed, auto, or both with a comma")
    parser.add_argument("--auto-n", default="500")
    parser.add_argument("--scenarios", default=",".join(f"{i}" for i in range(len(SCENARIOS))), help="their numbers")
    parser.add_argument("--output", type=Path, help="append the lines to this file, too")
    options = parser.parse_args()
    head = (
        f"{'scenario':<29} {'method':<9} {'n':>5} {'pairs':>5} {'truth':>6} {'error':>7} {'spread':>6} {'stderr':>6} "
        f"{'cover':>6} {'width':>6} {'p<.05':>6} {'corr':>6}"
    )
    chosen = [list(SCENARIOS)[int(i)] for i in options.scenarios.split(",")]
    _tell(head, options.output)
    for group in options.methods.split(","):
        sizes = [int(n) for n in (options.auto_n if group == "auto" else options.n).split(",")]
        for name in chosen:
            scenario = SCENARIOS[name]
            for method in ("auto",) if group == "auto" else CLOSED[scenario.kind]:
                for n in sizes:
                    _tell(f"{name:<29} {measured(scenario, method, n, options.pairs)}", options.output)


def _tell(line: str, output: Path | None) -> None:
    print(line)
    sys.stdout.flush()
    if output is not None:
        with output.open("a", encoding="utf-8") as stream:
            stream.write(line + "\n")


if __name__ == "__main__":
    main()
