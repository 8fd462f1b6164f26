"""The picture of the design page: where x goes between ``mine estimate FILE`` and the printed line, file by file.

    python docs/figures/journey.py              # draw docs/_static/journey.svg

``STOPS`` is the whole content. A test traces the command ``TRACED`` and holds the files, the functions and their order.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PICTURE = Path(__file__).parents[1] / "_static" / "journey.svg"

#: The command whose way is drawn, in few steps: one column of numbers on each side, everything else by default.
TRACED = (
    "estimate", "example:wine", "--x", "alcohol", "--y", "proline", "--seed", "0",
    "--option", "steps=4", "--option", "n_folds=2",
)  # fmt: skip


@dataclass(frozen=True)
class Stop:
    """A function on the way of x.

    Attributes:
        file: Its file, below ``src/mine/``.
        name: The function, or the class whose methods are called.
        text: What happens to x there. A file that it names is used from there on.
    """

    file: str
    name: str
    text: str


#: What is done, and the stops at which it is done, in the order in which the command first calls them.
STOPS: dict[str, tuple[Stop, ...]] = {
    "read": (
        Stop("cli/estimate.py", "estimate", "takes FILE and the names after --x and --y"),
        Stop("data/readers.py", "read_table", "chooses the reader by the ending of FILE"),
        Stop("data/text_files.py", "read_text", "reads a CSV file: names and values"),
        Stop("cli/columns.py", "choose_sides", "turns names and patterns into columns"),
        Stop("data/table.py", "Table.select", "x is a frame of the chosen columns"),
    ),
    "check": (
        Stop("api.py", "estimate", "chooses the method: by default, auto"),
        Stop("data/sources.py", "read_source", "gives every column a name"),
        Stop("data/problem.py", "make_problem", "collects x, y, groups, seed and device"),
        Stop("data/columns.py", "settle", "decides for each: numbers or labels"),
        Stop("data/variable.py", "Variable", "x is float64 numbers and label codes"),
    ),
    "prepare": (
        Stop("estimators/auto.py", "Auto.fit", "starts the default method"),
        Stop("data/splits.py", "make_folds", "splits rows: train, validate, evaluate"),
        Stop("data/preprocessing.py", "SideEncoder", "replaces numbers by normal scores"),
        Stop("data/features.py", "features", "x is float32 features, shape (n, d)"),
    ),
    "train": (
        Stop("estimators/base.py", "fit_copulas", "fits a copula: training starts from it"),
        Stop("critics/networks.py", "ConcatCritic", "builds one network per fold, stacked"),
        Stop("training/loop.py", "train_critic", "trains them; validates by bounds.py"),
        Stop("sampling.py", "batches", "draws batches and shuffled partners"),
        Stop("training/fused.py", "FusedPairs.step", "computes scores, loss and gradient"),
        Stop("training/weights.py", "BestWeights.restore", "keeps the weights of the best step"),
    ),
    "evaluate": (
        Stop("estimators/evaluation.py", "report_rows", "computes the bound on held-out rows"),
        Stop("estimators/crossfit.py", "assemble", "corrects its bias, adds the error bar"),
        Stop("estimators/strong.py", "by_residual", "if dependence is strong: a regression"),
        Stop("result.py", "Estimate.to", "converts the result to nats or bits"),
    ),
    "print": (Stop("cli/output.py", "print_text", "prints the estimate and its interval"),),
}

#: Colours per group; white text is readable on each.
COLOURS = {
    "read": "#0072b2",
    "check": "#00785a",
    "prepare": "#6b5b95",
    "train": "#b34700",
    "evaluate": "#a3456f",
    "print": "#0072b2",
}
WIDTH, LINE, GAP, MARGIN = 720, 27, 12, 16
MONO = "DejaVu Sans Mono"


def draw(picture: Path) -> None:
    """One line per stop on a white card, so that the picture is readable on a dark page too."""
    lines = sum(map(len, STOPS.values()))
    height = 2 * MARGIN + lines * LINE + (len(STOPS) - 1) * GAP
    settings: Any = {"svg.hashsalt": "journey", "font.family": "DejaVu Sans", "savefig.transparent": True}
    with rc_context(settings):
        figure = Figure(figsize=(WIDTH / 100, height / 100), dpi=100)
        axis = figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(height, 0))
        axis.axis("off")
        axis.add_patch(_box(1, 1, WIDTH - 2, height - 2, "white", edge="#c8c8c8", round_by=10))
        axis.plot([107, 107], [MARGIN + LINE / 2, height - MARGIN - LINE / 2], color="#b0b0b0", lw=1.5, zorder=2)
        top, number = float(MARGIN), 1
        for group, stops in STOPS.items():
            height_of_group = len(stops) * LINE
            axis.add_patch(_box(14, top + 2, 78, height_of_group - 4, COLOURS[group], round_by=6))
            _write(axis, 53, top + height_of_group / 2, group, 13, "white", weight="bold", ha="center")
            for stop in stops:
                _draw_stop(axis, top + LINE / 2, number, stop, COLOURS[group])
                top, number = top + LINE, number + 1
            top += GAP
        picture.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(picture, dpi=100, metadata={"Date": None} if picture.suffix == ".svg" else None)


def _draw_stop(axis: Axes, y: float, number: int, stop: Stop, colour: str) -> None:
    """A numbered point on the line, and beside it the file, the function and what it does."""
    axis.plot(107, y, "o", ms=_points(15), color=colour, mec="white", mew=1.2, zorder=3)
    _write(axis, 107, y, str(number), 8.5, "white", ha="center")
    _write(axis, 122, y, stop.file, 11.5, colour, family=MONO, weight="bold")
    _write(axis, 303, y, stop.name, 11, "#444444", family=MONO)
    _write(axis, 445, y, stop.text, 12, "#1a1a1a")


def _write(axis: Axes, x: float, y: float, text: str, pixels: float, colour: str, **style: Any) -> None:
    axis.text(x, y, text, size=_points(pixels), color=colour, va="center_baseline", zorder=4, **style)


def _points(pixels: float) -> float:
    """Points of so many pixels, at 100 pixels per inch."""
    return 0.72 * pixels


def _box(
    left: float, top: float, width: float, height: float, colour: str, *, edge: str = "none", round_by: float
) -> FancyBboxPatch:
    style = f"round,pad=0,rounding_size={round_by}"
    return FancyBboxPatch((left, top), width, height, boxstyle=style, facecolor=colour, edgecolor=edge, zorder=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=PICTURE, help="the SVG or PNG file")
    arguments = parser.parse_args()
    draw(arguments.out)
    print(arguments.out, file=sys.stderr)


if __name__ == "__main__":
    main()
