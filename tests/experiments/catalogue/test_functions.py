"""The functions experiment: classical measures by hand, cells that resume, and numbers that are the data's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.spatial.distance import cdist

import mine
from mine.experiments import get_experiment, reproduce
from mine.experiments.dependence import distance_correlation, largest_pearson
from mine.experiments.sweep import sweep


def test_distance_correlation_by_double_centring() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 2))
    y = np.stack([x[:, 0] ** 2 + 0.1 * rng.normal(size=60)], 1)

    def centred(rows: np.ndarray) -> np.ndarray:
        d = cdist(rows, rows)
        return d - d.mean(0) - d.mean(1, keepdims=True) + d.mean()

    a, b = centred(x), centred(y)
    expected = np.sqrt((a * b).mean() / np.sqrt((a * a).mean() * (b * b).mean()))
    assert distance_correlation(x, y, chunk=7) == pytest.approx(expected, rel=1e-10)
    independent = rng.normal(size=(2_000, 1))
    assert distance_correlation(independent, rng.normal(size=(2_000, 1))) < 0.08


def test_largest_pearson_by_hand() -> None:
    x = np.array([[1.0, 0.0], [2.0, 0.0], [3.0, 1.0]])
    y = np.array([[-2.0], [-4.0], [-6.0]])
    assert largest_pearson(x, y) == pytest.approx(1.0)
    assert largest_pearson(x[:, 1:], y) == pytest.approx(np.sqrt(3) / 2)


def test_a_sweep_goes_on_where_it_was_cut(tmp_path: Path) -> None:
    calls: list[int] = []

    def measure(point: int) -> dict[str, Any]:
        if point == 3 and calls.count(3) == 0:
            calls.append(3)
            raise KeyboardInterrupt
        calls.append(point)
        return {"value": 10 * point}

    with pytest.raises(KeyboardInterrupt):
        sweep([1, 2, 3, 4], measure, tmp_path, lambda *_: None)
    seen: list[tuple[int, int, str]] = []
    found = sweep([1, 2, 3, 4], measure, tmp_path, lambda *a: seen.append(a))
    assert [cell["value"] for cell in found] == [10, 20, 30, 40]
    assert calls == [1, 2, 3, 3, 4]
    assert seen == [(2, 4, "3"), (3, 4, "4"), (4, 4, "")]


def test_the_experiment_from_end_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = mine.estimate
    monkeypatch.setattr("mine.estimate", lambda x, y, steps, **rest: real(x, y, method="ksg", **rest))
    experiment = get_experiment("functions")
    small = replace(experiment.scales["smoke"], n=2_000, sigmas=(0.5,))
    found = reproduce(replace(experiment, scales={"smoke": small}), out=tmp_path, scale="smoke", arms=["x", "circle"])
    of_line, of_circle = (record.metrics for record in found.records)
    assert of_line["exact_0.5"] == pytest.approx(0.419, abs=5e-4)
    assert of_line["worst_error"] == of_line["mean_error"] == abs(of_line["estimate_0.5"] - of_line["exact_0.5"]) < 0.06
    # Var x = 1/3 and Var y = 1/3 + 1/4
    assert of_line["pearson_0.5"] == pytest.approx(np.sqrt(1 / 3 / (1 / 3 + 1 / 4)), abs=0.03)
    assert of_circle["pearson_0.5"] < 0.06 < of_circle["distance_0.5"]
    assert found.files[-1].name == "figure.png" and found.files[-1].stat().st_size > 10_000
    assert ", published" not in str(found)
