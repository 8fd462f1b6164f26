"""Level of the test of lags over several series: how often unrelated recordings have a lag that stands out at 5 %.

python benchmarks/lags_of_subjects.py [--seed 1] [--repeats 150]
"""

from __future__ import annotations

import argparse

import numpy as np

from mine.data.subjects import Subjects
from mine.information.series import Series
from mine.series.subject_lag_test import ENOUGH_INDEPENDENT, subject_lag_test

LAGS = np.arange(-5, 6)


def autoregressions(series: int, rows: int, phi: float, rng: np.random.Generator) -> Series:
    """Stationary ones, each with a level of its own."""
    values = rng.normal(size=(rows, series))
    values[0] /= np.sqrt(1 - phi**2)
    for t in range(1, rows):
        values[t] += phi * values[t - 1]
    return Series((values + 3 * rng.normal(size=series)).T.reshape(-1, 1), (False,))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=150)
    told = parser.parse_args()
    for series, rows in ((2, 500), (3, 1000), (4, 150), (10, 60), (30, 40)):
        for phi in (0.0, 0.5, 0.9, 0.97):
            rng = np.random.default_rng([told.seed, series, rows, int(100 * phi)])
            found = []
            for i in range(told.repeats):
                x, y = (autoregressions(series, rows, phi, rng) for _ in range(2))
                test = subject_lag_test(x, y, LAGS, Subjects(np.full(series, rows)), i)
                found.append((np.nan_to_num(test.p_values, nan=1.0).min() <= 0.05, test.independent_rows < ENOUGH_INDEPENDENT))
            rejected, warned = np.mean(found, 0)
            print(f"{series:3} x {rows:4} rows, phi {phi:4}: rejected {rejected:.3f}, warned {warned:.2f}", flush=True)


if __name__ == "__main__":
    main()
