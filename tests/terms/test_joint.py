"""One pass for critic and encoder: the same gradients, the same step, as the two passes one after the other."""

from __future__ import annotations

import copy
import math
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import mine
from mine import bounds
from mine.critics import ConcatCritic
from mine.errors import InputError, MineError
from mine.terms.batch import Batch

pytestmark = pytest.mark.usefixtures("seeded_torch")


def pair(seed: int = 0, n: int = 64) -> tuple[Tensor, Tensor]:
    a = torch.randn(n, 3, generator=torch.Generator().manual_seed(seed))
    return a, a[:, :1] + 0.5


def normalised() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 1))


@pytest.mark.parametrize("critic", [partial(ConcatCritic, 2, 1, (8,)), normalised])
@pytest.mark.parametrize("bound", list(bounds.BOUNDS))
def test_it_is_both_passes_in_one(bound: str, critic: Any):
    joint = mine.MaximizeMI(critic(), bound)
    apart, encoder = copy.deepcopy(joint), nn.Linear(3, 2)
    for seed in range(3):
        a, b = pair(seed)
        loss = joint.joint_loss(encoder(a), b)
        encoder.zero_grad()
        loss.backward()
        # The critic that the model's gradient goes through is the one before its step.
        z = encoder(a).detach().requires_grad_()
        critic_loss = copy.deepcopy(apart).critic_loss(z, b)
        expected = (
            copy.deepcopy(apart)
            ._critic_outcome(Batch(encoder(a), b), apart._kept.draws + 1, apart._kept.bound_state)
            .critic_loss
        )
        assert expected is not None
        (gradient,) = torch.autograd.grad(expected, encoder.weight)
        torch.testing.assert_close(encoder.weight.grad, gradient)
        assert loss.item() == pytest.approx(critic_loss.item())
        joint.step()
        apart.critic_step(z, b)
        assert all(p.grad is None for p in joint.parameters())
        for one, other in zip(joint.state_dict().values(), apart.state_dict().values(), strict=True):
            torch.testing.assert_close(one, other)
    assert joint.estimate == pytest.approx(apart.estimate)


def test_an_encoder_learns_by_it():
    encoder = nn.Sequential(nn.Linear(3, 1), nn.BatchNorm1d(1, affine=False))
    term = mine.MaximizeMI(ConcatCritic(1, 1, (32, 32)), learning_rate=3e-3)
    optimizer = torch.optim.Adam(encoder.parameters(), lr=1e-2)
    for seed in range(200):
        a = torch.randn(128, 3)
        b = a[:, :1] + 0.5 * torch.randn(128, 1)
        loss = 0.1 * term.joint_loss(encoder(a), b)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        term.step()
        assert seed < 100 or term.estimate > 0.2
    weight = encoder[0].weight[0]
    assert abs(weight[0]) > 5 * weight[1:].abs().max() and term.estimate > 0.6  # of 0.80


def test_a_refused_batch_changes_nothing():
    term = mine.MaximizeMI(normalised())
    a, b = pair()
    term.critic_step(a[:, :2], b)
    before = copy.deepcopy(term.state_dict())
    with pytest.raises(MineError):
        term.joint_loss(a[:, :2] / 0, b)
    with pytest.raises(InputError):
        term.joint_loss(a[:, :2], b[:5])
    assert all(torch.equal(value, before[name]) for name, value in term.state_dict().items())
    term.joint_loss(a[:, :2], b).backward()
    next(term.parameters()).grad.fill_(math.inf)
    before = copy.deepcopy(term.state_dict())
    with pytest.raises(MineError, match=r"length of the critic's gradient is (inf|nan)"):
        term.step()
    assert all(torch.equal(value, before[name]) for name, value in term.state_dict().items())
    assert all(p.grad is None for p in term.parameters())


def test_evaluation_is_the_call():
    term = mine.MaximizeMI(ConcatCritic(2, 1, (8,)))
    a, b = pair()
    with torch.no_grad():
        assert torch.equal(term.joint_loss(a[:, :2], b), term(a[:, :2], b))
    term.eval()
    assert torch.equal(term.joint_loss(a[:, :2], b), term(a[:, :2], b))


def test_errors_name_the_remedy():
    term = mine.MaximizeMI(ConcatCritic(2, 1, (8,)), optimizer=torch.optim.LBFGS)
    with pytest.raises(InputError, match="joint_loss"):
        term.step()
    a, b = pair()
    term.joint_loss(a[:, :2], b).backward()
    with pytest.raises(InputError, match="critic_step"):
        term.step()


def test_a_scaled_loss_gives_the_critic_the_step_of_the_plain_one(seeded_torch: None):
    """Scaled by 2^14, SGD would leap; a gradient that overflows leaves out the critic's step as it does the model's."""
    x, y = torch.randn(64, 3), torch.randn(64, 1)
    states = []
    for scaled in (False, True):
        generator = torch.Generator().manual_seed(0)
        term = mine.MaximizeMI(
            ConcatCritic(2, 1, (8,), generator=generator), optimizer=lambda p: torch.optim.SGD(p, 0.05), check_finite=not scaled
        )
        encoder = nn.Linear(3, 2)
        nn.init.constant_(encoder.weight, 0.3)
        nn.init.zeros_(encoder.bias)
        optimizer = torch.optim.SGD(encoder.parameters(), 0.05)
        scaler = torch.amp.GradScaler("cpu", init_scale=2.0**14, enabled=scaled)
        for _ in range(5):
            loss = term.joint_loss(encoder(x), y)
            optimizer.zero_grad()
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            term.step(scaler)
            scaler.update()
        states.append([p.detach().clone() for p in term.critic.parameters()])
    for plain, found in zip(*states, strict=True):
        torch.testing.assert_close(found, plain, atol=1e-6, rtol=1e-4)
    scaler = torch.amp.GradScaler("cpu", init_scale=torch.inf)
    scaler.scale(term.joint_loss(encoder(x), y)).backward()
    term.step(scaler)
    assert all(map(torch.equal, states[1], term.critic.parameters())) and all(p.grad is None for p in term.critic.parameters())
