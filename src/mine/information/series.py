"""Time series: information at a lag, and transfer entropy; stretches of time never split across folds."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import numpy as np

from mine.api import estimate
from mine.data.sides import number_matrix
from mine.errors import InputError, NotEnoughDataError
from mine.result import Estimate

__all__ = ["lagged_information", "stretches", "transfer_entropy"]

#: Stretches of time that a series is cut into, and the fewest.
STRETCHES, FEWEST = 40, 8
#: Rows of a stretch for one row of the gap, at least.
ROWS_A_GAP = 8


def transfer_entropy(x: Any, y: Any, lag: int = 1, *, history: int | None = None, **options: Any) -> Estimate:
    r"""What the past of x tells about the next y beyond y's own past: ``I(Y_t; X_{t-lag..t-1} | Y_{t-history..t-1})``.

    Rows are in the order of time. They are cut into stretches that stay in one fold and count as one term of the standard
    error; between two stretches as many rows are left out as the past is long, so that no value is on both sides of a split.

    References:
        Schreiber, 2000, 'Measuring information transfer' (doi 10.1103/PhysRevLett.85.461).

    Arguments:
        x: The series that may drive, shape (n,) or (n, dx), numbers.
        y: The series that may be driven, shape (n,) or (n, dy).
        lag: Past values of x, from 1 back.
        history: Past values of y; None takes ``lag``.
        **options: Of :func:`mine.estimate`, for example ``method``, ``unit`` and ``random_state``; not ``groups``.

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
    x, y = _series(x, y, options)
    _check_lag("lag", lag)
    _check_lag("history", own)
    rows, blocks = stretches(len(x), max(lag, own))
    past_x = np.concatenate([x[rows - k] for k in range(1, lag + 1)], 1)
    past_y = np.concatenate([y[rows - k] for k in range(1, own + 1)], 1)
    return estimate(y[rows], past_x, past_y, groups=blocks, **{"discrete": False, **options})


def lagged_information(x: Any, y: Any, lags: Iterable[int] = range(4), **options: Any) -> dict[int, Estimate]:
    """``I(X_{t-lag}; Y_t)`` for every lag, all on the same rows of y; stretches of time as in :func:`transfer_entropy`.

    Arguments:
        x: The earlier series, shape (n,) or (n, dx), numbers, rows in the order of time.
        y: The later one.
        lags: How many rows x is earlier, zero or more each.
        **options: Of :func:`mine.estimate`; not ``groups``.

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
    x, y = _series(x, y, options)
    rows, blocks = stretches(len(x), max(*wanted, 1))
    return {int(lag): estimate(x[rows - lag], y[rows], groups=blocks, **{"discrete": False, **options}) for lag in wanted}


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


def _series(x: Any, y: Any, options: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    if "groups" in options:
        raise InputError("groups= is made from the order of time here: leave it out.")
    left, right = number_matrix(x, "x"), number_matrix(y, "y")
    if len(left) != len(right):
        raise InputError(f"x has {len(left)} rows and y has {len(right)}: the series must run side by side.")
    return left, right


def _check_lag(name: str, lag: Any, least: int = 1) -> None:
    if not isinstance(lag, (int, np.integer)) or isinstance(lag, bool) or lag < least:
        raise InputError(f"{name} must be an integer of at least {least}, got {lag!r}.")
