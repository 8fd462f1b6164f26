"""The columns of a table, each typed once: numbers, labels, or constant."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
from scipy.special import ndtr

from mine.data.columns import DiscreteSpec, own_spec
from mine.data.gaps import infinite_values, unusable_rows
from mine.data.preprocessing import SideEncoder, rank_gaussianize
from mine.data.sides import as_variable
from mine.data.sources import named_columns
from mine.data.splits import duplicate_groups, repeats_by_nature
from mine.data.variable import Variable

__all__ = ["Column", "Kind", "read_columns", "row_copies"]

Kind: TypeAlias = Literal["number", "label", "constant"]

#: Cosines of a column's ranks among the features of a stacked critic: with them a few hundred steps learn a wave.
COSINES = 8


@dataclass(frozen=True)
class Column:
    """A column of n rows.

    Attributes:
        name: Its name.
        kind: Numbers, labels, or all one value.
        values: Numbers with NaN where one is missing, or codes from 0 with -1, shape (n,).
        levels: The label of each code.
        infinite: Number of rows without a value because theirs is infinite.
    """

    name: str
    kind: Kind
    values: np.ndarray
    levels: tuple[str, ...] = ()
    infinite: int = 0

    @property
    def present(self) -> np.ndarray:
        """Mask (n,) of the rows that have a value."""
        return ~np.isnan(self.values) if self.kind == "number" else self.values >= 0

    def variable(self, rows: np.ndarray) -> Variable:
        """These rows as one side of a problem."""
        part = self.values[rows][:, None]
        empty = (len(part), 0)
        if self.kind == "number":
            return Variable(self.name, (self.name,), part, np.empty(empty, np.int64))
        # In the order of the codes' own text ("10" before "2"): it decides which of several equally rare levels are merged.
        order = sorted(range(len(self.levels)), key=str)
        levels = tuple(self.levels[code] for code in order)
        return Variable(self.name, (self.name,), np.empty(empty), np.argsort(order)[part], (levels,))

    def features(self) -> np.ndarray:
        """What a stacked critic reads of numbers, shape (n, f) in float32, NaN where they are missing.

        Normal scores, robustly scaled values, and cosines of the ranks.
        """
        rows = np.flatnonzero(self.present)
        variable = self.variable(rows)
        scores = SideEncoder("rank", both=True).fit(variable).transform(variable)
        ranks = ndtr(rank_gaussianize(variable.flat))
        waves = np.sqrt(2) * np.cos(np.pi * ranks * np.arange(1, COSINES + 1))
        out = np.full((len(self.values), scores.shape[1] + COSINES), np.nan, np.float32)
        out[rows] = np.concatenate([scores, waves], 1)
        return out

    def digest(self) -> bytes:
        """A fingerprint of the name and all values."""
        fingerprint = hashlib.sha256(repr((self.name, self.kind, self.levels)).encode())
        fingerprint.update(np.ascontiguousarray(self.values).tobytes())
        return fingerprint.digest()


def read_columns(data: Any, name: str, discrete: DiscreteSpec, *, drop_missing: bool) -> dict[str, Column]:
    """The columns of a table by name, each checked and typed as :func:`mine.estimate` would.

    Arguments:
        data: A frame, series, array, tensor or list.
        name: What unnamed columns are called.
        discrete: As in :func:`mine.estimate`.
        drop_missing: Allow missing and infinite values, which are then left out pair by pair.

    Raises:
        InputError: As :func:`mine.estimate`, naming the column.
    """
    out: dict[str, Column] = {}
    for column_name, values in named_columns(data, name).items():
        missing = unusable_rows(values, column_name) if drop_missing else np.zeros(len(values), bool)
        if missing.all():  # the pairs of such a column say that they have no complete row
            column = Column(column_name, "number", np.full(len(values), np.nan))
        else:
            column = _typed(column_name, values, ~missing, own_spec(column_name, discrete))
        infinite = int(infinite_values(values).sum()) if missing.any() else 0
        out[column_name] = replace(column, infinite=infinite)
    return out


def _typed(name: str, values: np.ndarray, present: np.ndarray, spec: DiscreteSpec) -> Column:
    variable = as_variable(values[present], name, spec, allow_constant=True)
    rows = np.flatnonzero(present)
    if variable.n_discrete:
        (levels,) = variable.levels
        out = np.full(len(values), -1, np.int64)
        out[rows] = variable.discrete[:, 0]
        kind: Kind = "label" if len(levels) > 1 else "constant"
        return Column(name, kind, out, levels)
    numbers = variable.flat[:, 0]
    if (numbers == numbers[0]).all():
        out = np.full(len(values), -1, np.int64)
        out[rows] = 0
        return Column(name, "constant", out, (f"{numbers[0]:g}",))
    out = np.full(len(values), np.nan)
    out[rows] = numbers
    return Column(name, "number", out)


def row_copies(columns: list[Column]) -> tuple[np.ndarray | None, int]:
    """Groups that keep exact copies of whole rows in one fold, and the number of surplus copies."""
    numbers = [c for c in columns if c.kind == "number"]
    if len(columns) < 2 or all(repeats_by_nature(c.values[c.present]) for c in numbers):
        return None, 0
    ids = [np.unique(c.values, return_inverse=True)[1].ravel() for c in columns]
    finest = max(ids, key=lambda codes: int(codes.max()))
    row = np.zeros(len(finest), np.int64)
    for codes in ids:
        row = np.unique(row * (int(codes.max()) + 1) + codes, return_inverse=True)[1].ravel()
    return duplicate_groups(finest, row)
