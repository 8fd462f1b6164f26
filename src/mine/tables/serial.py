"""Pairs of columns whose rows resemble their neighbours, where nobody said that rows have an order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mine.data.serial import LEAST_TIME, is_serial, is_sorted, serial_features, slowest_autocorrelation, summed_time
from mine.tables.blocks import Cell
from mine.tables.columns import Column

__all__ = ["noticed"]

#: What the note of a pair says: the sentence of an estimate, in few words.
NOTE = "both columns resemble themselves from row to row: if rows are in the order of time, pass order='time' (--order time)"


def noticed(cells: dict[tuple[str, str], Cell], columns: dict[str, Column]) -> dict[tuple[str, str], Cell]:
    """The cells, with a note at pairs of two columns that both resemble themselves from row to row."""
    lags = {name: r for name, column in columns.items() if (r := _serial(column)) is not None}
    out = {}
    for (a, b), cell in cells.items():
        if a in lags and b in lags and cell.value is not None:
            size = min(len(lags[a]), len(lags[b]))
            if summed_time(lags[a][:size] * lags[b][:size]) > LEAST_TIME:
                cell = replace(cell, note=". ".join(filter(None, (cell.note, NOTE))))
        out[a, b] = cell
    return out


def _serial(column: Column) -> np.ndarray | None:
    """The autocorrelations of a column that resembles itself, else None; rows without a value are passed over."""
    if column.kind == "constant":
        return None
    side = column.variable(np.flatnonzero(column.present))
    if is_sorted(side):
        return None
    features = serial_features(side)
    return slowest_autocorrelation(features) if is_serial(features) else None
