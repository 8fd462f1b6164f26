"""Series in the order of time: what is read from a caller's data, and stretches of time that no fold splits."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mine.api import estimate
from mine.data.columns import DiscreteSpec, declared_kind, is_label, numbers_with_gaps, settle
from mine.data.gaps import missing_values
from mine.data.labels import labels_of
from mine.data.order import ENOUGH_SUBJECTS
from mine.data.parsing import ReadColumn, read_texts
from mine.data.sources import named_columns
from mine.data.subjects import Subjects
from mine.data.weights import refuse_weights
from mine.errors import InputError, NotEnoughDataError, warn_renamed
from mine.estimators import get_estimator, takes_numbers_only
from mine.estimators.run import with_read_columns
from mine.information.without_gaps import without_gaps
from mine.result import Estimate
from mine.surroundings import plain_modes

__all__ = ["Series", "check_lag", "discrete_columns", "lagged_information", "read_series", "stretches", "stretches_of"]

#: Stretches of time that a series is cut into, and the fewest.
STRETCHES, FEWEST = 40, 8
#: Rows of a stretch for one row of the gap, at least.
ROWS_A_GAP = 8


@plain_modes()
def lagged_information(x: Any, y: Any, lags: int | Iterable[int] = range(4), **options: Any) -> dict[int, Estimate]:
    """``I(X_{t-lag}; Y_t)`` for every lag; deprecated: use :func:`mine.lag_scan`, which has both directions and a test.

    All lags are estimated on the same rows of y, in stretches of time as in :func:`mine.transfer_entropy`.

    Arguments:
        x: The earlier series, shape (n,) or (n, dx), numbers or states, rows in the order of time.
        y: The later one.
        lags: How many rows x is earlier, zero or more each; or one number L for all from 0 to L.
        **options: Of :func:`mine.estimate`; not ``groups``. States are labels, as in :func:`transfer_entropy`.
    """
    warn_renamed("mine.lagged_information", "mine.lag_scan", stacklevel=4)
    if isinstance(lags, (int, np.integer)):
        lags = range(int(lags) + 1)
    if not isinstance(lags, Iterable):
        raise InputError(f"lags must be a whole number or several of them, got {lags!r}.")
    wanted = list(lags)
    if not wanted:
        raise InputError("lags is empty: pass at least one, for example range(4).")
    for lag in wanted:
        check_lag("lags", lag, least=0)
    (earlier, later), read, options = read_series(options, x=x, y=y)
    rows, blocks = without_gaps(*stretches(len(earlier.values), max(*wanted, 1)), max(*wanted, 1), x, y)
    spec = discrete_columns(x=earlier.labels, y=later.labels)
    now = later.at([rows])
    return {
        int(lag): with_read_columns(estimate(earlier.at([rows - lag]), now, groups=blocks, discrete=spec, **options), read)
        for lag in wanted
    }


def stretches(n: int, gap: int, *, fewest: int = FEWEST) -> tuple[np.ndarray, np.ndarray]:
    """Rows t from ``gap`` on in stretches of time, without the ``gap`` rows in front of each; and the stretch of each.

    A row looks back at most ``gap``, so that rows of two stretches have no value in common.

    >>> rows, stretch = stretches(200, 2)
    >>> int(rows[0]), int(np.diff(rows).max()), len(np.unique(stretch))
    (2, 3, 12)
    """
    count = min(STRETCHES, n // (ROWS_A_GAP * gap))
    if count < fewest:
        raise NotEnoughDataError(
            f"{n} rows of a series are too few for a past of {gap}: at least {fewest * ROWS_A_GAP * gap} are needed."
        )
    edges = np.linspace(0, n, count + 1).astype(np.int64)
    rows = [np.arange(start + gap, end) for start, end in itertools.pairwise(edges)]
    return np.concatenate(rows), np.repeat(np.arange(count), [len(r) for r in rows])


def stretches_of(subjects: Subjects, gap: int, *, fewest: int = FEWEST) -> tuple[np.ndarray, np.ndarray]:
    """As :func:`stretches` of several series one after the other; no stretch has rows of two.

    Ten series or more are one stretch each: rows of one subject may have more in common than time explains. A series too short
    for the gap has no row.

    >>> rows, stretch = stretches_of(Subjects(np.array([100, 120])), 2)
    >>> int(rows[0]), rows[stretch == 5][:2].tolist(), len(np.unique(stretch))
    (2, [85, 86], 13)
    """
    lengths = subjects.lengths
    pieces = np.ones(len(lengths), np.int64)
    if (lengths > gap).sum() < max(fewest, ENOUGH_SUBJECTS):
        count = min(STRETCHES, int(lengths.sum()) // (ROWS_A_GAP * gap))
        pieces = np.clip(np.round(count * lengths / lengths.sum()), 1, np.maximum(lengths // (ROWS_A_GAP * gap), 1)).astype(int)
    rows: list[np.ndarray] = []
    for part, count in zip(subjects.parts(), pieces, strict=True):
        edges = np.linspace(part.start, part.stop, count + 1).astype(np.int64)
        rows += [np.arange(start + gap, end) for start, end in itertools.pairwise(edges) if end > start + gap]
    if len(rows) < fewest:
        raise NotEnoughDataError(
            f"{int(lengths.sum())} rows in {len(lengths)} groups make {len(rows)} stretches for a past of {gap}: at least "
            f"{fewest} of {ROWS_A_GAP * gap} rows are needed."
        )
    return np.concatenate(rows), np.repeat(np.arange(len(rows)), [len(r) for r in rows])


@dataclass(frozen=True)
class Series:
    """Columns side by side, ``values`` (n, d), in float64 or, with labels among them, objects; and which are labels."""

    values: np.ndarray
    labels: tuple[bool, ...]

    def __len__(self) -> int:
        return len(self.values)

    def column(self, i: int) -> Series:
        """One of the columns as a series of its own."""
        return Series(
            self.values[:, [i]] if any(self.labels[i : i + 1]) else self.values[:, [i]].astype(float), (self.labels[i],)
        )

    def spread(self, places: np.ndarray) -> Series:
        """Each row at its place (n,) of a longer series, whose other rows are empty."""
        empty = None if self.values.dtype == object else np.nan
        values = np.full((int(places[-1]) + 1, self.values.shape[1]), empty, self.values.dtype)
        values[places] = self.values
        return Series(values, self.labels)

    def at(self, rows: Sequence[np.ndarray]) -> np.ndarray:
        """The columns at each of these rows, side by side."""
        return np.concatenate([self.values[r] for r in rows], 1)


def read_series(
    options: dict[str, Any], *, only: Sequence[str] | None = None, **series: Any
) -> tuple[list[Series], list[ReadColumn], dict[str, Any]]:
    """The series, their columns of text that were read as numbers, and the options without what was read from them.

    Arguments:
        options: Of :func:`mine.estimate`.
        only: Names of the columns to take, in their order; None takes all.
        **series: The series by name; one that is None has no columns.

    Raises:
        InputError: Options that make no sense for series, or series of different length.
    """
    for refused in ("groups", "order"):
        if refused in options:
            raise InputError(f"{refused}= is made from the order of time here: leave it out.")
    refuse_weights(options)
    rest = {name: value for name, value in options.items() if name not in ("discrete", "parse")}
    discrete = options.get("discrete")
    given = {name: data for name, data in series.items() if data is not None}
    texts, read = read_texts(options.get("parse", False), discrete, **given)
    numbers_only = takes_numbers_only(get_estimator(options.get("method", "auto")))
    if numbers_only and discrete is None:
        discrete = False
    typed = {name: _typed(data, name, discrete, numbers_only, only) for name, data in zip(given, texts, strict=True)}
    first, *others = typed
    for name in others:
        if len(typed[name]) != len(typed[first]):
            raise InputError(
                f"{first} has {len(typed[first])} rows and {name} has {len(typed[name])}: the series must run side by side."
            )
    nothing = Series(np.empty((len(typed[first]), 0)), ())
    return [typed.get(name, nothing) for name in series], read, rest


def _typed(data: Any, name: str, discrete: DiscreteSpec, numbers_only: bool, only: Sequence[str] | None) -> Series:
    """The columns of a series, each of numbers or of the texts of its labels; NaN or None where a value is missing."""
    columns, labels = [], []
    found = named_columns(data, name)
    for column_name in found if only is None else only:
        column = found[column_name]
        missing = missing_values(column)
        settled = settle(column[~missing], column_name, declared_kind(column_name, discrete))
        refused = numbers_only and settled.dtype.kind == "O"  # text, below
        labels.append(len(settled) > 0 and not refused and is_label(settled, column_name, discrete))
        if labels[-1]:
            states = labels_of(settled)
            values = np.full(len(column), None, object)
            values[~missing] = np.array(states.levels, object)[states.codes]
        else:
            values = numbers_with_gaps(column, column_name)
        columns.append(values)
    return Series(np.stack(columns, 1), tuple(labels))


def discrete_columns(**labels: tuple[bool, ...]) -> bool | dict[str, bool]:
    """``discrete=`` of the sides' columns under the names that :func:`mine.estimate` gives them."""
    if not any(map(any, labels.values())):
        return False
    names = {side: [side] if len(kinds) == 1 else [f"{side}[{i}]" for i in range(len(kinds))] for side, kinds in labels.items()}
    return {name: kind for side, kinds in labels.items() for name, kind in zip(names[side], kinds, strict=True)}


def check_lag(name: str, lag: Any, least: int = 1) -> None:
    """Raise InputError unless ``lag`` is an integer of at least ``least``."""
    if not isinstance(lag, (int, np.integer)) or isinstance(lag, bool) or lag < least:
        raise InputError(f"{name} must be an integer of at least {least}, got {lag!r}.")
