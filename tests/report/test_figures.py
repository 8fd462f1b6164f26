"""Figures: the panels that an estimate has something for, and no trace in pyplot."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

import mine
from mine import Estimate
from mine.datasets import correlated_normal
from mine.errors import MineError


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
    est = Estimate(5.0, 4.9, 0.1, (4.7, math.inf), "auto", 100, rows=np.full(100, 4.9))
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
