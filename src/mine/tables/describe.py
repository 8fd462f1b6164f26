"""``mine.describe``: what each column of a table is read as, and why, before anything is estimated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from mine.data.columns import (
    MAX_LEVELS,
    ROWS_PER_LEVEL,
    DiscreteSpec,
    as_numbers,
    check_names,
    declared_kind,
    is_constant,
    is_label,
    own_spec,
    settle,
)
from mine.data.gaps import missing_values
from mine.data.moments import MomentUnit, moment_columns
from mine.data.parsing import read_texts
from mine.data.rows import MIN_ROWS
from mine.data.sources import EXACT_INTEGERS, Category, Source, named_columns
from mine.errors import InputError, NumberTextError, UnknownNameError
from mine.estimators.counts.identifier import is_identifier
from mine.surroundings import plain_modes
from mine.tables.description import ColumnDescription, Description, examples_of

__all__ = ["describe"]

#: In longer columns the distinct numbers are not counted, and text is judged by a sample of so many rows if these settle it.
LONG, SAMPLE = 100_000, 20_000
MISSING_REMEDY = "pass drop_missing=True (--drop-missing) to leave those rows out"


@plain_modes()
def describe(data: Any, *, discrete: DiscreteSpec = None, parse: bool = False) -> Description:
    """Say what each column of a table is read as, and why: numbers, labels, dates, identifiers, constants, missing values.

    The rule is the one that :func:`mine.estimate` and :func:`mine.pairwise` follow; nothing is estimated.

    Arguments:
        data: A pandas, polars or other frame; or an array or tensor of shape (n, d).
        discrete: Which columns are labels; see :func:`mine.estimate`.
        parse: Read columns of numbers written as text as numbers, as in :func:`mine.estimate`.

    Returns:
        One :class:`mine.tables.description.ColumnDescription` per column; it prints as a table.

    Raises:
        InputError: Data that cannot be read at all. A column that cannot be used is described, with the remedy.
        UnknownNameError: ``discrete`` names a column that does not exist.

    Example:
        >>> import mine
        >>> table = {"age": np.arange(40) / 2, "smoker": [True, False] * 20, "paid": [f"${v}.50" for v in range(40)]}
        >>> import pandas as pd
        >>> for column in mine.describe(pd.DataFrame(table)).columns:
        ...     print(column.name, column.kind, "|", column.why)
        age numbers | 40 distinct values
        smoker labels | booleans
        paid refused | holds money written as text, such as '$0.50'
    """
    columns = named_columns(data, "x")
    _check_discrete(discrete, list(columns))
    moments = moment_columns(data)
    found = [_described(name, values, discrete, parse, moments.get(name)) for name, values in columns.items()]
    n_rows = len(next(iter(columns.values())))
    notes = (f"The table has {n_rows} rows: an estimate needs at least {MIN_ROWS}.",) if n_rows < MIN_ROWS else ()
    return Description(tuple(found), n_rows, notes, data)


def _check_discrete(discrete: DiscreteSpec, names: list[str]) -> None:
    if discrete is None or isinstance(discrete, bool):
        return
    for name in discrete if isinstance(discrete, Mapping) else check_names(discrete):
        if name not in names:
            raise UnknownNameError("column in discrete", name, names)


def _described(
    name: str, values: np.ndarray, discrete: DiscreteSpec, parse: bool, moment: MomentUnit | None
) -> ColumnDescription:
    spec = own_spec(name, discrete)
    missing = missing_values(values)
    form = None
    try:
        if parse:
            (read,), texts = read_texts(True, spec, x=Source([name], [values]))
            if texts:
                form, values = texts[0].form, read.columns[0]
                moment = "us" if form.startswith("dates") else moment  # examples are dates, not microseconds
                missing = np.isnan(values)
        present = values[~missing] if missing.any() else values
        if not len(present):
            return _empty(name, len(values))
        settled = _settled(present, name, declared_kind(name, spec))
        finite = np.isfinite(settled) if settled.dtype.kind == "f" else np.ones(len(settled), bool)
        if not finite.any():
            return _empty(name, len(values), int((~finite).sum()))
        settled, present = (settled, present) if finite.all() else (settled[finite], present[finite])
        kind, why, remedy, distinct = _kind(settled, present, name, spec, form, moment)
    except InputError as error:
        why, remedy = _refusal(error, name)
        return ColumnDescription(
            name, "refused", why, int(missing.sum()), len(values), 0, None, examples_of(values[~missing]), remedy
        )
    n_missing, n_infinite = int(missing.sum()), int((~finite).sum())
    remedies = [remedy] if remedy else []
    if n_missing or n_infinite:
        remedies.append(MISSING_REMEDY)
    return ColumnDescription(
        name, kind, why, n_missing, len(values), n_infinite, distinct, examples_of(present, moment), "; ".join(remedies)
    )


def _settled(present: np.ndarray, name: str, declared: bool | None) -> np.ndarray:
    """As :func:`mine.data.columns.settle`; text in a long column is settled by a sample where that leaves no doubt.

    A column is refused because more than half of its texts are numbers or dates: a sample in which nearly all or nearly none
    are decides that.
    """
    if len(present) <= LONG or present.dtype.kind != "O" or set(map(type, present)) != {str}:
        return settle(present, name, declared)
    some = present[np.random.default_rng(0).choice(len(present), SAMPLE, replace=False)]
    numeric = [_reads_as_number(text) for text in some]
    settle(some, name, declared)
    return settle(present, name, declared) if np.mean(numeric) > 0.2 else present


def _reads_as_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _kind(
    settled: np.ndarray, present: np.ndarray, name: str, spec: DiscreteSpec, form: str | None, moment: MomentUnit | None
) -> tuple[str, str, str, int | None]:
    """Kind, reason, remedy, and the number of distinct values (None where they were not counted)."""
    if len(settled) == 1 or is_constant(settled):
        return "constant", "one value in all rows", "leave the column out", 1
    declared = declared_kind(name, spec)
    if is_label(settled, name, spec, many_levels=_many_levels(settled)):
        counts = list(Counter(settled.tolist()).values())
        distinct = len(counts)
        why = "declared discrete" if declared else _why_label(settled, present, distinct)
        if is_identifier(np.repeat(np.arange(distinct), counts)):
            return "identifier", f"{why}, a different value in (nearly) every row", "leave the column out", distinct
        return "labels", why, "", distinct
    numbers = as_numbers(settled, name)
    distinct = len(np.unique(numbers)) if len(numbers) <= LONG else None
    return _number_kind(numbers, present, form, moment, declared, distinct)


def _many_levels(settled: np.ndarray) -> bool:
    """Whether a look at the first rows of a long column of numbers shows that it has too many values for labels."""
    if settled.dtype.kind not in "fiu" or len(settled) <= LONG:
        return False
    if settled.dtype.kind != "f" and max(-int(settled.min()), int(settled.max())) > EXACT_INTEGERS:
        return False
    return len(np.unique(settled[:SAMPLE])) > MAX_LEVELS


def _why_label(settled: np.ndarray, present: np.ndarray, distinct: int) -> str:
    if settled.dtype.kind == "b":
        return "booleans"
    if settled.dtype.kind == "O":
        return "categories" if isinstance(present[0], Category) else "text"
    if distinct > MAX_LEVELS:
        return "whole numbers so long that float64 cannot tell them apart"
    return f"{distinct} distinct numbers, {len(settled) // distinct:,} rows for each on average"


def _number_kind(
    numbers: np.ndarray,
    present: np.ndarray,
    form: str | None,
    moment: MomentUnit | None,
    declared: bool | None,
    distinct: int | None,
) -> tuple[str, str, str, int | None]:
    counted = "many distinct values" if distinct is None else f"{distinct:,} distinct values"
    if moment is not None or (form or "").startswith(("dates", "times")) or _are_moments(present):
        why = f"read from {form}" if form else "dates or times, as microseconds"
        ordered = bool(np.all(np.diff(numbers) >= 0))
        return "dates", why, "if the rows are a series, pass this column as order (--order)" if ordered else "", distinct
    if form:
        return "numbers", f"read from {form}, {counted}" if form != "numbers" else f"read from text, {counted}", "", distinct
    if declared is False:
        return "numbers", f"declared to be numbers, {counted}", "", distinct
    if np.all(np.diff(numbers) == 1):
        return "numbers", "counts the rows", "leave the column out, unless the order of the rows is meant", distinct
    if distinct is not None and distinct <= min(MAX_LEVELS, len(numbers) // 2):
        counted += f", fewer than {ROWS_PER_LEVEL} rows for each: pass discrete (--discrete) if they are labels"
        why, _, remedy = counted.partition(": ")
        return "numbers", why, remedy, distinct
    return "numbers", counted, "", distinct


def _are_moments(present: np.ndarray) -> bool:
    return present.dtype.kind in "Mm" or (present.dtype.kind == "O" and hasattr(present[0], "isoformat"))


def _empty(name: str, n_rows: int, infinite: int = 0) -> ColumnDescription:
    why = "no value in any row" if not infinite else "no finite value in any row"
    return ColumnDescription(name, "empty", why, n_rows - infinite, n_rows, infinite, 0, (), "leave the column out")


def _refusal(error: InputError, name: str) -> tuple[str, str]:
    """Reason and remedy of a column that no estimate takes, from the sentence that refuses it."""
    sentence = error.cause if isinstance(error, NumberTextError) else str(error).rstrip(".")
    why, _, remedy = sentence.removeprefix(f"Column {name!r} ").rpartition(": ")
    if isinstance(error, NumberTextError):
        remedy += f", or pass parse=True (--parse) to read them as {error.outcome}"
    return (why, remedy) if why else (remedy, "")
