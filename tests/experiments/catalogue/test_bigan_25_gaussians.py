"""The bidirectional GAN on 25 normals: arms differ in the weight alone, targets count the published levels."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from mine.datasets.points import gaussian_grid
from mine.experiments import get_experiment
from mine.experiments.catalogue.bigan_25_gaussians import Config, run
from mine.experiments.store import Record
from mine.experiments.targets import judge

EXPERIMENT = get_experiment("bigan-25-gaussians")


def record(arm: str, seed: int, modes: float, quality: float, kl: float, distance: float) -> Record:
    metrics = {"modes": modes, "high_quality": quality, "reverse_kl": kl, "reconstruction_error": distance}
    return Record(EXPERIMENT.name, "default", arm, seed, {}, 1, 1, "0", metrics=metrics)


def test_arms_differ_in_the_weight_of_the_information_alone() -> None:
    for scale in EXPERIMENT.scales:
        plain, with_mi = (asdict(EXPERIMENT.config(arm, scale)) for arm in ("BiGAN", "BiGAN+MINE"))
        assert {key for key in plain if plain[key] != with_mi[key]} == {"beta"}
        assert plain["refinements"]["paired"]


def test_targets_by_hand() -> None:
    good = [record("BiGAN+MINE", seed, 25, 0.95 + 0.01 * seed, 0.01, 0.08 + 0.01 * seed) for seed in (0, 1)]
    weak = [record("BiGAN", seed, 24, 0.89 + 0.01 * seed, 0.05, 0.2 + 0.01 * seed) for seed in (0, 1)]
    assert [one.said for one in judge(EXPERIMENT.targets, good + weak)] == ["met"] * 4 + ["missed"] + ["met"] * 3
    # as good as each other: all that compares them is missed, and the plain arm is at the published level
    same = [record("BiGAN", one.seed, *one.metrics.values()) for one in good]
    assert [one.said for one in judge(EXPERIMENT.targets, good + same)] == ["met"] * 5 + ["missed"] * 3
    assert [one.said for one in judge(EXPERIMENT.targets, good[:1] + weak[:1])][5:] == ["not measured"] * 3


def test_a_run_is_of_its_seed_alone(tmp_path: Path) -> None:
    """The same numbers twice, others for another seed, and distances of the data at their own scale."""
    tiny = Config(steps=12, batch_size=16, width=8, critic_width=8, evaluated=50, averaging=("moving", 0.9))
    found = []
    for seed, name in ((0, "first"), (0, "again"), (1, "other")):
        (tmp_path / name).mkdir()
        found.append(run(tiny, seed, tmp_path / name, lambda done, total, message: None))
    first, again, other = found
    assert first == again and first["reconstruction_error"] != other["reconstruction_error"]
    points = gaussian_grid(50, np.random.default_rng([0, 2**32]))[0]
    with np.load(tmp_path / "first" / "samples.npz") as stored:
        distance = np.linalg.norm(points - stored["rebuilt"], axis=1).mean()
    assert first["reconstruction_error"] == pytest.approx(distance, rel=1e-5)
