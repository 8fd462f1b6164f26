"""``sample_weight=``: rows repeated as often as they were seen."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np

from mine.data.columns import DiscreteSpec, numbers_with_gaps
from mine.data.gaps import unusable_rows
from mine.data.rows import MIN_ROWS, same_length
from mine.data.sides import as_variable
from mine.data.sources import Source, named_columns, read_source
from mine.errors import InputError, NotEnoughDataError

__all__ = ["WEIGHTED_METHODS", "refuse_weights", "repeated_rows"]

#: Methods that take weights, of columns of labels.
WEIGHTED_METHODS = ("auto", "discrete")
#: Rows that a table of counts may stand for.
MOST_ROWS = 20_000_000
_REMEDY = (
    "weights are taken by methods 'auto' and 'discrete' if all columns are labels. Repeat the rows instead (numpy.repeat), or "
    "pass discrete=True if these numbers are labels."
)


def repeated_rows(weights: Any, method: Any, discrete: DiscreteSpec, **sides: Any) -> list[Any]:
    """The sides with each row as often as its weight says; a side that is None stays None.

    Weights are frequencies: a row of weight 3 stands for three observations that happen to be equal, and counts as three in
    every interval. Weights of importance, as a survey's, leave fewer observations than their sum, and are refused.

    Arguments:
        weights: Whole numbers from 0, shape (n,).
        method: As in :func:`mine.estimate`.
        discrete: As in :func:`mine.estimate`.
        **sides: Data by name, as in :func:`mine.data.sources.read_source`; ``groups`` is not asked whether it is labels.

    Raises:
        InputError: Other weights, sides of another length, another method, or columns that are not labels.
        NotEnoughDataError: Too few rows in all.

    >>> x, y = repeated_rows([20, 0, 5], "discrete", None, x=["a", "b", "c"], y=["u", "v", "v"])
    >>> x.columns[0].tolist() == ["a"] * 20 + ["c"] * 5
    True
    """
    if method not in WEIGHTED_METHODS:
        raise InputError(f"method {method!r} takes no sample_weight: {_REMEDY}")
    counts = _counts(weights)
    out: list[Any] = []
    for name, data in sides.items():
        source = None if data is None else read_source(data, name)
        if source is not None:
            same_length(len(source), len(counts), "sample_weight", first=name)
            source = _repeated(source, counts)
            if name != "groups" and _has_numbers(source, name, discrete):
                raise InputError(f"{name} has columns of numbers, and sample_weight is for labels: {_REMEDY}")
        out.append(source)
    return out


def refuse_weights(options: Collection[str]) -> None:
    """Refuse ``sample_weight`` among the options of a function that does not take it."""
    if "sample_weight" in options:
        raise InputError("Only mine.estimate takes sample_weight=, for labels: repeat the rows instead (numpy.repeat).")


def _has_numbers(source: Source, name: str, discrete: DiscreteSpec) -> bool:
    complete = source.filter(~unusable_rows(source, name))
    return len(complete) > 0 and as_variable(complete, name, discrete, allow_constant=True).n_continuous > 0


def _repeated(source: Source, counts: np.ndarray) -> Source:
    columns = [np.repeat(column, counts) for column in source.columns]
    return replace(source, columns=columns, matrix=None, matrix_places=())


def _counts(weights: Any) -> np.ndarray:
    """The weights as integers, checked, shape (n,)."""
    columns = named_columns(weights, "sample_weight")
    if len(columns) > 1:
        raise InputError(f"sample_weight has {len(columns)} columns: pass one number per row.")
    numbers = numbers_with_gaps(next(iter(columns.values())), "sample_weight")
    if not (np.isfinite(numbers).all() and (numbers >= 0).all() and (numbers == np.round(numbers)).all()):
        raise InputError(
            "sample_weight must be whole numbers from 0: how many times each row was seen. Weights of importance (of a survey, "
            "probabilities) are not supported: draw rows with those probabilities, and pass the rows drawn."
        )
    total = numbers.sum()
    if total > MOST_ROWS:
        raise InputError(f"sample_weight adds up to {total:,.0f} rows: at most {MOST_ROWS:,} are supported.")
    if total < MIN_ROWS:
        raise NotEnoughDataError(f"sample_weight adds up to {total:.0f} rows: an honest estimate needs at least {MIN_ROWS}.")
    return numbers.astype(np.int64)
