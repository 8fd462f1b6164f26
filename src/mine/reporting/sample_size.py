"""The figure of :func:`mine.sample_size_check`: estimates against ``1 / n``, and the line through them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from mine.reporting.figures import BLUE, GREY, ORANGE, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_sample_size"]


def plot_sample_size(check: Any) -> Figure:
    """A :class:`mine.SampleSizeCheck`: a grey point per part, a blue one per size, the line and its intercept."""
    figure, axes = new_figure(1, 1, (5.2, 3.6))
    axis = axes[0][0]
    at = 1 / np.array(check.sizes)
    for place, level in zip(at, check.values, strict=True):
        axis.plot([place] * len(level), level, ".", color=GREY, ms=6, label="one part" if len(level) == 2 else None)
    axis.plot(at, check.means, "o", color=BLUE, ms=7, label="mean of a size")
    slope = np.polyfit(at, check.means, 1)[0]
    ends = np.array([0, at.max()])
    axis.plot(ends, check.value + slope * ends, "-" if check.straight else "--", color=BLUE, lw=1.2)
    low, high = check.interval
    shown = [low if math.isfinite(low) else min(check.means), high if math.isfinite(high) else max(check.means)]
    axis.plot([0, 0], shown, color=ORANGE, lw=5, alpha=0.5, solid_capstyle="butt", label="95 % interval")
    axis.plot(0, check.value, "D", color=ORANGE, ms=7, label="unlimited rows")
    axis.set_xticks([0, *at], ["0", *(f"1/{size:,}" for size in check.sizes)], fontsize=8, rotation=30)
    axis.set_xlabel("1 / rows")
    axis.set_ylabel(check.unit)
    axis.set_title("On a line" if check.straight else f"Not on a line (p = {check.p_value:.2g})", loc="left")
    axis.margins(y=0.12)
    axis.legend(fontsize=8)
    return figure
