"""``parse=True``: columns of numbers written as text, read as the numbers they stand for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mine.data.columns import DiscreteSpec, declared_kind, doubtful_error, written_numbers
from mine.data.gaps import missing_values
from mine.data.number_texts import Written, is_missing_text
from mine.data.outofcore import NamedRows
from mine.data.rows import rereadable
from mine.data.sources import read_source
from mine.errors import InputError

__all__ = ["ReadColumn", "read_texts"]


@dataclass(frozen=True)
class ReadColumn:
    """A column of text that was read as numbers.

    Attributes:
        name: Its name.
        sentence: What a result says of it.
        form: How the numbers were written.
        evidence: The text that decided how they are read, if one had to.
    """

    name: str
    sentence: str
    form: str = "numbers"
    evidence: tuple[str, ...] = ()


def read_texts(
    parse: bool, discrete: DiscreteSpec, known: Collection[ReadColumn] | None = None, /, **sides: Any
) -> tuple[list[Any], list[ReadColumn]]:
    """The sides, with ``parse`` their columns of numbers written as text as numbers; and which columns these are.

    Columns declared labels stay text, and so do few texts that repeat often, unless they are declared numbers.

    Arguments:
        parse: Whether to read them.
        discrete: See :func:`mine.estimate`.
        known: Columns that have been read before in other rows: those of the same names are read alike, and no others.
        **sides: Data by name, as in :func:`mine.data.sources.read_source`; a side that is None stays None.

    Raises:
        InputError: A column of numbers with another text in it, or that can be read in two ways; data that cannot be read.

    >>> (x, y), columns = read_texts(True, None, x=["$1,200.50", "$3.25", "$7"], y=[1, 2, 3])
    >>> x.columns, columns[0].sentence
    ([array([1200.5 ,    3.25,    7.  ])], "3 values of column 'x' were written as money; read as numbers.")
    """
    if not parse:
        return list(sides.values()), []
    columns: list[ReadColumn] = []
    out = []
    for name, data in sides.items():
        side, its_columns = (None, []) if data is None else _read_side(data, name, discrete, known)
        out.append(side)
        columns += its_columns
    return out, columns


def _read_side(
    data: Any, name: str, discrete: DiscreteSpec, known: Collection[ReadColumn] | None
) -> tuple[Any, list[ReadColumn]]:
    data = rereadable(data)
    if isinstance(data, NamedRows):  # numbers of a large file stay in it
        if data.others is None:
            return data, []
        others, columns = _read_side(data.others, name, discrete, known)
        return replace(data, others=others), columns
    source = read_source(data, name)
    before = None if known is None else {column.name: column for column in known}
    values, columns = list(source.columns), []
    for i, (column, column_name) in enumerate(zip(source.columns, source.names, strict=True)):
        declared = declared_kind(column_name, discrete) if before is None else column_name not in before
        if declared or column.dtype.kind not in "OUT":
            continue
        read = _numbers(column, column_name, declared, None if before is None else before[column_name])
        if read is not None:
            values[i], one = read
            columns.append(one)
    return (replace(source, columns=values, matrix=None, matrix_places=()) if columns else data), columns


def _numbers(
    column: np.ndarray, name: str, declared: bool | None, known: ReadColumn | None
) -> tuple[np.ndarray, ReadColumn] | None:
    """A column (n,) of text as float64, NaN where a value is missing; None where it is no column of written numbers."""
    values = column.astype(object)
    present = ~missing_values(values)
    written = written_numbers(values[present], declared=declared, evidence=() if known is None else known.evidence)
    if written is None:
        return None
    if written.doubt is not None:
        raise doubtful_error(name, written)
    if known is not None and known.form != written.form:
        raise InputError(
            f"Column {name!r} holds {written.form} written as text, and {known.form} elsewhere: write them in one way, or pass "
            "numbers."
        )
    texts = {value for value in values[present] if isinstance(value, str) and not is_missing_text(value)}
    _check_all_are_numbers(values, texts - written.values.keys(), name, written.form)
    numbers = np.full(len(values), np.nan)
    numbers[present] = [_number(value, written.values) for value in values[present]]
    kinds = Counter(value in texts for value in values[present] if isinstance(value, str))
    sentence = _sentence(name, kinds[True], kinds[False], written.form) + _about_limits(values[present], written)
    return numbers, ReadColumn(name, sentence, written.form, written.evidence)


def _sentence(name: str, n_numbers: int, n_missing: int, form: str) -> str:
    count, outcome = (n_numbers, "numbers") if n_numbers else (n_missing, "missing")
    what, were = ("values", "were") if count > 1 else ("value", "was")
    form = "text" if form == "numbers" else form
    return f"{count:,} {what} of column {name!r} {were} written as {form}; read as {outcome}."


def _about_limits(values: np.ndarray, written: Written) -> str:
    """How many values (m,) were only known to lie beyond a limit; empty where none was."""
    counts = Counter(value for value in values if isinstance(value, str) and value in written.limits)
    if not counts:
        return ""
    named = " and ".join(repr(text) for text in sorted(counts)[:2])
    return f" {counts.total():,} of them lie beyond a limit, such as {named}: the limit itself stands for them."


def _number(value: Any, number_of: dict[str, float]) -> float:
    return number_of.get(value, np.nan) if isinstance(value, str) else float(value)


def _check_all_are_numbers(values: np.ndarray, others: Collection[str], name: str, form: str) -> None:
    if others:
        row = next(i for i, value in enumerate(values) if isinstance(value, str) and value in others)
        raise InputError(
            f"Column {name!r} holds {form} written as text but also {values[row]!r} (row {row}): clean it, or declare the "
            "column discrete if its values are labels."
        )
