"""Critics that see each side through a few numbers: what a bottleneck of so many lets through."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mine.critics.critic import Critic
from mine.critics.networks import MLP

__all__ = ["BottleneckCritic"]

#: Scale of the last layers of the learned part of the ratio at the start: small, but with a slope.
_START = 0.1


class BottleneckCritic(Critic):
    r"""Two towers to k codes each, then a ratio that sees the codes only: a stack of such critics, each of its own width k.

    The codes are ``u = L x + network(x)``, and likewise v. The ratio is that of canonical pairs, plus a learned one:
    ``T = sum p u v - q (u^2 + v^2) + a(u) + b(v) + f(u) . g(v)``. Codes beyond the width of a critic are zero. Every pair of a
    batch is scored in one matrix product.

    References:
        Bottleneck critics for the number of shared dimensions: Abdelaleem, Martini & Nemenman, 2025 (arXiv 2506.00330).

    Arguments:
        directions_x: Linear maps to the codes of x, shape (M, dx, K).
        directions_y: Linear maps to the codes of y, shape (M, dy, K).
        correlations: Correlation of each pair of linear codes in [0, 1), shape (M, K), where the ratio starts.
        widths: Number of codes of each critic, shape (M,), at most K.
        hidden: Widths of each tower's hidden layers.
        lift: Widths of the hidden layers of the learned part of the ratio.
        embed: Length of f(u) and g(v).
        generator: Source of the initial weights; None takes torch's global one.

    Example:
        >>> eye = torch.eye(3).expand(2, 3, 3)
        >>> critic = BottleneckCritic(eye, eye, torch.full((2, 3), 0.5), torch.tensor([1, 3]))
        >>> x, y = torch.randn(2, 2, 8, 3)
        >>> scores = critic.all_pairs(critic.encode_x(x), critic.encode_y(y))
        >>> scores.shape, torch.allclose(scores.diagonal(dim1=-2, dim2=-1), critic(x, y), atol=1e-5)
        (torch.Size([2, 8, 8]), True)
    """

    def __init__(
        self,
        directions_x: Tensor,
        directions_y: Tensor,
        correlations: Tensor,
        widths: Tensor,
        hidden: Sequence[int] = (64, 64),
        *,
        lift: Sequence[int] = (32,),
        embed: int = 16,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        m, dx, k = directions_x.shape
        dy = directions_y.shape[1]
        self.stack = (m,)
        self.linear_x, self.linear_y = (nn.Parameter(d.clone()) for d in (directions_x, directions_y))
        variance = 1 - correlations.unsqueeze(1) ** 2
        self.pull = nn.Parameter(correlations.unsqueeze(1) / variance)
        self.own = nn.Parameter(0.5 * correlations.unsqueeze(1) ** 2 / variance)
        self.register_buffer("open", (torch.arange(k) < widths.unsqueeze(-1)).to(directions_x.dtype).unsqueeze(1))
        self.open: Tensor
        self.tower_x, self.tower_y = (
            MLP((d, *hidden, k), (m,), "relu", activate_first=False, zero_last=True, generator=generator) for d in (dx, dy)
        )
        self.lift_x, self.lift_y = (
            MLP((k, *lift, embed + 1), (m,), "relu", activate_first=False, generator=generator) for _ in range(2)
        )
        with torch.no_grad():
            for part in (self.lift_x, self.lift_y):
                for p in part.layers[-1].parameters():
                    p.mul_(_START)

    def codes_x(self, x: Tensor) -> Tensor:
        """The codes of x, shape (M, B, K)."""
        return (x @ self.linear_x + self.tower_x(x)) * self.open

    def codes_y(self, y: Tensor) -> Tensor:
        """The codes of y, shape (M, B, K)."""
        return (y @ self.linear_y + self.tower_y(y)) * self.open

    def encode_x(self, x: Tensor) -> Tensor:
        u = self.codes_x(x)
        lifted = self.lift_x(u)
        alone = lifted[..., -1:] - (self.own * u**2).sum(-1, keepdim=True)
        return torch.cat([self.pull * u, lifted[..., :-1], alone, torch.ones_like(alone)], -1)

    def encode_y(self, y: Tensor) -> Tensor:
        v = self.codes_y(y)
        lifted = self.lift_y(v)
        alone = lifted[..., -1:] - (self.own * v**2).sum(-1, keepdim=True)
        return torch.cat([v, lifted[..., :-1], torch.ones_like(alone), alone], -1)

    def combine(self, hx: Tensor, hy: Tensor) -> Tensor:
        return (hx * hy).sum(-1)

    def all_pairs(self, hx: Tensor, hy: Tensor) -> Tensor:
        """Scores of every x with every y, shape (M, B, B)."""
        return hx @ hy.mT
