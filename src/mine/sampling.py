"""Mini-batches and shuffled pairs, drawn as index tensors: no loader, no Python loop over rows.

Shuffled pairs come from cyclic shifts of the batch, so that no row is ever paired with itself (a derangement).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from mine.errors import InputError

__all__ = ["batches", "cyclic_shifts", "derangement", "longest_run", "shifted_partners"]


def cyclic_shifts(n: int, k: int, generator: torch.Generator | None = None, *, gap: int = 1) -> list[int]:
    """Up to ``k`` distinct shifts ``s`` with ``gap <= s <= n - gap``: row i meets row ``(i + s) % n``.

    Where fewer than ``k`` exist, all of them. ``generator`` lives on the CPU, so a GPU step never waits for it.

    Raises:
        InputError: If no shift exists, that is ``n < 2 * gap``.

    >>> sorted(cyclic_shifts(4, 10))
    [1, 2, 3]
    """
    available = n - 2 * gap + 1
    if available < 1:
        raise InputError(
            f"{n} rows cannot be shuffled at a distance of {gap}: one group fills more than half of a split. "
            "Use more or smaller groups."
        )
    if k >= available:
        return list(range(gap, n - gap + 1))
    if available > 8 * k:  # rejection is cheaper than permuting a long range, and collisions are rare
        shifts: list[int] = []
        while len(shifts) < k:
            drawn = torch.randint(available, (2 * k,), generator=generator, device="cpu").tolist()
            shifts = list(dict.fromkeys(shifts + [gap + int(s) for s in drawn]))
        return shifts[:k]
    return (torch.randperm(available, generator=generator, device="cpu")[:k] + gap).tolist()


def shifted_partners(rows: Tensor, shifts: Sequence[int], total: int) -> Tensor:
    """The rows that ``rows`` (b,) of ``total`` meet under each of K cyclic shifts, shape (K, b).

    >>> shifted_partners(torch.arange(3), [0, 1], 3)
    tensor([[0, 1, 2],
            [1, 2, 0]])
    """
    return torch.stack([(rows + s) % total for s in shifts])


def derangement(n: int, generator: torch.Generator | None = None) -> Tensor:
    """A permutation of ``range(n)`` without fixed points: a random relabelling of a cyclic shift.

    Raises:
        InputError: If ``n < 2``.

    >>> bool((derangement(50) == torch.arange(50)).any())
    False
    """
    if n < 2:
        raise InputError("A derangement needs at least 2 rows.")
    order = torch.randperm(n, generator=generator)
    (shift,) = cyclic_shifts(n, 1, generator)
    out = torch.empty_like(order)
    out[order] = order.roll(-shift)
    return out


def longest_run(labels: Tensor) -> int:
    """Length of the longest run of equal labels along the last dimension, over all leading ones.

    >>> longest_run(torch.tensor([[0, 0, 1, 2], [3, 3, 3, 4]]))
    3
    """
    n = labels.shape[-1]
    if n == 0:
        return 0
    position = torch.arange(n, device=labels.device).expand(labels.shape)
    starts = torch.ones_like(labels, dtype=torch.bool)
    starts[..., 1:] = labels[..., 1:] != labels[..., :-1]
    last_start = torch.where(starts, position, 0).cummax(-1).values
    return int((position - last_start).max()) + 1


def batches(
    index: Tensor, batch_size: int, generator: torch.Generator | None = None, groups: Tensor | None = None
) -> Iterator[tuple[Tensor, int]]:
    """Endless mini-batches without replacement: pairs (rows of shape (..., B), gap for the shifts).

    Arguments:
        index: Rows each critic may see, shape ``(..., n)``.
        batch_size: Rows per batch; all rows if ``n`` is smaller.
        generator: On ``index``'s device.
        groups: Group label of every row of the data, shape ``(N,)``. Then a batch is sorted by group, and the
            gap is the longest group in it, so that a cyclic shift never pairs two rows of one group.
    """
    n = index.shape[-1]
    size = min(batch_size, n)
    swamped = 0
    while True:
        # A permutation costs a tenth of a sort, but there is none for many critics at once.
        if index.ndim == 1:
            order = torch.randperm(n, generator=generator, device=index.device)
        else:
            order = torch.rand(index.shape, generator=generator, device=index.device).argsort(-1)
        for start in range(0, n - size + 1, size):
            rows = index.gather(-1, order[..., start : start + size])
            if groups is None:
                yield rows, 1
                continue
            labels, by_group = groups[rows].sort(-1)
            gap = longest_run(labels)
            if 2 * gap <= size:
                swamped = 0
                yield rows.gather(-1, by_group), gap
                continue
            swamped += 1  # one group fills over half of this batch: no honest shuffle exists, draw another
            if swamped > 100:
                raise InputError("One group holds more than half of the rows: use smaller groups or drop it.")
