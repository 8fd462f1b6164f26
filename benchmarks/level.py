"""Level of the independence test: how often independent data sets are called dependent at 5 %.

python benchmarks/level.py --repeats 400 [--critic network] [--conditional]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

import numpy as np

from mine import independence_test

Data = tuple[np.ndarray, ...]


def _independent(d: int, tails: str) -> Callable[[np.random.Generator, int], Data]:
    def draw(rng: np.random.Generator, n: int) -> Data:
        if tails == "normal":
            return rng.normal(size=(n, d)), rng.normal(size=(n, d))
        return rng.standard_t(1, (n, d)), rng.standard_t(1, (n, d))

    return draw


def _labels(rng: np.random.Generator, n: int) -> Data:
    return rng.integers(0, 4, n), rng.normal(size=n)


def _common_cause(dz: int, curve: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.random.Generator, int], Data]:
    def draw(rng: np.random.Generator, n: int) -> Data:
        z = rng.normal(size=(n, dz))
        cause = curve(z.sum(1) / np.sqrt(dz))
        return cause + 0.3 * rng.normal(size=n), cause + 0.3 * rng.normal(size=n), z

    return draw


CELLS: dict[str, Callable[[np.random.Generator, int], Data]] = {
    "normal, d = 1": _independent(1, "normal"),
    "normal, d = 5": _independent(5, "normal"),
    "Cauchy, d = 1": _independent(1, "Cauchy"),
    "Cauchy, d = 5": _independent(5, "Cauchy"),
    "labels": _labels,
}
CONDITIONAL: dict[str, Callable[[np.random.Generator, int], Data]] = {
    "linear cause, dz = 1": _common_cause(1, lambda t: t),
    "sine of the cause, dz = 1": _common_cause(1, lambda t: np.sin(2 * t)),
    "linear cause, dz = 5": _common_cause(5, lambda t: t),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=400)
    parser.add_argument("-n", type=int, default=500)
    parser.add_argument("--permutations", type=int, default=199)
    parser.add_argument("--critic", help="'network' for the held-out critic")
    parser.add_argument("--conditional", action="store_true", help="given a strong common cause (0.3 noise to 1 signal)")
    options = parser.parse_args()
    rejected: list[int] = []
    for name, draw in (CONDITIONAL if options.conditional else CELLS).items():
        count = 0
        for seed in range(options.repeats):
            data = draw(np.random.default_rng([seed, len(rejected)]), options.n)
            test = independence_test(*data, n_permutations=options.permutations, critic=options.critic, random_state=seed)
            count += test.p_value <= 0.05
        rejected.append(count)
        print(f"{name:28} {count / options.repeats:6.1%} of {options.repeats}", flush=True)
    print(f"{'pooled':28} {sum(rejected) / (options.repeats * len(rejected)):6.1%}")


if __name__ == "__main__":
    sys.exit(main())
