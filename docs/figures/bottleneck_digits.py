"""Draw the figure of ``how-to/objectives.md`` from the measurement: ``python docs/figures/bottleneck_digits.py``."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

ROOT = Path(__file__).parents[2]
NAMES = {"MINE": "a critic, 5 steps", "vib": "vib, standard normal", "vib, learned prior": "vib, learned prior"}
COLOURS = {"MINE": "#0b6e99", "vib": "#b3541e", "vib, learned prior": "#7a5ea8"}

if __name__ == "__main__":
    matplotlib.use("Agg")
    rows = pd.read_csv(ROOT / "benchmarks" / "results" / "bottleneck_digits.csv")
    figure, axes = plt.subplots(figsize=(6.4, 4), layout="constrained")
    for name, of_term in rows.groupby("term", sort=False):
        by_weight = of_term.groupby("weight")
        mean, error = by_weight.mean(numeric_only=True), by_weight.sem(numeric_only=True)
        axes.errorbar(
            mean.information_nats,
            100 * mean.accuracy,
            xerr=error.information_nats,
            yerr=100 * error.accuracy,
            label=NAMES[str(name)],
            color=COLOURS[str(name)],
            marker="o",
            markersize=4,
            linewidth=1.2,
        )
    axes.axvline(np.log(10), color="0.6", linestyle=":", linewidth=1)
    axes.annotate("ln 10", (np.log(10), axes.get_ylim()[0]), xytext=(4, 4), textcoords="offset points", color="0.4")
    axes.set(xlabel="I(image; code), nats", ylabel="new digits recognised (%)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower right")
    figure.savefig(ROOT / "docs" / "_static" / "bottleneck_digits.png", dpi=120)
