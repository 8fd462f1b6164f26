"""The divergence from a prior as an upper bound, against closed forms."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import (
    Bernoulli,
    Categorical,
    Distribution,
    Independent,
    LowRankMultivariateNormal,
    MixtureSameFamily,
    Normal,
)

import mine
from mine.critics import ConcatCritic
from mine.errors import InputError
from mine.terms import LearnedPrior


def closed_form(mean: Tensor, std: float) -> float:
    return float((0.5 * (mean**2 + std**2 - 1) - math.log(std)).sum(1).mean())


def test_the_standard_normal_has_its_closed_form_in_every_shape(seeded_torch: None):
    mean = torch.randn(4000, 2)
    expected = closed_form(mean, 0.3)
    term = mine.MinimizeMI(upper_bound="vib")
    for density in (Normal(mean, 0.3), Independent(Normal(mean, 0.3), 1)):
        assert term.evaluate(density.rsample(), density) == pytest.approx(expected, abs=1e-4)
    # Without a closed form the sample serves.
    sampled: list[Distribution] = [
        LowRankMultivariateNormal(mean, torch.zeros(4000, 2, 1), torch.full((4000, 2), 0.09)),
        MixtureSameFamily(Categorical(torch.ones(4000, 2)), Independent(Normal(mean.unsqueeze(1).expand(-1, 2, -1), 0.3), 1)),
    ]
    for density in sampled:
        assert term.evaluate(density.sample(), density) == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize("noise", [0.01, 0.1])
def test_it_is_tight_at_small_noise_where_leave_one_out_is_not(noise: float, seeded_torch: None):
    truth = 0.5 * math.log1p(noise**-2)
    density = Independent(Normal(torch.randn(2000, 1), noise), 1)
    z = density.rsample()
    assert mine.MinimizeMI(upper_bound="vib").evaluate(z, density) == pytest.approx(truth, abs=0.1)
    if noise == 0.01:
        assert mine.MinimizeMI(upper_bound="leave-one-out").evaluate(z[:128], Normal(density.mean[:128], noise)) > truth + 3


def test_a_learned_prior_comes_down_to_the_information(seeded_torch: None):
    # z = a + e with a ~ N(5, 9): I = ln(10) / 2, and the marginal is one normal distribution.
    a = 5 + 3 * torch.randn(4000, 1)
    density = Normal(a, 1.0)
    z = density.rsample()
    standard = mine.MinimizeMI(upper_bound="vib").evaluate(z, density)
    term = mine.MinimizeMI(LearnedPrior(1), upper_bound="vib", learning_rate=0.05)
    for i in range(400):
        rows = slice(200 * (i % 20), 200 * (i % 20) + 200)
        term.critic_step(z[rows], Normal(a[rows], 1.0))
    assert term.evaluate(z, density) == pytest.approx(0.5 * math.log(10), abs=0.1)
    assert standard > 10
    for _ in range(3):  # an upper bound with any prior: it never goes stale
        term(z, density)


def test_a_mixture_fits_a_marginal_of_two_parts(seeded_torch: None):
    a = 6 * torch.sign(torch.randn(2000, 1)) + 0.1 * torch.randn(2000, 1)
    density = Normal(a, 1.0)
    z, found = density.rsample(), {}
    for components in (1, 4):
        term = mine.MinimizeMI(LearnedPrior(1, components), upper_bound="vib", learning_rate=0.05)
        for _ in range(300):
            term.critic_step(z, density)
        found[components] = term.evaluate(z, density)
    assert math.log(2) - 0.1 < found[4] < math.log(2) + 0.25  # little more than the sign
    assert found[1] > math.log(2) + 0.8


def test_the_gradient_reaches_the_encoder_and_not_the_prior(seeded_torch: None):
    mean = torch.randn(64, 2, requires_grad=True)
    term = mine.MinimizeMI(LearnedPrior(2, 3), upper_bound="vib")
    density = Normal(mean, 0.5)
    term(density.rsample(), density).backward()
    assert mean.grad is not None and mean.grad.abs().sum() > 0
    assert all(p.grad is None for p in term.parameters())


def test_errors_name_the_remedy(seeded_torch: None):
    labels: Distribution
    for labels in (Categorical(torch.ones(4, 3)), Bernoulli(torch.full((4, 1), 0.5))):
        with pytest.raises(InputError, match="over discrete values: pass a prior of your own"):
            mine.MinimizeMI(upper_bound="vib")(labels.sample(), labels)
    density = Normal(torch.zeros(4, 1), 1.0)
    for wrong in (ConcatCritic(1, 1), nn.Linear(1, 1)):
        with pytest.raises(InputError, match=r"forward\(\) needs no argument, such as mine.terms.LearnedPrior"):
            mine.MinimizeMI(wrong, upper_bound="vib")(density.sample(), density)
    with pytest.raises(InputError, match="at least 1, got 0 and 1"):
        LearnedPrior(0)


@pytest.mark.parametrize("wide", [2, 4])
def test_rows_of_another_shape_than_the_density_are_refused(wide: int, seeded_torch: None):
    # A divergence in closed form does not depend on z, so a wrong z would pass unseen.
    term = mine.MinimizeMI(upper_bound="vib")
    with pytest.raises(InputError, match=rf"Rows of shape \({wide},\), but a Normal whose rows have shape \(3,\)"):
        term(torch.randn(8, wide), Normal(torch.randn(8, 3), 1.0))


def test_a_last_batch_of_one_row_has_a_divergence(seeded_torch: None):
    mean = torch.randn(1, 3, requires_grad=True)
    density = Normal(mean, 0.5)
    loss = mine.MinimizeMI(upper_bound="vib")(density.rsample(), density)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(closed_form(mean.detach(), 0.5), abs=1e-5)
    assert mean.grad is not None
    with pytest.raises(InputError, match="The batch is empty"):
        mine.MinimizeMI(upper_bound="vib")(mean[:0], Normal(mean[:0], 0.5))
