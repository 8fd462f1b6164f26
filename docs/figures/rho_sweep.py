"""The picture of the README: estimates against the truth over the paper's correlations, in 1 and in 20 dimensions.

    python docs/figures/rho_sweep.py --compute    # fill rho_sweep.csv (minutes; an interrupted run resumes), then draw
    python docs/figures/rho_sweep.py              # draw docs/_static/rho_sweep.png from rho_sweep.csv

The data are the first experiment of Belghazi et al., 2018 (arXiv 1801.04062), at n = 10,000.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import sys
from pathlib import Path
from typing import Any

from matplotlib import rc_context

import mine
from mine.reporting.figures import STYLE, new_figure

HERE = Path(__file__).parent
TABLE, PICTURE = HERE / "rho_sweep.csv", HERE.parent / "_static" / "rho_sweep.png"

N_ROWS, SEED = 10_000, 0
DIMS = (1, 20)
RHOS = (-0.99, -0.9, -0.7, -0.5, -0.3, -0.1, 0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99)
COLUMNS = (
    "dim", "rho", "truth", "method", "value", "lower_bound", "stderr", "low", "high", "seconds", "saturated",
)  # fmt: skip

#: Method: name in the legend, colour, marker, size. Left to right in a slot.
DRAWN: dict[str, tuple[str, str, str, float]] = {
    "auto": ("the default, method 'auto'", "#0072b2", "o", 5.0),
    "mine": ("MINE, the paper's estimator", "#d55e00", "D", 4.2),
    "ksg": ("k nearest neighbours (KSG)", "#cc79a7", "^", 5.0),
    "gaussian": ("Gaussian copula", "#009e73", "s", 4.2),
}

Row = dict[str, str]


def read(table: Path) -> list[Row]:
    """The finished rows; none where the file does not exist."""
    if not table.is_file():
        return []
    with table.open(newline="") as file:
        return list(csv.DictReader(file))


def compute(table: Path, rows_at_most: int | None = None) -> None:
    """Append the rows that ``table`` lacks, each as soon as it is finished."""
    cells = list(itertools.product(DIMS, RHOS, DRAWN))
    done = {(int(r["dim"]), float(r["rho"]), r["method"]) for r in read(table)}
    missing = [cell for cell in cells if cell not in done][:rows_at_most]
    with table.open("a", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        if file.tell() == 0:
            writer.writeheader()
        for number, cell in enumerate(missing, 1):
            row = estimate(*cell)
            writer.writerow(row)
            file.flush()
            print(
                f"{number}/{len(missing)}  {row['dim']}-d rho {row['rho']:+.2f} {row['method']:<8} "
                f"{row['value']} (truth {row['truth']}) nats, {row['seconds']} s",
                file=sys.stderr,
            )


def estimate(dim: int, rho: float, method: str) -> dict[str, Any]:
    """One row of the table, in nats; every method sees the same sample."""
    x, y = mine.datasets.correlated_normal(N_ROWS, rho, dim, random_state=[SEED, dim, round(100 * (rho + 1))])
    information = mine.estimate(x, y, method=method, discrete=False, random_state=SEED)
    low, high = information.interval
    return {
        "dim": dim,
        "rho": rho,
        "truth": round(mine.datasets.correlated_normal_mi(rho, dim), 5),
        "method": method,
        "value": round(information.value, 5),
        "lower_bound": "" if information.lower_bound is None else round(information.lower_bound, 5),
        "stderr": round(information.stderr, 5),
        "low": round(low, 5),
        "high": round(high, 5),
        "seconds": round(information.diagnostics["seconds"], 2),
        "saturated": int(information.diagnostics.get("saturated", False)),
    }


def draw(rows: list[Row], picture: Path) -> None:
    """One panel a dimension: truth as a line, estimates as points, hollow where the method says it is saturated."""
    with rc_context(STYLE):
        figure, axes = new_figure(1, len(DIMS), (11.0, 4.6))
        for axis, dim in zip(axes[0], DIMS, strict=True):
            draw_panel(axis, dim, [r for r in rows if int(r["dim"]) == dim])
        axes[0, 0].set_ylabel("mutual information (nats)")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        handles.append(axes[0, 0].plot([], [], "o", mfc="white", mec="#444444", ms=6)[0])
        labels.append("hollow: flagged as saturated, interval open above")
        figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=9)
        picture.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(picture)


def draw_panel(axis: Any, dim: int, rows: list[Row]) -> None:
    """A slot for each correlation, all equally wide: the truth a bar across it, the methods side by side."""
    slots = range(len(RHOS))
    truth = [mine.datasets.correlated_normal_mi(rho, dim) for rho in RHOS]
    axis.hlines(truth, [s - 0.45 for s in slots], [s + 0.45 for s in slots], color="#9a9a9a", lw=2.5, label="truth")
    for k, (method, (label, colour, marker, size)) in enumerate(DRAWN.items()):
        shift = 0.22 * (k - (len(DRAWN) - 1) / 2)
        style = {"ls": "", "marker": marker, "ms": size, "mec": colour, "mew": 1.1}
        axis.plot([], [], mfc=colour, label=label, **style)
        for row in (r for r in rows if r["method"] == method):
            fill = "white" if int(row["saturated"]) else colour
            axis.plot(RHOS.index(float(row["rho"])) + shift, float(row["value"]), mfc=fill, **style)
    axis.set_title(f"{dim} + {dim} dimensions")
    axis.set_xlabel("correlation of the i-th coordinates")
    axis.set_xticks(slots, [f"{rho:g}".replace("-", "−").replace("0.", ".") for rho in RHOS])
    axis.set_xlim(-0.6, len(RHOS) - 0.4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compute", action="store_true", help="fill the table first; finished rows are kept")
    parser.add_argument("--rows", type=int, default=None, help="with --compute: stop after so many new rows")
    parser.add_argument("--table", type=Path, default=TABLE, help="the CSV file")
    parser.add_argument("--out", type=Path, default=PICTURE, help="the PNG file")
    arguments = parser.parse_args()
    if arguments.compute:
        compute(arguments.table, arguments.rows)
    rows = read(arguments.table)
    if not rows:
        parser.error(f"{arguments.table} has no rows: run with --compute first")
    draw(rows, arguments.out)
    print(arguments.out, file=sys.stderr)


if __name__ == "__main__":
    main()
