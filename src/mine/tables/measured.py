"""A measured table: its pairs as plain data, and what a pair says of itself."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mine.data.parsing import ReadColumn
from mine.result import UNITS
from mine.tables.blocks import Cell
from mine.tables.columns import Column

__all__ = ["COLUMNS", "Pairwise", "strength"]

#: Columns of the result, in order; the three of the test only where one was asked for.
COLUMNS = (
    "x", "y", "value", "lower_bound", "stderr", "low", "high", "strength", "p", "q", "permutations", "kind", "method", "n",
    "unit", "note",
)  # fmt: skip


def strength(nats: float) -> float:
    """Information on a scale from 0 to 1: the correlation of the normal pair that has as much, sqrt(1 - exp(-2 I)).

    Derived from the value, with no error bar of its own.

    References:
        Linfoot, 1957, 'An informational measure of correlation' (doi 10.1016/S0019-9958(57)90116-X).

    >>> round(strength(-0.5 * math.log(1 - 0.6**2)), 6), strength(-0.01)
    (0.6, 0.0)
    """
    return math.sqrt(-math.expm1(-2 * max(nats, 0.0)))


@dataclass(frozen=True)
class Pairwise:
    """A measured table: its cells in nats, one per pair, its columns, and the columns of text that were ``read`` as numbers."""

    cells: list[Cell]
    columns: dict[str, Column]
    q: list[float | None] | None
    unit: str
    copies: int
    read: tuple[ReadColumn, ...] = ()

    def records(self) -> dict[str, list[Any]]:
        """The result, column by column, in ``unit``; a number that does not exist is NaN, an open end infinite."""
        scale = UNITS[self.unit]

        def nats(name: str, missing: float = math.nan) -> list[float]:
            values = [getattr(cell, name) for cell in self.cells]
            return [missing if v is None else v / scale for v in values]

        out: dict[str, list[Any]] = {
            "x": [c.x for c in self.cells],
            "y": [c.y for c in self.cells],
            "value": nats("value"),
            "lower_bound": nats("lower_bound"),
            "stderr": nats("stderr"),
            "low": [v if c.value is not None else math.nan for c, v in zip(self.cells, nats("low", -math.inf), strict=True)],
            "high": [v if c.value is not None else math.nan for c, v in zip(self.cells, nats("high", math.inf), strict=True)],
            "strength": [math.nan if c.value is None or c.unidentifiable else strength(c.value) for c in self.cells],
        }
        if self.q is not None:
            out["p"] = [math.nan if c.p is None else c.p for c in self.cells]
            out["q"] = [math.nan if q is None else q for q in self.q]
            out["permutations"] = [c.permutations or 0 for c in self.cells]
        out |= {name: [getattr(c, name) for c in self.cells] for name in ("kind", "method", "n")}
        return {**out, "unit": [self.unit] * len(self.cells), "note": [self._note(c) for c in self.cells]}

    def _note(self, cell: Cell) -> str:
        """What to be careful about, and which of the two columns were read as numbers."""
        sentences = [column.sentence for column in self.read if column.name in (cell.x, cell.y)]
        gap = self._gap(cell)
        note = f"{cell.note}." if gap and cell.note and not cell.note.endswith(".") else cell.note
        return " ".join(filter(None, (note, gap, *sentences)))

    def _gap(self, cell: Cell) -> str:
        """How many rows a pair lacks because a value is missing or infinite."""
        x, y = self.columns[cell.x], self.columns[cell.y]
        if cell.value is None or (self.complete[cell.x] and self.complete[cell.y]):
            return ""
        lost = int((~(x.present & y.present)).sum())
        return f"{lost:,} of {len(x.values):,} rows left out (missing or infinite)." if lost else ""

    @cached_property
    def complete(self) -> dict[str, bool]:
        """Whether each column has a value in every row."""
        return {name: bool(column.present.all()) for name, column in self.columns.items()}

    def gaps(self) -> list[str]:
        """One sentence on the columns with missing or infinite values, or none."""
        names = [name for name, complete in self.complete.items() if not complete]
        if not names:
            return []
        infinite = sum(self.columns[name].infinite > 0 for name in names)
        counts = (f"{name} ({int((~self.columns[name].present).sum()):,} rows)" for name in names[:6])
        more = f", ... ({len(names)} columns)" if len(names) > 6 else ""
        kinds = "missing or infinite" if infinite else "missing"
        return [f"Rows with {kinds} values were left out pair by pair: {', '.join(counts)}{more}."]
