"""Empirical Bayes for sparse tables: the ratios p(x, y) / p(x) p(y) of cells, occupied or empty, share a distribution."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mine.estimators.counts.table import Table

__all__ = ["RatioFit", "fit_ratios", "mixing_weights"]

#: Steps of the logarithm between the ratios tried, and between the groups of expected counts.
RATIO_STEP, EXPECTED_STEP = 0.15, 0.15
#: Smallest ratio tried beside 0, which stands for a cell that cannot occur.
SMALLEST_RATIO, NO_RATIO = 0.02, 1e-9
#: A cell of so many rows needs no prior.
SURE_COUNT = 50


@dataclass(frozen=True)
class RatioFit:
    """What the counts say about the ratios.

    Attributes:
        value: Mutual information in nats.
        log_ratios: log p(x, y) / p(x) p(y) of each occupied cell, shape (m,).
        log_likelihood: Of all counts under the fitted mixtures, up to a constant of the table.
    """

    value: float
    log_ratios: np.ndarray
    log_likelihood: float


def fit_ratios(table: Table, bands: np.ndarray | None = None) -> RatioFit:
    """Mutual information by the nonparametric maximum-likelihood mixture of Poisson counts.

    A cell with e expected rows has Poisson(r e) rows, r its ratio. The distribution of r over cells maximises the likelihood
    of all counts, zeros included; each cell's r log r is then its posterior mean. Independent columns get all r = 1; a noisy
    copy of equally frequent levels gets two values of r, whatever their number. Each level's conditional distribution is
    normalised.

    Arguments:
        table: The counts.
        bands: The band of the cells of each pair of groups of levels, shape (groups of x, groups of y), counted from 0: each
            band has a distribution of its own. None for one band.

    References:
        Kiefer & Wolfowitz, 1956 (the estimator); Robbins, 1956 (empirical Bayes); Wang, 2007 (the algorithm).
    """
    bands = np.zeros((len(table.x.sizes), len(table.y.sizes)), np.int64) if bands is None else bands
    occupied, empty = _occupied(table, bands), _empty(table, bands)
    ratios = _ratio_grid(table)
    expected = np.concatenate([occupied.expected, empty.expected])
    counts = np.concatenate([occupied.counts, np.zeros(len(empty.expected))])
    weights = np.concatenate([occupied.weights, empty.weights])
    band = np.concatenate([occupied.band, empty.band])
    mean, mean_log, log_likelihood = np.empty(len(band)), np.empty(len(band)), 0.0
    for one in range(int(bands.max()) + 1):
        inside = band == one
        if not inside.any():
            continue
        mean[inside], mean_log[inside], likelihood = _posterior(expected[inside], counts[inside], weights[inside], ratios)
        log_likelihood += likelihood

    m = len(occupied.expected)
    ratio, term = mean[:m][occupied.group], mean_log[:m][occupied.group]
    e, sure = table.expected, table.counts >= SURE_COUNT
    plain = table.counts / e
    ratio = np.where(sure, plain, ratio)
    term = np.where(sure, plain * np.log(plain) - 0.5 / e, term)  # the second-order bias of a Poisson count's c log c

    empty_ratio, empty_term = np.zeros(empty.n_bins), np.zeros(empty.n_bins)
    empty_ratio[empty.bins], empty_term[empty.bins] = mean[m:], mean_log[m:]
    by_x = _conditional(table, empty, ratio, term, empty_ratio, empty_term)
    by_y = _conditional(table.transposed(), empty.transposed(), ratio, term, empty_ratio, empty_term)
    return RatioFit(0.5 * (by_x + by_y), np.log(np.maximum(ratio, NO_RATIO)), log_likelihood)


def _posterior(
    expected: np.ndarray, counts: np.ndarray, weights: np.ndarray, ratios: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """Posterior means of r and of r log r of groups of cells that share a mixture, and its log-likelihood."""
    rate = expected[:, None] * ratios
    log_likelihood = counts[:, None] * np.log(rate) - rate
    largest = log_likelihood.max(1)
    likelihood = np.exp(log_likelihood - largest[:, None])
    posterior = likelihood * mixing_weights(likelihood, weights, start=int(np.argmin(np.abs(ratios - 1))))
    total = posterior.sum(1)
    posterior /= total[:, None]
    return posterior @ ratios, posterior @ (ratios * np.log(ratios)), float(weights @ (np.log(total) + largest))


@dataclass(frozen=True)
class _Occupied:
    """Groups of occupied cells of one band, with the same count and nearly the same expected count.

    ``group`` (m,) maps cells to them.
    """

    expected: np.ndarray
    counts: np.ndarray
    weights: np.ndarray
    band: np.ndarray
    group: np.ndarray


@dataclass(frozen=True)
class _Empty:
    """Groups of empty cells of one band, with nearly the same expected count.

    Attributes:
        expected: Mean expected count of each group, shape (g,).
        weights: Number of empty cells in each group, shape (g,).
        band: The band of each group, shape (g,).
        bins: The bin of each group, shape (g,).
        n_bins: Number of bins, those without empty cells included.
        bin_of: Bin of the cells of each pair of groups of levels, shape (groups of x, groups of y).
        products: Expected count of one cell of each pair of groups of levels, same shape.
        cell_bin: Bin of each occupied cell, shape (m,).
    """

    expected: np.ndarray
    weights: np.ndarray
    band: np.ndarray
    bins: np.ndarray
    n_bins: int
    bin_of: np.ndarray
    products: np.ndarray
    cell_bin: np.ndarray

    def transposed(self) -> _Empty:
        return _Empty(
            self.expected, self.weights, self.band, self.bins, self.n_bins, self.bin_of.T, self.products.T, self.cell_bin
        )


def _occupied(table: Table, bands: np.ndarray) -> _Occupied:
    e, band = table.expected, bands[table.x.group[table.row], table.y.group[table.column]]
    step = np.rint(np.log(e) / EXPECTED_STEP).astype(np.int64)
    step -= step.min()
    n_steps = int(step.max()) + 1
    key = (band * n_steps + step) * (table.n + 1) + table.counts
    keys, group, weights = np.unique(key, return_inverse=True, return_counts=True)
    of_group = keys // (table.n + 1) // n_steps
    return _Occupied(np.bincount(group, e) / weights, keys % (table.n + 1), weights.astype(float), of_group, group)


def _empty(table: Table, bands: np.ndarray) -> _Empty:
    products = np.outer(table.x.sizes, table.y.sizes) / table.n
    cells = np.outer(table.x.weights, table.y.weights).astype(float)
    bin_of = np.rint(np.log(products) / EXPECTED_STEP).astype(np.int64)
    bin_of -= bin_of.min()
    per_band = int(bin_of.max()) + 1
    bin_of += per_band * bands
    n_bins = int(bin_of.max()) + 1
    cell_bin = bin_of[table.x.group[table.row], table.y.group[table.column]]
    number = np.bincount(bin_of.ravel(), cells.ravel(), n_bins) - np.bincount(cell_bin, minlength=n_bins)
    mass = np.bincount(bin_of.ravel(), (cells * products).ravel(), n_bins)
    bins = np.flatnonzero(number > 0.5)
    per_cell = mass[bins] / np.bincount(bin_of.ravel(), cells.ravel(), n_bins)[bins]
    return _Empty(per_cell, number[bins], bins // per_band, bins, n_bins, bin_of, products, cell_bin)


def _ratio_grid(table: Table) -> np.ndarray:
    largest = max(1.3 * float((table.counts / table.expected).max()), 2.0)
    steps = int(math.log(largest / SMALLEST_RATIO) / RATIO_STEP) + 2
    return np.unique(np.concatenate([[NO_RATIO, 1.0], np.geomspace(SMALLEST_RATIO, largest, steps)]))


def mixing_weights(likelihood: np.ndarray, weights: np.ndarray, start: int, n_steps: int = 40) -> np.ndarray:
    """Weights (k,) of the components that maximise ``weights @ log(likelihood @ result)``.

    Arguments:
        likelihood: Of each observation under each component, shape (m, k), the largest in each row 1.
        weights: How often each observation was made, shape (m,).
        start: The component that half of the initial weight lies on.
        n_steps: Maximum number of Newton steps, each followed by one of expectation and maximisation.

    >>> mixing_weights(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([3.0, 1.0]), start=0).round(6)
    array([0.75, 0.25])
    """
    from scipy.optimize import nnls

    k = likelihood.shape[1]
    share = weights / weights.sum()
    root = np.sqrt(share)
    pi = np.full(k, 0.5 / k)
    pi[start] += 0.5
    objective = float(share @ np.log(likelihood @ pi))
    for _ in range(n_steps):
        scaled = likelihood / (likelihood @ pi)[:, None]
        gradient = share @ scaled
        if gradient.max() < 1 + 1e-6:
            break
        # The quadratic model of the log-likelihood; the last row keeps the weights' sum near 1.
        design = np.vstack([scaled * root[:, None], np.full(k, 100.0)])
        try:
            target = nnls(design, np.append(2 * root, 100.0), maxiter=20 * k)[0]
        except RuntimeError:  # no convergence: the EM step alone still ascends
            target = pi
        target = np.maximum(target / max(target.sum(), 1e-12), 1e-10)
        best, step = pi, 1.0
        while step > 1e-3:
            candidate = pi + step * (target / target.sum() - pi)
            if float(share @ np.log(likelihood @ candidate)) > objective:
                best = candidate
                break
            step /= 2
        fitted = likelihood @ best
        pi = best * ((share / fitted) @ likelihood)
        pi = np.maximum(pi, 1e-12)
        pi /= pi.sum()
        before, objective = objective, float(share @ np.log(likelihood @ pi))
        if objective - before < 1e-9:
            break
    return pi


def _conditional(
    table: Table, empty: _Empty, ratio: np.ndarray, term: np.ndarray, empty_ratio: np.ndarray, empty_term: np.ndarray
) -> float:
    """Information with p(y | x) of each level of x scaled to sum to 1.

    Scaling the ratios of a level by 1 / s makes its part ``sum e r log r / s - log s``.
    """
    e, group = table.expected, table.x.group
    n_levels = len(table.x)
    of_empties = [((empty.products * values[empty.bin_of]) @ table.y.weights)[group] for values in (empty_ratio, empty_term)]
    sums = [
        np.maximum(everywhere + np.bincount(table.row, e * (seen - unseen[empty.cell_bin]), n_levels), low)
        for everywhere, seen, unseen, low in zip(
            of_empties, (ratio, term), (empty_ratio, empty_term), (1e-12, -math.inf), strict=True
        )
    ]
    scale = sums[0] / table.x.counts
    share = table.x.counts / table.n
    return float((share * (sums[1] / table.x.counts / scale - np.log(scale))).sum())
