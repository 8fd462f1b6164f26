"""Scores of joint and of shuffled pairs, in one pass through a critic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from mine.critics.critic import Critic, map_encoding
from mine.sampling import shifted_partners

__all__ = ["pair_scores", "score_matrix_of"]

#: So many pairs in a matrix product cost as much as one that is combined on its own.
MATRIX_SHARE = 8


def pair_scores(critic: Critic, x: Tensor, y: Tensor, shifts: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Scores of the joint pairs and of their cyclic shifts, in one pass through the critic.

    Arguments:
        critic: A critic, stacked or not. If it has ``all_pairs``, every pair is scored in one matrix product once the shifts
            ask for an eighth of them or more.
        x: Rows of x, shape ``(*stack, B, ...)``.
        y: Rows of y, shape ``(*stack, B, ...)``.
        shifts: K shifts; shift s pairs ``x_i`` with ``y_{(i + s) mod B}``.

    Returns:
        joint of shape ``(*stack, B)`` and marginal of shape ``(*stack, B, K)``.
    """
    dim = len(critic.stack)
    rows, k = x.shape[dim], len(shifts)
    hx, hy = critic.encode_x(x), critic.encode_y(y)
    score_matrix = score_matrix_of(critic)
    if score_matrix is not None and MATRIX_SHARE * (k + 1) >= rows:
        scores = score_matrix(hx, hy)
        partners = shifted_partners(torch.arange(rows, device=scores.device), [0, *shifts], rows).T
        scores = scores.gather(-1, partners.expand(*scores.shape[:-1], k + 1))
        return scores[..., 0], scores[..., 1:]
    scores = critic.combine(
        map_encoding(lambda h: torch.cat([h] * (k + 1), dim), hx),
        map_encoding(lambda h: torch.cat([h, *(h.roll(-s, dim) for s in shifts)], dim), hy),
    )
    scores = scores.unflatten(dim, (k + 1, rows))
    return scores.select(dim, 0), scores.narrow(dim, 1, k).movedim(dim, -1)


def score_matrix_of(critic: Critic) -> Callable[[Any, Any], Tensor] | None:
    """The critic's ``all_pairs``: encodings of x and y -> scores of every x with every y, shape ``(*stack, B, B)``.

    None if it has none, or only one of a base class whose ``combine`` it has replaced by its own.
    """
    owner: Any = next(kind for kind in type(critic).__mro__ if "combine" in vars(kind) or "all_pairs" in vars(kind))
    if "combine" not in vars(owner) or "all_pairs" not in vars(owner):
        return None
    return owner.all_pairs.__get__(critic)
