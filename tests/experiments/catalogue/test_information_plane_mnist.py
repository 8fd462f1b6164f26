"""The callback's plane: what is kept of it, and that it is the same each time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mine.experiments import get_experiment, reproduce

pytestmark = pytest.mark.runs_lightning


def test_the_experiment_from_end_to_end(tmp_path: Path) -> None:
    experiment = get_experiment("information-plane-mnist")
    small = replace(experiment.scales["smoke"], learning_rate=1e-2, epochs=3, every=2, rows=200, n_train=1_400)
    seen = []
    for folder in ("one", "two"):
        found = reproduce(
            replace(experiment, scales={"smoke": small}), out=tmp_path / folder, scale="smoke", arms=["tanh"],
            progress=lambda done, total, message: None,
        )  # fmt: skip
        assert found.records[0].error is None
        (path,) = tmp_path.glob(f"{folder}/*/smoke/cells/*/planes.npz")
        with np.load(path) as stored:
            seen.append(stored["planes"])
            assert stored["epochs"].tolist() == [0, 2]
    np.testing.assert_array_equal(*seen)
    planes = seen[0]
    assert planes.shape == (2, 2, 2)  # epochs, layers but the first, x and y
    metrics = found.records[0].metrics
    assert metrics["accuracy"] > 0.6
    assert metrics["last_y"] == planes[-1, -1, 1] < np.log(10) + 0.2
    assert metrics["compression"] == pytest.approx((planes[..., 0].max(0) - planes[-1, :, 0]).mean())
    assert found.files[-1].name == "figure.png" and found.files[-1].stat().st_size > 10_000
