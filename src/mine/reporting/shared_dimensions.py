"""The figure of :func:`mine.shared_dimensions`: information against the width of the bottleneck."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from mine.reporting.figures import BLUE, GREY, ORANGE, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_shared_dimensions"]


def plot_shared_dimensions(found: Any) -> Figure:
    """A :class:`mine.SharedDimensions`: the bound of each width with its interval, and the number of dimensions."""
    figure, axes = new_figure(1, 1, (6.4, 3.4))
    axis = axes[0][0]
    widths, values = np.array([0, *found.widths]), np.array([0.0, *found.values])
    low, high = found.interval
    last = widths[-1] + 0.5
    axis.axvspan(low - 0.3, min(high, last) + (0.3 if math.isfinite(high) else 0), color=ORANGE, alpha=0.15, lw=0)
    axis.axvline(found.dimensions, color=ORANGE, lw=1.5)
    axis.axhline(0, color=GREY, lw=0.8)
    below, above = ([0, *(abs(ends[i] - v) for ends, v in zip(found.intervals, found.values, strict=True))] for i in (0, 1))
    axis.errorbar(widths, values, yerr=[below, above], fmt="o-", color=BLUE, ms=5, lw=1.2, capsize=3)
    axis.set_xticks(widths)
    axis.set_xlim(-0.5, last)
    axis.set_xlabel("numbers that each side is squeezed into")
    axis.set_ylabel(f"held-out bound ({found.unit})")
    most = f"{high:.0f}" if math.isfinite(high) else "more"
    between = f" (interval {low} to {most})" if low != high else ""
    axis.set_title(f"{found.dimensions} shared dimension{'s' * (found.dimensions != 1)}{between}", loc="left")
    return figure
