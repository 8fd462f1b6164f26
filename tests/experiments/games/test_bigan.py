"""The bidirectional GANs: arms share inputs, a checkpoint goes on exactly, the information reaches whom it should."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.optim.swa_utils import AveragedModel

from mine.critics import pair_scores
from mine.datasets import digits
from mine.datasets.points import gaussian_grid
from mine.experiments import DivergedError, get_experiment, reproduce
from mine.experiments.checkpoint import Checkpoint
from mine.experiments.games.bigan import Bigan, BiganConfig, _late_average, train_bigan
from mine.experiments.games.bigan_networks import ConvDiscriminator, ConvEncoder, ConvGenerator, DecoderCritic, Dense
from mine.experiments.games.refinements import Refinements

TINY = BiganConfig(steps=110, batch_size=32, width=16, critic_width=16, evaluated=100)


def draw(n: int, rng: np.random.Generator) -> np.ndarray:
    return gaussian_grid(n, rng)[0] / 8**0.5


def silent(done: int, total: int, message: str) -> None:
    pass


REFINED = Refinements(
    octaves=2,
    code_octaves=1,
    encoder_noise=2,
    paired=True,
    penalty=0.01,
    penalty_end=0.002,
    penalty_held=0.5,
    penalty_every=8,
    fade=(0.0, 0.9),
)

LATE = {"critic": "decoder", "noise": 0.5, "averaging": ("late", 0.4), "standard_codes": True, "final_rate": 0.3}


@pytest.mark.parametrize(
    ("arm", "refinements"),
    [
        pytest.param({"batch_norm": True}, None, marks=pytest.mark.slow),
        ({"beta": 0.0}, None),
        pytest.param({"critic": "concat", "bound": "mine"}, None, marks=pytest.mark.slow),
        (LATE, None),
        ({"critic": "decoder"}, REFINED),
    ],
)
def test_a_run_cut_short_goes_on_to_the_same_model(
    arm: dict[str, object], refinements: Refinements | None, tmp_path: Path
) -> None:
    config = replace(TINY, **arm)
    train = partial(train_bigan, config, 2, refinements=refinements)
    (tmp_path / "whole").mkdir()
    (tmp_path / "cut").mkdir()
    whole = train(3, draw, tmp_path / "whole", silent)

    def stop(done: int, total: int, message: str) -> None:
        if done == 100:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mine.experiments.checkpoint.Checkpoint.due", lambda self: True)
        with pytest.raises(KeyboardInterrupt):
            train(3, draw, tmp_path / "cut", stop)
    saved = Checkpoint(tmp_path / "cut" / "checkpoint.pt").load()
    assert saved is not None
    assert saved["step"] == 50
    again = train(3, draw, tmp_path / "cut", silent)
    assert torch.equal(again.sample(100), whole.sample(100))
    rows = torch.as_tensor(draw(50, np.random.default_rng(0)), dtype=torch.float32)
    assert torch.equal(again.reconstruct(rows), whole.reconstruct(rows))
    assert again.estimate == whole.estimate
    other = train(4, draw, tmp_path / "whole", silent)
    assert not torch.equal(other.sample(100), whole.sample(100))


def changed(before: torch.nn.Module, after: torch.nn.Module) -> bool:
    return any(not torch.equal(a, b) for a, b in zip(before.parameters(), after.parameters(), strict=True))


def test_arms_share_networks_and_codes() -> None:
    plain, with_mi = (Bigan(replace(TINY, beta=beta), 2, 0) for beta in (0.0, 1.0))
    pairs = [(getattr(plain, name), getattr(with_mi, name)) for name in ("encoder", "generator", "discriminator")]
    assert not any(changed(*pair) for pair in pairs)
    x = torch.as_tensor(draw(32, np.random.default_rng(0)), dtype=torch.float32)
    for model in (plain, with_mi):
        model.training_step(x)
    assert torch.equal(plain.codes(5), with_mi.codes(5))
    # the discriminator's first step knows nothing of the term
    assert [changed(*pair) for pair in pairs] == [True, True, False]


@pytest.mark.parametrize(
    ("joint", "reached"), [("encoder", [True, False]), ("generator", [False, True]), ("both", [True, True])]
)
def test_the_information_reaches_those_who_make_its_joint(joint: str, reached: list[bool]) -> None:
    plain, with_mi = (Bigan(replace(TINY, beta=beta, joint=joint), 2, 0) for beta in (0.0, 1.0))
    x = torch.as_tensor(draw(32, np.random.default_rng(0)), dtype=torch.float32)
    for model in (plain, with_mi):
        model.training_step(x)
    assert [changed(getattr(plain, name), getattr(with_mi, name)) for name in ("encoder", "generator")] == reached


def test_the_game_by_hand() -> None:
    """Against the losses written out: the discriminator tells (x, E(x)) from (G(z), z), the players want the contrary."""
    config = replace(TINY, beta=0.0)
    model, twin = Bigan(config, 2, 5), Bigan(config, 2, 5)
    x = torch.as_tensor(draw(32, np.random.default_rng(1)), dtype=torch.float32)
    z = twin.codes(32)
    real = twin.discriminator(x, twin.encoder(x).detach()).sigmoid()
    fake = twin.discriminator(twin.generator(z).detach(), z).sigmoid()
    weights = list(twin.discriminator.parameters())
    expected = torch.autograd.grad(-real.log().mean() - (1 - fake).log().mean(), weights)
    model.training_step(x)
    for gradient, weight in zip(expected, model.discriminator.parameters(), strict=True):
        torch.testing.assert_close(weight.grad, gradient, rtol=1e-4, atol=1e-6)
    twin.discriminator.load_state_dict(model.discriminator.state_dict())
    real = twin.discriminator(x, twin.encoder(x)).sigmoid()
    fake = twin.discriminator(twin.generator(z), z).sigmoid()
    expected = torch.autograd.grad(-(1 - real).log().mean() - fake.log().mean(), twin.players)
    for gradient, weight in zip(expected, model.players, strict=True):
        torch.testing.assert_close(weight.grad, gradient, rtol=1e-4, atol=1e-6)


def test_networks_keep_the_scale_of_their_input() -> None:
    """Weights come from the generator handed in, and neither blow signals up nor let them die."""
    global_state = torch.get_rng_state()
    source = torch.Generator().manual_seed(0)
    z = torch.randn(200, 16, generator=source)
    dense = Dense([16, *[64] * 6, 16], source)
    images = ConvGenerator(16, 8, source)(z)
    codes = ConvEncoder(16, 8, 64, source)(torch.randn(200, 784, generator=source))
    scores = ConvDiscriminator(16, 8, 64, source)(images, codes)
    assert torch.equal(global_state, torch.get_rng_state())
    assert images.shape == (200, 784) and images.abs().max() <= 1
    assert codes.shape == (200, 16) and scores.shape == (200,)
    for output in (dense(z), codes):
        assert 0.2 < output.std() < 3
    for grey in (images, Dense([16, 64, 64, 784], source, bounded=True)(z)):
        assert 0.02 < grey.std() < 0.3  # a tanh that starts black or white passes no gradient


def test_what_is_measured_is_the_average_of_the_steps() -> None:
    """Weights w_1, w_2, w_3 of coefficient 0.5: the first, then halfway to the next each time."""
    model = Bigan(replace(TINY, averaging=("moving", 0.5)), 2, 0)
    x = torch.as_tensor(draw(32, np.random.default_rng(0)), dtype=torch.float32)
    seen = []
    for _ in range(3):
        model.training_step(x)
        seen.append([weight.clone() for weight in [*model.encoder.parameters(), *model.generator.parameters()]])
    averaged = [*model.average_encoder.parameters(), *model.average_generator.parameters()]
    for first, second, third, weight in zip(*seen, averaged, strict=True):
        torch.testing.assert_close(weight, 0.25 * first + 0.25 * second + 0.5 * third)
    by_hand = model.average_generator(model.average_encoder(x))
    torch.testing.assert_close(model.reconstruct(x), by_hand)


def test_the_config_says_how_weights_are_averaged() -> None:
    """Shares of 0 and 1 by hand: the last weights, and the mean of all."""
    x = torch.as_tensor(draw(32, np.random.default_rng(0)), dtype=torch.float32)
    for averaging, expected in ((("moving", 0.0), (0, 0, 1)), (("late", 1.0), (1 / 3, 1 / 3, 1 / 3))):
        model = Bigan(replace(TINY, averaging=averaging, beta=0.0), 2, 0)
        seen = []
        for _ in range(3):
            model.training_step(x)
            seen.append([weight.detach().clone() for weight in model.encoder.parameters()])
        for steps, weight in zip(zip(*seen, strict=True), model.average_encoder.parameters(), strict=True):
            torch.testing.assert_close(weight.detach(), sum(s * w for s, w in zip(expected, steps, strict=True)))


def test_a_late_average_spans_its_share_of_all_steps() -> None:
    """With a share of 1/2 step t counts in proportion to t: the mean of 1, 2, ..., 1,000 is two thirds of the way."""
    average = AveragedModel(torch.nn.BatchNorm1d(1), multi_avg_fn=_late_average(0.5), use_buffers=True)
    module = torch.nn.BatchNorm1d(1)
    for step in range(1, 1_001):
        with torch.no_grad():
            module.weight.fill_(step)
            assert module.num_batches_tracked is not None
            module.num_batches_tracked.fill_(step)
        average.update_parameters(module)
    assert torch.as_tensor(average.module.weight).item() == pytest.approx(667, abs=2)
    assert torch.equal(torch.as_tensor(average.module.num_batches_tracked), torch.tensor(1_000))


def test_the_rate_and_the_noise_fall() -> None:
    config = replace(TINY, steps=4, final_rate=0.25, noise=2.0, beta=0.0, learning_rate=0.1)
    model = Bigan(config, 2, 0)
    x = torch.as_tensor(draw(2_000, np.random.default_rng(0)), dtype=torch.float32)
    rates, noise = [], []
    for _ in range(4):
        noise.append((model._noisy(x) - x).std().item())
        model.training_step(x[:32])
        rates += [optimizer.param_groups[0]["lr"] for optimizer in model.optimizers]
    assert rates == pytest.approx([0.1] * 6 + [0.0625] * 2)
    assert noise == pytest.approx([2.0, 1.5, 1.0, 0.5], rel=0.1)
    model.step = 4
    assert model._noisy(x) is x


def test_standard_codes() -> None:
    x = torch.as_tensor(draw(64, np.random.default_rng(0)), dtype=torch.float32)
    codes = Bigan(replace(TINY, standard_codes=True), 2, 0).encoder(x)
    torch.testing.assert_close(codes.mean(0), torch.zeros(2), atol=1e-5, rtol=0)
    torch.testing.assert_close(codes.var(0, unbiased=False), torch.ones(2), atol=1e-2, rtol=0)


def test_a_decoder_as_critic_compares_rows_with_what_it_makes_of_codes() -> None:
    """Scores of InfoNCE, whose rows are compared with several codes, are those of -|x - m(z)|^2 / 2 spread^2."""
    source = torch.Generator().manual_seed(0)
    critic = DecoderCritic(3, 2, [8], 0.7, source, bounded=True)
    x, z = torch.randn(20, 3, generator=source), torch.randn(20, 2, generator=source)
    joint, marginal = pair_scores(critic, x, z, [1, 5, 9])
    m = critic.decoder(z)
    distances = -(x[:, None] - m[None]).square().sum(-1) / (2 * 0.7**2)
    other = torch.stack([distances.roll(-shift, 1).diagonal() for shift in (1, 5, 9)], 1)
    torch.testing.assert_close(joint[:, None] - marginal, distances.diagonal()[:, None] - other, rtol=1e-4, atol=1e-4)
    assert critic.decoder(z).abs().max() <= 1


def test_training_that_diverges_is_told(tmp_path: Path) -> None:
    with pytest.raises(DivergedError, match=r"step \d+: .*(nan|inf|not finite)"):
        train_bigan(replace(TINY, learning_rate=1e30, beta=0.0), 2, 0, draw, tmp_path, silent)


def test_points_from_end_to_end(tmp_path: Path) -> None:
    experiment = get_experiment("bigan-25-gaussians")
    tiny = replace(experiment.scales["smoke"], steps=20, evaluated=200)
    found = reproduce(replace(experiment, scales={"smoke": tiny}), out=tmp_path, scale="smoke", n_repeats=1)
    assert [record.error for record in found.records] == [None, None]
    for record in found.records:
        assert {metric.key for metric in experiment.metrics} <= set(record.metrics)
        assert all(np.isfinite(value) for value in record.metrics.values())
        with np.load(next(tmp_path.glob(f"**/{record.cell.name}/samples.npz"))) as stored:
            distance = np.linalg.norm(stored["points"] - stored["rebuilt"], axis=1).mean()
        assert record.metrics["reconstruction_error"] == pytest.approx(distance, rel=1e-5)
    assert found.files[-1].name == "figure.png" and found.files[-1].stat().st_size > 10_000


@pytest.mark.slow
def test_digits_from_end_to_end(tmp_path: Path) -> None:
    experiment = get_experiment("bigan-mnist")
    found = reproduce(experiment, out=tmp_path, scale="smoke", n_repeats=1)
    assert [record.error for record in found.records] == [None, None]
    for record in found.records:
        assert {metric.key for metric in experiment.metrics} <= set(record.metrics)
        assert record.metrics["classifier_accuracy"] > 0.9 and 0 <= record.metrics["ms_ssim"] <= 1
        with np.load(next(tmp_path.glob(f"**/{record.cell.name}/samples.npz"))) as stored:
            assert stored["samples"].shape == stored["shown"].shape == stored["rebuilt"].shape == (80, 8, 8)
            # what is kept for the figure are the test images, in their order
            np.testing.assert_array_equal(stored["shown"], np.round(digits().test[0][:80] / 16 * 255))
    assert found.files[-1].name == "figure.png" and found.files[-1].stat().st_size > 10_000
