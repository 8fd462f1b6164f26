"""The interval of ``mine.sample_size_check`` next to that of the estimate on all rows, on structured tasks.

``python -m benchmarks.structured.sample_size --n 2000 --effort fast [task ...]`` prints one row per task as it is finished.
"""

from __future__ import annotations

import argparse
import time

import torch

import mine
from mine import tasks
from mine.formats import bracket, fixed

#: Without the prefix ``structured-``.
SIX = ("bumps-0.9", "bumps-0.995", "digits-flat", "words-10-topics", "blobs-flat", "digits-noisy-labels")


def row(name: str, n: int, effort: str, levels: int) -> str:
    """Truth, the estimate on all rows, and the extrapolated value with the interval of the line alone, as a row of a table."""
    task = tasks.get_task(f"structured-{name}")
    started = time.perf_counter()
    check = mine.sample_size_check(*task.sample(n, 0), levels=levels, effort=effort, random_state=0)
    seconds = time.perf_counter() - started
    cells = []
    for value, (low, high) in ((check.estimate.value, check.estimate.interval), (check.value, check.line_interval)):
        missed = "" if low <= task.mutual_information <= high else " misses"
        cells.append(f"{fixed(value, 2)} {bracket(low, high, 2)}{missed}")
    verdict = "settled" if check.settled else "straight" if check.straight else "bent"
    means = ", ".join(fixed(mean, 2) for mean in check.means)
    cells += [means, f"{check.p_value:.2g}", verdict, f"{seconds:.0f}"]
    return f"| {name} | {task.mutual_information:.2f} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=SIX)
    parser.add_argument("--n", type=int, default=2000)
    parser.add_argument("--effort", default="fast")
    parser.add_argument("--levels", type=int, default=4)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print("| task | truth | all rows | extrapolated | means, largest size first | p | | seconds |")
    print("|---|--:|---|---|---|--:|---|--:|")
    for name in options.names:
        print(row(name, options.n, options.effort, options.levels), flush=True)


if __name__ == "__main__":
    main()
