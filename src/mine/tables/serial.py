"""Pairs of columns whose rows resemble their neighbours, where nobody said that rows have an order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mine.data.serial import memory, remember_each_other
from mine.tables.blocks import Cell
from mine.tables.columns import Column

__all__ = ["noticed"]

#: What the note of a pair says: the sentence of an estimate, in few words.
NOTE = "both columns resemble themselves from row to row: if rows are in the order of time, pass order='time' (--order time)"


def noticed(cells: dict[tuple[str, str], Cell], columns: dict[str, Column]) -> dict[tuple[str, str], Cell]:
    """The cells, with a note at pairs of two columns that both resemble themselves from row to row."""
    memories = {name: _memory(column) for name, column in columns.items()}
    out = {}
    for (a, b), cell in cells.items():
        if cell.value is not None and remember_each_other(memories[a], memories[b]):
            cell = replace(cell, note=". ".join(filter(None, (cell.note, NOTE))))
        out[a, b] = cell
    return out


def _memory(column: Column) -> np.ndarray | None:
    """The memory of a column, None if it is no series; rows without a value are passed over."""
    return None if column.kind == "constant" else memory(column.variable(np.flatnonzero(column.present)))
