"""The mutual-information term of a generator's loss: a critic, its optimiser and its bound."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mine import bounds
from mine.critics import Critic, pair_scores
from mine.sampling import cyclic_shifts

__all__ = ["MITerm", "add_clipped"]


class MITerm(nn.Module):
    """Raises I(x; c) where it is added to the loss of the model that makes x.

    Arguments:
        critic: Scores pairs (x, c).
        learning_rate: Of the critic, Adam.
        shuffles: Shuffled pairs a row.
        generator: Draws the shuffles; on the CPU.
    """

    average: Tensor

    def __init__(self, critic: Critic, learning_rate: float, shuffles: int, generator: torch.Generator) -> None:
        super().__init__()
        self.critic = critic
        self.optimizer = torch.optim.Adam(critic.parameters(), lr=learning_rate, betas=(0.5, 0.999))
        self.shuffles = shuffles
        self.generator = generator
        self.estimate = 0.0
        # The moving average of E[exp T], as a logarithm; NaN until the first step.
        self.register_buffer("average", torch.tensor(torch.nan))

    def _scores(self, x: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        return pair_scores(self.critic, x, c, cyclic_shifts(len(x), self.shuffles, self.generator))

    def critic_step(self, x: Tensor, c: Tensor) -> None:
        """Train the critic on a batch; no gradient reaches what made ``x``."""
        state = None if self.average.isnan() else self.average
        loss, value, state = bounds.mine(*self._scores(x.detach(), c), state)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        assert state is not None
        self.average.copy_(state)
        self.estimate = value.item()

    def forward(self, x: Tensor, c: Tensor) -> Tensor:
        """The loss of the model, minus the bound in nats."""
        return bounds.donsker_varadhan(*self._scores(x, c)).loss


def add_clipped(parameters: Sequence[nn.Parameter], main: Tensor, term: Tensor) -> tuple[Tensor, Tensor]:
    """Set the gradients to that of ``main`` plus that of ``term``, the latter no longer than the former.

    References:
        Belghazi et al., 2018 (arXiv 1801.04062), eq. 21: ``min(|g_u|, |g_m|) g_m / |g_m|``.

    Returns:
        The norms of both gradients over all parameters, before clipping.
    """
    g_u = torch.autograd.grad(main, parameters, retain_graph=True, materialize_grads=True)
    g_m = torch.autograd.grad(term, parameters, materialize_grads=True)
    norm_u, norm_m = (torch.stack([g.norm() for g in grads]).norm() for grads in (g_u, g_m))
    factor = (norm_u / norm_m.clamp_min(torch.finfo(norm_m.dtype).tiny)).clamp(max=1)
    for parameter, u, m in zip(parameters, g_u, g_m, strict=True):
        parameter.grad = u + factor * m
    return norm_u, norm_m
