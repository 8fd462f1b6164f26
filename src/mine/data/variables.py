"""What users pass in, as one kind of thing: a :class:`Variable` of named, checked, typed columns.

numpy, torch, lists, and any frame or series that narwhals knows (pandas, polars, pyarrow, ...) come in; finite float64
coordinates and labels come out, or an error that names the column and the remedy.
"""

from __future__ import annotations

import datetime
import itertools
import math
import operator
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self, TypeAlias

import numpy as np

from mine.data import outofcore
from mine.data.outofcore import LazyRows, NamedRows, Part
from mine.errors import InputError, NotEnoughDataError, UnknownNameError

__all__ = ["DiscreteSpec", "Variable", "as_variable", "missing_rows", "named_columns"]

#: `discrete=`: by the rule, all columns, or by name (a list means 'these and the non-numeric ones, no others').
DiscreteSpec: TypeAlias = "bool | Sequence[str] | Mapping[str, bool] | None"

#: The rule for numeric columns: at most this many distinct values ...
MAX_LEVELS = 20
#: ... that average at least this many rows each.
ROWS_PER_LEVEL = 10


@dataclass(frozen=True)
class Variable:
    """One side of the pair.

    Attributes:
        name: ``"x"`` or ``"y"``, for messages.
        columns: Names of the coordinates kept, continuous ones first.
        continuous: Finite coordinates, shape ``(n, *event)`` in float64; ``(n, c)`` unless the input was n-D. Those of a
            large input are read when rows of them are asked for.
        discrete: Labels, shape ``(n, d)``, dtype object.
        dropped: Names of constant coordinates left out of a wider side.
    """

    name: str
    columns: tuple[str, ...]
    continuous: np.ndarray | LazyRows
    discrete: np.ndarray
    dropped: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.continuous)

    @property
    def n_continuous(self) -> int:
        """Number of continuous coordinates, an image's pixels counted one by one."""
        return int(np.prod(self.continuous.shape[1:]))

    @property
    def n_discrete(self) -> int:
        return self.discrete.shape[1]

    @property
    def is_label(self) -> bool:
        """Whether this is one column of labels and nothing else."""
        return self.n_discrete == 1 and not self.n_continuous

    @property
    def discrete_columns(self) -> tuple[str, ...]:
        return self.columns[len(self.columns) - self.n_discrete :]

    @property
    def flat(self) -> np.ndarray:
        """Continuous coordinates as a matrix ``(n, c)``, read into memory if they are not there."""
        return np.asarray(self.continuous).reshape(len(self), self.n_continuous)

    def take(self, rows: np.ndarray | slice) -> Self:
        return replace(self, continuous=self.continuous[rows], discrete=self.discrete[rows])

    def select(self, columns: Sequence[str]) -> Self:
        """The same variable with these columns only, each kept as the number or label it is."""
        if self.continuous.ndim > 2:
            return self
        numeric = self.columns[: self.n_continuous]
        for column in columns:
            if column not in self.columns:
                raise UnknownNameError(f"column of {self.name}", column, self.columns)
        keep = [numeric.index(c) for c in columns if c in numeric]
        keep_labels = [self.discrete_columns.index(c) for c in columns if c in self.discrete_columns]
        return replace(
            self,
            columns=(*(numeric[i] for i in keep), *(self.discrete_columns[i] for i in keep_labels)),
            continuous=_columns(self.continuous, keep),
            discrete=self.discrete[:, keep_labels],
        )

    def row_ids(self) -> np.ndarray:
        """One integer a row, equal for equal rows, shape (n,).

        They count from 0, but for many rows with numbers: those get a hash of 64 bits, which needs no sorting.
        """
        keys = [_codes(column) for column in self.discrete.T]
        numbers = self.continuous
        if self.n_continuous and len(self) > outofcore.HASH_ROWS:
            return outofcore.row_hashes(len(self), self.n_continuous, lambda rows: numbers[rows], keys)
        flat = np.ascontiguousarray(self.flat) + 0.0  # -0.0 and 0.0 are one value
        if flat.shape[1]:
            view = flat.view(np.dtype((np.void, flat.dtype.itemsize * flat.shape[1]))).ravel()
            keys.append(np.unique(view, return_inverse=True)[1])
        ids = np.zeros(len(self), dtype=np.int64)
        for key in keys:
            ids = np.unique(ids * (int(key.max()) + 1) + key.ravel(), return_inverse=True)[1]
        return ids


def _columns(matrix: np.ndarray | LazyRows, keep: list[int]) -> np.ndarray | LazyRows:
    if isinstance(matrix, LazyRows):
        return matrix.columns(keep) if keep else np.empty((len(matrix), 0))
    return matrix[:, keep]


def _codes(column: np.ndarray) -> np.ndarray:
    """Labels (n,) as integers from 0 in the order of their text."""
    if len(column) <= outofcore.HASH_ROWS:
        return np.unique(column.astype(str), return_inverse=True)[1]
    texts = {value: str(value) for value in dict.fromkeys(column)}  # as text, a million rows of one long name fill a gigabyte
    code = {text: i for i, text in enumerate(sorted(set(texts.values())))}
    return np.fromiter((code[texts[value]] for value in column), np.int64, len(column))


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
    source = _source(data, name)
    names, columns = source.names, source.columns
    if not columns or len(columns[0]) == 0:
        raise InputError(
            f"{name} is empty: {len(columns)} feature(s) (shape={_shape(data)}) while a minimum of 1 is required, with rows."
        )
    large = _Surveyed.of(source)
    if source.event is not None:
        return _block(source, large, name, allow_constant, min_rows)

    numeric: list[np.ndarray | int] = []  # values, or the place of a column that stays where it is
    labels: list[np.ndarray] = []
    numeric_names: list[str] = []
    label_names: list[str] = []
    dropped: list[str] = []
    varies = False
    for i, (column, column_name) in enumerate(zip(columns, names, strict=True)):
        surveyed = large is not None and i in large.places
        if large is not None and surveyed:
            large.check(i, column_name)
            is_label, constant, levels = False, large.constant(i), large.levels(i)
        else:
            column = _settle(column, column_name, _declared(column_name, discrete))
            is_label = column.dtype == object
            if not is_label:
                _check_finite(column, column_name)
            constant, levels = _is_constant(column), None
        if not keep_constant and not allow_constant and constant:
            dropped.append(column_name)
            continue
        varies = varies or not constant
        if is_label or _is_discrete(column, column_name, discrete, many_levels=surveyed and levels is None):
            labels.append(_as_labels(column, levels))
            label_names.append(column_name)
        else:
            numeric.append(i if surveyed else column.astype(np.float64))
            numeric_names.append(column_name)
    n = len(columns[0])
    _check_rows(n, min_rows, name)
    if not allow_constant and not varies:
        raise _constant_error(name, names[0] if len(names) == 1 else name)
    if large is not None and numeric:
        numbers = large.select(numeric)
    else:
        numbers = np.stack([c for c in numeric if not isinstance(c, int)], 1) if numeric else np.empty((n, 0))
    return Variable(
        name,
        (*numeric_names, *label_names),
        numbers,
        np.stack(labels, 1) if labels else np.empty((n, 0), object),
        tuple(dropped),
    )


def _block(source: _Source, large: _Surveyed | None, name: str, allow_constant: bool, min_rows: int) -> Variable:
    """An n-D input: pixels that never change stay, so that the shape does."""
    n, names = len(source.columns[0]), source.names
    if large is not None:
        for i, pixel in enumerate(names):
            large.check(i, pixel)
        constant = all(map(large.constant, range(len(names))))
        numbers = replace(large.rows, event=source.event)
    else:
        numbers = np.stack([_as_float(c, pixel) for c, pixel in zip(source.columns, names, strict=True)], 1)
        for column, pixel in zip(numbers.T, names, strict=True):
            _check_finite(column, pixel)
        constant = bool(np.all(numbers == numbers[:1]))
        numbers = numbers.reshape(n, *(source.event or ()))
    _check_rows(n, min_rows, name)
    if constant and not allow_constant:
        raise _constant_error(name, name)
    return Variable(name, tuple(names), numbers, np.empty((n, 0), object))


def missing_rows(data: Any, name: str) -> np.ndarray:
    """Mask (n,) of the rows with a missing value (None, NaN, NaT) in any column."""
    source = _source(data, name)
    if not source.columns:
        raise InputError(f"{name} is empty: pass at least one column with rows.")
    numbers, places = source.lazy()
    if numbers is None:
        return np.any([_missing(c) for c in source.columns], axis=0)
    others = [_missing(c) for i, c in enumerate(source.columns) if i not in places]
    in_numbers = np.concatenate([np.isnan(block).any(1) for _, block in numbers.read()])
    return np.any([in_numbers, *others], axis=0)


def named_columns(data: Any, name: str) -> dict[str, np.ndarray]:
    """The columns of a table by name, as they are: shape (n,), unchecked but for their number.

    Raises:
        InputError: No columns, or an input of three or more dimensions.

    >>> list(named_columns(np.zeros((3, 2)), "x"))
    ['x[0]', 'x[1]']
    """
    source = _source(data, name)
    if source.event is not None:
        raise InputError(f"{name} has shape {_shape(data)}: pass a table, one column a variable.")
    if not source.columns or len(source.columns[0]) == 0:
        raise InputError(f"{name} is empty: pass at least one column with rows.")
    return dict(zip(source.names, source.columns, strict=True))


# === From anything to named one-dimensional columns ===


@dataclass(frozen=True)
class _Source:
    """What was passed in: named columns (n,), views wherever possible.

    ``matrix`` (n, k) holds the same columns, or those with a number in ``matrix_places``, side by side; ``event`` is the shape
    of a row of an input of three or more dimensions.
    """

    names: list[str]
    columns: list[np.ndarray]
    event: tuple[int, ...] | None = None
    matrix: LazyRows | None = None
    matrix_places: tuple[int, ...] = ()

    def lazy(self) -> tuple[LazyRows | None, dict[int, int]]:
        """The numeric columns where they lie, if they are many numbers, and the place of each among them."""
        places = [i for i, c in enumerate(self.columns) if c.dtype.kind in "iuf" and c.dtype.itemsize <= 8]
        if sum(len(self.columns[i]) for i in places) <= outofcore.LARGE_VALUES:
            return None, {}
        if self.matrix is not None:
            places = list(self.matrix_places)
            return self.matrix, {i: j for j, i in enumerate(places)}
        return LazyRows(tuple(Part(self.columns[i][:, None]) for i in places)), {i: j for j, i in enumerate(places)}


@dataclass(frozen=True)
class _Surveyed:
    """The numeric columns of a large input, looked at once; ``places`` maps a column's number to its place in ``rows``."""

    rows: LazyRows
    places: dict[int, int]
    found: outofcore.Survey

    @classmethod
    def of(cls, source: _Source) -> Self | None:
        rows, places = source.lazy()
        return None if rows is None else cls(rows, places, outofcore.survey(rows, MAX_LEVELS))

    def check(self, i: int, name: str) -> None:
        j = self.places[i]
        if self.found.missing[j]:
            raise _missing_error(name, int(self.found.missing[j]), int(self.found.first_missing[j]))
        if self.found.infinite[j]:
            raise _infinite_error(name, int(self.found.infinite[j]), int(self.found.first_infinite[j]))

    def constant(self, i: int) -> bool:
        return bool(self.found.constant[self.places[i]])

    def levels(self, i: int) -> np.ndarray | None:
        return self.found.levels[self.places[i]]

    def select(self, kept: list[np.ndarray | int]) -> LazyRows:
        """Columns by number where they are ours, or their values, side by side in this order."""
        parts: list[Part] = []
        for ours, run in itertools.groupby(kept, lambda column: isinstance(column, int)):
            if ours:
                parts += self.rows.columns([self.places[i] for i in run if isinstance(i, int)]).parts
            else:
                parts.append(Part(np.stack([column for column in run if not isinstance(column, int)], 1)))
        return LazyRows(tuple(parts))


def _source(data: Any, name: str) -> _Source:
    torch = sys.modules.get("torch")  # a tensor can only come from an imported torch
    if torch is not None and isinstance(data, torch.Tensor):
        data = _from_tensor(data, name)
    if isinstance(data, NamedRows):
        return _from_named(data, name)
    if not isinstance(data, np.ndarray):
        framed = _from_frame(data, name)
        if framed is not None:
            return _Source(*framed)
        data = _from_sequence(data, name)
    data = _plain(data)
    if data.ndim == 0:
        raise InputError(f"{name} is a single value: pass one row for each observation.")
    if data.ndim == 1:
        return _Source([name], [data])
    flat = data.reshape(len(data), math.prod(data.shape[1:]))
    if flat.shape[1] == 1 and data.ndim == 2:
        return _Source([name], [flat[:, 0]])
    names = [f"{name}[{', '.join(map(str, i))}]" for i in np.ndindex(data.shape[1:])]
    event = data.shape[1:] if data.ndim > 2 else None
    return _Source(names, list(flat.T), event, LazyRows((Part(flat),)), tuple(range(flat.shape[1])))


def _from_named(data: NamedRows, name: str) -> _Source:
    """Columns of a large file: views of those of numbers, the others in memory."""
    views = (part.column(j) for part in data.numbers.parts for j in range(part.width))
    columns = dict(zip(data.numeric, views, strict=True))
    if data.others is not None:
        found = _from_frame(data.others, name)
        columns |= dict(zip(*found, strict=True)) if found is not None else {}
    places = tuple(data.names.index(column) for column in data.numeric)
    return _Source(list(data.names), [columns[column] for column in data.names], None, data.numbers, places)


def _plain(array: np.ndarray) -> np.ndarray:
    """The array without its subclass (matrix, masked array), masked entries as None."""
    out = np.asarray(array)
    if np.ma.is_masked(array):
        out = out.astype(object)
        out[np.ma.getmaskarray(array)] = None
    return out


def _from_tensor(tensor: Any, name: str) -> np.ndarray:
    if str(tensor.layout) != "torch.strided":
        raise InputError(f"{name} is sparse, and sparse input is not supported: pass {name}.to_dense().")
    tensor = tensor.detach().cpu().resolve_conj().resolve_neg()
    if tensor.is_floating_point() and tensor.dtype.itemsize < 4:  # numpy has no bfloat16
        tensor = tensor.float()
    return tensor.numpy()


def _shape(data: Any) -> tuple[int, ...]:
    return tuple(getattr(data, "shape", (len(data),)))


def _from_frame(data: Any, name: str) -> tuple[list[str], list[np.ndarray]] | None:
    """Columns of whatever narwhals takes for a frame or a series; None for anything else."""
    if isinstance(data, (list, tuple)) or not hasattr(data, "__len__"):
        return None
    import narwhals as nw

    arrow = sys.modules.get("pyarrow")
    if arrow is not None and isinstance(data, (arrow.Array, arrow.RecordBatch)):  # narwhals knows the chunked kinds
        data = arrow.chunked_array([data]) if isinstance(data, arrow.Array) else arrow.Table.from_batches([data])
    try:
        native: Any = nw.from_native(data, allow_series=True, eager_only=True, pass_through=True)
    except nw.exceptions.DuplicateError:
        raise InputError(f"{name} has several columns of the same name: rename them.") from None
    if isinstance(native, nw.Series):
        return [str(native.name) if native.name not in (None, "") else name], [_from_series(native)]
    if isinstance(native, nw.DataFrame):
        return [str(c) for c in native.columns], [_from_series(c) for c in native.iter_columns()]
    return None


def _from_series(series: Any) -> np.ndarray:
    import narwhals as nw

    dtype = series.dtype
    if isinstance(dtype, (nw.Date, nw.Datetime)):
        series = series.dt.timestamp("us")
    elif isinstance(dtype, nw.Duration):
        series = series.dt.total_microseconds()
    elif isinstance(dtype, (nw.Categorical, nw.Enum)):
        missing = series.is_null().to_list()
        labels = (None if m else _Label(v) for m, v in zip(missing, series.to_list(), strict=True))
        return np.fromiter(labels, object, len(series))
    if series.dtype.is_numeric() and not series.dtype.is_decimal():
        missing = series.is_null().to_numpy()
        values = series.to_numpy()
        return values if not missing.any() else np.where(missing, np.nan, series.cast(nw.Float64).to_numpy())
    return np.fromiter(series.to_list(), object, len(series))


class _Label(str):
    """A value of a categorical column: a label whatever it looks like."""


def _from_time(stamps: np.ndarray) -> np.ndarray:
    """Microseconds as float64 from datetime64 or timedelta64, NaT as NaN."""
    out = stamps.astype(f"{stamps.dtype.kind}8[us]").astype(np.int64).astype(np.float64)
    out[np.isnat(stamps)] = np.nan
    return out


def _from_sequence(data: Any, name: str) -> np.ndarray:
    if hasattr(data, "tocsr"):
        raise InputError(f"{name} is sparse, and sparse input is not supported: pass {name}.toarray().")
    if isinstance(data, (str, bytes, Mapping, set, frozenset)) or not hasattr(data, "__iter__"):
        raise InputError(
            f"{name} must be an array, a tensor, a list, or a column or frame of a table; got {type(data).__name__}."
        )
    items = list(data)
    torch = sys.modules.get("torch")
    if torch is not None and items and isinstance(items[0], torch.Tensor):
        items = [_from_tensor(item, name) for item in items]
    try:
        array = np.asarray(items)
    except ValueError:
        raise InputError(f"{name} is ragged: every row must have the same shape.") from None
    if array.dtype.kind in "USO":  # numpy would turn [1, "a"] into text and hide what was a number
        try:
            array = np.asarray(items, dtype=object)
        except ValueError:
            raise InputError(f"{name} is ragged: every row must have the same shape.") from None
    return array


# === One column: numbers (float64) or labels (object) ===


def _settle(column: np.ndarray, name: str, declared: bool | None = None) -> np.ndarray:
    """The column as float64 numbers or as object labels; raises on missing values and half-numeric text.

    ``declared`` is what the caller said: False makes numbers of booleans, True lets text be mostly numeric.
    """
    kind = column.dtype.kind
    if kind == "b":
        return column.astype(np.float64 if declared is False else object)
    if kind in "iuf":
        with np.errstate(over="ignore"):  # a long double beyond float64 is infinite, which is reported
            return column.astype(np.float64)
    if kind in "Mm":
        return _from_time(column)
    if kind == "c":
        raise InputError(
            f"Column {name!r} is complex. Complex data not supported: pass its real and imaginary parts as two columns."
        )
    if kind not in "OUST":
        raise InputError(f"Column {name!r} has the unsupported type {column.dtype}: pass numbers or text.")

    values = column.astype(object)
    missing = _missing(values)
    if missing.any():
        raise _missing_error(name, int(missing.sum()), int(missing.argmax()))
    nested = [i for i, v in enumerate(values) if isinstance(v, (list, tuple, dict, set, frozenset, np.ndarray))]
    if nested:
        raise InputError(
            f"Column {name!r} holds {type(values[nested[0]]).__name__} values (row {nested[0]}): "
            "pass one number or text a row, nested values as columns of their own."
        )
    if all(isinstance(v, (bool, np.bool_)) for v in values):
        return values.astype(np.float64) if declared is False else values
    if all(isinstance(v, (datetime.date, np.datetime64)) for v in values):
        return _from_time(np.array([_naive(v) for v in values], dtype="datetime64[us]"))
    if all(isinstance(v, (datetime.timedelta, np.timedelta64)) for v in values):
        return _from_time(np.array(values, dtype="timedelta64[us]"))
    numbers = np.array([_is_number(v) for v in values])
    if numbers.all() and not any(_is_text(v) or isinstance(v, (bool, np.bool_)) for v in values):
        try:
            return values.astype(np.float64)
        except OverflowError:
            raise InputError(f"Column {name!r} has an integer beyond the range of float64: rescale it.") from None
    if 0.5 < numbers.mean() < 1 and not declared and not isinstance(values[0], _Label):
        row = int(np.flatnonzero(~numbers)[0])
        raise InputError(
            f"Column {name!r} is mostly numeric but holds the text {values[row]!r} (row {row}): "
            "clean it, or declare the column discrete if its values are labels."
        )
    return np.array([v.decode(errors="backslashreplace") if isinstance(v, bytes) else str(v) for v in values], dtype=object)


def _is_text(value: Any) -> bool:
    return isinstance(value, (str, bytes))


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    except OverflowError:
        pass  # an integer beyond float64 is a number all the same
    return True


def _naive(moment: Any) -> Any:
    """A moment without its time zone, in UTC."""
    if getattr(moment, "tzinfo", None) is None:
        return moment
    return moment.astimezone(datetime.UTC).replace(tzinfo=None)


def _missing(column: np.ndarray) -> np.ndarray:
    if column.dtype.kind == "f" or column.dtype.kind == "c":
        return np.isnan(column)
    if column.dtype.kind in "Mm":
        return np.isnat(column)
    if column.dtype.kind != "O":
        return np.zeros(len(column), dtype=bool)
    return np.array([_is_missing(v) for v in column], dtype=bool)


def _is_missing(value: Any) -> bool:
    """None, and NaN, NaT and pandas' NA: the values that do not equal themselves, or cannot say."""
    if value is None or type(value).__name__ == "NAType":
        return True
    differs = operator.ne(value, value)
    return bool(differs) if isinstance(differs, (bool, np.bool_)) else False  # an array says it entry by entry


def _as_float(column: np.ndarray, name: str) -> np.ndarray:
    settled = _settle(column, name)
    if settled.dtype == object and column.dtype.kind != "b":
        raise InputError(f"{name} holds text: an input of three or more dimensions must be numeric.")
    return settled.astype(np.float64)


def _is_constant(column: np.ndarray) -> bool:
    return bool(np.all(column == column[0]))


def _declared(name: str, discrete: DiscreteSpec) -> bool | None:
    """What the caller said about this very column, None for nothing."""
    if discrete is None or isinstance(discrete, bool):
        return discrete
    if isinstance(discrete, Mapping):
        return bool(discrete[name]) if name in discrete else None
    return True if name in discrete else None


def _as_labels(column: np.ndarray, levels: np.ndarray | None = None) -> np.ndarray:
    """The column as labels; ``levels`` are its values where they are known to be few."""
    if levels is None:
        return column.astype(np.float64).astype(object) if column.dtype.kind in "iuf" else column.astype(object)
    return levels.astype(object)[np.searchsorted(levels, column)]  # a number each, not one for every row


def _is_discrete(column: np.ndarray, name: str, discrete: DiscreteSpec, *, many_levels: bool = False) -> bool:
    declared = _declared(name, discrete)
    if declared is not None:
        return declared
    if discrete is not None and not isinstance(discrete, Mapping):
        return False  # a list: these columns and no other numbers
    if many_levels:
        return False
    n_levels = len(np.unique(column))
    return n_levels <= MAX_LEVELS and len(column) >= ROWS_PER_LEVEL * n_levels


def check_discrete_names(discrete: DiscreteSpec, *variables: Variable) -> None:
    """Raise if ``discrete`` names a column that neither side has."""
    if discrete is None or isinstance(discrete, bool):
        return
    if isinstance(discrete, str):
        raise InputError(f"discrete must be True, False, a list of column names or a mapping; got {discrete!r}.")
    known = [c for v in variables for c in (*v.columns, *v.dropped)]
    for name in discrete:
        if name not in known:
            raise UnknownNameError("column in discrete", name, known)


def _check_finite(column: np.ndarray, name: str) -> None:
    for bad, error in ((np.isnan, _missing_error), (np.isinf, _infinite_error)):
        rows = np.flatnonzero(bad(column))
        if len(rows):
            raise error(name, len(rows), int(rows[0]))


def _check_rows(n: int, min_rows: int, name: str) -> None:
    if n < min_rows:
        raise NotEnoughDataError(f"{name} has n_samples = {n} rows: an honest estimate needs at least {min_rows}.")


def _missing_error(name: str, count: int, first: int) -> InputError:
    return InputError(
        f"Column {name!r} has {count} missing value(s) (NaN), the first in row {first}: "
        "pass drop_missing=True (--drop-missing) to leave those rows out."
    )


def _infinite_error(name: str, count: int, first: int) -> InputError:
    return InputError(
        f"Column {name!r} has {count} infinite value(s), the first in row {first}: "
        "remove those rows or replace them by finite numbers."
    )


def _constant_error(side: str, column: str) -> InputError:
    what = f"Column {column!r}" if column != side else f"{side}"
    return InputError(
        f"{what} is constant, so its mutual information with anything is 0 and there is nothing to estimate: "
        "choose a column that varies."
    )
