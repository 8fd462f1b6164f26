"""The default critic's step written out by hand, against autograd on the same scores and bound."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import Tensor

from mine import bounds
from mine.critics import GaussianCritic, SeparableCritic
from mine.critics.copula_metric import CopulaMetricCritic, SideLayout
from mine.critics.metric import off_diagonal
from mine.critics.student import StudentCritic, fit_student
from mine.training.fused_distance import FusedDistance


def default_critic(stack: tuple[int, ...] = (), dof: float | None = None, activation: str = "relu") -> CopulaMetricCritic:
    """On two coordinates of x and three of y, with random weights and every part in use; ``dof`` None is a Gaussian copula."""
    rng = np.random.default_rng(0)
    parts = []
    for _ in range(max(1, *stack, 1)):
        x = rng.normal(size=(60, 2))
        parts.append((x, np.concatenate([x + rng.normal(size=(60, 2)), rng.normal(size=(60, 1))], 1)))
    gaussians = [GaussianCritic.fit(x, y) for x, y in parts]
    directions = GaussianCritic.stacked(gaussians) if stack else gaussians[0]
    base: GaussianCritic | StudentCritic = copy.deepcopy(directions)
    if dof is not None:
        students = [fit_student(x, y, dof) for x, y in parts]
        base = StudentCritic.stacked(students) if stack else students[0]
    critic = CopulaMetricCritic(
        base,
        directions,
        torch.rand(*stack, 1, 2, generator=torch.Generator().manual_seed(1)),
        SideLayout(2, 2),
        SideLayout(3, 2),
        hidden=(7, 6),
        activation=activation,
        generator=torch.Generator().manual_seed(2),
    ).double()
    critic.start_training()
    with torch.no_grad():
        critic.scale.uniform_(0.5, 1.5, generator=torch.Generator().manual_seed(3))
        critic.gate.fill_(0.8)
    return critic


def batch(rows: int, stack: tuple[int, ...] = ()) -> tuple[Tensor, Tensor]:
    draw = torch.Generator().manual_seed(4)
    x, y = (torch.randn(*stack, rows, SideLayout(d, 2).width, generator=draw, dtype=torch.float64) for d in (2, 3))
    return x, y


def by_autograd(critic: CopulaMetricCritic, bound: bounds.Bound, x: Tensor, y: Tensor, state: Tensor | None):
    other = copy.deepcopy(critic)
    scores = other.all_pairs(other.encode_x(x), other.encode_y(y))
    loss, value, state = bound(scores.diagonal(dim1=-2, dim2=-1), off_diagonal(scores), state)
    loss.sum().backward()
    return {name: p.grad for name, p in other.named_parameters() if p.requires_grad}, value.detach(), state


@pytest.mark.parametrize("bound", [bounds.donsker_varadhan, bounds.mine, bounds.infonce], ids=lambda b: b.__name__)
@pytest.mark.parametrize("dof", [None, 3.0, float("inf")], ids=["Gaussian", "Student", "limit of Student"])
@pytest.mark.parametrize("stack", [(), (3,)], ids=["single", "stacked"])
def test_gradients_are_those_of_autograd(stack: tuple[int, ...], dof: float | None, bound: bounds.Bound):
    critic = default_critic(stack, dof)
    step = FusedDistance(critic)
    state = torch.linspace(-0.3, 0.4, max(1, *stack, 1), dtype=torch.float64).reshape(stack)
    for rows in (9, 4, 9):  # each step writes over what the last one left, in buffers of another size
        x, y = batch(rows, stack)
        expected, value, after = by_autograd(critic, bound, x, y, state)
        got, got_after = step.step(bound, x, y, [], state)
        torch.testing.assert_close(got, value)
        torch.testing.assert_close(got_after, after)
        for name, p in critic.named_parameters():
            if p.requires_grad:
                torch.testing.assert_close(p.grad, expected[name], rtol=1e-10, atol=1e-12, msg=name)
    assert all(p.grad is None for p in critic.base.parameters())


def test_weights_are_read_anew_and_dropped_gradients_come_back():
    critic = default_critic()
    step = FusedDistance(critic)
    x, y = batch(8)
    step.step(bounds.donsker_varadhan, x, y, [], None)
    critic.zero_grad(set_to_none=True)
    with torch.no_grad():
        for p in critic.parameters():
            p.mul_(1.3)
    expected, value, _ = by_autograd(critic, bounds.donsker_varadhan, x, y, None)
    got, _ = step.step(bounds.donsker_varadhan, x, y, [], None)
    torch.testing.assert_close(got, value)
    torch.testing.assert_close(critic.scale.grad, expected["scale"])


def test_other_critics_have_no_such_step():
    frozen = default_critic()
    frozen.network.requires_grad_(False)
    for critic in (default_critic(activation="elu"), frozen, SeparableCritic(2, 3, generator=torch.Generator().manual_seed(0))):
        assert not FusedDistance.supports(critic)
        with pytest.raises(TypeError, match="supports"):
            FusedDistance(critic)
