"""The information of each column about a target: bars with intervals, in place of a heat map of one strip."""

from __future__ import annotations

import math
from html import escape
from typing import Any

from mine.formats import fixed
from mine.reporting.axes import round_values, short, tick_text
from mine.reporting.markup import interval_text
from mine.tables.listing import strongest
from mine.tables.measured import Pairwise
from mine.tables.significance import is_found

__all__ = ["MOST_TARGETS", "target_section"]

#: Targets that get bars of their own, and bars of each; more are a heat map.
MOST_TARGETS, BARS = 4, 40
WIDTH, ROW, LETTER, VALUES, TOP = 720, 22, 6.6, 62, 8
#: Letters of a name that are shown.
LETTERS = 26


def target_section(pairwise: Pairwise, targets: list[str]) -> str:
    """One picture for each target: the other columns, the largest values first, those not told from independence grey."""
    rows = strongest(pairwise)
    parts = []
    for target in targets:
        own = [row for row in rows if row["y"] == target and not math.isnan(row["value"])]
        if own:
            title = f"<h3>{escape(target)}</h3>" if len(targets) > 1 else ""
            left = f" The first {BARS} of {len(own):,} are drawn." if len(own) > BARS else ""
            parts.append(f"{title}{_bars(target, own[:BARS], pairwise.unit)}" + (f'<p class="soft">{left}</p>' if left else ""))
    if not parts:
        return ""
    about = (
        f"Bars are values in {pairwise.unit}, lines 95 % intervals; an arrow marks an interval that is open or leaves the "
        "picture. Grey: not distinguished from independence."
    )
    return f'<p class="soft">{about}</p>{"".join(parts)}'


def _bars(target: str, rows: list[dict[str, Any]], unit: str) -> str:
    largest = max(row["value"] for row in rows)
    reach = [row["high"] for row in rows if math.isfinite(row["high"])]
    top = max(min(max(reach, default=largest), 2.5 * max(largest, 0)), largest, 1e-3) * 1.04
    low = min(0.0, max(min((row["low"] for row in rows if math.isfinite(row["low"])), default=0.0), -0.15 * top))
    start = 14 + LETTER * max(len(short(row["x"], LETTERS)) for row in rows)
    end, height = WIDTH - VALUES, TOP + ROW * len(rows) + 34

    def at(value: float) -> float:
        return start + (min(max(value, low), top) - low) / (top - low) * (end - start)

    parts = [_tick(value, at(value), height - 32) for value in round_values(low, top)]
    for i, row in enumerate(rows):
        parts.append(_row(row, start, TOP + ROW * i, at, top, unit))
    parts.append(
        f'<text class="axis" x="{(start + end) / 2:.1f}" y="{height - 6}" text-anchor="middle">information about '
        f"{escape(short(target, 40))} ({unit})</text>"
    )
    label = escape(f"Information of {len(rows)} columns about {target}; the table of all pairs has the same numbers")
    return (
        f'<div class="scroll bare" tabindex="0" role="region" aria-label="{label}"><svg class="bars" '
        f'viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{label}">{"".join(parts)}</svg></div>'
    )


def _row(row: dict[str, Any], start: float, y: float, at: Any, top: float, unit: str) -> str:
    grey = "" if is_found(row) else " noise"
    zero, value, middle = at(0.0), at(row["value"]), y + ROW / 2
    low, high = at(row["low"]), at(row["high"])
    beyond = row["high"] > top
    ends = f'<path class="arrow" d="M{high:.1f} {middle - 4:.1f}l6 4l-6 4z"/>' if beyond else ""
    title = escape(f"{row['x']}: {fixed(row['value'])} {unit} {interval_text(row)}")
    return (
        f'<g class="target{grey}"><title>{title}</title>'
        f'<text font-size="12" x="{start - 8:.1f}" y="{middle + 4:.1f}" text-anchor="end">'
        f"{escape(short(row['x'], LETTERS))}</text>"
        f'<rect class="bar" x="{min(zero, value):.1f}" y="{y + 4:.1f}" width="{max(abs(value - zero), 1):.1f}" '
        f'height="{ROW - 8}"/>'
        f'<line class="whisker" x1="{low:.1f}" x2="{high:.1f}" y1="{middle:.1f}" y2="{middle:.1f}"/>{ends}'
        f'<text font-size="12" x="{WIDTH - 4}" y="{middle + 4:.1f}" text-anchor="end">{fixed(row["value"])}</text></g>'
    )


def _tick(value: float, x: float, bottom: float) -> str:
    return (
        f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{bottom - 6}"/>'
        f'<text class="tick" font-size="10" x="{x:.1f}" y="{bottom + 6}" text-anchor="middle">{tick_text(value)}</text>'
    )
