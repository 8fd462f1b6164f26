"""Missing and infinite values: which entries of a column, and which rows of a table."""

from __future__ import annotations

import decimal
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from mine.data.sources import Source, read_source

__all__ = ["infinite_rows", "infinite_values", "missing_values", "unusable_rows"]


def unusable_rows(data: Any, name: str) -> np.ndarray:
    """Mask (n,) of the rows with a missing (None, NaN, NaT) or infinite value in any column.

    Raises:
        InputError: Data that cannot be read, no columns or rows.
    """
    return _rows_where(
        read_source(data, name), lambda c: missing_values(c) | infinite_values(c), lambda block: ~np.isfinite(block)
    )


def infinite_rows(source: Source) -> np.ndarray:
    """Mask (n,) of the rows with an infinite value in any column."""
    return _rows_where(source, infinite_values, np.isinf)


def _rows_where(
    source: Source, of_column: Callable[[np.ndarray], np.ndarray], of_block: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """Mask (n,) of the rows with an entry that is so in any column; ``of_block`` is asked of many numbers at once."""
    numbers, places = source.lazy()
    if numbers is None:
        return np.any([of_column(c) for c in source.columns], axis=0)
    others = [of_column(c) for i, c in enumerate(source.columns) if i not in places]
    in_numbers = np.concatenate([of_block(block).any(1) for _, block in numbers.read()])
    return np.any([in_numbers, *others], axis=0)


def infinite_values(column: np.ndarray) -> np.ndarray:
    """Mask (n,) of the infinite numbers of one column.

    >>> infinite_values(np.array([1.0, -np.inf, np.nan])), infinite_values(np.array([np.inf, "a"], object))
    (array([False,  True, False]), array([ True, False]))
    """
    if column.dtype.kind == "f":
        with np.errstate(over="ignore"):  # a long double beyond float64 is infinite
            return np.isinf(column if column.dtype.itemsize <= 8 else column.astype(np.float64))
    if column.dtype.kind != "O" or set(map(type, column)) <= {str, type(None)}:
        return np.zeros(len(column), dtype=bool)
    return np.array([_is_infinite(v) for v in column], dtype=bool)


def _is_infinite(value: Any) -> bool:
    if isinstance(value, decimal.Decimal):
        return value.is_infinite()
    return isinstance(value, (float, np.floating)) and bool(np.isinf(value))


def missing_values(column: np.ndarray) -> np.ndarray:
    """Mask (n,) of the missing values (None, NaN, NaT, NA) of one column."""
    if column.dtype.kind in "fc":
        return np.isnan(column)
    if column.dtype.kind in "Mm":
        return np.isnat(column)
    if column.dtype.kind != "O":
        return np.zeros(len(column), dtype=bool)
    if set(map(type, column)) <= {str, type(None)}:  # most columns of files
        return np.array([v is None for v in column], dtype=bool)
    return np.array([_is_missing(v) for v in column], dtype=bool)


def _is_missing(value: Any) -> bool:
    """None, and NaN, NaT and pandas' NA: the values that do not equal themselves, or cannot say."""
    if value is None or type(value).__name__ == "NAType":
        return True
    try:
        differs = operator.ne(value, value)
    except ArithmeticError:  # a signalling NaN refuses the question
        return True
    except Exception:  # whatever it is, it is there: who reads the column says what is wrong with it
        return False
    return bool(differs) if isinstance(differs, (bool, np.bool_)) else False  # an array says it entry by entry
