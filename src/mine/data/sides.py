"""One side of the pair from whatever users pass in: every column read, checked, and typed as numbers or labels."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from mine.data import outofcore
from mine.data.columns import (
    MAX_LEVELS,
    DiscreteSpec,
    as_numbers,
    check_finite,
    check_names,
    constant_error,
    declared_kind,
    infinite_error,
    is_constant,
    is_label,
    missing_error,
    settle,
)
from mine.data.labels import Labels, labels_of
from mine.data.outofcore import LazyRows, Part
from mine.data.sources import EXACT_INTEGERS, Source, read_source
from mine.data.variable import Variable
from mine.errors import InputError, NotEnoughDataError, UnknownNameError

__all__ = ["as_variable", "check_discrete_names", "refuse_labels"]


def as_variable(
    data: Any,
    name: str,
    discrete: DiscreteSpec = None,
    *,
    allow_constant: bool = False,
    keep_constant: bool = False,
    min_rows: int = 1,
) -> Variable:
    """Check and type one side of the pair.

    Arguments:
        data: numpy array, torch tensor, (nested) list, or a pandas, polars or other column or frame.
        name: ``"x"`` or ``"y"``; unnamed columns are called ``x``, or ``x[0]``, ``x[1]``, ...
        discrete: See :func:`mine.estimate`.
        allow_constant: Keep a wholly constant side instead of raising.
        keep_constant: Keep constant coordinates of a wider side: a user's critic expects every column it was built for.
        min_rows: Fewest rows.

    Raises:
        InputError: On missing, infinite or complex values, text in a mostly numeric column, ragged or empty data, and a
            side that is wholly constant.
        NotEnoughDataError: Fewer than ``min_rows`` rows.

    Example:
        >>> as_variable([[1.0, 7.0], [2.5, 7.0], [3.0, 7.0]], "x").dropped
        ('x[1]',)
    """
    source = read_source(data, name)
    large = _Surveyed.of(source)
    if source.event is not None:
        return _block(source, large, name, allow_constant, min_rows)

    numeric: dict[str, np.ndarray | int] = {}  # values, or the place of a column that stays where it is
    labels: dict[str, Labels] = {}
    dropped: list[str] = []
    varies = False
    for i, (column, column_name) in enumerate(zip(source.columns, source.names, strict=True)):
        if large is not None and i in large.places:
            typed, constant = large.typed(i, column, column_name, discrete)
        else:
            typed, constant = _typed(column, column_name, discrete)
        if constant and not keep_constant and not allow_constant:
            dropped.append(column_name)
            continue
        varies = varies or not constant
        if isinstance(typed, Labels):
            labels[column_name] = typed
        else:
            numeric[column_name] = typed
    n = len(source)
    _check_rows(n, min_rows, name)
    if not allow_constant and not varies:
        raise constant_error(name, source.names[0] if len(source.names) == 1 else name)
    return Variable(
        name,
        (*numeric, *labels),
        _side_by_side(list(numeric.values()), n, large),
        np.stack([column.codes for column in labels.values()], 1) if labels else np.empty((n, 0), np.int64),
        tuple(column.levels for column in labels.values()),
        tuple(dropped),
    )


def _typed(column: np.ndarray, name: str, discrete: DiscreteSpec) -> tuple[np.ndarray | Labels, bool]:
    """A column (n,) as float64 numbers or labels, and whether all its values are one."""
    settled = settle(column, name, declared_kind(name, discrete))
    if settled.dtype.kind == "f":
        check_finite(settled, name)
    if is_label(settled, name, discrete):
        labels = labels_of(settled)
        return labels, len(labels.levels) == 1
    numbers = as_numbers(settled, name)
    return numbers, is_constant(numbers)


def _side_by_side(columns: list[np.ndarray | int], n: int, large: _Surveyed | None) -> np.ndarray | LazyRows:
    if not columns:
        return np.empty((n, 0))
    if large is not None:
        return large.select(columns)
    return np.stack([column for column in columns if not isinstance(column, int)], 1)


def _block(source: Source, large: _Surveyed | None, name: str, allow_constant: bool, min_rows: int) -> Variable:
    """An n-D input: pixels that never change stay, so that the shape does."""
    n, names = len(source), source.names
    if large is not None:
        for i, pixel in enumerate(names):
            large.check(i, pixel)
        constant = all(map(large.constant, range(len(names))))
        numbers = replace(large.rows, event=source.event)
    else:
        numbers = np.stack([_pixels(c, pixel) for c, pixel in zip(source.columns, names, strict=True)], 1)
        constant = bool(np.all(numbers == numbers[:1]))
        numbers = numbers.reshape(n, *(source.event or ()))
    _check_rows(n, min_rows, name)
    if constant and not allow_constant:
        raise constant_error(name, name)
    return Variable(name, tuple(names), numbers, np.empty((n, 0), np.int64))


def _pixels(column: np.ndarray, name: str) -> np.ndarray:
    settled = settle(column, name)
    if settled.dtype.kind == "O":
        raise InputError(f"{name} holds text: an input of three or more dimensions must be numeric.")
    numbers = as_numbers(settled, name)
    check_finite(numbers, name)
    return numbers


@dataclass(frozen=True)
class _Surveyed:
    """The numeric columns of a large input, checked in one pass; ``places`` maps a column's number to its place in ``rows``."""

    rows: LazyRows
    places: dict[int, int]
    survey: outofcore.Survey

    @classmethod
    def of(cls, source: Source) -> Self | None:
        rows, places = source.lazy()
        return None if rows is None else cls(rows, places, outofcore.survey(rows, MAX_LEVELS))

    def typed(self, i: int, column: np.ndarray, name: str, discrete: DiscreteSpec) -> tuple[int | Labels, bool]:
        """The number ``i`` of a column of numbers, which stays where it is, or its labels; and whether all values are one."""
        self.check(i, name)
        levels = self._levels(i, column)
        if is_label(column, name, discrete, many_levels=levels is None):
            labels = labels_of(column, levels)
            return labels, len(labels.levels) == 1
        return i, self.constant(i)

    def check(self, i: int, name: str) -> None:
        """Raise if a number of column ``i`` is missing or infinite."""
        j = self.places[i]
        if self.survey.missing[j]:
            raise missing_error(name, int(self.survey.missing[j]), int(self.survey.first_missing[j]))
        if self.survey.infinite[j]:
            raise infinite_error(name, int(self.survey.infinite[j]), int(self.survey.first_infinite[j]))

    def constant(self, i: int) -> bool:
        return bool(self.survey.constant[self.places[i]])

    def _levels(self, i: int, column: np.ndarray) -> np.ndarray | None:
        """The distinct values of column ``i``, sorted, or None for many."""
        levels = self.survey.levels[self.places[i]]
        if levels is None or column.dtype.kind == "f" or np.abs(levels).max() < EXACT_INTEGERS:
            return levels
        exact = np.unique(column)  # integers that float64, in which they were surveyed, may have merged
        return exact if len(exact) <= MAX_LEVELS else None

    def select(self, kept: list[np.ndarray | int]) -> LazyRows:
        """Columns by number where they are ours, or their values, side by side in this order."""
        parts: list[Part] = []
        for ours, run in itertools.groupby(kept, lambda column: isinstance(column, int)):
            if ours:
                parts += self.rows.columns([self.places[i] for i in run if isinstance(i, int)]).parts
            else:
                parts.append(Part(np.stack([column for column in run if not isinstance(column, int)], 1)))
        return LazyRows(tuple(parts))


def check_discrete_names(discrete: DiscreteSpec, *variables: Variable) -> None:
    """Raise if ``discrete`` names a column that no side has."""
    if discrete is None or isinstance(discrete, bool):
        return
    known = [c for v in variables for c in (*v.columns, *v.dropped)]
    for name in discrete if isinstance(discrete, Mapping) else check_names(discrete):
        if not isinstance(name, str) or name not in known:
            raise UnknownNameError("column in discrete", name, known)


def refuse_labels(*variables: Variable) -> None:
    """Raise InputError if a side of a method that needs numbers has columns of labels."""
    labels = [column for variable in variables for column in variable.discrete_columns]
    if labels:
        raise InputError(f"This method needs numbers, but these columns are labels: {', '.join(labels)}. Use method 'auto'.")


def _check_rows(n: int, min_rows: int, name: str) -> None:
    if n < min_rows:
        raise NotEnoughDataError(f"{name} has n_samples = {n} rows: an honest estimate needs at least {min_rows}.")
