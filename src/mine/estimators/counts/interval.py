"""The 95 % interval of an estimate from counts: sampling, chance, unseen levels, rare exceptions and doubt."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import chndtrinc

__all__ = ["Errors", "effective_rows", "interval", "noncentrality", "tilt"]

Z = 1.96
#: Exceptions to a deterministic relation that a table without any may hide.
HIDDEN_EXCEPTIONS = 0.5


@dataclass(frozen=True)
class Errors:
    """What an interval is made of, in nats.

    Attributes:
        stderr: First-order standard error of the value.
        tilt: Share by which that error reaches farther down than up; see :func:`tilt`.
        limit_stderr: Standard error of the entropy that limits the value, times the share of it that is explained.
        ceiling: Upper limit of that entropy.
        entropy: Its estimate.
        rows: Effective number of rows.
        degrees: Degrees of freedom of independence.
        explained: Share of the entropy explained, from 0 (independent) to 1 (a function).
        repeats: Rows beyond the first of each level: each could have shown that the relation is no function.
        above: How far the truth may lie above the value because candidates differ.
        below: How far it may lie below.
        signed: Whether the value may be negative by sampling error, as an unbiased one is.
    """

    stderr: float
    limit_stderr: float
    ceiling: float
    entropy: float
    rows: float
    degrees: int
    explained: float
    repeats: float
    above: float = 0.0
    below: float = 0.0
    signed: bool = False
    tilt: float = 0.0


def interval(value: float, errors: Errors) -> tuple[float, float]:
    """Both ends of the 95 % interval around ``value``.

    Near independence 2 n I is a noncentral chi-square variable; away from it the first-order error rules. The lower end
    reaches 0 whenever chance alone explains the value.
    """
    statistic = max(2 * errors.rows * value + errors.degrees, 0.2 * errors.degrees)
    far = 1 - errors.explained
    most, least = (noncentrality(statistic, errors.degrees, p) / (2 * errors.rows) for p in (0.025, 0.975))
    first_order = max(Z * errors.stderr, Z * errors.limit_stderr)
    up = math.hypot(max(first_order, far * (most - value)), errors.above)
    first_order += errors.tilt * Z * errors.stderr
    down = math.hypot(max(first_order, far * (value - least)), errors.below, _hidden_exceptions(errors))
    low, high = value - down, value + up
    if not errors.signed:
        low = max(low, 0.0)
    if least == 0:
        low = min(low, 0.0)
    return min(low, value), max(min(high, errors.ceiling), value)


def noncentrality(statistic: float, degrees: int, probability: float) -> float:
    """The noncentrality at which a chi-square variable falls below ``statistic`` with this probability, at least 0.

    >>> round(noncentrality(10.0, 1, 0.5), 1), noncentrality(0.1, 1, 0.5)
    (10.0, 0.0)
    """
    from scipy.stats import chi2

    if chi2.cdf(statistic, degrees) <= probability:
        return 0.0
    if degrees < 2000 and statistic < 5000:
        exact = float(chndtrinc(statistic, degrees, probability))
        if math.isfinite(exact):
            return exact
    z = Z if probability < 0.5 else -Z  # (nc - b)^2 = 2 z^2 (degrees + 2 nc), b the statistic's excess
    excess = statistic - degrees
    half = excess + 2 * z * z
    root = math.sqrt(max(half * half - excess * excess + 2 * z * z * degrees, 0.0))
    return max(half + math.copysign(root, z), 0.0)


def tilt(contributions: np.ndarray, rows: float) -> float:
    """By what share the interval of a mean reaches farther down, since a few ``contributions`` (n,) are far below the others.

    A nearly deterministic relation has few exceptions, each of a large negative log-ratio. Where chance left some of them out,
    the value is too high and its standard error too small at once.

    Arguments:
        contributions: Whose mean it is.
        rows: How many independent rows they are worth.

    References:
        Hall, 1992, 'On the removal of skewness by transformation' (JRSS B 54), eq. 2.1: the first term.

    >>> tilt(np.arange(9.0), 9), round(tilt(np.r_[np.full(9, 0.5), -1.6], 10), 2)
    (0.0, 0.62)
    """
    centered = contributions - contributions.mean()
    spread = float((centered**2).mean())
    if not spread:
        return 0.0
    skewness = float((centered**3).mean()) / spread**1.5
    return min(1.0, max(0.0, -skewness) * (1 + 2 * Z * Z) / (6 * Z * math.sqrt(rows)))


def effective_rows(n: int, groups: np.ndarray | None) -> float:
    """Independent rows that ``n`` rows in groups are worth at least: n^2 / sum of squared group sizes (Kish, 1965).

    >>> effective_rows(6, np.array([0, 0, 1, 1, 2, 2]))
    3.0
    """
    if groups is None:
        return float(n)
    sizes = np.unique(groups, return_counts=True)[1]
    return float(n) ** 2 / float((sizes.astype(float) ** 2).sum())


def _hidden_exceptions(errors: Errors) -> float:
    """Information lost if a few rows in ``repeats`` are exceptions that happened not to be drawn."""
    rate = min(HIDDEN_EXCEPTIONS / max(errors.repeats, 1.0), 0.5)
    lost = -rate * math.log(rate) - (1 - rate) * math.log1p(-rate) + rate * errors.entropy
    return errors.explained**2 * lost
