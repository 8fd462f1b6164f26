"""Upper bounds against hand-worked matrices and the Gaussian channel z = a + s e, whose values are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Independent, Normal

import mine
from mine.errors import InputError, UnknownNameError
from mine.terms import GaussianConditional, club, leave_one_out

#: log p(y_i | x_j), row i.
MATRIX = np.array([[0.0, -1.0, -2.0], [-3.0, -0.5, -1.5], [-0.2, -4.0, -0.1]])


def halves() -> tuple[Tensor, Tensor]:
    off = np.array([[MATRIX[i, j] for j in range(3) if j != i] for i in range(3)])
    return torch.tensor(np.diag(MATRIX).copy()), torch.tensor(off)


def test_leave_one_out_by_hand():
    expected = np.mean([MATRIX[i, i] - math.log(sum(math.exp(MATRIX[i, j]) for j in range(3) if j != i) / 2) for i in range(3)])
    torch.testing.assert_close(leave_one_out(*halves()), torch.tensor(expected))


def test_club_by_hand():
    torch.testing.assert_close(
        club(*halves()), torch.tensor((0 - 0.5 - 0.1) / 3 - (-1 - 2 - 3 - 1.5 - 0.2 - 4) / 6, dtype=torch.double)
    )


def channel(s: float, n: int, seed: int = 0) -> tuple[Tensor, Normal]:
    a, e = torch.randn(2, n, 1, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return a + s * e, Normal(a, s)


@pytest.mark.parametrize("s", [0.5, 1.0])
def test_leave_one_out_reaches_the_channels_information_from_above(s: float):
    truth = 0.5 * math.log1p(s**-2)
    term = mine.MinimizeMI(upper_bound="leave-one-out")
    small = np.mean([term(*channel(s, 8, seed)).item() for seed in range(300)])
    large = np.mean([term(*channel(s, 600, seed)).item() for seed in range(8)])
    assert small > truth + 0.02  # an upper bound in expectation, loose for small batches
    assert large == pytest.approx(truth, abs=0.05)


def test_exact_club_has_the_channels_closed_form():
    # E log p(z|a) - E log p(z'|a) = (E (z' - a)^2 - s^2) / 2 s^2 = ((2 + s^2) - s^2) / 2 s^2 = 1 / s^2
    term = mine.MinimizeMI(upper_bound="club")
    values = [term(*channel(1.0, 600, seed)).item() for seed in range(8)]
    assert np.mean(values) == pytest.approx(1.0, abs=0.06)
    assert np.mean(values) > 0.5 * math.log(2)
    assert term.estimate == pytest.approx(np.mean(values))


def test_coordinates_of_the_batch_and_of_the_event_are_the_same():
    a, e = torch.randn(2, 16, 3, generator=torch.Generator().manual_seed(1))
    z = a + e
    for name in ("leave-one-out", "club"):
        apart = mine.MinimizeMI(upper_bound=name)(z, Normal(a, 1.0))
        together = mine.MinimizeMI(upper_bound=name)(z, Independent(Normal(a, 1.0), 1))
        torch.testing.assert_close(apart, together)


def test_the_gradient_of_the_channels_information_reaches_the_encoder():
    # dI/dw of z = w a + e is w / (1 + w^2)
    a, e = torch.randn(2, 800, 1, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    w = nn.Parameter(torch.tensor(0.8, dtype=torch.float64))
    density = Normal(w * a, 1.0)
    mine.MinimizeMI(upper_bound="leave-one-out")(w * a + e, density).backward()
    assert float(w.grad) == pytest.approx(0.8 / (1 + 0.8**2), abs=0.05)


def test_a_known_density_has_no_critic_to_train_or_to_go_stale():
    term = mine.MinimizeMI(upper_bound="leave-one-out")
    z, density = channel(1.0, 8)
    for _ in range(3):
        term(z.requires_grad_(), density)
    with pytest.raises(InputError, match="leave critic_step out"):
        term.critic_step(z, density)


def test_learned_club_finds_the_channels_value(seeded_torch: None):
    a = torch.randn(4000, 1)
    z = a + torch.randn(4000, 1)
    term = mine.MinimizeMI(GaussianConditional(1, 1, hidden=(16,)), upper_bound="club", learning_rate=1e-2)
    for i in range(250):
        rows = slice(128 * i % 3200, 128 * i % 3200 + 128)
        term.critic_step(a[rows], z[rows])
    assert term.evaluate(a[3200:], z[3200:]) == pytest.approx(1.0, abs=0.25)  # 1 / s^2, as with the exact density


def test_the_conditional_is_a_normal_density(seeded_torch: None):
    q = GaussianConditional(2, 3)
    x, y = torch.randn(5, 2), torch.randn(5, 3)
    mean, std = q(x).mean.detach().numpy(), q(x).stddev.detach().numpy()
    expected = (-0.5 * ((y.numpy() - mean) / std) ** 2 - np.log(std) - 0.5 * math.log(2 * math.pi)).sum(1)
    np.testing.assert_allclose(q(x).log_prob(y).detach().numpy(), expected, rtol=1e-4)
    assert float(q(1e6 * x).stddev.detach().log().abs().max()) <= 6.0001  # it cannot collapse onto a row


def test_errors_name_the_remedy(seeded_torch: None):
    z, density = channel(1.0, 4)
    with pytest.raises(UnknownNameError, match="did you mean 'leave-one-out'"):
        mine.MinimizeMI(upper_bound="leave_one_out")
    with pytest.raises(InputError, match="leave the critic out"):
        mine.MinimizeMI(nn.Linear(2, 1), upper_bound="leave-one-out")
    with pytest.raises(InputError, match="needs a critic"):
        mine.MinimizeMI()
    with pytest.raises(InputError, match=r"got Tensor: pass the distribution .* \(with rsample\)"):
        mine.MinimizeMI(upper_bound="club")(z, z)
    with pytest.raises(InputError, match=r"Rows of shape \(2,\), but a Normal whose rows have shape \(1,\)"):
        mine.MinimizeMI(upper_bound="club")(z.expand(4, 2), density)
    with pytest.raises(InputError, match=r"3 rows, but a Normal of batch shape \(4, 1\)"):
        mine.MinimizeMI(upper_bound="leave-one-out")(z[:3], density)
    with pytest.raises(InputError, match=r"got Tensor: the critic must map x to a distribution over y.*GaussianConditional"):
        mine.MinimizeMI(nn.Linear(1, 1).double(), upper_bound="club").critic_step(z, z)
    with pytest.raises(InputError, match="at least one layer"):
        GaussianConditional(1, 1, hidden=())
