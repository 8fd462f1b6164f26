"""The figure of images: grids of the data and of what each arm made, side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mine.experiments.games.points_figure import of_one_seed
from mine.experiments.store import Record
from mine.reporting.figures import new_figure, write_figure

__all__ = ["grid", "plot_image_grids"]

_GAP = 2


def grid(images: np.ndarray, columns: int) -> np.ndarray:
    """Images of shape (n, channels, height, width), uint8, on a white sheet of shape (rows, columns, channels).

    >>> grid(np.zeros((6, 3, 8, 8), dtype=np.uint8), 3).shape
    (18, 28, 3)
    """
    n, channels, height, width = images.shape
    rows = -(-n // columns)
    sheet = np.full((rows * (height + _GAP) - _GAP, columns * (width + _GAP) - _GAP, channels), 255, dtype=np.uint8)
    for k, image in enumerate(images):
        top, left = k // columns * (height + _GAP), k % columns * (width + _GAP)
        sheet[top : top + height, left : left + width] = image.transpose(1, 2, 0)
    return sheet


def plot_image_grids(
    cells: Sequence[tuple[Record, Path]], folder: Path, caption: Callable[[Mapping[str, float]], str], columns: int = 8
) -> list[Path]:
    """Write ``figure.png``: a grid of the data, and one per arm, of the first seed that all arms have.

    Arguments:
        cells: Records, and the folders with ``samples.npz``: ``real`` and ``generated``, uint8, (n, channels, height, width).
        folder: Where the figure goes.
        caption: A line below an arm's grid, from the numbers of that cell.
        columns: Images side by side.
    """
    shown = of_one_seed(cells)
    figure, axes = new_figure(1, 1 + len(shown), (2.9 * (1 + len(shown)), 3.35))
    layout: Any = figure.get_layout_engine()
    layout.set(wspace=0.05)  # else two grids read as one
    for k, (record, path) in enumerate(shown):
        with np.load(path / "samples.npz") as stored:
            if k == 0:
                _panel(axes[0][0], grid(stored["real"], columns), "original", "a digit a colour")
            _panel(axes[0][k + 1], grid(stored["generated"], columns), record.arm, caption(record.metrics))
    target = folder / "figure.png"
    write_figure(figure, target, dpi=150)
    return [target]


def _panel(axis: Any, sheet: np.ndarray, name: str, note: str) -> None:
    axis.imshow(sheet, interpolation="nearest")
    axis.set_xticks([])
    axis.set_yticks([])
    for side in axis.spines.values():
        side.set_visible(False)
    axis.set_title(name, fontsize=10)
    axis.set_xlabel(note, fontsize=8)
