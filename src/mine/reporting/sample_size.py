"""The figure of :func:`mine.sample_size_check`: estimates against ``1 / n``, and the line through them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mine.reporting.figures import BLUE, GREY, ORANGE, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_sample_size"]


def plot_sample_size(check: Any) -> Figure:
    """A :class:`mine.SampleSizeCheck`: a grey point per part, a blue one per size, the line and its intercept."""
    figure, axes = new_figure(1, 1, (6.4, 3.4))
    axis = axes[0][0]
    at = 1 / np.array(check.sizes)
    for place, level in zip(at[1:], check.values[1:], strict=True):
        axis.plot([place] * len(level), level, ".", color=GREY, ms=6, label="one part" if len(level) == 2 else None)
    axis.plot(at, check.means, "o", color=BLUE, ms=7, label="mean of a size")
    slope = np.polyfit(at, check.means, 1)[0]
    ends = np.array([0, at.max()])
    axis.plot(ends, check.value + slope * ends, "-" if check.straight else "--", color=BLUE, lw=1.2)
    _draw_interval(axis, check)
    axis.plot(0, check.value, "D", color=ORANGE, ms=7, label="unlimited rows")
    axis.set_xticks([0, *at], ["0", *(f"1/{size:,}" for size in check.sizes)], fontsize=8, rotation=30)
    axis.set_xlabel("1 / rows")
    axis.set_ylabel(check.unit)
    axis.set_title("On a line" if check.straight else f"Not on a line (p = {check.p_value:.2g})", loc="left")
    axis.margins(y=0.12)
    figure.legend(loc="outside right upper", fontsize=8, frameon=False)
    return figure


def _draw_interval(axis: Any, check: Any) -> None:
    """The interval at no ``1 / n``. It ends in an arrow where it is so long that the points would be flattened."""
    shown = [check.value, *(value for level in check.values for value in level)]
    room = max(max(shown) - min(shown), 1e-3)
    low, high = max(check.interval[0], min(shown) - room), min(check.interval[1], max(shown) + room)
    axis.plot([0, 0], [low, high], color=ORANGE, lw=5, alpha=0.5, solid_capstyle="butt", label="95 % interval")
    for end, whole, marker in ((low, check.interval[0], "v"), (high, check.interval[1], "^")):
        if end != whole:
            axis.plot(0, end, marker, color=ORANGE, ms=9, alpha=0.8)
