"""What a column holds, as a small picture: a histogram of numbers, bars of the most frequent labels."""

from __future__ import annotations

from html import escape

import numpy as np

from mine.reporting.axes import are_whole, drawn_range, in_reach, short
from mine.tables.columns import Column

__all__ = ["distribution"]

#: Bars of a histogram at most; labels that have a bar of their own, and letters of their names.
BARS, LEVELS, LETTERS = 24, 5, 14
WIDTH, HEIGHT, ROW = 170, 34, 13


def distribution(column: Column) -> str:
    """A picture of the values of a column, as SVG."""
    values = column.values[column.present]
    if not len(values):
        return ""
    return _histogram(column.name, values) if column.kind == "number" else _bars(column, values.astype(int))


def _histogram(name: str, values: np.ndarray) -> str:
    values, exponent = in_reach(values)
    low, high = drawn_range(values)
    whole = are_whole(values) and 0 < high - low < BARS
    edges = np.arange(low - 0.5, high + 1) if whole else np.linspace(low, high, BARS + 1)
    counts = np.histogram(values.clip(low, high), edges)[0]
    slot = WIDTH / len(counts)
    bars = "".join(
        f'<rect class="bar" x="{slot * i:.1f}" y="{HEIGHT - HEIGHT * c / counts.max():.1f}" width="{max(slot - 1, 1):.1f}" '
        f'height="{HEIGHT * c / counts.max():.1f}"/>'
        for i, c in enumerate(counts.tolist())
        if c
    )
    ends = [f"{end:.4g}" + (f"e{exponent}" if exponent else "") for end in (low, high)]
    text = (
        f'<text class="tick" font-size="9" x="0" y="{HEIGHT + 10}">{ends[0]}</text>'
        f'<text class="tick" font-size="9" x="{WIDTH}" y="{HEIGHT + 10}" text-anchor="end">{ends[1]}</text>'
    )
    label = escape(f"Histogram of {name}, from {ends[0]} to {ends[1]}")
    return _svg(label, HEIGHT + 13, bars + text)


def _bars(column: Column, codes: np.ndarray) -> str:
    counts = np.bincount(codes, minlength=len(column.levels))
    order = np.argsort(-counts, kind="stable")[: LEVELS if len(column.levels) <= LEVELS else LEVELS - 1]
    rows = [(column.levels[k], int(counts[k])) for k in order]
    left = len(column.levels) - len(order)
    if left:
        rows.append((f"{left:,} others", int(counts.sum()) - sum(c for _, c in rows)))
    longest = max(c for _, c in rows)
    parts = []
    for i, (name, count) in enumerate(rows):
        share = f"{count / len(codes):.0%}" if count * 100 >= len(codes) else "<1%"
        at = ROW * i
        parts.append(
            f'<rect class="bar" x="78" y="{at + 2}" width="{max(56 * count / longest, 1):.1f}" height="{ROW - 4}"/>'
            f'<text class="tick" font-size="9" x="74" y="{at + 10}" text-anchor="end">{escape(short(name, LETTERS))}</text>'
            f'<text class="tick" font-size="9" x="{WIDTH}" y="{at + 10}" text-anchor="end">{escape(share)}</text>'
        )
    label = escape(f"Shares of the most frequent labels of {column.name}")
    return _svg(label, ROW * len(rows), "".join(parts))


def _svg(label: str, height: int, body: str) -> str:
    return (
        f'<svg class="small" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" '
        f'aria-label="{label}">{body}</svg>'
    )
