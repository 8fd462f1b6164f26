"""The GANs in the plane: same seed, same numbers; arms share inputs; a checkpoint goes on exactly; the smoke runs end to end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mine.datasets.points import gaussian_grid
from mine.experiments import DivergedError, get_experiment, reproduce
from mine.experiments.checkpoint import Checkpoint
from mine.experiments.games.points_gan import GeneratorDiscriminator, PointsConfig, train_points_gan
from mine.experiments.games.refinements import Refinements

REFINED = Refinements(octaves=2, paired=True, penalty=0.1, penalty_end=0.01, penalty_every=4, fade=(0.2, 0.6))
TINY = PointsConfig(steps=110, batch_size=32, width=16, critic_width=16, spread=8**0.5, evaluated=100)


def silent(done: int, total: int, message: str) -> None:
    pass


@pytest.mark.parametrize("arm", [{}, {"beta": 0.0}, {"code": "normal"}, {"refinements": REFINED}])
def test_a_run_cut_short_goes_on_to_the_same_points(arm: dict[str, Any], tmp_path: Path) -> None:
    config = replace(TINY, **arm)
    (tmp_path / "whole").mkdir()
    (tmp_path / "cut").mkdir()
    whole = train_points_gan(config, 3, gaussian_grid, tmp_path / "whole", silent)

    def stop(done: int, total: int, message: str) -> None:
        if done == 100:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mine.experiments.checkpoint.Checkpoint.due", lambda self: True)
        with pytest.raises(KeyboardInterrupt):
            train_points_gan(config, 3, gaussian_grid, tmp_path / "cut", stop)
    saved = Checkpoint(tmp_path / "cut" / "checkpoint.pt").load()
    assert saved is not None
    assert saved["step"] == 50
    again = train_points_gan(config, 3, gaussian_grid, tmp_path / "cut", silent)
    np.testing.assert_array_equal(again.points, whole.points)
    np.testing.assert_array_equal(again.codes, whole.codes)
    assert again.estimate == whole.estimate
    other = train_points_gan(config, 4, gaussian_grid, tmp_path / "whole", silent)
    assert not np.array_equal(other.points, whole.points)


def test_arms_share_networks_and_inputs() -> None:
    plain, with_mi = (GeneratorDiscriminator(replace(TINY, beta=beta), 0) for beta in (0.0, 1.0))
    for a, b in zip(plain.generator.parameters(), with_mi.generator.parameters(), strict=True):
        assert torch.equal(a, b)
    real = torch.as_tensor(gaussian_grid(32, 0)[0], dtype=torch.float32)
    for model in (plain, with_mi):
        model.training_step(real)
    assert torch.equal(plain.random["noise"].get_state(), with_mi.random["noise"].get_state())
    for a, b in zip(plain.discriminator.parameters(), with_mi.discriminator.parameters(), strict=True):
        assert torch.equal(a, b)  # its first step knows nothing of the term
    assert not torch.equal(next(plain.generator.parameters()), next(with_mi.generator.parameters()))


def test_the_weight_of_the_information_fades_to_nothing() -> None:
    model = GeneratorDiscriminator(replace(TINY, beta=2.0, steps=100, refinements=Refinements(fade=(0.4, 0.6))), 0)
    weights = []
    for model.step in (0, 39, 40, 50, 59, 60, 99):
        weights.append(model.beta)
    assert weights == pytest.approx([2, 2, 2, 1, 0.1, 0, 0])
    never = GeneratorDiscriminator(replace(TINY, beta=2.0, steps=100), 0)
    never.step = 99
    assert never.beta == 2
    assert GeneratorDiscriminator(replace(TINY, steps=1), 0).beta == 1
    # a step without weight moves the generator as a plain GAN's does, and the critic not at all
    assert model.term is not None and model.term.critic is not None
    plain = GeneratorDiscriminator(replace(TINY, beta=0.0, steps=100), 0)
    plain.step = 99
    before = [p.detach().clone() for p in model.term.critic.parameters()]
    real = torch.as_tensor(gaussian_grid(32, 0)[0], dtype=torch.float32)
    for trained in (model, plain):
        trained.training_step(real)
    for a, b in zip(model.generator.parameters(), plain.generator.parameters(), strict=True):
        assert torch.equal(a, b)
    for a, b in zip(model.term.critic.parameters(), before, strict=True):
        assert torch.equal(a, b)


def test_both_networks_see_the_code() -> None:
    model = GeneratorDiscriminator(TINY, 0)
    z, code, label = model.inputs(500)
    assert z.shape == (500, 27) and torch.equal(z[:, 2:], code)
    assert torch.equal(code.argmax(1), label) and torch.equal(code.sum(1), torch.ones(500))
    assert set(label.tolist()) == set(range(25))
    normal, code, label = GeneratorDiscriminator(replace(TINY, code="normal"), 0).inputs(500)
    assert normal.shape == (500, 4) and torch.equal(code, label)


def test_training_that_diverges_is_told(tmp_path: Path) -> None:
    with pytest.raises(DivergedError, match=r"step \d+: .*(nan|inf|not finite)"):
        train_points_gan(replace(TINY, learning_rate=1e30, beta=0.0), 0, gaussian_grid, tmp_path, silent)


@pytest.mark.parametrize("name", ["gan-25-gaussians", "gan-spiral"])
def test_the_experiment_runs_from_end_to_end(name: str, tmp_path: Path) -> None:
    experiment = get_experiment(name)
    tiny = replace(experiment.scales["smoke"], steps=20, evaluated=200)
    found = reproduce(
        replace(experiment, scales={"smoke": tiny}), out=tmp_path, scale="smoke", n_repeats=1, arms=["GAN", "GAN+MINE"]
    )
    assert [record.error for record in found.records] == [None, None]
    for record in found.records:
        assert {metric.key for metric in experiment.metrics} <= set(record.metrics)
        assert all(np.isfinite(value) for value in record.metrics.values())
    assert found.files[-1].name == "figure.png" and found.files[-1].stat().st_size > 10_000


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gan-25-gaussians", "gan-spiral"])
def test_the_smoke_scale_with_all_arms(name: str, tmp_path: Path) -> None:
    found = reproduce(name, out=tmp_path, scale="smoke", n_repeats=1)
    assert len(found.records) == 4 and not any(record.failed for record in found.records)


def test_points_come_from_the_averaged_generator() -> None:
    model = GeneratorDiscriminator(replace(TINY, averaging=0.75), 0)
    weights = []
    for k in range(3):
        model.training_step(torch.as_tensor(gaussian_grid(32, k)[0], dtype=torch.float32))
        weights.append(next(model.generator.parameters()).detach().clone())
    # the first step's weights start the average; each later one moves it by a quarter
    expected = 0.5625 * weights[0] + 0.1875 * weights[1] + 0.25 * weights[2]
    torch.testing.assert_close(next(model.average.parameters()).detach(), expected)
    state = model.random["noise"].get_state()
    points = model.sample(50).points
    model.random["noise"].set_state(state)
    z, _, _ = model.inputs(50)
    np.testing.assert_allclose(points, model.average(z).detach().numpy() * 8**0.5, rtol=1e-5)
    assert not np.allclose(points, model.generator(z).detach().numpy() * 8**0.5)
