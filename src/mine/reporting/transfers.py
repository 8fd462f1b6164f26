"""The figure of :func:`mine.transfer_table`: a matrix of who drives whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mine.reporting.figures import as_label, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_transfers", "transfer_matrix"]

#: Above this many columns the numbers in the cells would not be read.
NUMBERED = 14
#: Characters of a name that are shown.
SHOWN = 24


def transfer_matrix(table: Any, name: str = "value") -> np.ndarray:
    """An entry of every pair, sources as rows and targets as columns, NaN on the diagonal."""
    place = {column: i for i, column in enumerate(table.names)}
    matrix = np.full((len(place), len(place)), np.nan)
    for pair in table.pairs:
        matrix[place[pair["source"]], place[pair["target"]]] = pair[name]
    return matrix


def plot_transfers(table: Any) -> Figure:
    """A :class:`mine.TransferTable` as a heat map; pairs with a q above 0.05 are grey, and so are those without a value."""
    values, q = transfer_matrix(table), transfer_matrix(table, "q")
    found = q <= 0.05
    n, longest = len(table.names), min(max(map(len, table.names)), SHOWN)
    side = 1.7 + 0.09 * longest + 0.5 * min(max(n, 3), 30)
    figure, axes = new_figure(1, 1, (side + 1.1, side))
    axis = axes[0][0]
    axis.imshow(np.where(np.eye(n, dtype=bool), np.nan, 0.12), vmin=0, vmax=1, cmap="Greys")
    top = float(np.max(values[found], initial=0.0)) or 1.0
    image = axis.imshow(np.where(found, np.maximum(values, 0), np.nan), vmin=0, vmax=top, cmap="viridis")
    names = [as_label(name if len(name) <= SHOWN else name[: SHOWN - 1] + "…") for name in table.names]
    axis.set_xticks(range(n), names, rotation=90 if longest > 6 else 0, fontsize=8)
    axis.set_yticks(range(n), names, fontsize=8)
    axis.set_xlabel("target: is driven")
    axis.set_ylabel("source: drives")
    axis.spines[:].set_visible(False)
    axis.tick_params(length=0)
    if n <= NUMBERED:
        for i, j in np.argwhere(found):
            shade = "white" if values[i, j] < 0.6 * top else "black"
            axis.text(j, i, f"{values[i, j]:.2f}", ha="center", va="center", fontsize=7, color=shade)
    if found.any():
        figure.colorbar(image, ax=axis, shrink=0.8, label=f"effective transfer entropy in {table.unit}")
    axis.set_title("Who drives whom (grey: q > 0.05)" if found.any() else "No transfer found (q > 0.05)", loc="left")
    return figure
