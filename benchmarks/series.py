"""Rows in the order of time: level and power of the test, and coverage of intervals, on autoregressions of known information.

python benchmarks/series.py level --repeats 400
python benchmarks/series.py power --repeats 200
python benchmarks/series.py coverage --repeats 200 [--method auto --effort fast]

Level: pairs of unrelated series. Power: y = c x + another series; next to a test that is told the length of the blocks that the
series need, and permutes blocks of that length under the same statistic. Coverage: two autoregressions whose shocks correlate,
so that at equal times they are a normal pair whose correlation is that of the shocks; also bent by monotone maps.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable
from itertools import product

import numpy as np
from scipy.signal import lfilter

import mine

PHIS = (0.0, 0.5, 0.9, 0.99)
LEVEL = 0.05
#: Blocks that a permutation of blocks needs.
FEWEST_BLOCKS = 20
#: Rows before the series that are forgotten.
BURN_IN = 2000


def autoregression(shocks: np.ndarray, phi: float) -> np.ndarray:
    """Stationary series (..., n) of unit variance from shocks (..., BURN_IN + n)."""
    return lfilter([math.sqrt(1 - phi**2)], [1, -phi], shocks, axis=-1)[..., BURN_IN:]


def seasonal(rng: np.random.Generator, n: int) -> np.ndarray:
    """A season of 50 rows whose strength and phase wander, and noise."""
    wandering = autoregression(rng.normal(size=(2, BURN_IN + n)), 0.995)
    angle = 2 * np.pi * np.arange(n) / 50
    return wandering[0] * np.cos(angle) + wandering[1] * np.sin(angle) + 0.5 * rng.normal(size=n)


def kinds() -> dict[str, Callable[[np.random.Generator, int], np.ndarray]]:
    def of(phi: float) -> Callable[[np.random.Generator, int], np.ndarray]:
        return lambda rng, n: autoregression(rng.normal(size=BURN_IN + n), phi)

    return {**{f"AR(1) {phi:g}": of(phi) for phi in PHIS}, "wandering season": seasonal}


def rejected(x: np.ndarray, y: np.ndarray, seed: int, permutations: int) -> bool:
    return mine.independence_test(x, y, order="time", n_permutations=permutations, random_state=seed).p_value <= LEVEL


def level(options: argparse.Namespace) -> None:
    """The share of unrelated pairs that are rejected."""
    for cell, ((name, draw), n) in enumerate(product(kinds().items(), options.rows)):
        count = 0
        for seed in range(options.repeats):
            rng = np.random.default_rng([seed, cell])
            count += rejected(draw(rng, n), draw(rng, n), seed, options.permutations)
        print(f"level     {name:18} n = {n:6,} {count / options.repeats:6.1%} of {options.repeats}", flush=True)


def power(options: argparse.Namespace) -> None:
    """The share of related pairs that are rejected, by our test and by one that is told how long blocks must be."""
    for cell, (phi, n) in enumerate(product(PHIS, options.rows)):
        worth = n * (1 - phi**2) / (1 + phi**2)
        strength = 2.8 / math.sqrt(worth)  # about 80 % for so many independent rows
        blocks = max(1, round(2 * (1 + phi**2) / (1 - phi**2)))
        if n // blocks < FEWEST_BLOCKS:
            continue  # nothing to compare with
        ours = told = 0
        for seed in range(options.repeats):
            rng = np.random.default_rng([seed, cell, 1])
            x, other = autoregression(rng.normal(size=(2, BURN_IN + n)), phi)
            y = strength * x + other
            ours += rejected(x, y, seed, options.permutations)
            whole = n // blocks * blocks
            groups = np.repeat(np.arange(whole // blocks), blocks)
            test = mine.independence_test(
                x[:whole], y[:whole], groups=groups, n_permutations=options.permutations, random_state=seed
            )
            told += test.p_value <= LEVEL
        shares = f"{ours / options.repeats:6.1%}, told its blocks of {blocks}: {told / options.repeats:6.1%}"
        print(f"power     AR(1) {phi:<12g} n = {n:6,} {shares} of {options.repeats}", flush=True)


def coverage(options: argparse.Namespace) -> None:
    """The share of intervals that hold the information of two autoregressions, and their median width."""
    covered = of = 0
    for cell, (phi, n, rho, bent) in enumerate(product((0.0, 0.5, 0.9, 0.95), options.rows, (0.0, 0.6), (False, True))):
        truth = -0.5 * math.log1p(-(rho**2))
        hits, widths = 0, []
        for seed in range(options.repeats):
            rng = np.random.default_rng([seed, cell, 2])
            first, second = rng.normal(size=(2, BURN_IN + n))
            x, y = autoregression(np.stack([first, rho * first + math.sqrt(1 - rho**2) * second]), phi)
            if bent:
                x, y = np.exp(x), y**3
            how = {} if options.effort is None else {"effort": options.effort}
            est = mine.estimate(x, y, method=options.method, order="time", random_state=seed, progress=False, **how)
            hits += est.interval[0] <= truth <= est.interval[1]
            widths.append(est.interval[1] - est.interval[0])
        covered, of = covered + hits, of + options.repeats
        kind = f"AR(1) {phi:g}, rho {rho:g}{', bent' if bent else ''}"
        print(
            f"coverage  {kind:28} n = {n:6,} {hits / options.repeats:6.1%} of {options.repeats}, width {np.median(widths):.3f}",
            flush=True,
        )
    print(f"coverage  pooled {covered / of:6.1%} of {of}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["level", "power", "coverage"])
    parser.add_argument("--repeats", type=int, default=400)
    parser.add_argument("--rows", type=int, nargs="+", default=[500, 5000])
    parser.add_argument("--permutations", type=int, default=99)
    parser.add_argument("--method", default="gaussian")
    parser.add_argument("--effort")
    options = parser.parse_args()
    {"level": level, "power": power, "coverage": coverage}[options.what](options)


if __name__ == "__main__":
    sys.exit(main())
