"""Figures: the panels that an estimate has something for, and no trace in pyplot."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import mine
from mine import Estimate
from mine.datasets import correlated_normal
from mine.errors import MineError
from mine.reporting.figures import write_figure
from mine.reporting.matrix import plot_pairwise


def titles(figure: Figure) -> list[str]:
    return [axis.get_title(loc="left") for axis in figure.axes]


def test_a_trained_estimate_has_three_panels(tmp_path: Path) -> None:
    x, y = correlated_normal(300, 0.8, random_state=0)
    est = mine.estimate(x, y, random_state=0, steps=20, hidden=(16,))
    figure = est.plot()
    assert titles(figure) == [f"{est.value:.3f} ± {est.stderr:.3f} nats", "Training", "Pointwise"]
    figure.savefig(tmp_path / "estimate.png")
    assert (tmp_path / "estimate.png").read_bytes().startswith(b"\x89PNG")


def test_a_closed_form_has_one_panel_and_bits_are_labelled() -> None:
    x, y = correlated_normal(300, 0.8, random_state=0)
    figure = mine.estimate(x, y, method="gaussian", unit="bits").plot()
    assert len(figure.axes) == 1
    assert figure.axes[0].get_ylabel() == "bits"


def test_an_open_interval_is_drawn_as_open() -> None:
    est = Estimate(5.0, 4.9, 0.1, (4.7, math.inf), "auto", 100, pointwise_values=np.full(100, 4.9))
    figure = est.plot()
    labels = figure.axes[0].get_legend_handles_labels()[1]
    assert "open above" in labels
    assert figure.axes[0].get_ylim()[1] > 5.0


def test_pyplot_is_not_touched() -> None:
    import matplotlib.pyplot as plt

    before = plt.get_fignums(), dict(plt.rcParams)
    Estimate(0.5, None, 0.1, (0.3, 0.7), "ksg", 100).plot()
    assert (plt.get_fignums(), dict(plt.rcParams)) == before


def test_without_matplotlib_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MineError, match=r"pip install \"torch-mine\[plot\]\""):
        Estimate(0.5, None, 0.1, (0.3, 0.7), "ksg", 100).plot()


def test_every_line_is_where_its_number_is() -> None:
    rows = np.array([0.1, 0.3, 0.8])
    history = {"step": [0.0, 10.0, 20.0], "train": [math.nan, 0.2, 0.4], "validation": [0.0, 0.1, 0.3]}
    est = Estimate(0.5, 0.4, 0.05, (0.35, 0.7), "mine", 3, unit="bits", history=history, pointwise_values=rows)
    interval, training, pointwise = est.plot().axes

    lines = {line.get_label(): line for line in interval.get_lines()}
    assert list(lines["95 % interval"].get_ydata()) == [0.35, 0.7]
    assert list(lines["value"].get_ydata()) == [0.5]
    assert list(lines["held-out bound"].get_ydata()) == [0.4, 0.4]
    assert interval.get_ylabel() == "bits"

    lines = {line.get_label(): line for line in training.get_lines()}
    assert list(lines["validation rows"].get_xdata()) == history["step"]
    assert list(lines["validation rows"].get_ydata()) == history["validation"]
    assert list(lines["training batches"].get_ydata()) == [0.2, 0.4]  # nothing was trained before the first validation
    assert training.get_ylabel() == "bound (bits)"

    assert sum(bar.get_height() for bar in pointwise.patches) == 3
    (mean,) = pointwise.get_lines()
    assert mean.get_xdata()[0] == pytest.approx(0.4) and mean.get_label() == "mean 0.400"
    assert "(bits)" in pointwise.get_xlabel()


@pytest.mark.parametrize(
    "est",
    [
        Estimate(0.0, 0.0, 0.0, (0.0, 0.0), "auto", 20, pointwise_values=np.zeros(20)),
        Estimate(math.nan, None, math.nan, (-math.inf, math.inf), "function", 20),
        Estimate(-0.1, None, 0.1, (-0.3, 0.1), "ksg", 20),
        Estimate(
            1e3, 2.0, 1.0, (1.5, math.inf), "smile", 20, history={"step": [0.0], "train": [math.nan], "validation": [0.0]}
        ),
        Estimate(0.5, 0.4, 0.1, (0.3, math.inf), "mine", 2, pointwise_values=np.array([-1e6, 1e6])),
    ],
    ids=lambda est: est.method,
)
@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_odd_estimates_can_be_drawn_and_saved(est: Estimate, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"figure.{suffix}"
    est.plot().savefig(path)
    assert path.stat().st_size > 1000


def test_a_figure_draws_any_name_without_a_word(tmp_path: Path) -> None:
    names = ["$$", "$x^{", "price in $ and $", "a\x1b[31m", "nul\0", "日本", "a" * 300, "line\nbreak"]
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(40, len(names))), columns=names)
    write_figure(plot_pairwise(mine.pairwise(frame, random_state=0, progress=False)), tmp_path / "matrix.png")
    assert (tmp_path / "matrix.png").read_bytes().startswith(b"\x89PNG")
