"""The figure: steps a second beside the other loops, and time against rows, coordinates and critics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib import rc_context

from mine.reporting.figures import STYLE, new_figure

COLOURS = ("#0072b2", "#d55e00", "#e69f00", "#cc79a7", "#009e73")


def draw(results: dict[str, Any], picture: Path) -> None:
    """Draw what :func:`benchmarks.speed.__main__.measure_all` measured into a PNG file."""
    with rc_context(STYLE):
        figure, axes = new_figure(2, 2, (11.0, 8.0))
        draw_races(axes[0, 0], results["races"])
        draw_rows(axes[0, 1], results["scaling"])
        draw_line(axes[1, 0], results["scaling"]["dim"], "coordinates of x, and of y")
        draw_line(axes[1, 1], results["scaling"]["critics"], "critics in the stack")
        axes[1, 1].set_title("time of a step, all critics")
        axes[1, 0].set_title("time of a step")
        picture.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(picture)


def draw_races(axis: Any, races: list[dict[str, Any]]) -> None:
    """A group of bars a race, a bar a contender; one that did not run leaves its place empty."""
    names = [row["name"] for row in races[0]["contenders"]]
    width = 0.8 / len(names)
    for k, name in enumerate(names):
        rows = [row for race in races for row in race["contenders"] if row["name"] == name]
        rates = [1 / row["seconds"] if row["seconds"] else 0.0 for row in rows]
        places = [g - 0.4 + (k + 0.5) * width for g in range(len(races))]
        axis.bar(places, rates, width, label=name, color=COLOURS[k % len(COLOURS)])
    axis.set_yscale("log")
    axis.set_xticks(range(len(races)), [f"2 × {r['width']}\nbatch {r['batch']}" for r in races])
    axis.set_ylabel("steps a second")
    axis.set_title("same critic, batch and data, one core")
    axis.set_ylim(top=axis.get_ylim()[1] * 6)
    axis.legend(fontsize=8, ncols=2, loc="upper right")


def draw_rows(axis: Any, scaling: dict[str, list[tuple[float, float]]]) -> None:
    """A step (milliseconds) and a whole estimate (seconds), each on its own axis, against the rows."""
    draw_line(axis, scaling["rows"], "rows")
    axis.set_title("time of a step, and of an estimate")
    twin = axis.twinx()
    twin.spines["right"].set_visible(True)
    twin.grid(False)
    twin.plot([n for n, _ in scaling["estimate"]], [t for _, t in scaling["estimate"]], "s--", color=COLOURS[1], ms=5)
    twin.set_ylabel("CPU seconds an estimate (dashed)", color=COLOURS[1])
    twin.set_ylim(bottom=0)


def draw_line(axis: Any, points: list[tuple[float, float]], label: str) -> None:
    """Milliseconds a step, from zero, against a size on a logarithmic axis."""
    sizes = [p[0] for p in points]
    axis.plot(sizes, [1e3 * p[1] for p in points], "o-", color=COLOURS[0], ms=5)
    axis.set_xscale("log", base=10 if max(sizes) > 1000 else 2)
    if max(sizes) <= 1000:
        axis.set_xticks(sizes, [f"{s:g}" for s in sizes])
        axis.minorticks_off()
    axis.set_ylim(bottom=0)
    axis.set_xlabel(label)
    axis.set_ylabel("milliseconds a step")
