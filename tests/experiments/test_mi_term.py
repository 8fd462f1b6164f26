"""The term of a generator's loss: clipping against a case worked by hand, and that information goes up."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

import mine
from mine.critics import ConcatCritic
from mine.experiments.mi_term import MITerm, add_clipped


def test_clipping_by_hand() -> None:
    # one norm over both parameters: |g_u| = 5 from (3, 4), |g_m| = 13 from (5, 12); 5/13 of the second is added
    a, b = nn.Parameter(torch.tensor(1.0)), nn.Parameter(torch.tensor([1.0]))
    norms = add_clipped([a, b], 3 * a + 4 * b.sum(), 5 * a + 12 * b.sum())
    assert [n.item() for n in norms] == [5, 13]
    assert a.grad is not None and b.grad is not None
    assert a.grad.item() == pytest.approx(3 + 25 / 13)
    assert b.grad.tolist() == pytest.approx([4 + 60 / 13])


def test_a_shorter_gradient_of_the_term_is_left_as_it_is() -> None:
    a = nn.Parameter(torch.tensor(2.0))
    add_clipped([a], 3 * a, -0.5 * a)
    assert a.grad is not None and a.grad.item() == pytest.approx(2.5)


def test_a_vanishing_gradient_of_the_term_adds_nothing() -> None:
    a = nn.Parameter(torch.tensor(2.0))
    add_clipped([a], 3 * a, 0 * a)
    assert a.grad is not None and a.grad.item() == 3


def test_the_critics_step_leaves_the_model_alone_and_the_models_the_critic() -> None:
    random = torch.Generator().manual_seed(0)
    term = MITerm(ConcatCritic(1, 1, (8,), generator=random), 1e-2, 2, random)
    weight = nn.Parameter(torch.ones(1))
    c = torch.randn(32, 1, generator=random)
    term.critic_step(weight * c, c)
    assert weight.grad is None
    before = [p.detach().clone() for p in term.critic.parameters()]
    gradients = [p.grad.clone() for p in term.critic.parameters() if p.grad is not None]
    add_clipped([weight], weight.sum(), term(weight * c, c))
    assert weight.grad is not None
    assert all(torch.equal(p, old) for p, old in zip(term.critic.parameters(), before, strict=True))
    assert all(
        torch.equal(p.grad, old) for p, old in zip(term.critic.parameters(), gradients, strict=True) if p.grad is not None
    )


def test_the_term_raises_information() -> None:
    # y = w c + noise, w from 0.1 and held at 1 at most: I = log(1 + w^2 / 0.09) / 2 rises from .05 to 1.25 nats. The main loss
    # pulls w to 0; its gradient on another parameter is long, so that the term's is not clipped.
    random = torch.Generator().manual_seed(0)
    term = MITerm(ConcatCritic(1, 1, (32, 32), generator=random), 5e-3, 4, random)
    w = nn.Parameter(torch.tensor(0.1))
    other = nn.Parameter(torch.tensor(0.0))
    step = torch.optim.Adam([w], lr=1e-2)
    for _ in range(200):
        c = torch.randn(128, 1, generator=random)
        y = w * c + 0.3 * torch.randn(128, 1, generator=random)
        term.critic_step(y, c)
        add_clipped([w, other], 1e-3 * w**2 + 5 * other, term(y, c))
        step.step()
        with torch.no_grad():
            w.clamp_(-1, 1)
    assert abs(w.item()) > 0.9
    c = torch.randn(600, 1, generator=random)
    found = mine.estimate((w * c + 0.3 * torch.randn(600, 1, generator=random)).detach(), c, method="gaussian", random_state=0)
    assert abs(found.value - math.log(1 + 1 / 0.09) / 2) < 0.15
    assert abs(term.estimate - found.value) < 0.5
