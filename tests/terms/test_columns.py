"""The term of total correlation: its value by hand, its direction, and who is trained."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

import mine
from mine.errors import InputError, StaleCriticError, UnknownNameError

pytestmark = pytest.mark.usefixtures("seeded_torch")


def network(width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1))


class Product(nn.Module):
    """T(z) = the product of its columns."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(()))

    def forward(self, z: Tensor) -> Tensor:
        return self.gain * z.prod(-1)


def test_the_value_is_the_bound_over_rows_of_other_rows_columns():
    """Two columns of two rows: rows that are shuffled keep no pair."""
    z = torch.tensor([[1.0, 2.0], [3.0, 5.0]])
    expected = (2 + 15) / 2 - math.log((math.exp(1 * 5) + math.exp(3 * 2)) / 2)
    term = mine.MinimizeTC(Product(), "dv", shuffles=5)
    assert term.evaluate(z) == pytest.approx(expected, rel=1e-6)
    term.critic_loss(z)
    assert term(z).item() == pytest.approx(expected, rel=1e-6) == pytest.approx(term.estimate, rel=1e-6)


def test_it_finds_what_three_columns_share_and_no_pair_does():
    """The third is the sign of the product of the others: pairs are independent, all three share ln 2."""
    signs = torch.randint(2, (6000, 2)) * 2.0 - 1
    z = torch.cat([signs, signs.prod(1, keepdim=True)], 1)
    term = mine.MinimizeTC(network(3), learning_rate=3e-3)
    for start in range(0, 4000, 20):
        term.critic_step(z[start : start + 200])
    assert term.evaluate(z[5000:]) == pytest.approx(math.log(2), abs=0.05)


def test_minimising_makes_columns_independent():
    mixing = torch.tensor([[1.0, 0.9], [0.0, 0.45]])
    a = torch.randn(2000, 2) @ mixing
    encoder = nn.Linear(2, 2, bias=False)
    with torch.no_grad():
        encoder.weight.copy_(torch.eye(2))
    term = mine.MinimizeTC(network(2), learning_rate=5e-3)
    optimizer = torch.optim.Adam(encoder.parameters(), lr=5e-3)

    def shared() -> float:
        z = encoder(a).detach()
        return -0.5 * math.log1p(-(float(torch.corrcoef(z.T)[0, 1]) ** 2))

    before = shared()
    for _ in range(200):
        z = encoder(a[torch.randint(2000, (256,))])
        term.critic_step(z, steps=3)
        spread = (z.T.cov() - torch.eye(2)).square().sum()  # else a column vanishes
        optimizer.zero_grad()
        (term(z) + 0.3 * spread).backward()
        optimizer.step()
    assert before > 0.7 and shared() < 0.05


def test_its_critic_gets_no_gradient_from_the_model_and_must_keep_up():
    z = torch.randn(16, 3, requires_grad=True)
    term = mine.MinimizeTC(network(3))
    term.critic_step(z, steps=2)
    assert z.grad is None
    term(z).backward()
    assert z.grad is not None and all(p.grad is None for p in term.critic.parameters())
    with pytest.raises(StaleCriticError, match="2 training calls of MinimizeTC"):
        term(z)
    term.eval()(z)


@pytest.mark.parametrize("z", [torch.randn(8), torch.randn(8, 1), torch.randn(8, 2, 2), [[1.0, 2.0]], torch.randn(4, 5)])
def test_other_shapes_are_refused(z: Tensor):
    term = mine.MinimizeTC(network(5))
    with pytest.raises(InputError, match=r"shape \(B, D\)|must be a tensor|need a batch of at least 5 rows"):
        term.critic_step(z)


def test_resumes_exactly():
    terms = [mine.MinimizeTC(network(2)) for _ in range(2)]
    z = torch.randn(3, 32, 2)
    terms[0].critic_step(z[0])
    terms[1].load_state_dict(terms[0].state_dict())
    for term in terms:
        term.critic_step(z[1])
    assert terms[0](z[2]).item() == terms[1](z[2]).item()


def test_a_critic_by_name_is_built_from_the_first_batch_and_resumes():
    z = torch.randn(128, 3)
    z[:, 2] = z[:, 0] + 0.3 * torch.randn(128)
    term = mine.MinimizeTC("mlp", learning_rate=5e-3)
    assert term.critic is None and term.optimizer is None
    for _ in range(60):
        term.critic_step(z)
    assert term.evaluate(z) > 0.4
    other = mine.MinimizeTC("mlp", learning_rate=5e-3)
    other.load_state_dict(term.state_dict())
    for one in (term, other):
        one.critic_step(z)
    assert other.evaluate(z) == term.evaluate(z)
    with pytest.raises(UnknownNameError, match="critic"):
        mine.MinimizeTC("conv")
    with pytest.raises(InputError, match="at least two columns"):
        mine.MinimizeTC("mlp").critic_step(torch.randn(64, 1))
