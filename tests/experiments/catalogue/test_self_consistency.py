"""Song & Ermon's three tests: the pairs that are compared, and what a ratio is when its denominator is nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mine.experiments import get_experiment, reproduce


def test_what_is_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[np.ndarray, np.ndarray]] = []

    def distinct_columns(x: np.ndarray, y: np.ndarray, **_: Any) -> Any:
        seen.append((x, y))
        return SimpleNamespace(value=float(len(np.unique(y, axis=1).T)), interval=(0.0, 99.0 if len(seen) > 1 else np.inf))

    monkeypatch.setattr("mine.experiments.catalogue.self_consistency.estimate", distinct_columns)
    monkeypatch.setattr(
        "mine.experiments.catalogue.self_consistency._images",
        lambda config, seed: np.random.default_rng(seed).uniform(size=(2 * config.n, 8, 8)),
    )
    experiment = get_experiment("self-consistency")
    found = reproduce(experiment, out=tmp_path, scale="smoke", arms=["MINE"])
    metrics = found.records[0].metrics
    # an information that counts the different pixels of Y knows all the answers
    assert [metrics[f"baseline_{s:g}"] for s in (0.25, 0.5, 0.75)] == [0.25, 0.5, 0.75]
    assert metrics["processing"] == 1 and metrics["additivity"] == 2
    # the first pair, X and a quarter of its rows, has an interval without an upper end
    assert metrics["open_rows_0.25"] == 1 and metrics["open_rows_1"] == metrics["open_two_images"] == 0
    assert metrics["baseline_0.25"] == 0.25 and metrics["open"] == pytest.approx(1 / 7)
    assert metrics["compared_rows_1"] == metrics["nats_rows_1"] == 64 and metrics["low_rows_1"] == 0
    x, y = seen[-1]
    assert x.shape == (200, 128) and y.shape == (200, 64)
    np.testing.assert_array_equal(y[:, :32], x[:, :32])  # the top half of the first image, then of the second
    np.testing.assert_array_equal(y[:, 32:], x[:, 64:96])
    assert not np.array_equal(x[:, :64], x[:, 64:])
    assert found.files[-1].stat().st_size > 10_000
    seen.clear()
    default = reproduce(experiment, out=tmp_path, scale="smoke", arms=["default"]).records[0].metrics
    assert "baseline_0.25" not in default and default["baseline_0.5"] == 0.5  # an open interval's value is no number


def test_no_ratio_without_a_denominator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "mine.experiments.catalogue.self_consistency.estimate", lambda *_, **__: SimpleNamespace(value=-0.2, interval=(-1, 1))
    )
    experiment = get_experiment("self-consistency")
    found = reproduce(experiment, out=tmp_path, scale="smoke", arms=["MINE-f"])
    assert not {"processing", "additivity", "baseline_0.5"} & set(found.records[0].metrics)
    assert found.records[0].metrics["nats_rows_1"] == -0.2
    assert "| MINE-f | 1 | 0 |  |  |  |  |  | -0.20 | -1.00 |" in str(found)


def test_on_the_digits_by_nearest_neighbours(tmp_path: Path) -> None:
    experiment = get_experiment("self-consistency")
    small = replace(experiment.scales["smoke"], n=300)
    found = reproduce(replace(experiment, scales={"smoke": small}), out=tmp_path, scale="smoke", arms=["Kraskov"])
    metrics = found.records[0].metrics
    nats = [metrics[f"nats_rows_{share:g}"] for share in (0.25, 0.5, 0.75, 1)]
    assert 0 < nats[0] < nats[1] < nats[2] < nats[3]
    assert metrics["baseline_0.5"] == nats[1] / nats[3]
