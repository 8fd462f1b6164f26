"""The picture of the README: four estimators against the truth over rho, the first experiment of the MINE paper.

    python docs/figures/rho_sweep.py            # draws docs/_static/rho_sweep.png from docs/figures/rho_sweep.csv
    python docs/figures/rho_sweep.py --compute  # first computes the rows that the CSV file lacks (about 15 minutes on one core)

Two normal vectors of 1 or 20 coordinates, the i-th ones correlated by rho; n = 10,000 rows.
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import mine
from mine.datasets import correlated_normal, correlated_normal_mi
from mine.report.figures import new_figure

CSV = Path(__file__).with_suffix(".csv")
PNG = Path(__file__).parents[1] / "_static" / "rho_sweep.png"
FIELDS = ("dim", "rho", "truth", "method", "value", "lower_bound", "stderr", "low", "high", "seconds", "saturated")

ROWS = 10_000
DIMS = (1, 20)
RHOS = (-0.99, -0.9, -0.7, -0.5, -0.3, -0.1, 0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99)

#: Label, colour, marker of each method.
STYLE = {
    "auto": ("torch-mine, default", "#0072b2", "o"),
    "mine": ("MINE, as in the paper", "#d55e00", "s"),
    "ksg": ("KSG, k = 3", "#009e73", "^"),
    "gaussian": ("Gaussian copula", "#8a8a8a", "x"),
}


def read() -> list[dict[str, str]]:
    """The rows computed so far."""
    if not CSV.exists():
        return []
    with CSV.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def cells() -> Iterator[tuple[int, float, str]]:
    """Every (dim, rho, method) of the figure."""
    for dim in DIMS:
        for rho in RHOS:
            for method in STYLE:
                yield dim, rho, method


def compute() -> None:
    """Append the cells that the CSV file lacks, one line each: an interrupted run goes on where it stopped."""
    done = {(int(row["dim"]), float(row["rho"]), row["method"]) for row in read()}
    missing = [cell for cell in cells() if cell not in done]
    is_new = not CSV.exists()
    with CSV.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, FIELDS)
        if is_new:
            writer.writeheader()
        for dim, rho, method in missing:
            seed = 1000 * dim + RHOS.index(rho)
            x, y = correlated_normal(ROWS, rho, dim, random_state=seed)
            started = time.perf_counter()
            est = mine.estimate(x, y, method=method, random_state=seed, device="cpu")
            writer.writerow(
                {
                    "dim": dim,
                    "rho": rho,
                    "truth": round(correlated_normal_mi(rho, dim), 5),
                    "method": method,
                    "value": round(est.value, 5),
                    "lower_bound": "" if est.lower_bound is None else round(est.lower_bound, 5),
                    "stderr": round(est.stderr, 5),
                    "low": round(est.interval[0], 5),
                    "high": round(est.interval[1], 5),
                    "seconds": round(time.perf_counter() - started, 2),
                    "saturated": bool(est.diagnostics.get("saturated", False)),
                }
            )
            file.flush()
            print(f"{dim:2}-d  rho {rho:5}  {method:8}  {est.value:7.3f} nats", file=sys.stderr)


def draw() -> None:
    """One panel a dimension: truth as a line, estimates as points with their 95 % intervals."""
    rows = [row for row in read() if row["method"] in STYLE]
    if not rows:
        raise SystemExit(f"{CSV.name} has no rows yet: run this script with --compute.")
    figure, axes = new_figure(1, len(DIMS), (9.0, 3.6))
    fine = [i / 500 for i in range(-495, 496)]
    for axis, dim in zip(axes[0], DIMS, strict=True):
        axis.plot(fine, [correlated_normal_mi(rho, dim) for rho in fine], color="black", lw=1.2, label="truth")
        for shift, (method, (label, colour, marker)) in enumerate(STYLE.items()):
            mine_rows = sorted(
                (r for r in rows if r["method"] == method and int(r["dim"]) == dim), key=lambda r: float(r["rho"])
            )
            rhos = [float(r["rho"]) + 0.006 * (shift - 1.5) for r in mine_rows]
            values = [float(r["value"]) for r in mine_rows]
            below = [max(0.0, v - float(r["low"])) for v, r in zip(values, mine_rows, strict=True)]
            top = 1.08 * correlated_normal_mi(0.99, dim)
            highs = [min(float(r["high"]), top) if math.isfinite(float(r["high"])) else top for r in mine_rows]
            above = [max(0.0, high - v) for v, high in zip(values, highs, strict=True)]
            axis.errorbar(
                rhos, values, yerr=[below, above], fmt=marker, ms=4.5, lw=1, color=colour, label=label, alpha=0.9, mfc="none"
            )
        axis.set_ylim(-0.03 * top, top)
        axis.set_xlabel("correlation ρ of each pair of coordinates")
        axis.set_ylabel("mutual information (nats)")
        axis.set_title(f"{dim} + {dim} coordinate{'s' if dim > 1 else ''}, {ROWS:,} rows")
    axes[0][0].legend(loc="upper center", fontsize=8)
    PNG.parent.mkdir(exist_ok=True)
    figure.savefig(PNG)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compute", action="store_true", help="compute what the CSV file lacks first")
    if parser.parse_args().compute:
        compute()
    draw()
