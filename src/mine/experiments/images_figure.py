"""The figure of a bidirectional model of images: what each arm makes, and what becomes of images it is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mine.experiments.points_figure import of_one_seed
from mine.experiments.store import Record
from mine.report.figures import new_figure

__all__ = ["grid_of_images", "plot_images"]

_COLUMNS = 10


def grid_of_images(images: np.ndarray, columns: int) -> np.ndarray:
    """Images in rows of ``columns``, one array of pixels; what the last row lacks is black.

    Example:
        >>> grid_of_images(np.ones((3, 2, 2)), 2).shape
        (4, 4)
    """
    n, height, width = images.shape
    rows = -(-n // columns)
    full = np.zeros((rows * columns, height, width), images.dtype)
    full[:n] = images
    return full.reshape(rows, columns, height, width).swapaxes(1, 2).reshape(rows * height, columns * width)


def plot_images(
    cells: Sequence[tuple[Record, Path]], folder: Path, caption: Callable[[Mapping[str, float]], str]
) -> list[Path]:
    """Write ``figure.png``, of the first seed that all arms have: samples above; below, rows of images and of what was rebuilt.

    Arguments:
        cells: Records, and the folders with ``samples.npz``: ``samples``, ``shown`` and ``rebuilt``, uint8, (n, height, width).
        folder: Where the figure goes.
        caption: A line below an arm's reconstructions, from the numbers of that cell.
    """
    shown = of_one_seed(cells)
    figure, axes = new_figure(2, len(shown), (4.6 * len(shown), 7.6))
    for column, (record, path) in enumerate(shown):
        with np.load(path / "samples.npz") as stored:
            samples, images, rebuilt = (stored[key] for key in ("samples", "shown", "rebuilt"))
        _panel(axes[0][column], grid_of_images(samples, _COLUMNS), f"{record.arm}: samples", "")
        n = min(len(images), 4 * _COLUMNS)
        pairs = [part for k in range(0, n, _COLUMNS) for part in (images[k : k + _COLUMNS], rebuilt[k : k + _COLUMNS])]
        title = f"{record.arm}: an image above, G(E(x)) below it"
        _panel(axes[1][column], grid_of_images(np.concatenate(pairs), _COLUMNS), title, caption(record.metrics))
        height = images.shape[1]
        for row in range(2, 2 * n // _COLUMNS, 2):
            axes[1][column].axhline(row * height - 0.5, color="#56b4e9", linewidth=1)
    target = folder / "figure.png"
    figure.savefig(target, dpi=110)
    return [target]


def _panel(axis: Any, image: np.ndarray, title: str, note: str) -> None:
    axis.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axis.set_xticks([])
    axis.set_yticks([])
    for side in axis.spines.values():
        side.set_visible(False)
    axis.set_title(title, fontsize=10)
    axis.set_xlabel(note, fontsize=9)
