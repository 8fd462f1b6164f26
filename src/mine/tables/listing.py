"""A measured table as text."""

from __future__ import annotations

import io
import math
from functools import reduce
from typing import Any

from mine.formats import bracket, fixed
from mine.tables.measured import Pairwise
from mine.tables.significance import LEVEL, disagreement, is_found, p_text

__all__ = ["as_terminal", "strongest"]


def as_terminal(pairwise: Pairwise, top: int, width: int) -> str:
    """The strongest pairs as a table of ``width`` columns, with its legend."""
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    rows = strongest(pairwise)
    sentences = [column.sentence for column in pairwise.read]
    unit, tested = pairwise.unit, pairwise.q is not None
    shown = rows[: max(top, 0)]
    title = f"{len(rows):,} pairs, the strongest {len(shown)}" if len(shown) < len(rows) else f"{len(rows):,} pairs"
    table = Table(title=title, title_justify="left", box=SIMPLE, padding=(0, 1), collapse_padding=True, title_style="")
    for name in ("x", "y"):
        table.add_column(name, overflow="fold")
    for name in (unit, "±", "95 % interval", "strength", *(("p", "q") if tested else ()), "n"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    for row, following in zip(shown, [*shown[1:], None], strict=True):
        found = is_found(row)
        strength = fixed(row["strength"], 2) if found and not math.isnan(row["strength"]) else "-"
        numbers = [_number(row["value"]), _number(row["stderr"]), _interval(row), strength]
        if tested:
            numbers += [p_text(row, f"{row['p']:.2g}"), f"{row['q']:.2g}"]
        cells = [" ".join(row["x"].split()), " ".join(row["y"].split()), *numbers, f"{row['n']:,}", _remark(row, sentences)]
        ends = tested and following is not None and found and not is_found(following)
        table.add_row(*(Text(cell) for cell in cells), end_section=ends)
    out = io.StringIO()
    console = Console(file=out, width=max(width, 80), color_system=None)
    console.print(table)
    notes = [
        "strength = sqrt(1 - exp(-2 I)), I in nats: derived from the value; the correlation of a normal pair that has as much"
    ]
    if tested:
        count = sum(not math.isnan(row["p"]) for row in rows)
        notes.append(
            f"q: Benjamini-Hochberg over all {count:,} tested pairs; those with q > {LEVEL:g} come last, without a strength"
        )
    elif any(not is_found(row) for row in shown):
        notes.append("no strength if the interval contains 0")
    if pairwise.copies:
        notes.append(f"{pairwise.copies:,} rows are exact copies of others and were kept in one fold")
    notes += pairwise.gaps()
    console.print(Text("\n".join([*notes, *(" ".join(sentence.split()) for sentence in sentences)])))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()).strip("\n")


def strongest(pairwise: Pairwise) -> list[dict[str, Any]]:
    """The rows of the result, the largest value first, then those of pairs that a test does not tell from independence, then
    those of identifiers, those without a value last.
    """
    records = pairwise.records()
    rows = [dict(zip(records, row, strict=True)) for row in zip(*records.values(), strict=True)]
    return sorted(rows, key=_rank)


def _rank(row: dict[str, Any]) -> tuple[int, float]:
    if math.isnan(row["value"]):
        return 3, 0.0
    if math.isnan(row["strength"]):
        return 2, -row["value"]
    return int("q" in row and not is_found(row)), -row["value"]


def _number(value: float) -> str:
    return "-" if math.isnan(value) else fixed(value)


def _interval(row: dict[str, Any]) -> str:
    if math.isnan(row["value"]):
        return "-"
    return bracket(row["low"], row["high"])


def _remark(row: dict[str, Any], below: list[str]) -> str:
    """The note of a pair in few words, without the sentences that stand below the table."""
    note = " ".join(reduce(lambda text, sentence: text.replace(sentence, ""), below, row["note"]).split())
    note = ". ".join(filter(None, (disagreement(row), note)))
    return note if len(note) <= 60 else note[:59] + "…"
