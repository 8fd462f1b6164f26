"""What more rows of each level would add: simulated from the fitted model, where the information is known."""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from mine.estimators.counts.entropy import richness
from mine.estimators.levels.classify import left_out_ratios
from mine.estimators.levels.effects import Effects

__all__ = ["population_shares", "remainder"]

#: Rows times levels whose densities one simulation may cost, and the fewest rows that it is worth.
BUDGET, FEWEST_ROWS = 1 << 21, 200


def population_shares(counts: np.ndarray) -> np.ndarray:
    """Shares of the levels of a population like that behind ``counts`` (k,): the seen ones, and an estimate of the others.

    The unseen share is that of the rows whose level was seen once (Good, 1953), spread over as many levels as Chao (1984)
    expects.

    >>> population_shares(np.array([2, 2])), population_shares(np.array([4, 1, 1, 1])).round(2)
    (array([0.5, 0.5]), array([0.33, 0.08, 0.08, 0.08, 0.14, 0.14, 0.14]))
    """
    n = counts.sum()
    unseen = round(richness(counts) - len(counts))
    share = (counts == 1).sum() / n if unseen else 0.0
    return np.concatenate([(1 - share) * counts / n, np.full(unseen, share / max(unseen, 1))])


def remainder(effects: Effects, fitted: Effects, shares: np.ndarray, n: int, rng: np.random.Generator) -> float:
    """Information (nats) of n rows of the model ``effects``, less that which :func:`left_out_ratios` finds by ``fitted``.

    One draw; both are means over the same rows, so that their difference has little noise.
    """
    levels, d = len(shares), len(effects.kappa)
    variance = effects.degrees * effects.scale / rng.chisquare(effects.degrees, (levels, d))
    mean = rng.normal(size=(levels, d)) * np.sqrt(variance / effects.kappa)
    drawn = rng.choice(levels, n, p=shares)
    values = mean[drawn] + rng.normal(size=(n, d)) * np.sqrt(variance[drawn])
    rows = np.arange(n)
    if n * levels > BUDGET:
        rows = rng.choice(n, min(n, max(FEWEST_ROWS, BUDGET // levels)), replace=False)
    known = _true_ratios(values[rows], drawn[rows], mean, variance, shares)
    codes = np.unique(drawn, return_inverse=True)[1].ravel()
    return float((known - left_out_ratios(values, codes, fitted, rows)).mean())


def _true_ratios(
    values: np.ndarray, drawn: np.ndarray, mean: np.ndarray, variance: np.ndarray, shares: np.ndarray
) -> np.ndarray:
    """``log p(value | level) - log p(value)`` of rows (m, d) whose levels ``drawn`` (m,) and all levels' laws are known."""
    table = np.zeros((len(values), len(shares)))
    for j in range(values.shape[1]):
        distance = (values[:, j, None] - mean[:, j]) ** 2
        table -= 0.5 * (np.log(variance[:, j]) + distance / variance[:, j])
    return table[np.arange(len(values)), drawn] - np.asarray(logsumexp(table, axis=1, b=shares))
