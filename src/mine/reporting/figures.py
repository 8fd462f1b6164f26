"""Figures, in one plain style that reads on white and in print."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mine.errors import MineError
from mine.escapes import printable
from mine.formats import fixed
from mine.storage.files import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["STYLE", "as_label", "new_figure", "plot_estimate", "write_figure"]

#: Colours that colour-blind readers can distinguish, and no box around the data.
STYLE: Any = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": "medium",
    "font.size": 10,
    "legend.frameon": False,
    "savefig.dpi": 150,
}
BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "#8a8a8a"


def new_figure(rows: int, columns: int, size: tuple[float, float]) -> tuple[Figure, Any]:
    """A figure and its array of axes, without touching pyplot's global state or backend.

    Raises:
        MineError: matplotlib is not installed.
    """
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError:
        raise MineError('Figures need matplotlib: pip install "torch-mine[plot]".') from None
    with rc_context(STYLE):
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False)
    return figure, axes


def as_label(name: str) -> str:
    r"""A name that somebody chose as matplotlib's text: no formula between dollar signs, no control characters.

    >>> as_label("price in $ or $$")
    'price in \\$ or \\$\\$'
    """
    return printable(name).replace("$", r"\$")


def write_figure(figure: Figure, path: Path, **options: Any) -> None:
    """Write a figure, whole or not at all, in the format that the name ends in.

    Letters that the font lacks, as in Chinese names, are boxes without a word.

    Arguments:
        figure: The figure.
        path: The file.
        **options: As of ``Figure.savefig``.

    Raises:
        OSError: The file cannot be written.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        kind = path.suffix.lower().lstrip(".")
        write_whole(path, lambda stream: figure.savefig(stream, format=kind, **options))


def plot_estimate(estimate: Any) -> Figure:
    """A :class:`mine.Estimate` and its interval; if it has them, the training history and the pointwise values."""
    trained = len(estimate.history.get("step", [])) > 1
    panels = 1 + trained + (estimate.pointwise_values is not None)
    figure, axes = new_figure(1, panels, (3.6 * panels + 0.4, 3.4))
    panel = iter(axes[0])

    _draw_interval(next(panel), estimate)
    if trained:
        _draw_history(next(panel), estimate)
    if estimate.pointwise_values is not None:
        _draw_pointwise(next(panel), estimate)
    figure.suptitle(f"Mutual information by method {estimate.method}, n = {estimate.n:,}", fontsize=11)
    return figure


def _draw_interval(axis: Any, estimate: Any) -> None:
    low, high = estimate.interval
    unbounded = not math.isfinite(high)
    top = high if not unbounded else max(estimate.value, low) + 0.25 * max(1e-9, estimate.value - low) + 0.1
    if math.isfinite(low):
        axis.plot([0, 0], [low, top], color=BLUE, lw=6, alpha=0.35, solid_capstyle="butt", label="95 % interval")
        if unbounded:
            axis.plot(0, top, "^", color=BLUE, ms=9, alpha=0.6, label="open above")
    axis.plot(0, estimate.value, "o", color=BLUE, ms=8, label="value")
    if estimate.lower_bound is not None:
        axis.plot([-0.25, 0.25], [estimate.lower_bound] * 2, color=ORANGE, lw=1.5, label="held-out bound")
    axis.axhline(0, color=GREY, lw=0.8)
    axis.set_xlim(-1, 1)
    axis.set_xticks([])
    axis.set_ylabel(estimate.unit)
    axis.set_title(f"{fixed(estimate.value)} ± {fixed(estimate.stderr)} {estimate.unit}", loc="left")
    bottom, ceiling = axis.get_ylim()
    axis.set_ylim(bottom, ceiling + 0.45 * (ceiling - bottom))  # room for the legend
    axis.legend(loc="upper left", fontsize=8)


def _draw_history(axis: Any, estimate: Any) -> None:
    steps = estimate.history["step"]
    axis.plot(steps[1:], estimate.history["train"][1:], color=GREY, lw=1.2, label="training batches")
    axis.plot(steps, estimate.history["validation"], color=BLUE, lw=1.6, label="validation rows")
    axis.set_xlabel("step")
    axis.set_ylabel(f"bound ({estimate.unit})")
    axis.set_title("Training", loc="left")
    validation = estimate.history["validation"]
    spread = max(max(validation) - min(validation), 0.05)
    axis.set_ylim(min(validation) - 0.3 * spread, max(validation) + 0.6 * spread)  # saturated training bounds rise without end
    axis.legend(loc="lower right", fontsize=8)


def _draw_pointwise(axis: Any, estimate: Any) -> None:
    rows = estimate.pointwise()
    middle, width = (rows.min() + rows.max()) / 2, max(rows.max() - rows.min(), 0.1)
    bins = min(60, max(10, int(len(rows) ** 0.5)))
    axis.hist(rows, bins=bins, range=(middle - width / 2, middle + width / 2), color=BLUE, alpha=0.8)
    axis.axvline(rows.mean(), color=ORANGE, lw=1.5, label=f"mean {fixed(rows.mean())}")
    axis.set_xlabel(f"held-out contribution of a row ({estimate.unit})")
    axis.set_ylabel("rows")
    axis.set_title("Pointwise", loc="left")
    axis.legend(loc="upper left", fontsize=8)
