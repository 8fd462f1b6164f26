"""A critic by distance: every pair of a batch for the price of two encodings."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mine.critics.networks import SeparableCritic

__all__ = ["MetricCritic", "metric_matrix", "metric_scores", "off_diagonal"]

#: Scale of the last layers at the start: a small critic, but not one without slope (the product of two zeros has none).
_START = 0.3


class MetricCritic(SeparableCritic):
    r"""``T(x, y) = a(x) + b(y) - |f(x) - g(y)|^2 / 2``: two towers that meet where x and y belong together.

    The log-ratio of a Gaussian has this form in its canonical coordinates; the towers find coordinates in which others do.
    The B^2 pairs of a batch cost one matrix product, so that the partition term rests on all of them and not on a few
    shuffles: at 2 nats and more it is the noise of that term that limits training.

    References:
        Separable critics: Poole et al., 2019 (arXiv 1905.06922), section 3.

    Arguments:
        dx: Number of coordinates of x.
        dy: Number of coordinates of y.
        hidden: Widths of each tower's hidden layers.
        embed: Length of f(x) and g(y).
        activation: As for :class:`mine.critics.ConcatCritic`.
        stack: ``(M,)`` for M independent critics, ``()`` for one.
        generator: Source of the initial weights; None takes torch's global one.

    Example:
        >>> critic = MetricCritic(2, 3)
        >>> x, y = torch.randn(8, 2), torch.randn(8, 3)
        >>> score_matrix = critic.all_pairs(critic.encode_x(x), critic.encode_y(y))
        >>> score_matrix.shape, torch.allclose(score_matrix.diagonal(), critic(x, y), atol=1e-5)
        (torch.Size([8, 8]), True)
    """

    def __init__(
        self,
        dx: int,
        dy: int,
        hidden: Sequence[int] = (128, 128),
        *,
        embed: int = 16,
        activation: str = "relu",
        stack: tuple[int, ...] = (),
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__(dx, dy, hidden, embed=embed + 1, activation=activation, stack=stack, generator=generator)
        self.embed = embed
        with torch.no_grad():
            for tower in (self.tower_x, self.tower_y):
                for p in tower.layers[-1].parameters():
                    p.mul_(_START)

    def combine(self, hx: Tensor, hy: Tensor) -> Tensor:
        return metric_scores(hx, hy)

    def all_pairs(self, hx: Tensor, hy: Tensor) -> Tensor:
        """Scores of every x with every y, shape ``(*stack, B, B)``."""
        return metric_matrix(hx, hy)


def metric_scores(hx: Tensor, hy: Tensor) -> Tensor:
    """``a + b - |u - v|^2 / 2`` of encodings ``(u, a)`` and ``(v, b)``, shape (..., B, embed + 1), in pairs: shape (..., B)."""
    apart = hx[..., :-1] - hy[..., :-1]
    return hx[..., -1] + hy[..., -1] - 0.5 * apart.square().sum(-1)


def metric_matrix(hx: Tensor, hy: Tensor) -> Tensor:
    """:func:`metric_scores` of every x with every y, shape (..., B, B)."""
    u, v = hx[..., :-1], hy[..., :-1]
    of_x = hx[..., -1:] - 0.5 * u.square().sum(-1, keepdim=True)
    of_y = hy[..., -1:] - 0.5 * v.square().sum(-1, keepdim=True)
    # The terms of one side as two more columns of the product: adding them takes as long as multiplying.
    return torch.cat([u, of_x, torch.ones_like(of_x)], -1) @ torch.cat([v, torch.ones_like(of_y), of_y], -1).mT


def off_diagonal(score_matrix: Tensor) -> Tensor:
    """All but the diagonal of (..., B, B), row by row: shape (..., B, B - 1).

    >>> off_diagonal(torch.arange(9).reshape(3, 3))
    tensor([[1, 2],
            [3, 5],
            [6, 7]])
    """
    size = score_matrix.shape[-1]
    # Behind the first entry, every (B + 1)-th one lies on the diagonal.
    flat = score_matrix.flatten(-2)[..., 1:].unflatten(-1, (size - 1, size + 1))[..., :-1]
    return flat.reshape(*score_matrix.shape[:-2], size, size - 1)
