"""Test given a third variable, with labels on a side: products of what z leaves of either side, and their signs flipped."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from mine.conditional.given import predictions, residuals
from mine.conditional.propensity import label_probabilities
from mine.data.kernels import KernelFeatures, coordinates, pair_weights, strongest
from mine.data.variable import Variable, present_codes

__all__ = ["product_statistics"]

#: Levels of a side that are told apart: the rarest of more count as one.
MOST_LEVELS = 10
#: Functions of z by which products are weighted, and what a constant weight counts beside all of them.
Z_FUNCTIONS, CONSTANT_COUNTS = 8, 0.7
#: Numbers that the products of some of the columns may fill.
AT_A_TIME = 1 << 24


def product_statistics(
    x: Variable, y: Variable, z: np.ndarray, groups: np.ndarray | None, n_flips: int, seeds: list[int]
) -> np.ndarray:
    """Statistics of the products as they are and with signs flipped at random, shape (1 + n_flips,).

    Each side becomes features less their expectation given z: indicators of labels less the probabilities of a classifier,
    functions of numbers less a regression. Given z, the products of two sides' features have mean zero if x and y are
    independent, and the errors of the two regressions enter as their product only. The statistic is the sum of squares of
    the sums of products, also weighted by functions of z. A row's, or a group's, products change their sign together: their law
    is nearly that of the sums under independence, whatever values a residual takes.

    References:
        Shah & Peters, 2020, 'The hardness of conditional independence testing and the generalised covariance measure' (arXiv
        1804.07203); Scheidegger, Hoerrmann & Buehlmann, 2022, 'The weighted generalised covariance measure' (arXiv 2111.04361);
        Wu, 1986, and Liu, 1988, for the wild bootstrap.

    Arguments:
        x: The first side.
        y: The second; labels are on one side at least.
        z: Coordinates of the third variable, shape (n, dz).
        groups: Integer label of the unit of each row, shape (n,), or None.
        n_flips: Number of random signs of all units.
        seeds: Three seeds: of the regressions, of the kernels, of the signs.
    """
    sides = [_left_by(side, z, groups, seeds) for side in (x, y)]
    left, right = sorted(sides, key=lambda features: features.values.shape[1])
    left = _weighted_by_z(left, z, seeds[1])
    units = np.arange(len(z)) if groups is None else np.unique(groups, return_inverse=True)[1].ravel()
    signs = _signs(int(units.max()) + 1, n_flips, seeds[2])
    statistics = np.zeros((1 + n_flips, left.n_kernels, right.n_kernels))
    for products, kernels in _sums_of_products(left, right, units):
        squares = (signs @ products).square().double().numpy()
        pairs = np.ravel_multi_index(kernels, statistics.shape[1:])
        flat = statistics.reshape(1 + n_flips, -1)
        for pair in np.unique(pairs):
            flat[:, pair] += squares[:, pairs == pair].sum(1)
    return strongest(statistics, pair_weights(left, right))


def _left_by(side: Variable, z: np.ndarray, groups: np.ndarray | None, seeds: list[int]) -> KernelFeatures:
    """Features of a side less what z predicts of them."""
    if not side.n_continuous:
        labels = _merged(side.row_ids())
        left = np.eye(labels.max() + 1)[labels] - label_probabilities(labels, z, groups, seeds[0])
        left /= np.maximum(left.std(0), 1e-12) * left.shape[1] ** 0.5
        return KernelFeatures(left.astype(np.float32), np.zeros(left.shape[1], np.int64), np.ones(1))
    scores = coordinates(side)
    numbers = residuals(scores[:, : side.n_continuous], z, groups, seeds[0])
    features = KernelFeatures.fit([np.concatenate([numbers, scores[:, side.n_continuous :]], 1)], seeds[1])
    values = features.values.astype(np.float64)
    left = values - predictions(values, z, groups, seeds[0])
    return KernelFeatures(left.astype(np.float32), features.kernel, features.weights)


def _merged(codes: np.ndarray) -> np.ndarray:
    """Codes (n,) from 0 of the most frequent levels, all others as one."""
    codes = present_codes(codes)
    counts = np.bincount(codes)
    if len(counts) <= MOST_LEVELS:
        return codes
    rank = np.empty(len(counts), np.int64)
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
    return np.minimum(rank, MOST_LEVELS - 1)[codes]


def _weighted_by_z(features: KernelFeatures, z: np.ndarray, seed: int) -> KernelFeatures:
    """The features, and once more each times smooth functions of z: a dependence may turn with z."""
    of_z = KernelFeatures.fit([z], seed)
    functions = of_z.values[:, of_z.kernel == min(1, of_z.n_kernels - 1)][:, :Z_FUNCTIONS]
    turned = (features.values[:, :, None] * functions[:, None, :]).reshape(len(z), -1)
    return KernelFeatures(
        np.concatenate([features.values, turned], 1),
        np.concatenate([features.kernel, features.n_kernels + np.repeat(features.kernel, functions.shape[1])]),
        np.concatenate([CONSTANT_COUNTS * features.weights, (1 - CONSTANT_COUNTS) * features.weights]),
    )


def _signs(units: int, n_flips: int, seed: int) -> torch.Tensor:
    """Plus or minus one for every unit, shape (1 + n_flips, units); the first row is all ones."""
    drawn = np.random.default_rng(seed).integers(0, 2, (n_flips, units), dtype=np.int8)
    return torch.as_tensor(np.concatenate([np.ones((1, units), np.int8), 2 * drawn - 1])).float()


def _sums_of_products(
    left: KernelFeatures, right: KernelFeatures, units: np.ndarray
) -> Iterator[tuple[torch.Tensor, tuple[np.ndarray, np.ndarray]]]:
    """Products of some columns of either side summed over each unit, shape (units, p), and the kernels of both, shape (p,)."""
    n, width = right.values.shape
    n_units = int(units.max()) + 1
    other, unit = torch.as_tensor(right.values), torch.as_tensor(units)
    step = max(1, AT_A_TIME // (n * width))
    for start in range(0, left.values.shape[1], step):
        columns = torch.as_tensor(left.values[:, start : start + step])
        products = (columns[:, :, None] * other[:, None, :]).flatten(1)
        if n_units < n:
            products = torch.zeros(n_units, products.shape[1]).index_add_(0, unit, products)
        kernels = np.repeat(left.kernel[start : start + step], width), np.tile(right.kernel, columns.shape[1])
        yield products, kernels
