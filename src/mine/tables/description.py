"""The description of a table's columns before anything is estimated, for people and for programs."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np

from mine.data.frames import as_frame
from mine.data.moments import MomentUnit, moment_text
from mine.escapes import for_spreadsheet, printable

__all__ = ["ColumnDescription", "Description", "examples_of"]

#: Distinct values that are shown, rows that are looked at for them, and letters of each.
EXAMPLES, LOOKED_AT, LETTERS = 3, 1000, 24


@dataclass(frozen=True)
class ColumnDescription:
    """One column, as an estimate would read it.

    Attributes:
        name: Its name.
        kind: ``"numbers"``, ``"labels"``, ``"dates"`` (read as numbers), ``"identifier"`` (labels that differ in nearly every
            row), ``"constant"``, ``"empty"``, or ``"refused"``: an estimate raises an error.
        why: The reason.
        missing: Rows without a value.
        n: All rows.
        infinite: Rows with an infinite number.
        distinct: Number of distinct values; None where they were not counted (over 100,000 rows of numbers).
        examples: Some values, as text.
        remedy: What to do, if anything.
    """

    name: str
    kind: str
    why: str
    missing: int
    n: int
    infinite: int
    distinct: int | None
    examples: tuple[str, ...]
    remedy: str

    @property
    def missing_share(self) -> float:
        return self.missing / self.n

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON-ready values."""
        return {
            "column": self.name,
            "kind": self.kind,
            "why": self.why,
            "missing": self.missing,
            "missing_share": self.missing_share,
            "infinite": self.infinite,
            "distinct": self.distinct,
            "examples": list(self.examples),
            "remedy": self.remedy,
        }


@dataclass(frozen=True, repr=False)
class Description:
    """The columns of a table; prints as a table, in a notebook as HTML.

    Attributes:
        columns: One description per column, in the order of the table.
        n_rows: Number of rows.
        notes: Sentences on the whole table.
        source: The table that was described: :meth:`to_frame` gives a frame of its library.
    """

    columns: tuple[ColumnDescription, ...]
    n_rows: int
    notes: tuple[str, ...] = ()
    source: Any = field(default=None, compare=False)

    def __len__(self) -> int:
        return len(self.columns)

    def to_dict(self) -> dict[str, Any]:
        """The number of rows, the columns and the notes as JSON-ready values."""
        return {"rows": self.n_rows, "columns": [column.to_dict() for column in self.columns], "notes": list(self.notes)}

    def to_frame(self) -> Any:
        """One row per column of the table, as a frame of the library that the table came in (pandas for arrays)."""
        rows = [{**column.to_dict(), "examples": ", ".join(column.examples)} for column in self.columns]
        return as_frame({name: [row[name] for row in rows] for name in rows[0]}, self.source)

    def to_json(self) -> str:
        """One line of JSON per column."""
        return "\n".join(json.dumps(column.to_dict(), allow_nan=False) for column in self.columns)

    def to_csv(self) -> str:
        """One line per column, below a header line."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        rows = [{**column.to_dict(), "examples": ", ".join(column.examples)} for column in self.columns]
        writer.writerow(rows[0])
        writer.writerows(["" if value is None else for_spreadsheet(value) for value in row.values()] for row in rows)
        return out.getvalue()

    def to_text(self, width: int = 120) -> str:
        """The table for a terminal of ``width`` letters, without colour."""
        from rich.box import SIMPLE
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        title = f"{self.n_rows:,} rows, {len(self.columns):,} columns"
        table = Table(title=title, title_justify="left", box=SIMPLE, padding=(0, 1), collapse_padding=True, title_style="")
        table.add_column("column", overflow="fold", min_width=6)
        table.add_column("read as", no_wrap=True)
        for name in ("missing", "distinct"):
            table.add_column(name, justify="right", no_wrap=True)
        table.add_column("examples", overflow="fold", min_width=10, max_width=max(width // 4, 12))
        table.add_column("why, and what to do", overflow="fold", min_width=16)
        for column in self.columns:
            table.add_row(*(Text(cell) for cell in _cells(column)))
        out = io.StringIO()
        console = Console(file=out, width=max(width, 80), color_system=None)
        console.print(table)
        lines = [*(line.rstrip() for line in out.getvalue().splitlines()), *self.notes]
        return "\n".join(lines).strip("\n")

    def __repr__(self) -> str:
        return printable(self.to_text())

    def _repr_html_(self) -> str:
        head = ("column", "read as", "missing", "distinct", "examples", "why, and what to do")
        names = "".join(f'<th style="text-align:left">{name}</th>' for name in head)
        rows = "".join(
            "<tr>" + "".join(f'<td style="text-align:left">{escape(cell)}</td>' for cell in _cells(column)) + "</tr>"
            for column in self.columns
        )
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        caption = f"{self.n_rows:,} rows, {len(self.columns):,} columns"
        table = f"<table><caption>{caption}</caption><thead><tr>{names}</tr></thead><tbody>{rows}</tbody></table>{notes}"
        return printable(table)


def _cells(column: ColumnDescription) -> list[str]:
    distinct = "many" if column.distinct is None else f"{column.distinct:,}"
    infinite = f"{column.infinite:,} infinite value{'s' if column.infinite > 1 else ''}" if column.infinite else ""
    about = "; ".join(filter(None, (column.why, infinite)))
    return [
        " ".join(column.name.split()),
        column.kind,
        _share(column),
        "-" if column.kind == "refused" else distinct,
        ", ".join(column.examples),
        f"{about}: {column.remedy}" if column.remedy else about,
    ]


def _share(column: ColumnDescription) -> str:
    if not column.missing:
        return "-"
    share = column.missing_share
    return f"{share:.0%}" if 0.01 <= share <= 0.99 or share == 1 else "< 1%" if share < 0.01 else "> 99%"


def examples_of(values: np.ndarray, moment: MomentUnit | None = None) -> tuple[str, ...]:
    """The first distinct values of a column (n,), as text of at most some letters each.

    >>> examples_of(np.array([1.5, 1.5, 2.0, 3.25, 4.0]))
    ('1.5', '2', '3.25')
    """
    out: dict[str, None] = {}
    for value in values[:LOOKED_AT].tolist() if values.dtype.kind not in "Mm" else values[:LOOKED_AT].astype(str):
        out[_short(_text(value, moment))] = None
        if len(out) == EXAMPLES:
            break
    return tuple(out)


def _text(value: Any, moment: MomentUnit | None) -> str:
    if moment is not None and isinstance(value, (int, float)):
        return moment_text(value, moment)
    try:
        return f"{value:g}" if isinstance(value, float) else " ".join(str(value).split())
    except Exception:  # an object that has no text
        return type(value).__name__


def _short(text: str) -> str:
    return text if len(text) <= LETTERS else text[: LETTERS - 1] + "…"
