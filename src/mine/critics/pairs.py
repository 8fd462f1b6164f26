"""Scores of joint and of shuffled pairs, in one pass through a critic."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mine.critics.critic import Critic, map_encoding
from mine.critics.networks import SeparableCritic

__all__ = ["pair_scores"]

#: A pair in a matrix product costs this share of one that is combined on its own.
_WORTH_A_TABLE = 8


def pair_scores(critic: Critic, x: Tensor, y: Tensor, shifts: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Scores of the joint pairs and of their cyclic shifts, in one pass through the critic.

    Arguments:
        critic: A critic, stacked or not. A separable one scores every pair in one matrix product where the shifts ask for an
            eighth of them or more.
        x: Rows of x, shape ``(*stack, B, ...)``.
        y: Rows of y, shape ``(*stack, B, ...)``.
        shifts: K shifts; shift s pairs ``x_i`` with ``y_{(i + s) mod B}``.

    Returns:
        joint of shape ``(*stack, B)`` and marginal of shape ``(*stack, B, K)``.
    """
    dim = len(critic.stack)
    rows, k = x.shape[dim], len(shifts)
    hx, hy = critic.encode_x(x), critic.encode_y(y)
    if type(critic).combine is SeparableCritic.combine and _WORTH_A_TABLE * (k + 1) >= rows:  # not a subclass with its own
        scores = hx @ hy.mT  # pyright: ignore[reportOperatorIssue, reportAttributeAccessIssue]
        own = torch.arange(rows, device=scores.device).unsqueeze(1)
        partners = (own + torch.as_tensor([0, *shifts], device=scores.device)) % rows
        scores = scores.gather(-1, partners.expand(*scores.shape[:-1], k + 1))
        return scores[..., 0], scores[..., 1:]
    scores = critic.combine(
        map_encoding(lambda h: torch.cat([h] * (k + 1), dim), hx),
        map_encoding(lambda h: torch.cat([h, *(h.roll(-s, dim) for s in shifts)], dim), hy),
    )
    scores = scores.unflatten(dim, (k + 1, rows))
    return scores.select(dim, 0), scores.narrow(dim, 1, k).movedim(dim, -1)
