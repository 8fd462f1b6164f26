"""The entropy of a column of labels, also where many levels were seen only once or not at all."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import digamma

__all__ = ["Entropy", "chao_wang_jost", "miller_madow", "plug_in", "population_entropy", "richness"]

#: Normal quantile of a 95 % interval.
Z = 1.96
#: Doubt about the share of the entropy that is inferred for levels not seen: long tails have more of it.
TAIL_DOUBT = 0.25
#: Least number of pairs of rows of one level that an upper limit assumes where the data have none.
FEWEST_PAIRS = 0.025


@dataclass(frozen=True)
class Entropy:
    """Entropy of a population in nats.

    Attributes:
        value: The estimate.
        stderr: Its standard error.
        upper: Upper end of a 95 % interval; always finite.
    """

    value: float
    stderr: float
    upper: float


def plug_in(counts: np.ndarray) -> float:
    """Entropy of the observed shares.

    >>> round(plug_in(np.array([5, 5])), 6)
    0.693147
    """
    n = int(counts.sum())
    return math.log(n) - float((counts * np.log(counts)).sum()) / n


def miller_madow(counts: np.ndarray) -> float:
    """:func:`plug_in` plus its first-order bias (levels - 1) / 2n (Miller, 1955)."""
    return plug_in(counts) + (len(counts) - 1) / (2 * int(counts.sum()))


def chao_wang_jost(counts: np.ndarray) -> float:
    """Entropy with the levels not seen, inferred from those seen once and twice.

    References:
        Chao, Wang & Jost, 2013 (doi 10.1111/2041-210X.12108), equation 6.
    """
    n = int(counts.sum())
    seen = float((counts * (digamma(n) - digamma(counts))).sum() / n)
    once, twice = int((counts == 1).sum()), int((counts == 2).sum())
    if not once:
        return seen
    a = 2 * twice / ((n - 1) * once + 2 * twice) if twice else 2 / ((n - 1) * (once - 1) + 2)
    if a >= 1:
        return seen
    r = np.arange(1, n)
    remainder = -math.log(a) - float((np.exp(r * math.log1p(-a)) / r).sum())
    return seen + once / n * math.exp((1 - n) * math.log1p(-a)) * max(remainder, 0.0)


def richness(counts: np.ndarray) -> float:
    """Estimated number of levels in the population, seen or not (Chao, 1984, bias-corrected).

    >>> richness(np.array([4, 2, 2])), richness(np.array([4, 1, 1]))
    (3.0, 4.0)
    """
    once, twice = int((counts == 1).sum()), int((counts == 2).sum())
    return len(counts) + once * (once - 1) / (2 * (twice + 1))


def population_entropy(counts: np.ndarray) -> Entropy:
    """Entropy of the population that ``counts`` (k,), rows per level, were drawn from."""
    n = int(counts.sum())
    once, twice = int((counts == 1).sum()), int((counts == 2).sum())
    value = min(chao_wang_jost(counts), math.log(richness(counts)))
    surprise = np.log(n / counts)
    spread = float((counts * surprise**2).sum() / n - ((counts * surprise).sum() / n) ** 2)
    stderr = math.sqrt(
        max(spread, 0.0) / n
        + (len(counts) - 1) / (2 * n**2)  # the second-order term, all there is for uniform levels
        + (once / n) ** 2 * (1 / max(once, 1) + 1 / (twice + 0.5))  # of the ratio of levels seen once and twice
        + (TAIL_DOUBT * max(value - miller_madow(counts), 0.0)) ** 2
    )
    upper = min(value + Z * stderr, math.log(_most_levels(counts)))
    return Entropy(value, stderr, max(upper, value))


def _most_levels(counts: np.ndarray) -> float:
    """Upper 95 % limit of the effective number of levels, from the pairs of rows that share one.

    Among n rows of S equally frequent levels, n (n - 1) / 2S pairs agree on average; unequal levels agree more often. Levels
    that all were seen twice or more leave no others to be expected.
    """
    n = int(counts.sum())
    if not (counts == 1).any():
        return float(len(counts))
    agreeing = float((counts * (counts - 1.0)).sum() / 2)
    from scipy.stats import chi2

    fewest = chi2.ppf(0.025, 2 * agreeing) / 2 if agreeing else 0.0
    by_pairs = n * (n - 1) / (2 * max(float(fewest), FEWEST_PAIRS))
    once, twice = int((counts == 1).sum()), int((counts == 2).sum())
    by_frequency = len(counts) + once * (once + 1) / (2 * max(twice - 2 * math.sqrt(twice), 0.5))
    return max(by_pairs, by_frequency, len(counts))
