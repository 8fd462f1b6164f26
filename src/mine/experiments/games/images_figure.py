"""The figure of a bidirectional model of images: what each arm makes, and what becomes of images it is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mine.experiments.games.image_grids import grid
from mine.experiments.games.points_figure import of_one_seed
from mine.experiments.store import Record
from mine.reporting.figures import new_figure, write_figure

__all__ = ["plot_images"]

_COLUMNS = 10


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
        _panel(axes[0][column], samples, f"{record.arm}: samples", "")
        n = min(len(images), 4 * _COLUMNS)
        pairs = [part for k in range(0, n, _COLUMNS) for part in (images[k : k + _COLUMNS], rebuilt[k : k + _COLUMNS])]
        title = f"{record.arm}: an image above, G(E(x)) below it"
        _panel(axes[1][column], np.concatenate(pairs), title, caption(record.metrics))
    target = folder / "figure.png"
    write_figure(figure, target, dpi=110)
    return [target]


def _panel(axis: Any, images: np.ndarray, title: str, note: str) -> None:
    axis.imshow(grid(images[:, None].repeat(3, 1), _COLUMNS), interpolation="nearest")
    axis.set_xticks([])
    axis.set_yticks([])
    for side in axis.spines.values():
        side.set_visible(False)
    axis.set_title(title, fontsize=10)
    axis.set_xlabel(note, fontsize=9)
