"""The default estimate next to scikit-learn's and ennemi's on the same rows: ``python benchmarks/comparison.py --out FILE``.

Every cell is the mean estimate over the draws, with its standard deviation, in nats. Both rivals take one column per side, so
they have no figure in the last line. ``pip install ennemi`` first.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from sklearn.feature_selection import mutual_info_regression

import mine
from mine.datasets import correlated_normal, correlated_normal_mi

#: Rows, correlation and coordinates per side.
CASES = {
    "independent, 1 + 1 columns, 300 rows": (300, 0.0, 1),
    "correlation 0.8, 1 + 1 columns, 1,000 rows": (1000, 0.8, 1),
    "correlation 0.6, 5 + 5 columns, 1,000 rows": (1000, 0.6, 5),
}


def torch_mine(x: np.ndarray, y: np.ndarray, draw: int) -> float:
    return mine.estimate(x, y, random_state=draw, progress=False).value


def scikit_learn(x: np.ndarray, y: np.ndarray, draw: int) -> float:
    return float(mutual_info_regression(x, y[:, 0], random_state=draw)[0])


def ennemi(x: np.ndarray, y: np.ndarray, draw: int) -> float:
    from ennemi import estimate_mi

    return float(estimate_mi(y[:, 0], x[:, 0])[0, 0])


CONTENDERS: dict[str, Callable[[np.ndarray, np.ndarray, int], float]] = {
    "torch-mine": torch_mine,
    "scikit-learn": scikit_learn,
    "ennemi": ennemi,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    lines = [f"| | truth | {' | '.join(CONTENDERS)} |", f"|---|--:|{'--:|' * len(CONTENDERS)}"]
    for title, (n, rho, dim) in CASES.items():
        cells = []
        for contender, estimate in CONTENDERS.items():
            if dim > 1 and contender != "torch-mine":
                cells.append("one column per side")
                continue
            start = time.perf_counter()
            values = [estimate(*correlated_normal(n, rho, dim, draw), draw) for draw in range(options.draws)]
            print(f"{title}, {contender}: {(time.perf_counter() - start) / options.draws:.1f} s per estimate", flush=True)
            cells.append(f"{np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}")
        lines.append(f"| {title} | {correlated_normal_mi(rho, dim):.3f} | {' | '.join(cells)} |")
    options.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
