"""Stacked digits and their GAN: what is stacked, how modes are counted, who shares what, and that a cut run goes on exactly."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mine.critics import pair_scores
from mine.datasets import digits
from mine.experiments import DivergedError, get_experiment, reproduce
from mine.experiments.catalogue import stacked_mnist
from mine.experiments.games.image_grids import grid
from mine.experiments.games.image_networks import ImageCode
from mine.experiments.games.stacked_gan import StackedConfig, StackedDigits, StackedGAN, train_stacked_gan

TINY = StackedConfig(
    data="digits", images=300, steps=110, batch_size=16, width=8, critic_width=2, critic_hidden=8, evaluated=40, shuffles=2
)


def silent(done: int, total: int, message: str) -> None:
    pass


def test_three_digits_are_stacked() -> None:
    data = digits()
    stacks = StackedDigits(data, 5_000, 0)
    images = stacks.batch(np.arange(20))
    for image, labels, rows in zip(images, stacks.labels, stacks.rows, strict=False):
        for channel, label, row in zip(image, labels, rows, strict=True):
            assert row < data.n_train and data.labels[row] == label
            np.testing.assert_allclose((channel.numpy() + 1) * 8, data.images[row])
    # all triples, evenly: 5 stacks a triple are expected, so e^-5 of the 1,000 are missing
    triples = len(np.unique(stacks.labels @ [100, 10, 1]))
    assert abs(triples - 1_000 * (1 - math.exp(-5))) < 10
    assert np.array_equal(stacks.rows, StackedDigits(data, 5_000, 0).rows)
    assert not np.array_equal(stacks.rows, StackedDigits(data, 5_000, 1).rows)


def test_the_statistics_networks_halves_are_the_whole() -> None:
    random = torch.Generator().manual_seed(0)
    critic = ImageCode(8, 3, 2, 4, 16, random)
    images, codes = torch.randn(6, 3, 8, 8, generator=random), torch.randn(6, 2, generator=random)
    joint, marginal = pair_scores(critic, images, codes, [1, 4])
    torch.testing.assert_close(joint, critic(images, codes))
    torch.testing.assert_close(marginal[:, 1], critic(images, codes.roll(-4, 0)))
    # a row's score knows nothing of the other rows
    torch.testing.assert_close(critic(images[:1], codes[:1]), joint[:1])
    assert not torch.allclose(joint, marginal[:, 0])


def test_arms_share_networks_and_inputs_and_the_discriminators_width_is_a_setting() -> None:
    plain, with_mi, full = (
        StackedGAN(replace(TINY, **change), 8, 3) for change in ({"beta": 0.0}, {}, {"discriminator_share": 1.0})
    )
    assert plain.discriminator.first.out_channels == 2 and full.discriminator.first.out_channels == 8
    batch = StackedDigits(digits(), 300, 0).batch(np.arange(16))
    for model in (plain, with_mi):
        for other in (with_mi, full):
            assert all(
                torch.equal(a, b) for a, b in zip(model.generator.parameters(), other.generator.parameters(), strict=True)
            )
    for model in (plain, with_mi):
        model.training_step(batch)
    for a, b in zip(plain.discriminator.parameters(), with_mi.discriminator.parameters(), strict=True):
        assert torch.equal(a, b)  # its first step knows nothing of the term
    assert not torch.equal(plain.generator.last.weight, with_mi.generator.last.weight)
    z, code = plain.inputs(5)
    assert z.shape == (5, 100) and torch.equal(z[:, 90:], code)
    assert torch.equal(with_mi.inputs(5)[0], z)


def test_the_learning_rates_fall_to_zero_or_stay() -> None:
    batch = StackedDigits(digits(), 300, 0).batch(np.arange(16))
    for decay_from, at, expected in ((0.5, 0, 1.0), (0.5, 55, 1.0), (0.5, 88, 0.4), (0.5, 109, 1 / 55), (1.0, 109, 1.0)):
        model = StackedGAN(replace(TINY, beta=0.0, decay_from=decay_from), 8, 0)
        model.step = at
        model.training_step(batch)
        assert [o.param_groups[0]["lr"] for o in model.optimizers] == pytest.approx([1e-3 * expected] * 2)


@pytest.mark.parametrize("beta", [0.0, 1.0])
def test_a_run_cut_short_goes_on_to_the_same_images(beta: float, tmp_path: Path) -> None:
    config = replace(TINY, beta=beta)
    (tmp_path / "whole").mkdir()
    (tmp_path / "cut").mkdir()
    whole, information = train_stacked_gan(config, 3, digits(), tmp_path / "whole", silent)
    assert whole.shape == (40, 3, 8, 8) and whole.min() >= 0 and whole.max() <= 1

    def stop(done: int, total: int, message: str) -> None:
        if done == 100:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mine.experiments.checkpoint.Checkpoint.due", lambda self: True)
        with pytest.raises(KeyboardInterrupt):
            train_stacked_gan(config, 3, digits(), tmp_path / "cut", stop)
    again, same = train_stacked_gan(config, 3, digits(), tmp_path / "cut", silent)
    assert torch.equal(again, whole) and information == same


def test_training_that_diverges_is_told(tmp_path: Path) -> None:
    with pytest.raises(DivergedError, match=r"step \d+: .*(nan|inf|not finite)"):
        train_stacked_gan(replace(TINY, learning_rate=1e30, beta=0.0), 0, digits(), tmp_path, silent)


def test_modes_are_counted_as_triples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # images that tell by their brightness what a judge sees: (1, 2, 3) 30 times and (3, 2, 1) 10 times
    triples = torch.tensor([[1.0, 2, 3]] * 30 + [[3.0, 2, 1]] * 10) / 10
    images = triples[:, :, None, None].expand(-1, -1, 8, 8)

    class Judge:
        accuracy = 0.99

        def predict(self, channel: torch.Tensor) -> np.ndarray:
            return (channel[:, 0, 0, 0] * 10).round().long().numpy()

    monkeypatch.setattr(stacked_mnist, "digit_classifier", lambda progress, data: Judge())
    monkeypatch.setattr(stacked_mnist, "train_stacked_gan", lambda *_: (images, 1.5))
    found = stacked_mnist.run(replace(stacked_mnist.EXPERIMENT.scales["smoke"]), 0, tmp_path, silent)
    assert found["modes"] == 2
    assert found["kl"] == pytest.approx(0.75 * math.log(750) + 0.25 * math.log(250))
    assert (found["critic"], found["classifier_accuracy"]) == (1.5, 0.99)


def test_a_grid_of_images() -> None:
    images = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.ones((1, 3, 4, 4), dtype=np.uint8)
    sheet = grid(images, 3)
    assert sheet.shape == (10, 16, 3)
    assert sheet[0, 0, 0] == 0 and sheet[3, 9, 2] == 1 and sheet[0, 12, 0] == 2 and sheet[6, 0, 0] == 3 and sheet[9, 9, 1] == 4
    assert (sheet[4:6] == 255).all() and (sheet[:, 4:6] == 255).all() and (sheet[6:, 12:] == 255).all()


def test_the_experiment_runs_from_end_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    experiment = get_experiment("stacked-mnist")
    tiny = replace(experiment.scales["smoke"], steps=10, evaluated=200)
    found = reproduce(replace(experiment, scales={"smoke": tiny}), out=tmp_path, scale="smoke", arms=["DCGAN", "DCGAN+MINE"])
    assert [record.error for record in found.records] == [None, None]
    for record in found.records:
        assert {metric.key for metric in experiment.metrics} == set(record.metrics)
        assert all(np.isfinite(value) for value in record.metrics.values())
        assert record.metrics["classifier_accuracy"] > 0.9
    assert found.files[-1].name == "figure.png" and found.files[-1].stat().st_size > 10_000


@pytest.mark.slow
def test_the_smoke_scale_with_all_arms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    found = reproduce("stacked-mnist", out=tmp_path, scale="smoke", n_repeats=1)
    assert len(found.records) == 4 and not any(record.failed for record in found.records)
