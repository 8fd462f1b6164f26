"""Permutations that a test draws: of rows, of whole groups, or within neighbourhoods of a third variable."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from mine.errors import NotEnoughDataError

__all__ = ["Shuffles", "equal_rows", "neighbourhoods"]

#: Fewest units that are exchanged with one another, where sizes of groups force a choice.
FEWEST_UNITS = 10
#: Units of a neighbourhood of z, at least.
NEIGHBOURS = 8


@dataclass(frozen=True)
class Shuffles:
    """Which rows of y may take each other's place: units of equally many rows, exchanged within their stratum.

    Attributes:
        rows: Row numbers, unit by unit, shape (r,); units of one stratum follow each other.
        starts: Where each unit begins in ``rows``, shape (u,).
        strata: Stratum of each unit, rising, shape (u,).
    """

    rows: np.ndarray
    starts: np.ndarray
    strata: np.ndarray

    @classmethod
    def of(
        cls,
        n: int,
        groups: np.ndarray | None = None,
        z: np.ndarray | None = None,
        most: int | None = None,
        *,
        equal: bool = False,
    ) -> Self:
        """All of ``n`` rows, their groups, or either only among those with a similar z.

        Groups can be exchanged with groups of as many rows only. Strata of at least ten of similar size are made, and the
        last rows of the larger ones left out: ``len(rows)`` is how many stay.

        Arguments:
            n: Number of rows.
            groups: One label per row, shape (n,), or None.
            z: Coordinates in which neighbours are looked for, shape (n, dz), or None.
            most: Units of a stratum at most, where there is no z.
            equal: Rows are exchanged only with rows of the same z: exact for labels. Groups, whose rows differ, are not.

        Raises:
            NotEnoughDataError: Fewer than four groups.

        >>> Shuffles.of(5, groups=np.array([3, 3, 7, 7, 8]))
        Traceback (most recent call last):
        mine.errors.NotEnoughDataError: groups has 3 distinct group(s); a permutation test needs at least 4, better 20.
        """
        if groups is None:
            units = np.arange(n)[:, None]
            lengths = np.ones(n, dtype=np.int64)
        else:
            _, codes, lengths = np.unique(groups, return_inverse=True, return_counts=True)
            if len(lengths) < 4:
                raise NotEnoughDataError(
                    f"groups has {len(lengths)} distinct group(s); a permutation test needs at least 4, better 20."
                )
            order = np.argsort(codes.ravel(), kind="stable")
            first = np.concatenate([[0], np.cumsum(lengths)[:-1]])
            units = order[np.minimum(first[:, None] + np.arange(lengths.max()), n - 1)]
        rows, starts, strata = [], [], []
        done, n_strata = 0, 0
        for members in _similar_sizes(lengths):
            length = int(lengths[members].min())
            if z is None:
                cuts = 1 if most is None else -(-len(members) // most)
                parts = [members[k::cuts] for k in range(cuts)]
            else:
                centres = z[units[members, :length]].mean(1)
                near = equal_rows(centres) if equal and groups is None else neighbourhoods(centres, NEIGHBOURS)
                parts = [members[part] for part in near]
            for part in parts:
                rows.append(units[part, :length].ravel())
                starts.append(done + length * np.arange(len(part)))
                strata.append(np.full(len(part), n_strata))
                done, n_strata = done + length * len(part), n_strata + 1
        return cls(*(np.concatenate(parts) for parts in (rows, starts, strata)))

    @property
    def n_units(self) -> int:
        return len(self.starts)

    @property
    def units(self) -> np.ndarray:
        """Number of the unit of each place of ``rows``, shape (r,)."""
        lengths = np.diff(np.append(self.starts, len(self.rows)))
        return np.repeat(np.arange(self.n_units), lengths)

    def draw(self, count: int, seed: int, most: int = 1 << 21) -> Iterator[np.ndarray]:
        """``count`` permutations in batches (b, r) of positions in ``rows``: place i gets what stands at ``batch[:, i]``.

        Each is drawn uniformly and independently from all that the units allow, the identity among them.
        """
        rng = np.random.default_rng(seed)
        n = len(self.rows)
        unit_of = self.units
        offset = np.arange(n) - self.starts[unit_of]
        per_batch = max(1, most // n)
        for first in range(0, count, per_batch):
            b = min(per_batch, count - first)
            units = np.argsort(self.strata + rng.random((b, self.n_units)), axis=1)
            yield units if self.n_units == n else self.starts[units[:, unit_of]] + offset


def _similar_sizes(lengths: np.ndarray) -> list[np.ndarray]:
    """Units in strata of similar length, at least ``FEWEST_UNITS`` in each where there are so many."""
    order = np.argsort(-lengths, kind="stable")
    out: list[np.ndarray] = []
    start = 0
    while start < len(order):
        end = min(start + FEWEST_UNITS, len(order))
        while end < len(order) and lengths[order[end]] == lengths[order[end - 1]]:
            end += 1
        if len(order) - end < FEWEST_UNITS and lengths[order[-1]] != lengths[order[end - 1]]:
            end = len(order)
        out.append(order[start:end])
        start = end
    return out


def equal_rows(z: np.ndarray) -> list[np.ndarray]:
    """Rows of z (n, dz) in cells of equal rows.

    >>> [cell.tolist() for cell in equal_rows(np.array([[0.0], [9.0], [0.0]]))]
    [[0, 2], [1]]
    """
    _, cell = np.unique(z, axis=0, return_inverse=True)
    order = np.argsort(cell.ravel(), kind="stable")
    return np.split(order, np.flatnonzero(np.diff(cell.ravel()[order])) + 1)


def neighbourhoods(z: np.ndarray, size: int) -> list[np.ndarray]:
    """Rows of z (n, dz) in cells of about ``size`` (at least 2): halved along the widest coordinate again and again.

    Equal rows of z stay together where a cut would part them for nothing: a cell whose z is constant is not halved.

    References:
        Bentley, 1975, 'Multidimensional binary search trees'; Kim et al., 2022, 'Local permutation tests for conditional
        independence' (arXiv 2112.11666), for permuting within cells.

    >>> [sorted(cell.tolist()) for cell in neighbourhoods(np.array([[0.0], [9.0], [1.0], [8.0]]), 2)]
    [[0, 2], [1, 3]]
    """
    out: list[np.ndarray] = []
    waiting = [np.arange(len(z))]
    while waiting:
        rows = waiting.pop()
        spread = np.ptp(z[rows], axis=0)
        if len(rows) < 2 * max(size, 2) or spread.max() == 0:
            out.append(rows)
            continue
        column = z[rows, spread.argmax()]
        order = np.argsort(column, kind="stable")
        cut = len(rows) // 2
        # Ties at the middle move the cut to the nearer end of the tie, if that leaves two rows on either side.
        low, high = (int(np.searchsorted(column[order], column[order[cut]], side=side)) for side in ("left", "right"))
        cut = min((c for c in (low, high) if 2 <= c <= len(rows) - 2), key=lambda c: abs(c - cut), default=0)
        if not cut:
            out.append(rows)
            continue
        waiting += [rows[order[cut:]], rows[order[:cut]]]
    return out
