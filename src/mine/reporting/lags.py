"""The figure of :func:`mine.lag_scan`: information against lag, its intervals and what shows by chance."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from mine.reporting.figures import BLUE, GREY, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_lags"]

#: Lags up to which each has a whisker; more have a band.
WHISKERS = 41


def plot_lags(scan: Any) -> Figure:
    """A :class:`mine.LagScan`: filled points stand out, hollow ones do not; the grey band is what shows by chance."""
    figure, axes = new_figure(1, 1, (7.2, 3.6))
    axis = axes[0][0]
    lags, values = scan.lags, scan.values
    room = max(float(np.ptp(values)), 1e-3)
    low, high = (np.clip(scan.intervals[:, i], values.min() - 2 * room, values.max() + 2 * room) for i in (0, 1))
    bottom = min(0.0, float(values.min()))
    if not math.isnan(scan.null_band):
        axis.axhspan(bottom - room, scan.null_band, color=GREY, alpha=0.22, lw=0, label="by chance (95 % of scans)")
    if len(lags) <= WHISKERS:
        axis.vlines(lags, low, high, color=BLUE, lw=1.2, alpha=0.6, label="95 % interval")
    else:
        axis.fill_between(lags, low, high, color=BLUE, alpha=0.18, lw=0, label="95 % interval")
    axis.plot(lags, values, "-", color=BLUE, lw=0.9, alpha=0.7)
    found = scan.significant
    size = 5 if len(lags) <= WHISKERS else 3.2
    axis.plot(
        lags[~found], values[~found], "o", color=BLUE, mfc="white", ms=size, label="does not stand out" if found.any() else None
    )
    axis.plot(lags[found], values[found], "o", color=BLUE, ms=size, label="stands out (p ≤ 0.05)" if found.any() else None)
    if lags[0] < 0 < lags[-1]:
        axis.axvline(0, color=GREY, lw=0.8, ls=":")
    axis.set_xlim(lags[0] - 0.5, lags[-1] + 0.5)
    axis.set_ylim(
        bottom - 0.06 * room, max(float(high.max()), 0 if math.isnan(scan.null_band) else scan.null_band) + 0.08 * room
    )
    axis.set_xlabel("lag in rows:  y leads  ←  0  →  x leads" if lags[0] < 0 < lags[-1] else "lag in rows")
    axis.set_ylabel(f"information in {scan.unit}")
    axis.set_title("No lag stands out" if scan.best is None else f"Strongest at lag {scan.best}", loc="left")
    figure.legend(loc="outside lower center", ncols=4, fontsize=8)
    return figure
