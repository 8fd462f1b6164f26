"""The step written out by hand against autograd on the same critic and bound."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mine import bounds
from mine.critics import (
    ConcatCritic,
    Critic,
    GaussianCritic,
    ModuleCritic,
    ResidualCritic,
    SeparableCritic,
    pair_scores,
)
from mine.critics.metric import off_diagonal
from mine.training.fused import FusedPairs, matrix_slopes, score_slopes


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def concat(stack: tuple[int, ...] = (), hidden: Sequence[int] = (7, 6)) -> ConcatCritic:
    return ConcatCritic(2, 3, hidden, stack=stack, generator=seeded(0)).double()


def residual(stack: tuple[int, ...] = ()) -> ResidualCritic:
    rng = np.random.default_rng(0)
    fitted = [GaussianCritic.fit(rng.normal(size=(50, 2)), rng.normal(size=(50, 2))) for _ in range(max(1, *stack, 1))]
    base = GaussianCritic.stacked(fitted) if stack else fitted[0]
    return ResidualCritic(base, concat(stack), base_dx=2, base_dy=2).double()


def batch(rows: int, stack: tuple[int, ...] = ()) -> tuple[Tensor, Tensor]:
    draw = seeded(1)
    x, y = (torch.randn(*stack, rows, d, generator=draw, dtype=torch.float64) for d in (2, 3))
    return x, y


def by_autograd(critic: Critic, bound: bounds.Bound, x: Tensor, y: Tensor, shifts: list[int], state: Tensor | None):
    other = copy.deepcopy(critic)
    loss, value, state = bound(*pair_scores(other, x, y, shifts), state)
    loss.sum().backward()
    return {name: p.grad for name, p in other.named_parameters() if p.requires_grad}, value, state


@pytest.mark.parametrize(
    "bound", [bounds.mine, bounds.donsker_varadhan, bounds.nwj, bounds.jensen_shannon], ids=lambda b: b.__name__
)
@pytest.mark.parametrize("shifts", [[1], [2, 8, 5]], ids=["one shuffle", "three shuffles"])
@pytest.mark.parametrize("stack", [(), (3,)], ids=["single", "stacked"])
@pytest.mark.parametrize("kind", [concat, residual])
def test_gradients_are_those_of_autograd(kind, stack: tuple[int, ...], shifts: list[int], bound: bounds.Bound):
    critic = kind(stack)
    x, y = batch(9, stack)
    state = torch.linspace(-0.3, 0.4, max(1, *stack, 1), dtype=torch.float64).reshape(stack)
    expected, value, after = by_autograd(critic, bound, x, y, shifts, state)
    pairs = FusedPairs(critic)
    for _ in range(2):  # the second step writes over what the first one left
        got_value, got_state = pairs.step(bound, x, y, shifts, state)
    torch.testing.assert_close(got_value, value.detach())
    torch.testing.assert_close(got_state, after)
    for name, p in critic.named_parameters():
        if p.requires_grad:
            torch.testing.assert_close(p.grad, expected[name], msg=name)


def test_one_hidden_layer_and_a_batch_that_changes_its_size():
    critic = concat(hidden=(5,))
    pairs = FusedPairs(critic)
    for rows, shifts in ((9, [4]), (4, [1, 3]), (9, [2])):
        x, y = batch(rows)
        expected, _, _ = by_autograd(critic, bounds.mine, x, y, shifts, None)
        critic.zero_grad(set_to_none=True)  # what an optimizer's owner may do between steps
        pairs.step(bounds.mine, x, y, shifts, None)
        for name, p in critic.named_parameters():
            torch.testing.assert_close(p.grad, expected[name], msg=name)


def test_weights_are_read_anew_each_step():
    critic = concat()
    pairs = FusedPairs(critic)
    x, y = batch(9)
    pairs.step(bounds.mine, x, y, [1], None)
    with torch.no_grad():
        for p in critic.parameters():
            p.mul_(1.5)
    expected, value, _ = by_autograd(critic, bounds.mine, x, y, [1], None)
    got, _ = pairs.step(bounds.mine, x, y, [1], None)
    torch.testing.assert_close(got, value)
    torch.testing.assert_close(critic.first_x.weight.grad, expected["first_x.weight"])


@pytest.mark.parametrize("bound", [bounds.mine, bounds.donsker_varadhan])
def test_slopes_stay_finite_at_scores_of_ten_thousand(bound: bounds.Bound):
    joint, marginal = torch.tensor([1e4, -1e4]), torch.tensor([[-1e4], [1e4]])
    slopes = score_slopes(bound, joint, marginal, None)
    # all weight on the largest, to float32 at 1e4: steps of 1e-3 in the logarithm
    torch.testing.assert_close(slopes.marginal, torch.tensor([[0.0], [1.0]]), atol=1e-3, rtol=0)
    torch.testing.assert_close(slopes.value, torch.tensor(-1e4 + np.log(2), dtype=torch.float32))


def test_a_bound_that_leaves_out_the_shuffled_pairs_has_no_slope_there():
    slopes = score_slopes(
        lambda joint, marginal, state: bounds.BoundResult(-joint.mean(-1), joint.mean(-1), None),
        torch.zeros(4),
        torch.zeros(4, 2),
        None,
    )
    assert slopes.joint.tolist() == [-0.25] * 4
    assert slopes.marginal.tolist() == [[0.0, 0.0]] * 4


@pytest.mark.parametrize(
    "critic",
    [
        ConcatCritic(2, 3, activation="elu", generator=seeded(0)),
        ConcatCritic(2, 3, generator=seeded(0)).requires_grad_(False),
        SeparableCritic(2, 3, generator=seeded(0)),
        ModuleCritic(nn.Identity()),
    ],
    ids=["another activation", "frozen", "separable", "a user's module"],
)
def test_other_critics_have_no_fused_step(critic: Critic):
    assert not FusedPairs.supports(critic)
    with pytest.raises(TypeError, match="supports"):
        FusedPairs(critic)


@pytest.mark.parametrize("stack", [(), (3,)], ids=["single", "stacked"])
def test_a_table_of_every_pair_has_the_slopes_of_autograd(stack: tuple[int, ...]):
    scores = torch.randn(*stack, 6, 6, generator=seeded(1), dtype=torch.float64).mul_(5).requires_grad_()
    loss, value, _ = bounds.donsker_varadhan(scores.diagonal(dim1=-2, dim2=-1), off_diagonal(scores))
    (expected,) = torch.autograd.grad(loss.sum(), scores)
    slopes, got = matrix_slopes(scores)
    torch.testing.assert_close(slopes, expected)
    torch.testing.assert_close(got, value.detach())
