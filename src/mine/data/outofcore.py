"""Rows that stay where they are, in a memory-mapped file or a caller's array, and are read when they are needed.

A :class:`LazyRows` stands in for a float64 matrix that nobody wants in memory twice; :func:`survey` makes in one pass
over it the checks that small columns get one by one, and :func:`row_hashes` finds equal rows without sorting them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

__all__ = ["LazyRows", "NamedRows", "Part", "Survey", "chunks", "fit_rows", "mix", "row_hashes", "survey"]

#: Numbers (rows times columns) above which a side is left where it is instead of being copied as float64.
LARGE_VALUES = 1 << 22
#: Rows from which equal ones are found by a hash of 64 bits.
HASH_ROWS = 1 << 16
#: Bytes that the float32 features of both sides may take; above that they are computed batch by batch.
RESIDENT_BYTES = 512 << 20
#: Maximum rows that quantiles are fitted on, and maximum numbers: a wide side gets fewer rows.
FIT_ROWS, FIT_VALUES = 100_000, 1 << 24
#: Numbers that are converted at a time.
CHUNK_VALUES = 1 << 20


def chunks(n: int, width: int) -> Iterator[slice]:
    """Slices that cover ``range(n)``, of about ``CHUNK_VALUES`` numbers each where a row has ``width``.

    >>> list(chunks(5, CHUNK_VALUES // 3))
    [slice(0, 3, None), slice(3, 5, None)]
    """
    size = max(1, CHUNK_VALUES // max(1, width))
    return (slice(start, min(n, start + size)) for start in range(0, n, size))


def fit_rows(n: int, width: int) -> np.ndarray | None:
    """A fixed random subsample of row numbers, sorted, to fit quantiles on; None where ``n`` rows are few enough.

    >>> fit_rows(1000, 3) is None, len(fit_rows(10**6, 3))
    (True, 100000)
    """
    most = max(1, min(FIT_ROWS, FIT_VALUES // max(1, width)))
    return None if n <= most else np.sort(np.random.default_rng(0).choice(n, most, replace=False))


@dataclass(frozen=True)
class Part:
    """Some columns and rows of a matrix ``array`` (n, k) of any numeric type; None means all."""

    array: np.ndarray
    columns: np.ndarray | None = None
    rows: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.array) if self.rows is None else len(self.rows)

    @property
    def width(self) -> int:
        return self.array.shape[1] if self.columns is None else len(self.columns)

    def read(self, rows: Any) -> np.ndarray:
        """Rows (a slice, numbers, a mask) as float64."""
        rows = rows if self.rows is None else self.rows[rows]
        if self.columns is None:
            values = self.array[rows]
        elif isinstance(rows, np.ndarray) and rows.dtype != bool and 4 * len(self.columns) < self.array.shape[1]:
            values = self.array[rows[:, None], self.columns]  # few of many columns: leave the others unread
        else:
            values = self.array[rows][:, self.columns]
        with np.errstate(over="ignore"):
            return values.astype(np.float64, copy=False)

    def column(self, j: int) -> np.ndarray:
        """Column ``j`` (n,) in its own type, a view where all rows are meant."""
        column = self.array[:, j if self.columns is None else int(self.columns[j])]
        return column if self.rows is None else column[self.rows]

    def with_rows(self, which: np.ndarray) -> Part:
        return replace(self, rows=np.arange(len(self.array))[which] if self.rows is None else self.rows[which])

    def with_columns(self, which: list[int]) -> Part:
        columns = np.array(which, dtype=np.int64)
        columns = columns if self.columns is None else self.columns[columns]
        everything = len(columns) == self.array.shape[1] and np.array_equal(columns, np.arange(len(columns)))
        return replace(self, columns=None if everything else columns)


@dataclass(frozen=True)
class LazyRows:
    """Numbers of shape ``(n, *event)`` that are read as float64 when rows of them are asked for.

    Attributes:
        parts: Matrices side by side.
        event: Shape of one row where it is not flat.

    >>> LazyRows((Part(np.arange(6, dtype=np.float32).reshape(3, 2)),))[1:]
    array([[2., 3.],
           [4., 5.]])
    """

    parts: tuple[Part, ...]
    event: tuple[int, ...] | None = None

    dtype = np.dtype(np.float64)

    def __len__(self) -> int:
        return len(self.parts[0])

    @property
    def width(self) -> int:
        """Numbers in a row."""
        return sum(part.width for part in self.parts)

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self), *((self.width,) if self.event is None else self.event))

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __getitem__(self, rows: Any) -> np.ndarray:
        """Rows by a slice, row numbers or a mask, as float64."""
        read = [part.read(rows) for part in self.parts]
        flat = read[0] if len(read) == 1 else np.concatenate(read, 1)
        return flat if self.event is None else flat.reshape(len(flat), *self.event)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        del copy  # it is one anyway, or a caller's own float64 array
        return np.asarray(self[:], dtype)

    def rows(self, which: np.ndarray) -> Self:
        """The same with these rows only, by number or mask, still unread."""
        return replace(self, parts=tuple(part.with_rows(which) for part in self.parts))

    def columns(self, which: list[int]) -> Self:
        """The same with these columns only (at least one), in this order."""
        places = [(part, j) for part in self.parts for j in range(part.width)]
        runs: list[tuple[Part, list[int]]] = []
        for part, j in (places[i] for i in which):
            if not runs or runs[-1][0] is not part:
                runs.append((part, []))
            runs[-1][1].append(j)
        return replace(self, parts=tuple(part.with_columns(js) for part, js in runs))

    def read(self) -> Iterator[tuple[int, np.ndarray]]:
        """(first row, float64 numbers of shape (rows, width)) chunk by chunk."""
        for part in chunks(len(self), self.width):
            yield part.start, self[part].reshape(part.stop - part.start, -1)


@dataclass(frozen=True)
class NamedRows:
    """Columns of a file too large to be copied: what a table hands to :func:`mine.estimate`.

    Attributes:
        names: Names of all columns, in order.
        numbers: The numeric ones, in order.
        numeric: Their names.
        others: A frame, or source, of the columns that are not numbers, or None.
    """

    names: tuple[str, ...]
    numbers: LazyRows
    numeric: tuple[str, ...]
    others: Any = None

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def shape(self) -> tuple[int, int]:
        return len(self), len(self.names)

    def rows(self, keep: np.ndarray) -> Self:
        """The rows of a boolean mask, still unread."""
        others = self.others if self.others is None else self.others.filter(keep)
        return replace(self, numbers=self.numbers.rows(keep), others=others)


@dataclass
class Survey:
    """What one pass over the columns tells, each entry of shape (columns,).

    Attributes:
        missing: Number of NaN.
        first_missing: Row of the first, or -1.
        infinite: Number of infinite values.
        first_infinite: Row of the first, or -1.
        constant: Whether every value equals the first.
        levels: The distinct values, sorted, or None where there are more than were asked for.
    """

    missing: np.ndarray
    first_missing: np.ndarray
    infinite: np.ndarray
    first_infinite: np.ndarray
    constant: np.ndarray
    levels: list[np.ndarray | None]


def survey(rows: LazyRows, max_levels: int) -> Survey:
    """Missing, infinite, constant and few-valued columns, in one pass.

    >>> survey(LazyRows((Part(np.array([[1.0, 2.0], [1.0, np.nan]])),)), 20).first_missing.tolist()
    [-1, 1]
    """
    c = rows.width
    missing, infinite = np.zeros(c, np.int64), np.zeros(c, np.int64)
    first_missing, first_infinite = np.full(c, -1), np.full(c, -1)
    constant = np.ones(c, bool)
    levels: list[np.ndarray | None] = [np.empty(0) for _ in range(c)]
    first_row: np.ndarray | None = None
    for start, block in rows.read():
        if not np.isfinite(block).all():
            for bad, count, first in ((np.isnan, missing, first_missing), (np.isinf, infinite, first_infinite)):
                _count(bad(block), start, count, first)
        first_row = block[0].copy() if first_row is None else first_row
        if constant.any():
            constant &= (block == first_row).all(0)
        for j, known in enumerate(levels):
            if known is None:
                continue
            few = block[: 4 * max_levels, j]  # mostly these tell already
            values = np.unique(np.concatenate([known, few]))
            if len(values) <= max_levels:
                values = np.unique(np.concatenate([values, block[:, j]]))
            levels[j] = values if len(values) <= max_levels else None
    return Survey(missing, first_missing, infinite, first_infinite, constant, levels)


def _count(bad: np.ndarray, start: int, count: np.ndarray, first: np.ndarray) -> None:
    some = bad.any(0)
    first[some & (first < 0)] = start + bad.argmax(0)[some & (first < 0)]
    count += bad.sum(0)


# === Equal rows ===


def mix(h: np.ndarray) -> np.ndarray:
    """Scatter 64-bit integers (n,) over all 64-bit integers, one to one (the finaliser of MurmurHash3, by Appleby).

    >>> len(np.unique(mix(np.arange(1000, dtype=np.uint64)) >> np.uint64(32)))
    1000
    """
    h = h ^ (h >> np.uint64(33))
    h *= np.uint64(0xFF51AFD7ED558CCD)
    h ^= h >> np.uint64(33)
    h *= np.uint64(0xC4CEB9FE1A85EC53)
    h ^= h >> np.uint64(33)
    return h


def row_hashes(n: int, width: int, read: Callable[[slice], np.ndarray], labels: list[np.ndarray]) -> np.ndarray:
    """A 64-bit hash of every row, shape (n,): equal for equal rows, and for others by chance only (n^2 / 2^65 pairs).

    Arguments:
        n: Number of rows.
        width: Numbers in a row.
        read: A slice of rows -> their numbers, float64, of shape (rows, ...).
        labels: Further columns as integer codes, each (n,).
    """
    out = np.empty(n, np.uint64)
    for part in chunks(n, width):
        block = read(part).reshape(part.stop - part.start, -1).T + 0.0  # -0.0 and 0.0 are one value
        h = np.full(part.stop - part.start, 0x9E3779B97F4A7C15, np.uint64)
        for column in np.ascontiguousarray(block).view(np.uint64):
            h = mix(h ^ column)
        for codes in labels:
            h = mix(h ^ codes[part].astype(np.uint64))
        out[part] = h
    return out
