"""The figure of points: the data and what each arm made, side by side, coloured by code."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mine.experiments.store import Record
from mine.reporting.figures import new_figure, write_figure

__all__ = ["of_one_seed", "plot_points", "points_panel"]

#: Points a panel.
_DRAWN = 2_500


def plot_points(
    cells: Sequence[tuple[Record, Path]],
    folder: Path,
    draw: Callable[[int, Any], tuple[np.ndarray, np.ndarray]],
    limit: float,
    caption: Callable[[Mapping[str, float]], str],
) -> list[Path]:
    """Write ``figure.png``: a panel for the data, and one per arm, of the first seed that all arms have.

    Arguments:
        cells: Records, and the folders with ``samples.npz``.
        folder: Where the figure goes.
        draw: ``(n, generator) -> (points, labels)``, the data.
        limit: Half the width of a panel.
        caption: A line below an arm's name, from the numbers of that cell.
    """
    shown = of_one_seed(cells)
    figure, axes = new_figure(1, 1 + len(shown), (2.9 * (1 + len(shown)), 3.35))
    points, labels = draw(_DRAWN, 0)
    points_panel(axes[0][0], points, labels, limit, "original", "colour: label")
    for axis, (record, path) in zip(axes[0][1:], shown, strict=True):
        with np.load(path / "samples.npz") as stored:
            points, codes = stored["points"][:_DRAWN], stored["codes"][:_DRAWN]
        outside = int((np.abs(points) > limit).any(1).sum())
        note = caption(record.metrics) + (f"; {outside} points outside" if outside else "")
        points_panel(axis, points, codes, limit, record.arm, note)
    target = folder / "figure.png"
    write_figure(figure, target, dpi=150)
    return [target]


def of_one_seed(cells: Sequence[tuple[Record, Path]]) -> list[tuple[Record, Path]]:
    """A cell an arm, of the first seed that all arms have; of each arm's own first where they share none."""
    arms = list(dict.fromkeys(record.arm for record, _ in cells))
    by_arm = {arm: {record.seed: (record, path) for record, path in cells if record.arm == arm} for arm in arms}
    shared = [seed for seed in by_arm[arms[0]] if all(seed in by_seed for by_seed in by_arm.values())]
    return [by_arm[arm][shared[0]] if shared else next(iter(by_arm[arm].values())) for arm in arms]


def points_panel(axis: Any, points: np.ndarray, codes: np.ndarray, limit: float, name: str, note: str) -> None:
    """Points coloured by code, without ticks: a name above, a note below."""
    colour = np.arctan2(codes[:, 1], codes[:, 0]) if codes.ndim == 2 else codes
    few = codes.ndim == 1 and len(np.unique(codes)) <= 10
    # neighbours in the label's order get colours far apart, else a mode and the next look alike
    spread = colour * 7 % 25 if codes.ndim == 1 and not few else colour
    cmap = "twilight" if codes.ndim == 2 else "tab10" if few else "nipy_spectral"
    axis.scatter(points[:, 0], points[:, 1], c=spread, cmap=cmap, s=3, lw=0, alpha=0.7, vmax=9 if few else None)
    axis.set_xlim(-limit, limit)
    axis.set_ylim(-limit, limit)
    axis.set_aspect("equal")
    axis.set_xticks([])
    axis.set_yticks([])
    for side in axis.spines.values():
        side.set_visible(True)
        side.set_color("#cccccc")
    axis.set_title(name, fontsize=11)
    axis.set_xlabel(note, fontsize=8)
