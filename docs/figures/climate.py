"""Draw the figure of ``tutorials/time-series.md``: ``python docs/figures/climate.py``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

import mine
from mine.datasets import example_path
from mine.reporting.figures import BLUE, GREY, ORANGE, new_figure

STATIC = Path(__file__).parents[1] / "_static"
LAGS = range(-18, 25, 3)

if __name__ == "__main__":
    monthly = pd.read_csv(example_path("climate"), parse_dates=["month"], index_col="month").asfreq("MS")
    sea = monthly["sea_temperature"]
    warmth = sea - sea.groupby(sea.index.month).transform("mean")
    growth = monthly["co2"].diff(12)

    figure, axes = new_figure(2, 1, (7.2, 5.2))
    top, bottom = axes[0][0], axes[1][0]
    top.plot(warmth.index, warmth, color=ORANGE, lw=1, label="warmth of the sea (°C)")
    top.plot(growth.index, growth, color=BLUE, lw=1, label="growth of CO$_2$ in a year (ppm)")
    top.axhline(0, color=GREY, lw=0.8)
    top.margins(x=0.01)
    top.set_ylim(-3, 6.5)
    top.legend(loc="upper left", ncols=2, fontsize=9)

    for lag in LAGS:
        both = pd.DataFrame({"warmth": warmth.shift(lag), "growth": growth}).dropna()
        est = mine.estimate(both["warmth"], both["growth"], method="gaussian", order="time")
        p = mine.independence_test(both["warmth"], both["growth"], order="time", random_state=0).p_value
        print(lag, est.value, est.interval, p)
        filled = p * len(LAGS) < 0.05
        bottom.plot([lag, lag], est.interval, color=BLUE, lw=1.2, alpha=0.7)
        bottom.plot(lag, est.value, "o", color=BLUE, ms=6, mfc=BLUE if filled else "white")
    bottom.axhline(0, color=GREY, lw=0.8)
    bottom.axvline(0, color=GREY, lw=0.8, ls=":")
    bottom.set_xticks(np.arange(-18, 25, 6))
    bottom.set_xlabel("months by which the sea is earlier")
    bottom.set_ylabel("information (nats)")
    figure.savefig(STATIC / "climate_lags.png", dpi=110)
