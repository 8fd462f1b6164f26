"""Scores without gradient on a part of the rows, in chunks that fit the cache."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from mine.critics.critic import Critic, Encoding, map_encoding
from mine.sampling import cyclic_shifts, longest_run, shifted_partners
from mine.training.pairs import Pairs

__all__ = ["HELD_BYTES", "HELD_ROWS", "encoded_scores", "evaluate_scores", "shuffled_rows", "ungrouped"]

#: Rows of all critics above which the encodings of a split are not held but made chunk by chunk.
HELD_ROWS = 1 << 17


#: Bytes up to which the features of one side of such a split are.
HELD_BYTES = 128 << 20


def evaluate_scores(
    critic: Critic,
    pairs: Pairs,
    index: Tensor,
    shuffles: int,
    generator: torch.Generator | None = None,
    *,
    chunk: int = 1 << 13,
) -> tuple[Tensor, Tensor, list[int]]:
    """Scores without gradient on rows ``index``: joint (..., B), marginal (..., B, K), and the K shifts.

    The shifts run over ``index`` sorted by group where there are groups; a chunk holds about that many pairs, over the
    whole stack: small enough to stay in cache, so that neither time nor memory suffers from a large K.
    """
    index, shifts, order = shuffled_rows(pairs, index, shuffles, generator)
    if index.numel() > HELD_ROWS:
        joint, marginal = _stream_scores(critic, pairs, index, shifts, chunk // math.prod(critic.stack))
    else:
        with torch.no_grad():
            x, y = pairs.rows(index)
            joint, marginal = encoded_scores(critic, critic.encode_x(x), critic.encode_y(y), shifts, chunk=chunk)
    return *ungrouped(joint, marginal, order), shifts


def shuffled_rows(
    pairs: Pairs, index: Tensor, shuffles: int, generator: torch.Generator | None
) -> tuple[Tensor, list[int], Tensor | None]:
    """Rows ``index`` sorted by group where there are groups, the shifts over them, and the order that sorted them or None."""
    gap, order = 1, None
    if pairs.groups is not None:
        labels, order = pairs.groups[index].sort(dim=-1, stable=True)
        # make_folds has seen to it that no group fills half of a part; trimming parts to one length may just miss that.
        index, gap = index.gather(-1, order), min(longest_run(labels), index.shape[-1] // 2)
    return index, cyclic_shifts(index.shape[-1], shuffles, generator, gap=gap), order


def encoded_scores(
    critic: Critic, hx: Encoding, hy: Encoding, shifts: Sequence[int], *, chunk: int = 1 << 13
) -> tuple[Tensor, Tensor]:
    """Scores without gradient of encoded rows: joint (..., B) and, against the shifts of ``hy``, marginal (..., B, K)."""
    dim = len(critic.stack)
    n = _length(hx, dim)
    per_critic = max(1, chunk // math.prod(critic.stack))
    per_call, rows_per_call = max(1, per_critic // n), min(n, per_critic)
    joint_parts: list[Tensor] = []
    marginal_parts: list[Tensor] = []
    with torch.no_grad():
        for start in range(0, n, rows_per_call):
            rows = slice(start, min(n, start + rows_per_call))
            part = _take(hx, dim, rows)
            joint_parts.append(critic.combine(part, _take(hy, dim, rows)))
            base = torch.arange(rows.start, rows.stop, device=joint_parts[-1].device)
            columns = [
                _combine_shifted(critic, part, hy, base, n, shifts[s : s + per_call], dim)
                for s in range(0, len(shifts), per_call)
            ]
            marginal_parts.append(torch.cat(columns, -1))
    return torch.cat(joint_parts, -1), torch.cat(marginal_parts, -2)


def _length(h: Encoding, dim: int) -> int:
    return h.shape[dim] if isinstance(h, Tensor) else _length(h[0], dim)


def ungrouped(joint: Tensor, marginal: Tensor, order: Tensor | None) -> tuple[Tensor, Tensor]:
    """Scores of rows sorted by ``order``, back in the caller's order."""
    if order is None:
        return joint, marginal
    inverse = order.argsort(-1)
    return joint.gather(-1, inverse), marginal.gather(-2, inverse.unsqueeze(-1).expand_as(marginal))


def _stream_scores(critic: Critic, pairs: Pairs, index: Tensor, shifts: Sequence[int], chunk: int) -> tuple[Tensor, Tensor]:
    """Scores of a split too large to hold its encodings: each chunk encodes its own rows, and its partners once a shift."""
    n = index.shape[-1]
    dim = index.ndim - 1
    held = pairs.y[index] if 4 * index.numel() * math.prod(pairs.y.shape[1:]) <= HELD_BYTES else None
    joint: list[Tensor] = []
    marginal: list[Tensor] = []
    with torch.no_grad():
        for start in range(0, n, max(1, chunk)):
            part = torch.arange(start, min(n, start + max(1, chunk)), device=index.device)
            x, y = pairs.rows(index[..., part])
            hx = critic.encode_x(x)
            joint.append(critic.combine(hx, critic.encode_y(y)))
            columns: list[Tensor] = []
            for shift in shifts:
                partner = (part + shift) % n
                partners = pairs.y[index[..., partner]] if held is None else held.index_select(dim, partner)
                columns.append(critic.combine(hx, critic.encode_y(partners)))
            marginal.append(torch.stack(columns, -1))
    return torch.cat(joint, -1), torch.cat(marginal, -2)


def _take(h: Encoding, dim: int, rows: slice) -> Encoding:
    return map_encoding(lambda t: t.narrow(dim, rows.start, rows.stop - rows.start), h)


def _combine_shifted(
    critic: Critic, part: Encoding, hy: Encoding, base: Tensor, n: int, shifts: Sequence[int], dim: int
) -> Tensor:
    """Scores of the rows ``base`` (b,), encoded in ``part``, against shifts of ``hy``: shape (..., b, len(shifts))."""
    partner = shifted_partners(base, shifts, n).flatten()
    scores = critic.combine(
        map_encoding(lambda t: torch.cat([t] * len(shifts), dim), part),
        map_encoding(lambda t: t.index_select(dim, partner), hy),
    )
    return scores.unflatten(dim, (len(shifts), len(base))).movedim(dim, -1)
