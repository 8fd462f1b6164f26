"""The gaussians experiment: numbers against the closed form, one sample for all arms, both figures."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mine
from mine.experiments import get_experiment, reproduce
from mine.experiments.catalogue.gaussians import run


def test_the_experiment_from_end_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, list[np.ndarray]] = {}
    real = mine.estimate

    def watched(x: np.ndarray, y: np.ndarray, *, method: str, **options: Any) -> Any:
        seen.setdefault(method, []).append(x)
        return real(x, y, method=method, **options)

    monkeypatch.setattr("mine.experiments.catalogue.gaussians.estimate", watched)
    experiment = get_experiment("gaussians")
    small = replace(experiment.scales["smoke"], n=600, dims=(1, 2), shown=((1, 0.9),), steps=30)
    found = reproduce(replace(experiment, scales={"smoke": small}), out=tmp_path, scale="smoke", arms=["MINE", "Kraskov"])
    for a, b in zip(seen["mine"], seen["ksg"], strict=True):
        np.testing.assert_array_equal(a, b)
    kraskov = found.records[1].metrics
    for dim in (1, 2):
        for rho in (0.0, 0.9):
            assert kraskov[f"value_{dim}d_{rho:g}"] == pytest.approx(-dim / 2 * math.log(1 - rho**2), abs=0.2)
    errors = [abs(kraskov[f"value_1d_{rho:g}"] + 0.5 * math.log(1 - rho**2)) for rho in (0.0, 0.9)]
    assert kraskov["error_few"] == pytest.approx(max(errors))
    assert kraskov["value_top"] == kraskov["value_2d_0.9"]
    assert 0 <= kraskov["misses"] <= 4
    curves = [json.loads(path.read_text()) for path in sorted(tmp_path.glob("*/smoke/cells/*/curves.json"))]
    assert sorted(map(len, curves)) == [1, 1]
    of_mine = next(curve["value_1d_0.9"] for curve in curves if curve["value_1d_0.9"]["step"])
    assert len(of_mine["step"]) == len(of_mine["validation"]) > 2
    assert [path.name for path in found.files[-2:]] == ["figure.png", "convergence.png"]
    assert all(path.stat().st_size > 10_000 for path in found.files[-2:])
    assert "| MINE, published |  |  |  |  |  |  | about 23 |" in str(found)


def test_on_fresh_samples_the_papers_network_nears_the_truth(tmp_path: Path) -> None:
    """Both numbers, on new rows and on the batches, and a curve of the batches."""
    config = replace(
        get_experiment("gaussians").scales["smoke"], method="mine", fresh=True, fresh_steps=600, dims=(1,), rhos=(0.9,)
    )
    found = run(config, 3, tmp_path, lambda *_: None)
    truth = -0.5 * math.log(1 - 0.81)
    assert truth - 0.3 < found["value_top"] < truth + 0.02
    assert abs(found["batches_top"] - found["value_top"]) < 0.1
    curve = json.loads((tmp_path / "curves.json").read_text())["value_1d_0.9"]
    assert curve["step"][-1] == 600 and curve["validation"][0] < curve["validation"][-1]
