"""Time series: information at a lag, and transfer entropy; stretches of time never split across folds."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mine.api import estimate
from mine.data.columns import DiscreteSpec, declared_kind, is_label, numbers_with_gaps, settle
from mine.data.gaps import missing_values
from mine.data.labels import labels_of
from mine.data.parsing import ReadColumn, read_texts
from mine.data.sources import named_columns
from mine.data.weights import refuse_weights
from mine.errors import InputError, NotEnoughDataError
from mine.estimators import get_estimator, takes_numbers_only
from mine.estimators.run import with_read_columns
from mine.information.without_gaps import without_gaps
from mine.result import Estimate
from mine.surroundings import plain_modes

__all__ = ["lagged_information", "stretches", "transfer_entropy"]

#: Stretches of time that a series is cut into, and the fewest.
STRETCHES, FEWEST = 40, 8
#: Rows of a stretch for one row of the gap, at least.
ROWS_A_GAP = 8


@plain_modes()
def transfer_entropy(x: Any, y: Any, lag: int = 1, *, history: int | None = None, **options: Any) -> Estimate:
    r"""What the past of x tells about the next y beyond y's own past: ``I(Y_t; X_{t-lag..t-1} | Y_{t-history..t-1})``.

    Rows are in the order of time. They are cut into stretches that stay in one fold and count as one term of the standard
    error; between two stretches as many rows are left out as the past is long, so that no value is on both sides of a split.

    References:
        Schreiber, 2000, 'Measuring information transfer' (doi 10.1103/PhysRevLett.85.461).

    Arguments:
        x: The series that may drive, shape (n,) or (n, dx): numbers, or states, which are labels.
        y: The series that may be driven, shape (n,) or (n, dy).
        lag: Past values of x, from 1 back.
        history: Past values of y; None takes ``lag``.
        **options: Of :func:`mine.estimate`, for example ``method``, ``unit`` and ``random_state``; not ``groups``. Which
            columns are labels is decided on the whole series by the rule of :func:`mine.estimate`, and holds for every lag;
            ``discrete`` names columns of the series, and ``parse`` reads columns of them.

    Raises:
        InputError: Lags that are no positive integers, series of different length.
        NotEnoughDataError: Too few rows for eight stretches.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> x = rng.normal(size=2000)
        >>> y = np.append(0.0, 0.75 * x[:-1]) + rng.normal(size=2000)  # x drives y: log(1 + 0.75^2) / 2 = 0.22 nats
        >>> there, back = transfer_entropy(x, y, method="gaussian"), transfer_entropy(y, x, method="gaussian")
        >>> round(there.value, 1), abs(back.value) < 0.03
        (0.2, True)
    """
    own = lag if history is None else history
    driver, driven, read, options = _series(x, y, options)
    _check_lag("lag", lag)
    _check_lag("history", own)
    rows, blocks = without_gaps(*stretches(len(driver.values), max(lag, own)), max(lag, own), x, y)
    parts = {
        "x": driven.at([rows]),
        "y": driver.at([rows - k for k in range(1, lag + 1)]),
        "z": driven.at([rows - k for k in range(1, own + 1)]),
    }
    spec = _discrete(x=driven.labels, y=driver.labels * lag, z=driven.labels * own)
    return with_read_columns(estimate(**parts, groups=blocks, discrete=spec, **options), read)


@plain_modes()
def lagged_information(x: Any, y: Any, lags: Iterable[int] = range(4), **options: Any) -> dict[int, Estimate]:
    """``I(X_{t-lag}; Y_t)`` for every lag, all on the same rows of y; stretches of time as in :func:`transfer_entropy`.

    Arguments:
        x: The earlier series, shape (n,) or (n, dx), numbers or states, rows in the order of time.
        y: The later one.
        lags: How many rows x is earlier, zero or more each.
        **options: Of :func:`mine.estimate`; not ``groups``. States are labels, as in :func:`transfer_entropy`.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> x = rng.normal(size=1000)
        >>> estimates = lagged_information(x, np.roll(x, 2) + rng.normal(size=1000), method="gaussian")
        >>> max(estimates, key=lambda lag: estimates[lag].value)
        2
    """
    wanted = list(lags)
    if not wanted:
        raise InputError("lags is empty: pass at least one, for example range(4).")
    for lag in wanted:
        _check_lag("lags", lag, least=0)
    earlier, later, read, options = _series(x, y, options)
    rows, blocks = without_gaps(*stretches(len(earlier.values), max(*wanted, 1)), max(*wanted, 1), x, y)
    spec = _discrete(x=earlier.labels, y=later.labels)
    now = later.at([rows])
    return {
        int(lag): with_read_columns(estimate(earlier.at([rows - lag]), now, groups=blocks, discrete=spec, **options), read)
        for lag in wanted
    }


def stretches(n: int, gap: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows t from ``gap`` on in stretches of time, without the ``gap`` rows in front of each; and the stretch of each.

    A row looks back at most ``gap``, so that rows of two stretches have no value in common.

    >>> rows, stretch = stretches(200, 2)
    >>> int(rows[0]), int(np.diff(rows).max()), len(np.unique(stretch))
    (2, 3, 12)
    """
    count = min(STRETCHES, n // (ROWS_A_GAP * gap))
    if count < FEWEST:
        raise NotEnoughDataError(
            f"{n} rows of a series are too few for a past of {gap}: at least {FEWEST * ROWS_A_GAP * gap} are needed."
        )
    edges = np.linspace(0, n, count + 1).astype(np.int64)
    rows = [np.arange(start + gap, end) for start, end in itertools.pairwise(edges)]
    return np.concatenate(rows), np.repeat(np.arange(count), [len(r) for r in rows])


@dataclass(frozen=True)
class _Series:
    """Columns side by side, ``values`` (n, d), in float64 or, with labels among them, objects; and which are labels."""

    values: np.ndarray
    labels: tuple[bool, ...]

    def at(self, rows: list[np.ndarray]) -> np.ndarray:
        """The columns at each of these rows, side by side."""
        return np.concatenate([self.values[r] for r in rows], 1)


def _series(x: Any, y: Any, options: dict[str, Any]) -> tuple[_Series, _Series, list[ReadColumn], dict[str, Any]]:
    """Both series, their columns of text that were read as numbers, and the options without what was read from them."""
    if "groups" in options:
        raise InputError("groups= is made from the order of time here: leave it out.")
    refuse_weights(options)
    rest = {name: value for name, value in options.items() if name not in ("discrete", "parse")}
    discrete = options.get("discrete")
    (x, y), read = read_texts(options.get("parse", False), discrete, x=x, y=y)
    numbers_only = takes_numbers_only(get_estimator(options.get("method", "auto")))
    if numbers_only and discrete is None:
        discrete = False
    left, right = (_typed(series, name, discrete, numbers_only) for series, name in ((x, "x"), (y, "y")))
    if len(left.values) != len(right.values):
        raise InputError(f"x has {len(left.values)} rows and y has {len(right.values)}: the series must run side by side.")
    return left, right, read, rest


def _typed(data: Any, name: str, discrete: DiscreteSpec, numbers_only: bool) -> _Series:
    """The columns of a series, each of numbers or of the texts of its labels; NaN or None where a value is missing."""
    columns, labels = [], []
    for column_name, column in named_columns(data, name).items():
        missing = missing_values(column)
        settled = settle(column[~missing], column_name, declared_kind(column_name, discrete))
        refused = numbers_only and settled.dtype.kind == "O"  # text, below
        labels.append(len(settled) > 0 and not refused and is_label(settled, column_name, discrete))
        if labels[-1]:
            found = labels_of(settled)
            values = np.full(len(column), None, object)
            values[~missing] = np.array(found.levels, object)[found.codes]
        else:
            values = numbers_with_gaps(column, column_name)
        columns.append(values)
    return _Series(np.stack(columns, 1), tuple(labels))


def _discrete(**labels: tuple[bool, ...]) -> bool | dict[str, bool]:
    """``discrete=`` of the sides' columns under the names that :func:`mine.estimate` gives them."""
    if not any(map(any, labels.values())):
        return False
    names = {side: [side] if len(kinds) == 1 else [f"{side}[{i}]" for i in range(len(kinds))] for side, kinds in labels.items()}
    return {name: kind for side, kinds in labels.items() for name, kind in zip(names[side], kinds, strict=True)}


def _check_lag(name: str, lag: Any, least: int = 1) -> None:
    if not isinstance(lag, (int, np.integer)) or isinstance(lag, bool) or lag < least:
        raise InputError(f"{name} must be an integer of at least {least}, got {lag!r}.")
