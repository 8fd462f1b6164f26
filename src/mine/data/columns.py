"""One column: numbers or labels, checked, or an error that names the column and the remedy."""

from __future__ import annotations

import datetime
import decimal
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from mine.data.gaps import missing_values
from mine.data.labels import number_text
from mine.data.number_texts import Written, is_missing_text, numbers_written, plain_number
from mine.data.sources import EXACT_INTEGERS, Category
from mine.data.times import microseconds, naive
from mine.data.unreadable import foreign
from mine.errors import InputError, NumberTextError

__all__ = [
    "MAX_LEVELS",
    "ConstantError",
    "DiscreteSpec",
    "as_numbers",
    "check_finite",
    "check_names",
    "constant_error",
    "declared_kind",
    "doubtful_error",
    "infinite_error",
    "is_constant",
    "is_label",
    "merged_by_float",
    "missing_error",
    "numbers_with_gaps",
    "own_spec",
    "settle",
    "written_numbers",
]

#: `discrete=`: by the rule, all columns, or by name (a list means 'these and the non-numeric ones, no others').
DiscreteSpec: TypeAlias = "bool | Sequence[str] | Mapping[str, bool] | None"

#: The rule for numeric columns: at most this many distinct values ...
MAX_LEVELS = 20
#: ... that average at least this many rows each.
ROWS_PER_LEVEL = 10
#: More different texts than this are only asked whether they are numbers if some of so many random ones are.
MANY_TEXTS, SOME_TEXTS = 10_000, 400


class ConstantError(InputError):
    """A side without a column that varies."""


# === Values: numbers, booleans or text ===


def settle(column: np.ndarray, name: str, declared: bool | None = None) -> np.ndarray:
    """The column (n,) as float64 or integers, as booleans, or as text (objects).

    Integers stay integers: as labels, those beyond 2**53 would become one in float64.

    Arguments:
        column: Values of any type.
        name: For messages.
        declared: What the caller said: False makes numbers of booleans, True lets text be mostly numeric.

    Raises:
        InputError: Complex or nested values, missing values in a column of objects, text in a mostly numeric column.
    """
    kind = column.dtype.kind
    if kind == "b":
        return column.astype(np.float64) if declared is False else column
    if kind in "iu":
        return column
    if kind == "f":
        with np.errstate(over="ignore"):  # a long double beyond float64 is infinite, which is reported
            return column.astype(np.float64)
    if kind in "Mm":
        return microseconds(column, name)
    if kind == "c":
        raise _complex_error(name)
    if kind not in "OUST":
        raise InputError(f"Column {name!r} has the unsupported type {column.dtype}: pass numbers or text.")
    with foreign(f"Column {name!r}"):
        return _settle_objects(column.astype(object), name, declared)


def _complex_error(name: str) -> InputError:
    return InputError(
        f"Column {name!r} is complex. Complex data not supported: pass its real and imaginary parts as two columns."
    )


def _settle_objects(values: np.ndarray, name: str, declared: bool | None) -> np.ndarray:
    if set(map(type, values)) == {str}:  # most columns of files: what follows would ask every row what it is
        return _settle_texts(values, name, declared)
    missing = missing_values(values)
    if missing.any():
        raise missing_error(name, int(missing.sum()), int(missing.argmax()))
    nested = [i for i, v in enumerate(values) if isinstance(v, (list, tuple, dict, set, frozenset, np.ndarray))]
    if nested:
        raise InputError(
            f"Column {name!r} holds {type(values[nested[0]]).__name__} values (row {nested[0]}): "
            "pass one number or text a row, nested values as columns of their own."
        )
    if any(isinstance(v, (complex, np.complexfloating)) for v in values):
        raise _complex_error(name)
    if all(isinstance(v, (bool, np.bool_)) for v in values):
        return values.astype(np.float64 if declared is False else bool)
    if all(isinstance(v, (datetime.date, np.datetime64)) for v in values):
        return microseconds(np.array([naive(v) for v in values], dtype="datetime64[us]"), name)
    if all(isinstance(v, (datetime.timedelta, np.timedelta64)) for v in values):
        return microseconds(np.array(values, dtype="timedelta64[us]"), name)
    numbers = _are_numbers(values)
    if numbers.all() and not any(isinstance(v, (str, bytes, bool, np.bool_)) for v in values):
        return _settle_numbers(values, name, declared)
    if not declared:
        _check_meant_as_labels(values, name)
    if 0.5 < numbers.mean() < 1 and not declared and not isinstance(values[0], Category):
        raise _stray_text(values, np.flatnonzero(~numbers), name)
    texts: dict[Any, str] = {}  # one copy of each, however many rows have it
    return np.fromiter((_text(v, texts) for v in values), object, len(values))


def _settle_texts(values: np.ndarray, name: str, declared: bool | None) -> np.ndarray:
    """As :func:`_settle_objects`, for a column that is text in every row: each distinct text is looked at once."""
    if declared:
        return values
    _check_meant_as_labels(values, name)
    counts = Counter(values.tolist())
    others = {text for text in counts if not _is_number(text)}
    if others and sum(counts[text] for text in others) < 0.5 * len(values):
        raise _stray_text(values, np.flatnonzero([value in others for value in values]), name)
    return values


def _check_meant_as_labels(values: np.ndarray, name: str) -> None:
    """Raise where most of a column's texts are numbers or dates, and they repeat too little for labels."""
    written = written_numbers(values)
    if written is None or written.whole:
        return
    texts = {value for value in values if isinstance(value, str)}
    plain = all(map(plain_number, written.values))
    if plain and len(written.values) < len(texts):
        return  # the caller names the text among the numbers
    if written.doubt is not None:
        raise doubtful_error(name, written)
    example = next(text for text in written.values if plain or not plain_number(text))
    raise NumberTextError(
        f"Column {name!r} holds {_plainly(written)} written as text, such as {example!r}: clean it, declare the column "
        "discrete if its values are labels"
    )


def written_numbers(values: np.ndarray, *, declared: bool | None = None, evidence: tuple[str, ...] = ()) -> Written | None:
    """The numbers that most texts of a column (n,) stand for; None for labels, and if there is no text.

    Few texts that repeat often are levels, as '1 kg' and '2 kg', unless the column is ``declared`` to be numbers (False).
    Texts that say that a value is missing do not count, and numbers among the texts are numbers. ``evidence`` are texts of
    other rows that decide how these are read.
    """
    texts = [value for value in values if isinstance(value, str) and not isinstance(value, Category)]
    others = [value for value in values if not isinstance(value, str) or isinstance(value, Category)]
    counts = Counter(texts)
    for text in [text for text in counts if is_missing_text(text)]:
        del counts[text]
    if not texts or any(isinstance(value, (str, bytes, bool, np.bool_)) or not _is_number(value) for value in others):
        return None
    if not counts:
        return Written({}, "numbers") if others else None
    n = counts.total() + len(others)
    if declared is None and len(counts) <= MAX_LEVELS and n >= ROWS_PER_LEVEL * (len(counts) + len(set(others))):
        return None
    if len(counts) > MANY_TEXTS and _hardly_any_written(texts):
        return None
    written = numbers_written([*evidence, *counts], are_numbers=declared is False, others=set(map(float, others)))
    share = 0.0 if written is None else (sum(counts[text] for text in written.values) + len(others)) / n
    return written if share > 0.5 else None


def _hardly_any_written(texts: list[str]) -> bool:
    """Whether so few of some random texts stand for numbers that half of all cannot: asking all takes seconds per million.

    If half of them stood for numbers, the chance of so few would be below 1e-30.
    """
    some = np.random.default_rng(0).integers(len(texts), size=SOME_TEXTS)
    return sum(numbers_written([texts[i]], are_numbers=True) is not None for i in some) < 0.2 * SOME_TEXTS


def doubtful_error(name: str, written: Written) -> InputError:
    """The error of a column of numbers or dates that can be read in two ways."""
    return InputError(
        f"Column {name!r} holds {_plainly(written)} written as text, but {written.doubt}, or declare the column "
        "discrete if its values are labels."
    )


def _plainly(written: Written) -> str:
    """The form without what was found out about it: 'dates' for 'dates, day first'."""
    return written.form.partition(",")[0]


def _stray_text(values: np.ndarray, rows: np.ndarray, name: str) -> InputError:
    """The error of a column of numbers with text in these ``rows``."""
    first = values[rows[0]]
    cause = f"Column {name!r} is mostly numeric but holds the text {first!r} (row {rows[0]}): clean it"
    if all(isinstance(value, str) and is_missing_text(value) for value in values[rows]):
        return NumberTextError(f"{cause}, declare the column discrete if its values are labels", "missing values")
    return InputError(f"{cause}, or declare the column discrete if its values are labels.")


def _settle_numbers(values: np.ndarray, name: str, declared: bool | None) -> np.ndarray:
    """Objects that are numbers: integers where all are and 64 bits hold them, else float64; text where that merges integers."""
    whole = _whole_numbers(values)
    for kind in () if whole is None else (np.int64, np.uint64):
        try:
            return np.array(whole, kind)
        except OverflowError:
            continue
    try:
        numbers = values.astype(np.float64)
    except OverflowError:
        raise InputError(f"Column {name!r} has an integer beyond the range of float64: rescale it.") from None
    if whole is not None and (declared or len(set(whole)) > len(np.unique(numbers))):
        return np.fromiter(map(number_text, whole), object, len(values))
    return numbers


def _whole_numbers(values: np.ndarray) -> list[int] | None:
    """The values (n,) as integers if all are whole, and some type says so; None otherwise."""
    if not all(isinstance(v, (int, np.integer, decimal.Decimal)) for v in values):
        return None
    if all(isinstance(v, decimal.Decimal) for v in values) and all(v.is_finite() and abs(v) <= EXACT_INTEGERS for v in values):
        return None  # float64 has them all
    if not all(v.is_finite() and v == v.to_integral_value() for v in values if isinstance(v, decimal.Decimal)):
        return None
    return [int(v) for v in values]


def _text(value: Any, texts: dict[Any, str]) -> str:
    if type(value) is str:
        return value
    if isinstance(value, bytes):
        return value.decode(errors="backslashreplace")
    if not isinstance(value, Category):
        return str(value)
    if value not in texts:
        texts[value] = str(value)
    return texts[value]


def _are_numbers(values: np.ndarray) -> np.ndarray:
    """Mask (n,) of the numbers, text that reads as one among them; a text is tried once, however many rows have it."""
    texts = {text: _is_number(text) for text in {v for v in values if isinstance(v, str)}}
    return np.array([texts[v] if isinstance(v, str) else _is_number(v) for v in values])


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    except OverflowError:
        pass  # an integer beyond float64 is a number all the same
    return True


def numbers_with_gaps(column: np.ndarray, name: str) -> np.ndarray:
    """The column (n,) as float64, NaN where a value is missing; booleans are 0 and 1.

    Raises:
        InputError: Text, or what :func:`settle` refuses.
    """
    missing = missing_values(column)
    settled = settle(column[~missing] if missing.any() else column, name, False)
    if settled.dtype.kind == "O":
        raise InputError(f"Column {name!r} holds text, and numbers are needed: convert it, or leave it out.")
    out = np.full(len(column), np.nan)
    out[~missing] = as_numbers(settled, name)
    return out


def as_numbers(settled: np.ndarray, name: str) -> np.ndarray:
    """A settled column (n,) of numbers as float64.

    Raises:
        InputError: Integers that float64 would merge.
    """
    if merged_by_float(settled):
        raise InputError(
            f"Column {name!r} has whole numbers beyond 2**53 that float64 cannot resolve: subtract the smallest from all of "
            "them, or declare the column discrete if they are labels."
        )
    return settled.astype(np.float64, copy=False)


def merged_by_float(settled: np.ndarray) -> bool:
    """Whether these are integers of which float64 makes fewer different ones.

    >>> merged_by_float(2**60 + np.arange(9)), merged_by_float(2**60 * np.arange(9)), merged_by_float(np.arange(9))
    (True, False, False)
    """
    if settled.dtype.kind not in "iu" or max(-int(settled.min()), int(settled.max())) <= EXACT_INTEGERS:
        return False
    return len(np.unique(settled.astype(np.float64))) < len(np.unique(settled))


# === Numbers or labels ===


def is_label(settled: np.ndarray, name: str, discrete: DiscreteSpec, *, many_levels: bool = False) -> bool:
    """Whether a settled column (n,) is labels: by its type, by ``discrete=``, or by the rule for numbers.

    Integers that float64 would merge are names of things, whatever their number.

    ``many_levels`` says that it is known to have more values than the rule allows.
    """
    if settled.dtype.kind in "bO":
        return True
    declared = declared_kind(name, discrete)
    if declared is not None:
        return declared
    if discrete is not None and not isinstance(discrete, Mapping):
        return False  # a list: these columns and no other numbers
    if many_levels:
        return False
    n_levels = len(np.unique(settled))
    return (n_levels <= MAX_LEVELS and len(settled) >= ROWS_PER_LEVEL * n_levels) or merged_by_float(settled)


def declared_kind(name: str, discrete: DiscreteSpec) -> bool | None:
    """What the caller said about this very column, None for nothing."""
    if discrete is None or isinstance(discrete, bool):
        return discrete
    if isinstance(discrete, Mapping):
        return bool(discrete[name]) if name in discrete else None
    return True if name in check_names(discrete) else None


def check_names(discrete: Any) -> list[str]:
    """The names in a ``discrete=`` that is no boolean; raise InputError where it is something else.

    >>> check_names(["age"])
    ['age']
    """
    with foreign("discrete"):
        listed = not isinstance(discrete, (str, bytes)) and hasattr(discrete, "__iter__")
        names: list[Any] = list(discrete) if listed else []
    if not listed or not all(isinstance(name, str) for name in names):
        shown = repr(discrete) if isinstance(discrete, (str, int, float)) else type(discrete).__name__
        raise InputError(f"discrete must be True, False, a list of column names or a mapping; got {shown}.")
    return names


def own_spec(name: str, discrete: DiscreteSpec) -> DiscreteSpec:
    """What ``discrete`` says of this column alone."""
    if not isinstance(discrete, Mapping):
        return discrete
    return {name: bool(discrete[name])} if name in discrete else None


def is_constant(column: np.ndarray) -> bool:
    return bool(np.all(column == column[0]))


# === Checks ===


def check_finite(column: np.ndarray, name: str) -> None:
    """Raise if a number is missing or infinite."""
    for bad, error in ((np.isnan, missing_error), (np.isinf, infinite_error)):
        rows = np.flatnonzero(bad(column))
        if len(rows):
            raise error(name, len(rows), int(rows[0]))


def missing_error(name: str, count: int, first: int) -> InputError:
    return InputError(
        f"Column {name!r} has {count} missing value(s) (NaN), the first in row {first}: "
        "pass drop_missing=True (--drop-missing) to leave those rows out."
    )


def infinite_error(name: str, count: int, first: int) -> InputError:
    return InputError(
        f"Column {name!r} has {count} infinite value(s), the first in row {first}: "
        "pass drop_missing=True (--drop-missing) to leave those rows out, or replace them by finite numbers."
    )


def constant_error(side: str, column: str) -> ConstantError:
    what = f"Column {column!r}" if column != side else f"{side}"
    return ConstantError(
        f"{what} is constant, so its mutual information with anything is 0 and there is nothing to estimate: "
        "choose a column that varies."
    )
