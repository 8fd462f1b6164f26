"""Gradient checkpointing around a term: the second pass draws what the first one drew, and changes nothing."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Normal
from torch.utils.checkpoint import checkpoint

import mine
from mine.critics import ConcatCritic
from mine.errors import InputError
from mine.terms import GaussianConditional, LearnedPrior

pytestmark = pytest.mark.usefixtures("seeded_torch")
BOTH_KINDS = pytest.mark.parametrize("reentrant", [True, False])
Call = Callable[[Any, Tensor, Tensor], Tensor]


def batch_normalised() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1))


MAKE: dict[str, tuple[Callable[[], Any], Call]] = {
    "maximize": (lambda: mine.MaximizeMI(batch_normalised()), lambda term, z, y: term(z, y)),
    "joint": (lambda: mine.MaximizeMI(batch_normalised()), lambda term, z, y: term.joint_loss(z, y)),
    "critic_loss": (lambda: mine.MaximizeMI(batch_normalised()), lambda term, z, y: term.critic_loss(z, y) + z.sum()),
    "minimize": (lambda: mine.MinimizeMI(batch_normalised(), max_stale=9), lambda term, z, y: term(z, y)),
    "columns": (lambda: mine.MinimizeTC("mlp", max_stale=9), lambda term, z, _: term(z)),
    "club": (
        lambda: mine.MinimizeMI(GaussianConditional(2, 1, (8,)), upper_bound="club", max_stale=9),
        lambda term, z, y: term(z, y),
    ),
    "vib": (
        lambda: mine.MinimizeMI(LearnedPrior(2), upper_bound="vib", max_stale=9),
        lambda term, z, _: term(z, Normal(z, 1.0)),
    ),
    "step inside": (
        lambda: mine.MaximizeMI(batch_normalised()),
        lambda term, z, y: (term.critic_step(z, y), term(z, y))[1],
    ),
    "twice alike": (lambda: mine.MaximizeMI(ConcatCritic(2, 1, (8,))), lambda term, z, y: term(z, y) + 3 * term(z, y)),
}


def twins(kind: str) -> tuple[list[Any], list[nn.Module], Call]:
    make, call = MAKE[kind]
    term, encoder = make(), nn.Linear(3, 2)
    if kind == "columns":
        term.critic_step(torch.randn(32, 2))
    return [term, copy.deepcopy(term)], [encoder, copy.deepcopy(encoder)], call


@BOTH_KINDS
@pytest.mark.parametrize("kind", MAKE)
def test_the_second_pass_is_the_first_one(kind: str, reentrant: bool):
    terms, encoders, call = twins(kind)
    x, y = torch.randn(32, 3, requires_grad=True), torch.randn(32, 1)
    plain = call(terms[0], encoders[0](x), y)
    saved = checkpoint(lambda a, b: call(terms[1], encoders[1](a), b), x, y, use_reentrant=reentrant)
    torch.testing.assert_close(saved, plain)
    plain.backward()
    saved.backward()
    for a, b in zip((encoders[0], terms[0]), (encoders[1], terms[1]), strict=True):
        for p, q in zip(a.parameters(), b.parameters(), strict=True):
            assert (p.grad is None) == (q.grad is None)
            assert p.grad is None or q.grad is None or torch.allclose(p.grad, q.grad, atol=1e-6)
    assert all(torch.equal(value, terms[1].state_dict()[name]) for name, value in terms[0].state_dict().items())


@BOTH_KINDS
def test_each_of_several_checkpoints_draws_its_own_shuffles_again(reentrant: bool):
    terms, encoders, call = twins("maximize")
    parts = [torch.randn(32, 3, requires_grad=True) for _ in range(3)]
    y = torch.randn(32, 1)
    sum(call(terms[0], encoders[0](x), y) for x in parts).backward()

    def run(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return call(terms[1], encoders[1](a), b)

    sum(checkpoint(run, x, y, use_reentrant=reentrant) for x in parts).backward()
    torch.testing.assert_close(encoders[0].weight.grad, encoders[1].weight.grad)


@BOTH_KINDS
@pytest.mark.parametrize("order", ["together", "in order", "reversed"])
def test_checkpoints_with_identical_rows_draw_their_own_shuffles_again(order: str, reentrant: bool):
    """Rows alone cannot tell them apart: the second one was computed again with the shuffles of the first."""
    terms, encoders, call = twins("maximize")
    x, y = torch.randn(32, 3, requires_grad=True), torch.randn(32, 1)
    terms[0].critic_step(encoders[0](x), y)
    terms[1] = copy.deepcopy(terms[0])
    for index in (0, 1):

        def run(a: Tensor, b: Tensor, index: int = index) -> Tensor:
            return call(terms[index], encoders[index](a), b)

        losses = [
            weight * (checkpoint(run, x, y, use_reentrant=reentrant) if index else run(x, y)) for weight in (1.0, -4.0, 2.0)
        ]
        if order == "together":
            losses = [sum(losses, torch.zeros(()))]
        for loss in reversed(losses) if order == "reversed" else losses:
            loss.backward()
    assert encoders[0].weight.grad.abs().sum() > 1e-4
    torch.testing.assert_close(encoders[0].weight.grad, encoders[1].weight.grad)


def test_a_reentrant_call_counts_for_staleness_and_a_plain_one_without_gradients_does_not():
    x, y = torch.randn(16, 2, requires_grad=True), torch.randn(16, 1)
    term = mine.MinimizeMI(ConcatCritic(2, 1, (8,)))
    with torch.no_grad():
        values = {term(x, y).item() for _ in range(3)}
    assert len(values) == 1 and term._kept.draws == 0
    checkpoint(term, x, y, use_reentrant=True).backward()
    with pytest.raises(mine.StaleCriticError):
        checkpoint(term, x, y, use_reentrant=True)


class Foreign(torch.autograd.Function):
    """A checkpoint of somebody else, whose forward pass nobody can tell from an evaluation."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, term: Any) -> Tensor:
        ctx.save_for_backward(x, y)
        ctx.term = term
        return term(x, y).detach()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        x, y = ctx.saved_tensors
        with torch.enable_grad():
            loss = ctx.term(x.detach().requires_grad_(), y)
        return torch.autograd.grad(loss, x, grads)[0], None, None


def test_a_second_pass_without_a_first_one_is_refused():
    x, y = torch.randn(16, 2, requires_grad=True), torch.randn(16, 1)
    with pytest.raises(InputError, match="outside the checkpoint"):
        Foreign.apply(x, y, mine.MaximizeMI(ConcatCritic(2, 1, (8,)))).backward()  # type: ignore[attr-defined]
