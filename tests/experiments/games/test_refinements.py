"""The refinements of the games: losses by hand, penalties in closed form, schedules and waves by value."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from mine.datasets.points import gaussian_grid
from mine.experiments.games.bigan import Bigan, BiganConfig
from mine.experiments.games.bigan_networks import DenseEncoder, DenseGenerator, PairDiscriminator
from mine.experiments.games.refinements import Refinements, discriminator_loss, player_loss, squared_gradient, waves

TINY = BiganConfig(steps=100, batch_size=32, width=16, critic_width=16)
REFINED = Refinements(
    octaves=2,
    code_octaves=1,
    encoder_noise=3,
    paired=True,
    penalty=0.2,
    penalty_end=0.02,
    penalty_held=0.5,
    penalty_every=2,
    rate_held=0.35,
)


def rows(n: int, seed: int = 0) -> Tensor:
    return torch.as_tensor(gaussian_grid(n, np.random.default_rng(seed))[0] / 8**0.5, dtype=torch.float32)


def test_losses_by_hand() -> None:
    real, generated = torch.tensor([2.0, -1.0]), torch.tensor([0.5, 1.0])

    def softplus(value: float) -> float:
        return math.log1p(math.exp(value))

    paired = (softplus(0.5 - 2) + softplus(1 + 1)) / 2
    assert discriminator_loss(real, generated, paired=True).item() == pytest.approx(paired)
    assert player_loss(real, generated, paired=True).item() == pytest.approx((softplus(2 - 0.5) + softplus(-1 - 1)) / 2)
    alone = (softplus(-2) + softplus(1) + softplus(0.5) + softplus(1)) / 2
    assert discriminator_loss(real, generated, paired=False).item() == pytest.approx(alone)
    assert player_loss(real, generated, paired=False).item() == pytest.approx(
        (softplus(2) + softplus(-1) + softplus(-0.5) + softplus(-1)) / 2
    )
    # only the difference of a pair counts, and the two sides want the contrary
    assert discriminator_loss(real + 3, generated + 3, paired=True).item() == pytest.approx(paired)
    assert player_loss(generated, real, paired=True).item() == pytest.approx(paired)


def test_the_penalty_of_a_quadratic() -> None:
    """D = a |x|^2 + b . z has gradients 2 a x and b; the derivative of the mean of 4 a^2 |x|^2 + |b|^2 in closed form."""
    source = torch.Generator().manual_seed(0)
    x, z = torch.randn(50, 2, generator=source), torch.randn(50, 3, generator=source)
    a, b = torch.tensor(0.7, requires_grad=True), torch.tensor([1.0, -2.0, 0.5], requires_grad=True)
    scores, mean = squared_gradient(lambda x, z: a * x.square().sum(1) + z @ b, [x, z])
    torch.testing.assert_close(scores, 0.7 * x.square().sum(1) + z @ b)
    second = x.square().sum(1).mean()
    torch.testing.assert_close(mean, 4 * 0.49 * second + 5.25)
    of_a, of_b = torch.autograd.grad(mean, [a, b])
    torch.testing.assert_close(of_a, 8 * 0.7 * second)
    torch.testing.assert_close(of_b, 2 * b.detach())


def test_waves_by_value() -> None:
    x = torch.tensor([[0.5, 0.25]])
    root = math.sqrt(0.5)
    #        x           sin(pi x)   sin(2 pi x)  cos(pi x)    cos(2 pi x)
    wanted = [0.5, 0.25, 1.0, root, 0.0, 1.0, 0.0, root, -1.0, 0.0]
    torch.testing.assert_close(waves(x, 2), torch.tensor([wanted]), atol=1e-6, rtol=0)
    assert waves(x, 0) is x
    assert waves(torch.zeros(7, 3), 4).shape == (7, 27)


def test_schedules_by_value() -> None:
    refined = Refinements(penalty=0.01, penalty_end=0.0025, penalty_held=0.5, penalty_every=4, rate_held=0.35, fade=(0.1, 0.3))
    assert [refined.rate(step, 100) for step in (0, 35, 61, 100)] == pytest.approx([1, 1, 0.6, 0])
    weights = [refined.information_weight(step, 100) for step in (0, 10, 20, 30, 99)]
    assert weights == pytest.approx([1, 1, 0.5, 0, 0])
    # four times gamma at every fourth step; half-way down in the logarithm at three quarters of the steps
    assert [refined.gamma(step, 100) for step in (0, 1, 2, 3, 4)] == pytest.approx([0.04, 0, 0, 0, 0.04])
    assert [refined.gamma(step, 100) for step in (48, 76, 100)] == pytest.approx([0.04, 0.04 * 0.25**0.52, 0.01])
    assert Refinements().gamma(0, 100) == 0 and Refinements(penalty=0.3).gamma(99, 100) == 0.3
    assert Refinements().rate(75, 100) == 0.5 and Refinements().information_weight(99, 100) == 1
    assert Refinements(penalty=0.3, penalty_end=0.0, penalty_held=0.5).gamma(75, 100) == 0


def test_the_refined_game_by_hand() -> None:
    """The discriminator's gradient, written out: paired losses, and gamma / 2 times R1 and R2 with a step's multiple."""
    refined = replace(REFINED, encoder_noise=0)
    config = replace(TINY, beta=0.0)
    model, twin = (Bigan(config, 2, 5, refinements=refined) for _ in range(2))
    x = rows(32)
    z = twin.codes(32)
    encoded, generated = twin.encoder(x).detach().requires_grad_(), twin.generator(z).detach().requires_grad_()
    x.requires_grad_()
    z.requires_grad_()
    real, fake = twin.discriminator(x, encoded), twin.discriminator(generated, z)
    r1 = sum(g.square().sum() / 32 for g in torch.autograd.grad(real.sum(), [x, encoded], create_graph=True))
    r2 = sum(g.square().sum() / 32 for g in torch.autograd.grad(fake.sum(), [generated, z], create_graph=True))
    loss = (1 + (fake - real).exp()).log().mean() + 2 * 0.2 / 2 * (r1 + r2)
    expected = torch.autograd.grad(loss, list(twin.discriminator.parameters()))
    model.training_step(x.detach())
    for gradient, weight in zip(expected, model.discriminator.parameters(), strict=True):
        torch.testing.assert_close(weight.grad, gradient, rtol=1e-4, atol=1e-6)


def test_the_encoder_spreads_codes_by_its_noise_and_rebuilds_without() -> None:
    source = torch.Generator().manual_seed(0)
    encoder = DenseEncoder(2, 4, [16], source, octaves=1, noise_dim=2)
    x = rows(10)
    torch.testing.assert_close(encoder(x), encoder.network(torch.cat([waves(x, 1), torch.zeros(10, 2)], 1)))
    noise = torch.randn(10, 2, generator=source)
    assert not torch.allclose(encoder(x), encoder(x, noise))
    model = Bigan(replace(TINY, beta=0.0), 2, 0, refinements=REFINED)
    assert not torch.allclose(model.encode(x), model.encode(x))
    assert torch.equal(model.reconstruct(x), model.reconstruct(x))


def test_each_network_sees_its_waves() -> None:
    """The discriminator sees waves of x but not of z, the generator sees waves of z."""
    source = torch.Generator().manual_seed(0)
    discriminator = PairDiscriminator(2, 3, [16], source, octaves=4)
    x, z = rows(10), torch.randn(10, 3, generator=source)
    seen = torch.cat([waves(x, 4), z], 1)
    assert seen.shape == (10, 2 * 9 + 3)
    torch.testing.assert_close(discriminator(x, z), discriminator.network(seen).squeeze(1))
    generator = DenseGenerator(2, 3, [16], source, octaves=1)
    torch.testing.assert_close(generator(z), generator.network(torch.cat([z, (np.pi * z).sin(), (np.pi * z).cos()], 1)))


def test_a_faded_term_leaves_the_plain_game() -> None:
    """After the fade a step is that of the plain arm: neither players nor critic feel the term."""
    refined = replace(REFINED, fade=(0.0, 0.3))
    plain, faded = (Bigan(replace(TINY, beta=beta), 2, 1, refinements=refined) for beta in (0.0, 1.0))
    assert faded.term is not None and faded.term.critic is not None
    before = [weight.detach().clone() for weight in faded.term.critic.parameters()]
    for model in (plain, faded):
        model.step = 30
        model.training_step(rows(32))
    for a, b in zip(plain.players, faded.players, strict=True):
        assert torch.equal(a, b)
    for a, b in zip(before, faded.term.critic.parameters(), strict=True):
        assert torch.equal(a, b)
    faded.step = 29
    faded.training_step(rows(32))
    assert not all(torch.equal(a, b) for a, b in zip(before, faded.term.critic.parameters(), strict=True))


def test_the_discriminator_has_a_rate_of_its_own() -> None:
    model = Bigan(replace(TINY, beta=0.0, learning_rate=0.1), 2, 0, refinements=Refinements(discriminator_rate=2.0))
    model.step = 75
    model.training_step(rows(32))
    assert [optimizer.param_groups[0]["lr"] for optimizer in model.optimizers] == pytest.approx([0.05, 0.1])
