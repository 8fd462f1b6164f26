r"""A training step of :class:`~mine.critics.ConcatCritic` without autograd: forward and backward written out, in place.

The activations of a step live in buffers that the next step uses again, and the chain rule is that of
:mod:`mine.training.layers`. The slopes of MINE and Donsker-Varadhan are written out too; any other bound goes through
autograd as far as the scores.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mine import bounds
from mine.bounds import Bound
from mine.critics.combined import ResidualCritic
from mine.critics.critic import Critic
from mine.critics.metric import off_diagonal
from mine.critics.networks import ConcatCritic
from mine.critics.pairs import pair_scores
from mine.training.layers import FusedLayers, Gradients, add_product, product

__all__ = ["FusedPairs", "Slopes", "matrix_slopes", "pair_slopes", "score_slopes"]


class Slopes(NamedTuple):
    """Gradient of a bound's loss by its scores ``joint`` (..., B) and ``marginal`` (..., B, K); the bound, ``value``."""

    joint: Tensor
    marginal: Tensor
    value: Tensor
    state: Tensor | None


def score_slopes(bound: Bound, joint: Tensor, marginal: Tensor, state: Tensor | None) -> Slopes:
    """What ``bound(joint, marginal, state).loss.sum()`` has for gradient, written out where this is known.

    Example:
        >>> slopes = score_slopes(bounds.mine, torch.zeros(4), torch.zeros(4, 1), None)
        >>> slopes.joint, slopes.marginal[:, 0]
        (tensor([-0.2500, -0.2500, -0.2500, -0.2500]), tensor([0.2500, 0.2500, 0.2500, 0.2500]))
    """
    if bound is bounds.mine or bound is bounds.donsker_varadhan:
        return _exponential_slopes(joint, marginal, state, average=bound is bounds.mine)
    with torch.enable_grad():
        joint, marginal = joint.detach().requires_grad_(), marginal.detach().requires_grad_()
        loss, value, state = bound(joint, marginal, state)
        loss.sum().backward()
    by_joint, by_marginal = (torch.zeros_like(t) if t.grad is None else t.grad for t in (joint, marginal))
    return Slopes(by_joint, by_marginal, value.detach(), state)


def _exponential_slopes(joint: Tensor, marginal: Tensor, state: Tensor | None, *, average: bool, alpha: float = 0.01) -> Slopes:
    """Of ``log m - E[T]``: -1 / B at joint scores, e^T / (B K m) at shuffled ones, m the partition or its moving average."""
    rows, pairs = joint.shape[-1], marginal.shape[-1] * marginal.shape[-2]
    highest = marginal.amax((-2, -1), keepdim=True)
    weights = (marginal - highest).exp_()  # the partition and the slopes from one pass of exponentials
    batch = weights.sum((-2, -1)).mul_(1 / pairs).log_().add_(highest[..., 0, 0])
    normaliser = batch
    if average:
        state = batch if state is None else torch.logaddexp(state + math.log1p(-alpha), batch + math.log(alpha))
        normaliser = state
    weights.mul_((highest - normaliser[..., None, None]).exp_().mul_(1 / pairs))
    return Slopes(joint.new_full((), -1 / rows).expand_as(joint), weights, joint.mean(-1) - batch, state)


def matrix_slopes(scores: Tensor) -> tuple[Tensor, Tensor]:
    """Gradient of the Donsker-Varadhan loss by a score matrix (..., B, B) with the joint ones on its diagonal; the bound.

    Example:
        >>> slopes, value = matrix_slopes(torch.zeros(2, 2))
        >>> slopes, value
        (tensor([[-0.5000,  0.5000],
                [ 0.5000, -0.5000]]), tensor(0.))
    """
    with torch.no_grad():
        return _to_matrix_slopes(scores.clone())


def _to_matrix_slopes(scores: Tensor) -> tuple[Tensor, Tensor]:
    """As :func:`matrix_slopes`, which are written over the scores."""
    rows = scores.shape[-1]
    diagonal = scores.diagonal(dim1=-2, dim2=-1)
    joint = diagonal.mean(-1)
    diagonal.fill_(-math.inf)
    highest = scores.amax((-2, -1), keepdim=True)
    weights = scores.sub_(highest).exp_()
    total = weights.sum((-2, -1), keepdim=True)
    weights.mul_(1 / total)
    diagonal.fill_(-1 / rows)
    partition = (total / (rows * (rows - 1))).log_().add_(highest)
    return weights, joint - partition[..., 0, 0]


def pair_slopes(bound: Bound, scores: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor, Tensor | None]:
    """Gradient of a bound's loss by a score matrix (..., B, B), which may be overwritten; the bound, and its state.

    It is written out for Donsker-Varadhan, and left to autograd for any other bound.
    """
    if bound is bounds.donsker_varadhan:
        return *_to_matrix_slopes(scores), state
    with torch.enable_grad():
        scores = scores.detach().requires_grad_()
        loss, value, state = bound(scores.diagonal(dim1=-2, dim2=-1), off_diagonal(scores), state)
        (slopes,) = torch.autograd.grad(loss.sum(), scores)
    return slopes, value.detach(), state


class FusedPairs:
    """Training steps of one critic on joint and shuffled pairs, in buffers used again each step.

    Gradients are written over, never added to: a step needs no ``zero_grad``.

    Arguments:
        critic: A :class:`ConcatCritic` with ReLU, or a :class:`ResidualCritic` on one. See :meth:`supports`.

    Raises:
        TypeError: For any other critic.

    Example:
        >>> critic = ConcatCritic(2, 3, hidden=(16, 16))
        >>> pairs = FusedPairs(critic)
        >>> value, average = pairs.step(bounds.mine, torch.randn(8, 2), torch.randn(8, 3), shifts=[1, 3], state=None)
        >>> critic.first_x.weight.grad.shape
        torch.Size([2, 16])
    """

    def __init__(self, critic: Critic) -> None:
        if not self.supports(critic):
            raise TypeError(f"No fused step for this {type(critic).__name__}: ask FusedPairs.supports(critic) first.")
        self.residual: Any = None if isinstance(critic, ConcatCritic) else critic
        network: Any = critic if self.residual is None else self.residual.network
        self.dim = len(network.stack)
        self.gradients = Gradients(critic)
        self.first: tuple[Tensor, Tensor, Tensor] = (network.first_x.weight, network.first_x.bias, network.first_y.weight)
        self.first_slopes = [self.gradients.of(p) for p in self.first]
        self.rest = FusedLayers(network.rest, self.gradients)
        self.scale_slope = None if self.residual is None else self.gradients.of(self.residual.scale)
        self.sizes: tuple[int, int] | None = None

    @staticmethod
    def supports(critic: Critic) -> bool:
        """Whether ``critic`` has a fused step: a trainable MLP with ReLU, on the CPU, stacked once or not at all."""
        network: Any = critic.network if type(critic) is ResidualCritic else critic
        if type(network) is not ConcatCritic or network.rest.activation != "relu" or len(network.stack) > 1:
            return False
        trained = {id(p) for p in critic.parameters() if p.requires_grad}
        needed = [*network.parameters(), *([] if network is critic else [critic.scale])]
        return trained == {id(p) for p in needed} and all(p.device.type == "cpu" for p in needed)

    def step(
        self, bound: Bound, x: Tensor, y: Tensor, shifts: Sequence[int], state: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """Put the gradient of ``bound``'s loss on this batch into every parameter's ``grad``.

        Arguments:
            bound: The bound whose loss is minimised.
            x: Rows of x, shape ``(*stack, B, dx)``; no gradient is taken for them.
            y: Rows of y, shape ``(*stack, B, dy)``.
            shifts: K shifts; shift s pairs ``x_i`` with ``y_{(i + s) mod B}``.
            state: What the bound handed on at the last step.

        Returns:
            The bound on this batch (nats), shape ``(*stack,)``, and its state.
        """
        with torch.no_grad():
            self._prepare(x.shape[-2], len(shifts))
            base: tuple[Tensor, Tensor] | None = None
            residual = self.residual
            if residual is not None:
                of_x, of_y = x[..., : residual.base_dx], y[..., : residual.base_dy]
                base = pair_scores(residual.base, of_x, of_y, shifts)
            joint, marginal = self._forward(x, y, shifts)
            if residual is not None and base is not None:
                joint = joint + residual.scale * base[0]
                marginal = marginal + residual.scale.unsqueeze(-1) * base[1]
            slopes = score_slopes(bound, joint, marginal, state)
            if base is not None and self.scale_slope is not None:
                by_scale = (slopes.joint * base[0]).sum(-1) + (slopes.marginal * base[1]).sum((-2, -1))
                self.scale_slope.copy_(by_scale.unsqueeze(-1))
            self._backward(x, y, shifts, slopes)
        return slopes.value, slopes.state

    def _forward(self, x: Tensor, y: Tensor, shifts: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Joint (*stack, B) and marginal (*stack, B, K) scores of the network: views of a buffer."""
        dim, rows = self.dim, x.shape[-2]
        weight_x, bias, weight_y = self.first
        add_product(bias, x, weight_x, self.hx)
        product(y, weight_y, self.hy)
        for at, partner, size in _runs(shifts, rows):
            left, right = self.hx.narrow(dim, at % rows, size), self.hy.narrow(dim, partner, size)
            torch.add(left, right, out=self.pairs.narrow(dim, at, size))
        return self._by_shift(self.rest.forward(self.pairs))

    def _backward(self, x: Tensor, y: Tensor, shifts: Sequence[int], slopes: Slopes) -> None:
        """From the slopes of the scores to those of the network's parameters."""
        dim, rows = self.dim, x.shape[-2]
        joint, marginal = self._by_shift(self.score_slopes)
        joint.copy_(slopes.joint)
        marginal.copy_(slopes.marginal)
        above = self.rest.backward(self.score_slopes)
        by_hx, by_hy = self.hx, self.hy  # the encodings have done their work
        torch.sum(above.unflatten(dim, (len(shifts) + 1, rows)), dim, out=by_hx)
        by_hy.copy_(above.narrow(dim, 0, rows))
        for at, partner, size in _runs(shifts, rows)[1:]:
            by_hy.narrow(dim, partner, size).add_(above.narrow(dim, at, size))
        by_weight_x, by_bias, by_weight_y = self.first_slopes
        torch.sum(by_hx, -2, keepdim=True, out=by_bias)
        product(x.mT, by_hx, by_weight_x)
        product(y.mT, by_hy, by_weight_y)

    def _by_shift(self, scores: Tensor) -> tuple[Tensor, Tensor]:
        """Scores (*stack, (K + 1) B, 1) as joint (*stack, B) and marginal (*stack, B, K) ones: views."""
        rows, shuffles = self.sizes or (0, 0)
        apart = scores.squeeze(-1).unflatten(self.dim, (shuffles + 1, rows))
        return apart.select(self.dim, 0), apart.narrow(self.dim, 1, shuffles).movedim(self.dim, -1)

    def _prepare(self, rows: int, shuffles: int) -> None:
        """Buffers for this size of batch, kept until it changes; and the gradients, where something has dropped them."""
        self.gradients.attach()
        if self.sizes == (rows, shuffles):
            return
        self.sizes = (rows, shuffles)
        like, pairs = self.first[0], (shuffles + 1) * rows
        stack, width = like.shape[:-2], like.shape[-1]
        self.hx, self.hy = (like.new_empty(*stack, rows, width) for _ in range(2))
        self.pairs, self.score_slopes = like.new_empty(*stack, pairs, width), like.new_empty(*stack, pairs, 1)
        self.rest.prepare(pairs)


def _runs(shifts: Sequence[int], rows: int) -> list[tuple[int, int, int]]:
    """The joint pairs and those of each shift as runs (first pair, first partner, length), none of which wraps around."""
    out = [(0, 0, rows)]
    for start, s in zip(range(rows, (len(shifts) + 1) * rows, rows), shifts, strict=True):
        out += [(start, s, rows - s), (start + rows - s, 0, s)]
    return out
