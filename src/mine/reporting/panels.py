"""The figures of the report's page: plain SVG that takes its colours from the page, so that it follows light and dark."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

import numpy as np

from mine.reporting.axes import are_whole, drawn_range, in_reach, round_values, scale, short, tick_text
from mine.tables.columns import Column

__all__ = ["gap_plot", "heat_map", "pair_panel"]

#: Points of a scatter plot, and levels of a label, that are drawn.
POINTS, LEVELS = 300, 8
WIDTH, HEIGHT = 300, 210
LEFT, RIGHT, TOP, BOTTOM = 46, 8, 8, 34


def pair_panel(x: Column, y: Column) -> str:
    """Scatter plot, violins or shares of a pair, as SVG."""
    rows = np.flatnonzero(x.present & y.present)
    if x.kind == "number" and y.kind == "number":
        body = _scatter(x.values[rows], y.values[rows])
    elif x.kind == "number" or y.kind == "number":
        if x.kind == "number":
            x, y = y, x  # labels across, numbers up
        body = _violins(x, x.values[rows].astype(int), y.values[rows])
    else:
        body = _shares(x, x.values[rows].astype(int), y, y.values[rows].astype(int))
    axes = (
        f'<text class="axis" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 4}" text-anchor="middle">{escape(short(x.name, 34))}'
        f'</text><text class="axis" transform="rotate(-90)" x="{-(TOP + HEIGHT - BOTTOM) / 2}" y="10" text-anchor="middle">'
        f"{escape(short(y.name, 24))}</text>"
    )
    label = escape(f"{y.name} against {x.name}, {len(rows):,} rows")
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{body}{axes}</svg>'


def heat_map(names: Sequence[str], across: Sequence[str], matrix: np.ndarray, found: np.ndarray) -> str:
    """Strength of every pair as a grid of cells, each with its number as a tooltip; pairs that are not ``found`` are grey."""
    cell = 26 if max(matrix.shape) <= 30 else max(6, 780 // max(matrix.shape))
    named = cell >= 11
    margin = 10 + (7 * min(max(map(len, [*names, *across])), 24) if named else 0)
    width, height = margin + cell * matrix.shape[1] + 4, margin + cell * matrix.shape[0] + 4
    parts = []
    size = 11 if cell >= 14 else 9
    for i, name in enumerate(names if named else ()):
        parts.append(
            f'<text class="tick" font-size="{size}" x="{margin - 5}" y="{margin + cell * i + cell / 2 + 4}" text-anchor="end">'
            f"{escape(short(name, 24))}</text>"
        )
    for j, name in enumerate(across if named else ()):
        at = margin + cell * j + cell / 2 + 4
        parts.append(
            f'<text class="tick" font-size="{size}" transform="translate({at},{margin - 5}) rotate(-90)">'
            f"{escape(short(name, 24))}</text>"
        )
    for i, j in ((int(i), int(j)) for i, j in np.argwhere(np.isfinite(matrix))):
        value = float(matrix[i, j])
        at_x, at_y = margin + cell * j, margin + cell * i
        if not found[i, j]:
            parts.append(
                f"<g><title>{escape(names[i])} – {escape(across[j])}: not distinguished from independence</title>"
                f'<rect class="cell-noise" x="{at_x}" y="{at_y}" width="{cell - 1}" height="{cell - 1}"/></g>'
            )
            continue
        number = ""
        if cell >= 26:
            shade = "on" if value > 0.55 else "off"
            number = (
                f'<text class="cell-{shade}" font-size="9" x="{at_x + cell / 2}" y="{at_y + cell / 2 + 3}" '
                f'text-anchor="middle">{_two(value)}</text>'
            )
        parts.append(
            f"<g><title>{escape(names[i])} – {escape(across[j])}: strength {value:.2f}</title>"
            f'<rect class="cell" x="{at_x}" y="{at_y}" width="{cell - 1}" height="{cell - 1}" '
            f'fill-opacity="{0.04 + 0.96 * value:.3f}"/>{number}</g>'
        )
    label = f"Heat map of the strength of {len(names)} by {len(across)} columns; the table of all pairs has the same numbers"
    return (
        f'<svg class="matrix" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-label="{label}">'
        f"{''.join(parts)}</svg>"
    )


def gap_plot(linear: Sequence[float], total: Sequence[float], titles: Sequence[str], unit: str) -> str:
    """What correlation explains against the whole information of each pair; what it misses is above the diagonal."""
    top = max([*linear, *total, 1e-3]) * 1.05
    u, v = scale(0.0, top, WIDTH - LEFT - RIGHT), scale(0.0, top, HEIGHT - TOP - BOTTOM)
    parts = [
        f'<line class="grid" x1="{LEFT}" y1="{HEIGHT - BOTTOM}" x2="{WIDTH - RIGHT}" y2="{TOP}"/>',
        *_ticks(0.0, top, vertical=True),
        *_ticks(0.0, top, vertical=False),
    ]
    for a, b, title in zip(linear, total, titles, strict=True):
        parts.append(
            f'<circle class="dot strong" cx="{LEFT + u(a):.1f}" cy="{HEIGHT - BOTTOM - v(max(b, 0.0)):.1f}" r="3.2">'
            f"<title>{escape(title)}</title></circle>"
        )
    parts.append(
        f'<text class="axis" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 4}" text-anchor="middle">'
        f"explained by correlation ({unit})</text>"
        f'<text class="axis" transform="rotate(-90)" x="{-(TOP + HEIGHT - BOTTOM) / 2}" y="10" text-anchor="middle">'
        f"total ({unit})</text>"
    )
    label = f"What correlation explains against the whole information of {len(linear)} pairs; the table lists the largest gaps"
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{"".join(parts)}</svg>'


def _scatter(x: np.ndarray, y: np.ndarray) -> str:
    whole_x, whole_y = are_whole(x), are_whole(y)
    (x, of_x), (y, of_y) = in_reach(x), in_reach(y)
    if len(x) > POINTS:
        keep = np.random.default_rng(0).choice(len(x), POINTS, replace=False)
        x, y = x[keep], y[keep]
    (low_x, high_x), (low_y, high_y) = drawn_range(x), drawn_range(y)
    u, v = scale(low_x, high_x, WIDTH - LEFT - RIGHT), scale(low_y, high_y, HEIGHT - TOP - BOTTOM)
    dots = "".join(
        f'<circle class="dot" cx="{LEFT + u(a):.1f}" cy="{HEIGHT - BOTTOM - v(b):.1f}" r="2"/>'
        for a, b in zip(x.clip(low_x, high_x), y.clip(low_y, high_y), strict=True)
    )
    across = _ticks(low_x, high_x, of_x, vertical=False, whole=whole_x and not of_x)
    return "".join([*across, *_ticks(low_y, high_y, of_y, vertical=True, whole=whole_y and not of_y), dots])


def _violins(labels: Column, codes: np.ndarray, values: np.ndarray) -> str:
    """Density of the numbers for each label, the most frequent ones."""
    shown = _frequent(codes)
    whole = are_whole(values)
    values, exponent = in_reach(values)
    low, high = drawn_range(values)
    low, high = low - 0.06 * (high - low), high + 0.06 * (high - low)  # room for the ends of the densities
    up = scale(low, high, HEIGHT - TOP - BOTTOM)
    slot = (WIDTH - LEFT - RIGHT) / len(shown)
    grid = np.linspace(low, high, 48)
    shapes, names = [], []
    densities = [_density(values[codes == code], grid) for code in shown]
    widest = max(float(d.max()) for d in densities) or 1.0
    for k, (code, density) in enumerate(zip(shown, densities, strict=True)):
        centre = LEFT + slot * (k + 0.5)
        half = 0.46 * slot * density / widest
        right = [f"{centre + h:.1f},{HEIGHT - BOTTOM - up(g):.1f}" for h, g in zip(half, grid, strict=True)]
        left = [f"{centre - h:.1f},{HEIGHT - BOTTOM - up(g):.1f}" for h, g in zip(half[::-1], grid[::-1], strict=True)]
        middle = HEIGHT - BOTTOM - up(float(np.median(values[codes == code])))
        points = " ".join(right + left)
        shapes.append(f'<polygon class="violin" points="{points}"><title>{escape(labels.levels[code])}</title></polygon>')
        bar = f'x1="{centre - 0.2 * slot:.1f}" x2="{centre + 0.2 * slot:.1f}" y1="{middle:.1f}" y2="{middle:.1f}"'
        shapes.append(f'<line class="median" {bar}/>')
        names.append(_level(labels.levels[code], centre, slot))
    ticks = _ticks(low, high, exponent, vertical=True, whole=whole and not exponent)
    return "".join([*ticks, *shapes, *names])


def _shares(x: Column, codes_x: np.ndarray, y: Column, codes_y: np.ndarray) -> str:
    """For each label of x, the shares of y's labels among its rows."""
    shown_x, shown_y = _frequent(codes_x), _frequent(codes_y)
    slot, row = (WIDTH - LEFT - RIGHT) / len(shown_x), (HEIGHT - TOP - BOTTOM) / len(shown_y)
    parts = []
    for i, a in enumerate(shown_x):
        within = codes_y[codes_x == a]
        for j, b in enumerate(shown_y):
            share = float((within == b).mean())
            at_x, at_y = LEFT + slot * i, TOP + row * j
            title = f"{y.name} is {y.levels[b]} in {share:.0%} of the rows with {x.name} {x.levels[a]}"
            number = ""
            if row >= 14 and slot >= 26:
                shade = "on" if share > 0.55 else "off"
                number = (
                    f'<text class="cell-{shade}" font-size="10" x="{at_x + slot / 2:.1f}" y="{at_y + row / 2 + 4:.1f}" '
                    f'text-anchor="middle">{share:.0%}</text>'
                )
            parts.append(
                f'<g><title>{escape(title)}</title><rect class="cell" x="{at_x:.1f}" y="{at_y:.1f}" width="{slot - 1:.1f}" '
                f'height="{row - 1:.1f}" fill-opacity="{0.04 + 0.96 * share:.3f}"/>{number}</g>'
            )
        parts.append(_level(x.levels[a], LEFT + slot * (i + 0.5), slot))
    for j, b in enumerate(shown_y):
        at = TOP + row * (j + 0.5) + 3
        name = escape(short(y.levels[b], 6))
        parts.append(f'<text class="tick" font-size="9" x="{LEFT - 4}" y="{at:.1f}" text-anchor="end">{name}</text>')
    return "".join(parts)


def _frequent(codes: np.ndarray) -> list[int]:
    """The most frequent codes, in their own order."""
    counts = np.bincount(codes)
    return sorted(int(c) for c in np.argsort(-counts, kind="stable")[:LEVELS] if counts[c])


def _level(name: str, centre: float, slot: float) -> str:
    return (
        f'<text class="tick" font-size="9" x="{centre:.1f}" y="{HEIGHT - BOTTOM + 12}" text-anchor="middle">'
        f"{escape(short(name, max(2, int(slot / 5))))}</text>"
    )


def _density(values: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Kernel density of the values on the grid, by Silverman's rule on the smaller of two spreads."""
    if len(values) > 2000:
        values = np.random.default_rng(0).choice(values, 2000, replace=False)
    quartiles = np.subtract(*np.quantile(values, [0.75, 0.25])) / 1.34
    spread = min(s for s in (values.std(), quartiles, math.inf) if s > 0) if values.std() > 0 else 0.0
    width = max(0.9 * spread * len(values) ** -0.2, (grid[1] - grid[0]) * 0.7)
    return np.exp(-0.5 * ((grid[:, None] - values) / width) ** 2).sum(1) / (len(values) * width)


def _two(value: float) -> str:
    return f"{value:.2f}".removeprefix("0") if value < 0.995 else "1"


def _ticks(low: float, high: float, exponent: int = 0, *, vertical: bool, whole: bool = False) -> list[str]:
    """Round numbers along an axis, with lines across; those shown are ``10**exponent`` times as large."""
    at = scale(low, high, (HEIGHT - TOP - BOTTOM) if vertical else (WIDTH - LEFT - RIGHT))
    out = []
    for value in round_values(low, high, whole=whole):
        text = tick_text(value, exponent)
        if vertical:
            y = HEIGHT - BOTTOM - at(value)
            out.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
            out.append(f'<text class="tick" font-size="9" x="{LEFT - 4}" y="{y + 3:.1f}" text-anchor="end">{text}</text>')
        else:
            x = LEFT + at(value)
            out.append(
                f'<text class="tick" font-size="9" x="{x:.1f}" y="{HEIGHT - BOTTOM + 12}" text-anchor="middle">{text}</text>'
            )
    return out
