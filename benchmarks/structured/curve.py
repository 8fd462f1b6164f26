"""Error against CPU seconds on images and sequences: measure efforts and draw the figure of ``docs/structured.md``.

``python -m benchmarks.structured.curve [task ...] --n 10000`` adds the cells that the file of results lacks, one at a time, and
draws all that are there.
"""

from __future__ import annotations

import argparse
import csv
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

import mine
from benchmarks.structured.page import COLOURS
from mine import tasks
from mine.reporting.figures import new_figure, write_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROOT = Path(__file__).parents[2]
RESULTS, FIGURE = ROOT / "docs/results/structured/curve.csv", ROOT / "docs/_static/structured_curve.png"
FIELDS: tuple[str, ...] = ("task", "n", "effort", "seed", "truth", "value", "lower_bound", "low", "high", "seconds")
#: Without the prefix ``structured-``.
TASKS = ("blobs-images", "rectangles-images", "digits-images", "sequences")
EFFORTS = ("fast", "default", "thorough")


def measured(name: str, n: int, effort: str, seed: int) -> dict[str, Any]:
    """One estimate in nats, and the CPU seconds that it took on one thread."""
    task = tasks.get_task(f"structured-{name}")
    x, y = task.sample(n, seed)
    started = time.process_time()
    found = mine.estimate(x, y, effort=effort, random_state=seed, progress=False)
    seconds = time.process_time() - started
    low, high = found.interval
    row = (name, n, effort, seed, task.mutual_information, found.value, found.lower_bound, low, high, seconds)
    return dict(zip(FIELDS, (round(cell, 4) if isinstance(cell, float) else cell for cell in row), strict=True))


def plot_curves(rows: list[dict[str, Any]]) -> Figure:
    """A line per task through its efforts: value less truth with its interval, against CPU seconds."""
    figure, axes = new_figure(1, 1, (7.5, 4.0))
    axis = axes[0][0]
    axis.axhline(0.0, color="black", lw=1)
    for task, colour in zip(dict.fromkeys(row["task"] for row in rows), COLOURS[1:], strict=False):
        own = sorted((row for row in rows if row["task"] == task), key=lambda row: row["seconds"])
        seconds, errors = [row["seconds"] for row in own], [row["value"] - row["truth"] for row in own]
        axis.plot(seconds, errors, "o-", color=colour, ms=4, label=f"{task}, {own[0]['n']:,} rows")
        for row in own:
            axis.plot([row["seconds"]] * 2, [row[end] - row["truth"] for end in ("low", "high")], color=colour, lw=1, alpha=0.5)
    axis.set_xlim(0, 1.05 * max(row["seconds"] for row in rows))  # the last point stands clear of the edge
    axis.set_xlabel("CPU seconds on one thread")
    axis.set_ylabel("estimate less truth (nats)")
    axis.legend(fontsize=8, frameon=False)
    return figure


def stored() -> list[dict[str, Any]]:
    """The measured cells of the file of results, numbers as numbers."""
    if not RESULTS.exists():
        return []
    with RESULTS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    words = ("task", "effort")
    return [{k: v if k in words else int(v) if k in ("n", "seed") else float(v) for k, v in row.items()} for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=TASKS)
    parser.add_argument("--n", type=int, default=10_000)
    parser.add_argument("--efforts", default=",".join(EFFORTS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--stored", action="store_true", help="measure nothing")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = stored()
    done = {(row["task"], row["n"], row["effort"], row["seed"]) for row in rows}
    cells = [(name, options.n, effort, options.seed) for effort in options.efforts.split(",") for name in options.names]
    for cell in cells:
        if cell in done or options.stored:
            continue
        rows.append(measured(*cell))
        print(rows[-1], flush=True)
        with RESULTS.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, FIELDS)
            writer.writeheader()
            writer.writerows(rows)
    write_figure(plot_curves(rows), FIGURE, dpi=110)
    print(f"Written: {FIGURE}")


if __name__ == "__main__":
    main()
