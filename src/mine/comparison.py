"""The difference of two estimates: its error from the rows that they share, its interval, and whether it may be zero."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.special import ndtr

from mine.data.problem import clustered_stderr
from mine.data.variable import Variable
from mine.errors import InputError

__all__ = ["Comparison", "Measured", "Paired", "compare", "fingerprints", "row_differences"]

#: Whether two estimates come from the same rows: ``"auto"`` asks the fingerprints of their sides.
Paired: TypeAlias = bool | Literal["auto"]
#: Standard errors to either end of a 95 % interval.
Z = 1.96
#: Numbers of a side that are copied at a time for its fingerprint.
AT_A_TIME = 1 << 20


class Measured(Protocol):
    """What a comparison needs of an :class:`mine.Estimate`; see there."""

    @property
    def value(self) -> float: ...
    @property
    def stderr(self) -> float: ...
    @property
    def interval(self) -> tuple[float, float]: ...
    @property
    def method(self) -> str: ...
    @property
    def n(self) -> int: ...
    @property
    def diagnostics(self) -> dict[str, Any]: ...
    @property
    def warnings(self) -> list[str]: ...
    @property
    def contributions(self) -> np.ndarray | None: ...
    @property
    def groups(self) -> np.ndarray | None: ...
    @property
    def sides(self) -> tuple[str, ...]: ...


@dataclass(frozen=True)
class Comparison:
    """``first - second``, in the unit of both.

    Attributes:
        value: The difference of the values.
        stderr: Its standard error from sampling.
        interval: 95 % interval of the true difference.
        p_value: Two-sided p-value of no difference: at most 0.05 exactly if ``interval`` does not contain 0.
        n: Rows that both used, or of both together if they are independent.
        contributions: Difference of each row's contributions, shape (n,), or None.
        groups: Integer label of the unit of each row, shape (n,), or None.
        diagnostics: How the rows were matched, and what to be careful about.
    """

    value: float
    stderr: float
    interval: tuple[float, float]
    p_value: float
    n: int
    contributions: np.ndarray | None
    groups: np.ndarray | None
    diagnostics: dict[str, Any]


def compare(first: Measured, second: Measured, paired: Paired) -> Comparison:
    """Subtract the estimate ``second`` from ``first``, both in one unit.

    The sampling errors of estimates on the same rows are correlated. Their correlation is that of the rows' contributions,
    since the log-ratio of a row is its first-order influence on every efficient estimate of information. Without
    contributions, or if nothing shows whether the rows are the same, the standard error is the sum of the two: the largest
    that any correlation allows. What the two intervals contain beyond sampling error (bias correction, misfit, few rows) is
    not assumed to cancel.

    Arguments:
        first: An estimate.
        second: Another one.
        paired: Whether both come from the same rows, in the same order. ``"auto"`` pairs estimates that share a side.

    Raises:
        InputError: Unknown ``paired``, or ``paired=True`` for estimates of different numbers of rows.
    """
    same_rows = _same_rows(first, second, paired)
    covariance = _covariance(first, second) if same_rows else None
    if same_rows is False:
        stderr = math.hypot(first.stderr, second.stderr)
    elif covariance is None:
        stderr = first.stderr + second.stderr
    else:
        stderr = math.sqrt(max(first.stderr**2 + second.stderr**2 - 2 * covariance, 0.0))
    value = first.value - second.value
    interval = _interval(value, stderr, first, second)
    return Comparison(
        value, stderr, interval, _p_value(value, interval),
        n=first.n + second.n if same_rows is False else max(first.n, second.n),
        contributions=row_differences(first, second) if same_rows else None,
        groups=_joint_groups(first.groups, second.groups) if same_rows else None,
        diagnostics={
            "basis": "difference of two estimates",
            "paired": same_rows,
            "correlation": covariance / (first.stderr * second.stderr) if covariance else covariance,
            "unidentifiable": any(e.diagnostics.get("unidentifiable", False) for e in (first, second)),
            "saturated": any(math.isinf(e.interval[1]) for e in (first, second)),
            "warnings": _warnings(first, second, same_rows, covariance),
        },
    )  # fmt: skip


def fingerprints(*sides: Variable) -> tuple[str, ...]:
    """A fingerprint of the values of each side in the order of its rows; none of a side that is read from a file in parts.

    Names and the text of labels do not matter, so that the same column under another name is recognised.
    """
    out = []
    for side in sides:
        if isinstance(side.continuous, np.ndarray):
            digest = blake2b(repr((side.continuous.shape, side.discrete.shape)).encode(), digest_size=16)
            rows = max(1, AT_A_TIME // max(side.n_continuous, 1))
            for start in range(0, len(side), rows):
                digest.update((side.continuous[start : start + rows] + 0.0).tobytes())  # -0.0 and 0.0 are one value
            digest.update(side.discrete.tobytes())
            out.append(digest.hexdigest())
    return tuple(out)


def row_differences(first: Measured, second: Measured) -> np.ndarray | None:
    """Contribution of each row to ``first - second``, shape (n,); None unless both have contributions of as many rows."""
    a, b = first.contributions, second.contributions
    return None if a is None or b is None or len(a) != len(b) else a - b


# === the rows ===


def _same_rows(first: Measured, second: Measured, paired: Paired) -> bool | None:
    """Whether both come from the same rows; None if nothing shows it."""
    if paired not in (True, False, "auto"):
        raise InputError(f"paired must be True, False or 'auto', got {paired!r}.")
    shared = _share_a_side(first, second)
    if paired == "auto":
        return True if shared else None
    if paired and first.n != second.n and not shared:
        raise InputError(
            f"paired=True needs estimates on the same rows, but one is of {first.n:,} rows and the other of {second.n:,}. "
            "Estimate both on the rows that are complete in all columns, or pass paired=False if they have no row in common."
        )
    return bool(paired)


def _share_a_side(first: Measured, second: Measured) -> bool:
    return bool(set(first.sides) & set(second.sides))


def _covariance(first: Measured, second: Measured) -> float | None:
    """Covariance of the two values on the same rows, or None without contributions of the same rows.

    A standard error may contain more than the rows' spread (the noise of shuffled pairs): that part is not shared.
    """
    a, b = first.contributions, second.contributions
    if a is None or b is None or len(a) != len(b):
        return None
    groups = _joint_groups(first.groups, second.groups)
    spread = [clustered_stderr(rows, groups) for rows in (a, b)]
    if min(spread) == 0 or not all(map(math.isfinite, spread)):
        return 0.0 if min(spread) == 0 else None
    # Scaled, so that neither outweighs the other: var(u + v) - var(u - v) = 4 cov(u, v).
    u, v = a / spread[0], b / spread[1]
    correlation = (clustered_stderr(u + v, groups) ** 2 - clustered_stderr(u - v, groups) ** 2) / 4
    if correlation > 0:
        return correlation * min(first.stderr, spread[0]) * min(second.stderr, spread[1])
    return correlation * first.stderr * second.stderr


def _joint_groups(a: np.ndarray | None, b: np.ndarray | None) -> np.ndarray | None:
    """Units within which rows are dependent in either estimate: groups that share a row are one.

    >>> _joint_groups(np.array([0, 0, 1, 2]), np.array([0, 1, 1, 2]))
    array([0, 0, 0, 1])
    """
    if a is None or b is None:
        return b if a is None else a
    (codes_a, codes_b) = (np.unique(codes, return_inverse=True)[1].ravel() for codes in (a, b))
    n_a = int(codes_a.max()) + 1
    size = n_a + int(codes_b.max()) + 1
    links = coo_array((np.ones(len(codes_a)), (codes_a, n_a + codes_b)), shape=(size, size))
    return connected_components(links, directed=False)[1][codes_a].astype(np.int64)


# === the interval ===


def _interval(value: float, stderr: float, first: Measured, second: Measured) -> tuple[float, float]:
    """Sampling error, and what either interval contains beyond its own sampling error."""
    if not math.isfinite(stderr):
        return -math.inf, math.inf
    low = value - math.hypot(Z * stderr, _beyond(first, 0), _beyond(second, 1))
    high = value + math.hypot(Z * stderr, _beyond(first, 1), _beyond(second, 0))
    return low, high


def _beyond(estimate: Measured, end: int) -> float:
    """How far the lower (0) or upper (1) end of the interval is beyond sampling error, infinite for an open end."""
    reach = abs(estimate.interval[end] - estimate.value)
    return math.sqrt(max(reach**2 - (Z * estimate.stderr) ** 2, 0.0))


def _p_value(value: float, interval: tuple[float, float]) -> float:
    """Two-sided, from the end of the interval that faces 0."""
    reach = value - interval[0] if value > 0 else interval[1] - value
    if not math.isfinite(reach) or value == 0:
        return 1.0
    return float(2 * ndtr(-Z * abs(value) / reach)) if reach else 0.0


# === the sentences ===


def _warnings(first: Measured, second: Measured, same_rows: bool | None, covariance: float | None) -> list[str]:
    """Sentences to read before quoting the difference, those of the two estimates last."""
    out: list[str] = []
    if any(e.diagnostics.get("unidentifiable", False) for e in (first, second)):
        out.append("The information with an identifier cannot be known, and neither can a difference from it.")
    if any(math.isinf(e.interval[1]) for e in (first, second)):
        which = _listed([name for name, e in _named(first, second) if math.isinf(e.interval[1])])
        out.append(f"The {which} estimate has no upper limit, so the difference is open at that end.")
    if same_rows is None:
        out.append(
            "Nothing shows whether both estimates come from the same rows: the standard error is the largest that is "
            "possible. Pass paired=True if they do, paired=False if they have no row in common."
        )
    elif same_rows and covariance is None:
        methods = _listed(sorted({e.method for e in (first, second) if e.contributions is None})) or "either method"
        out.append(
            f"The contribution of each row is not known for {methods}: the standard error is the largest that is possible on "
            "the same rows."
        )
    elif same_rows is False and _share_a_side(first, second):
        out.append("Both estimates use the same values of one side, yet paired=False treats them as independent.")
    if first.method != second.method:
        out.append(f"The methods differ ({first.method} and {second.method}): their own errors are part of the difference.")
    return out + [f"{name.capitalize()}: {warning}" for name, e in _named(first, second) for warning in e.warnings]


def _named(first: Measured, second: Measured) -> list[tuple[str, Measured]]:
    return [("first", first), ("second", second)]


def _listed(words: Sequence[str]) -> str:
    return " and ".join(words)
