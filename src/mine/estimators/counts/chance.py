"""The information that two independent columns of labels show by chance."""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

from mine.estimators.counts.table import Margin

__all__ = ["expected_by_chance"]

#: Expected counts above this one take a series in place of the sum.
SERIES_FROM = 200
#: Standard deviations on both sides of the mean that the sum covers.
RANGE = 10


def expected_by_chance(x: Margin, y: Margin) -> float:
    """Mean plug-in information (nats) over all pairings of the two columns, each equally likely.

    A cell's count is then hypergeometric. Cells with equal margins share a term, so that the cost depends on the number of
    different counts and not on the number of levels.

    References:
        Vinh, Epps & Bailey, 2010, 'Information theoretic measures for clusterings comparison', theorem 4: the expected
        information in the adjusted mutual information.

    >>> round(expected_by_chance(Margin.of(np.array([1, 1])), Margin.of(np.array([1, 1]))), 6)  # always one-to-one: log 2
    0.693147
    """
    n = int(x.counts.sum())
    log_factorial = gammaln(np.arange(n + 2) + 1.0)
    log = np.log(np.maximum(np.arange(n + 1), 1))
    total = 0.0
    for a, times in zip(x.sizes, x.weights, strict=True):
        b, b_times = y.sizes, y.weights
        mean = a * b / n
        many = mean > SERIES_FROM
        total += times * float((b_times[many] * _series(a, b[many], n)).sum())
        b, b_times, mean = b[~many], b_times[~many], mean[~many]
        spread = RANGE * (np.sqrt(mean) + 1)
        low = np.maximum(np.maximum(1, a + b - n), np.floor(mean - spread)).astype(np.int64)
        high = np.minimum(np.minimum(a, b), np.ceil(mean + spread)).astype(np.int64)
        lengths = np.maximum(high - low + 1, 0)
        place = np.repeat(np.arange(len(b)), lengths)
        k = low[place] + np.arange(len(place)) - (np.cumsum(lengths) - lengths)[place]
        b_of = b[place]
        log_p = (
            log_factorial[a] + log_factorial[b_of] + log_factorial[n - a] + log_factorial[n - b_of] - log_factorial[n]
            - log_factorial[k] - log_factorial[a - k] - log_factorial[b_of - k] - log_factorial[n - a - b_of + k]
        )  # fmt: skip
        total += times * float((b_times[place] * np.exp(log_p) * k * (log[n] + log[k] - log[a] - log[b_of])).sum())
    return float(total / n)


def _series(a: int, b: np.ndarray, n: int) -> np.ndarray:
    """E[k log(k / m)] of a hypergeometric count k with mean m, by its moments: three terms of the series about m."""
    p, q = b / n, a / n
    mean = a * p
    variance = mean * (1 - p) * (1 - q) * n / max(n - 1, 1)
    third = variance * (1 - 2 * p) * (1 - 2 * q) * n / max(n - 2, 1)
    return variance / (2 * mean) - third / (6 * mean**2) + 3 * variance**2 / (12 * mean**3)
