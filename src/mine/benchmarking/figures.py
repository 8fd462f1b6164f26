"""The figures of a benchmark: signed errors as a heat map, and error against time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean
from typing import TYPE_CHECKING, Any

from mine.benchmarking.store import Record
from mine.benchmarking.summary import Line
from mine.reporting.figures import GREY, as_label, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_error_time", "plot_heatmap"]

#: Errors beyond this share one colour: their numbers stand in the cells. Nats.
_FULL_COLOUR = 0.2
_ORACLE = "oracle"
#: Colours that colour-blind readers can distinguish (Okabe & Ito 2008), and shapes for those who print in grey.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
_MARKERS = "osD^vP"


def plot_heatmap(records: Sequence[Record]) -> Figure:
    """Mean of estimate minus truth, a row per task, a column per method, a panel per n; the oracle's error comes first."""
    tasks = list(dict.fromkeys(record.task for record in records))
    methods = list(dict.fromkeys(record.method for record in records))
    sizes = sorted({record.n for record in records})
    values = _mean_errors(records)
    columns = [*([_ORACLE] if any(method == _ORACLE for _, method, _ in values) else []), *methods]

    longest = max(len(_short(task)) for task in tasks)
    width = 0.075 * longest + len(sizes) * (0.58 * len(columns) + 0.25) + 0.9
    height = 0.215 * len(tasks) + 0.06 * max(len(_short(column)) for column in columns) + 1.0
    figure, axes = new_figure(1, len(sizes), (max(width, 5.0), max(height, 2.6)))
    image: Any = None
    for axis, n in zip(axes[0], sizes, strict=True):
        grid = [[values.get((task, column, n), math.nan) for column in columns] for task in tasks]
        image = _draw_grid(axis, grid, {(r.task, r.method) for r in records if r.n == n and r.failed}, tasks, columns)
        axis.set_title(f"n = {n:,}", fontsize=9, loc="left")
        names = [as_label(_short(task)) if axis is axes[0][0] else "" for task in tasks]
        axis.set_yticks(range(len(tasks)), names, fontsize=8)
    bar = figure.colorbar(image, ax=list(axes[0]), extend="both", fraction=0.03, pad=0.01, aspect=30)
    bar.set_label("nats", fontsize=8)
    bar.ax.tick_params(labelsize=7)
    bar.outline.set_visible(False)
    draws = len({record.seed for record in records})
    figure.suptitle(f"Estimate minus truth (nats), mean of {draws} {'draw' if draws == 1 else 'draws'}", fontsize=11)
    return figure


def _mean_errors(records: Sequence[Record]) -> dict[tuple[str, str, int], float]:
    """Mean signed error by task, method and n; the oracle is one more method."""
    errors: dict[tuple[str, str, int], list[float]] = {}
    for record in records:
        if record.signed_error is not None:
            errors.setdefault((record.task, record.method, record.n), []).append(record.signed_error)
        if record.oracle_error is not None:
            errors.setdefault((record.task, _ORACLE, record.n), []).append(record.oracle_error)
    return {key: fmean(values) for key, values in errors.items()}


def _draw_grid(
    axis: Any, grid: list[list[float]], failed: set[tuple[str, str]], tasks: Sequence[str], columns: Sequence[str]
) -> Any:
    image = axis.imshow(grid, cmap="RdBu_r", vmin=-_FULL_COLOUR, vmax=_FULL_COLOUR, aspect="auto")
    for i, row in enumerate(grid):
        for j, value in enumerate(row):
            missed = (tasks[i], columns[j]) in failed
            text = "failed" if missed and math.isnan(value) else "" if math.isnan(value) else _signed(value) + "*" * missed
            dark = not math.isnan(value) and abs(value) > 0.7 * _FULL_COLOUR
            axis.text(j, i, text, ha="center", va="center", fontsize=6.5, color="white" if dark else "black")
    names = [as_label(_short(column)) for column in columns]
    turned = max(map(len, names)) > 7
    axis.set_xticks(
        range(len(names)), names, fontsize=8, rotation=40 if turned else 0, ha="right" if turned else "center"
    )  # fmt: skip
    axis.tick_params(length=0)
    for side in axis.spines.values():
        side.set_visible(False)
    if columns[0] == _ORACLE:
        axis.axvline(0.5, color="black", lw=0.8)
    return image


def _short(name: str) -> str:
    """A name that leaves room for the figure: no folder, and 50 characters.

    >>> _short("/home/me/rivals/theirs.py:Estimator[k=1]")
    'theirs.py:Estimator[k=1]'
    """
    place, colon, rest = name.partition(":")
    name = place.rpartition("/")[2] + colon + rest
    return name if len(name) <= 50 else f"{name[:48]}..."


def _signed(value: float) -> str:
    """Three places where they matter, and little room.

    >>> _signed(-0.0123), _signed(-0.0001), _signed(-12.3), _signed(1234.0)
    ('-.012', '.000', '-12.3', '+1e+03')
    """
    if abs(value) < 0.0005:
        return ".000"
    if abs(value) < 0.9995:
        return f"{value:+.3f}".replace("0.", ".", 1)
    return f"{value:+.2f}" if abs(value) < 9.995 else f"{value:+.1f}" if abs(value) < 999.5 else f"{value:+.0e}"


def plot_error_time(lines: Sequence[Line]) -> Figure:
    """Mean absolute error against mean seconds, one point per method and effort, one panel per n; dashed: the oracle's error.

    Points of one method with different options are joined.
    """
    drawn = [line for line in lines if line.mae and line.mean_seconds]
    sizes = sorted({line.n for line in lines})
    families = list(dict.fromkeys(_family(line.method) for line in lines))
    figure, axes = new_figure(1, len(sizes), (3.3 * len(sizes) + 1.9, 3.5))
    handles: dict[str, Any] = {}
    for axis, n in zip(axes[0], sizes, strict=True):
        for i, family in enumerate(families):
            points = sorted((line for line in drawn if line.n == n and _family(line.method) == family), key=_seconds)
            if not points:
                continue
            style = {"color": _COLOURS[i % len(_COLOURS)], "marker": _MARKERS[i % len(_MARKERS)]}
            (handles[family],) = axis.plot([_seconds(p) for p in points], [p.mae for p in points], lw=1, ms=6, **style)
            for point in points:
                _name_point(axis, point)
        floor = [line.oracle_mae for line in drawn if line.n == n and line.oracle_mae]
        if floor:
            handles[_ORACLE] = axis.axhline(fmean(floor), color=GREY, ls="--", lw=1)
        axis.set_xscale("log")
        axis.set_yscale("log")
        axis.margins(0.18)
        axis.set_title(f"n = {n:,}", loc="left")
        axis.set_xlabel("seconds per estimate, one thread")
        _plain_ticks(axis)
    axes[0][0].set_ylabel("mean absolute error (nats)")
    if handles:
        figure.legend(
            handles.values(), [as_label(_short(name)) for name in handles], loc="outside right upper", fontsize=8, frameon=False
        )
    return figure


def _plain_ticks(axis: Any) -> None:
    """Decades, or 1, 2 and 5 of each where few decades are shown, as plain numbers."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    for one, limits in ((axis.xaxis, axis.get_xlim()), (axis.yaxis, axis.get_ylim())):
        decades = math.log10(limits[1] / limits[0])
        one.set_major_locator(LogLocator(subs=(1.0,), numticks=5) if decades > 2.5 else LogLocator(subs=(1.0, 2.0, 5.0)))
        one.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        one.set_minor_formatter(NullFormatter())


def _name_point(axis: Any, line: Line) -> None:
    """The options next to a point; for an effort its value alone."""
    options = line.method.partition("[")[2].removesuffix("]")
    if not options:
        return
    text = options.removeprefix("effort=") if options.startswith("effort=") and "," not in options else options
    axis.annotate(as_label(text), (line.mean_seconds, line.mae), xytext=(4, 5), textcoords="offset points", fontsize=7)


def _family(method: str) -> str:
    return method.partition("[")[0]


def _seconds(line: Line) -> float:
    return line.mean_seconds or 0.0
