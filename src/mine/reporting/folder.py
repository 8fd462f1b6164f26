"""A measured table as files in a folder: its numbers, and its heat map."""

from __future__ import annotations

from pathlib import Path

from mine.errors import MineError
from mine.reporting.figures import write_figure
from mine.reporting.matrix import plot_pairwise
from mine.storage.files import write_whole
from mine.tables.measured import Pairwise
from mine.tables.records import records_as_csv

__all__ = ["FILES", "save"]

#: The files that a folder gets.
FILES = ("pairs.csv", "matrix.png")


def save(pairwise: Pairwise, folder: Path) -> list[Path]:
    """Write ``pairs.csv`` and, where matplotlib is installed, ``matrix.png`` into the folder."""
    content = records_as_csv(pairwise.records()).encode()
    paths = [folder / FILES[0]]
    write_whole(paths[0], lambda stream: stream.write(content))
    try:
        figure = plot_pairwise(pairwise.records())
    except MineError:  # without matplotlib the numbers are there all the same
        return paths
    paths.append(folder / FILES[1])
    write_figure(figure, paths[1])
    return paths
