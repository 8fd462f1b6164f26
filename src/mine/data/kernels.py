r"""Critics in closed form, fitted anew for every permutation: independence seen at several scales at once.

In features ``phi(x)``, ``psi(y)`` of two kernels the critic ``phi(x)^T C psi(y)`` with ``C`` the cross-covariance of the rows
is the witness function of the Hilbert-Schmidt criterion, and its mean over joint minus shuffled pairs is ``|C|^2``. It costs a
matrix product to fit, so that it can be refitted for every permutation on all rows: nothing is held back for training.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial.distance import cdist
from scipy.special import gammaincc

from mine.data.preprocessing import rank_gaussianize
from mine.data.variable import Variable, present_codes

__all__ = ["KernelFeatures", "coordinates", "kernel_statistics", "pair_weights", "strongest"]

#: Bandwidths as multiples of the median distance between rows.
SCALES = (3.0, 1.0, 0.3, 0.08)
#: What each of them counts: coarse shapes are the likelier ones, and what a scale gains by its weight the others lose.
WEIGHTS = (0.7, 0.17, 0.08, 0.05)
#: Two kernels of the median distance count more than the product of their weights: that pair is the usual test.
MIDDLE, MIDDLE_COUNTS = 1, 4.0
#: Rows that span the features, most features a kernel, and the share of a kernel's variance that they must reach.
LANDMARKS, MOST_FEATURES, SHARE = 120, 48, 0.99


@dataclass(frozen=True)
class KernelFeatures:
    """Centred features of several kernels side by side.

    Attributes:
        values: The features, shape (n, p).
        kernel: Number of the kernel that each belongs to, rising, shape (p,).
        weights: What each kernel counts, shape (kernels,).
    """

    values: np.ndarray
    kernel: np.ndarray
    weights: np.ndarray

    @property
    def n_kernels(self) -> int:
        return int(self.kernel[-1]) + 1

    @classmethod
    def fit(cls, spaces: Iterable[np.ndarray], seed: int) -> KernelFeatures:
        """Gaussian kernels at every scale, of each of ``spaces`` (n, d): coordinates in which rows are near or far."""
        rng = np.random.default_rng(seed)
        values, kernel, weights = [], [], []
        for space in spaces:
            n = len(space)
            chosen = np.sort(rng.choice(n, min(n, LANDMARKS), replace=False))
            distances = cdist(space, space[chosen], "sqeuclidean")
            between = distances[chosen]
            positive = between[between > 0]
            median = float(np.median(positive)) if len(positive) else 1.0
            distinct: list[np.ndarray] = []
            for scale, weight in zip(SCALES, WEIGHTS, strict=True):
                features = _nystroem(distances, chosen, 2 * scale**2 * median)
                if distinct and _same(features, distinct[-1]):
                    continue  # two labels look the same at every scale
                distinct.append(features)
                weights.append(weight)
            for features in distinct:
                kernel += [len(values)] * features.shape[1]
                values.append(features)
        return cls(np.concatenate(values, 1).astype(np.float32), np.array(kernel), np.array(weights))


def _nystroem(distances: np.ndarray, chosen: np.ndarray, width: float) -> np.ndarray:
    """Principal features (n, p) of the kernel ``exp(-distance / width)``, centred, of total variance 1."""
    gram = np.exp(-distances / width)
    among = gram[chosen]
    spread, basis = np.linalg.eigh(among)
    keep = spread > 1e-6 * spread[-1]
    features = gram @ (basis[:, keep] / np.sqrt(spread[keep]))
    features -= features.mean(0)
    variance, axes = np.linalg.eigh(features.T @ features / len(features))
    variance, axes = variance[::-1].clip(0), axes[:, ::-1]
    most = int(np.searchsorted(np.cumsum(variance) / variance.sum(), SHARE)) + 1
    features = features @ axes[:, : min(most, MOST_FEATURES)]
    return features / np.sqrt(features.var(0).sum())


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two kernels' features span one Gram matrix: the Cauchy-Schwarz inequality holds with equality."""
    squares = [float(np.square(left.T @ right).sum()) for left, right in ((a, b), (a, a), (b, b))]
    return squares[0] > (1 - 1e-6) * (squares[1] * squares[2]) ** 0.5


def coordinates(variable: Variable) -> np.ndarray:
    """Normal scores of the numbers and indicators of the labels, shape (n, d)."""
    parts = [rank_gaussianize(variable.flat)] if variable.n_continuous else []
    for column in variable.discrete.T:
        codes = present_codes(column)
        parts.append(np.eye(codes.max() + 1)[codes])
    return np.concatenate(parts, 1)


def kernel_statistics(x: KernelFeatures, y: KernelFeatures, permutations: Iterable[np.ndarray]) -> np.ndarray:
    """``n |C|^2`` of every pair of kernels for every permutation (b, n) of y's rows, shape (sum of b, kernels x, kernels y)."""
    left = torch.as_tensor(x.values).T.contiguous()
    right = torch.as_tensor(y.values)
    n, p = right.shape
    of_x = _indicator(x.kernel, x.n_kernels)
    of_y = _indicator(y.kernel, y.n_kernels)
    out: list[torch.Tensor] = []
    for batch in permutations:
        for part in torch.as_tensor(batch).split(max(1, (1 << 22) // (n * p))):
            # One product for the whole batch: (features of x, n) @ (n, permutations * features of y).
            moved = right[part.T].reshape(n, -1)
            squares = (left @ moved).square_().reshape(len(left), len(part), p)
            out.append((of_x.T @ squares.flatten(1)).reshape(-1, len(part), p).transpose(0, 1) @ of_y)
    return (torch.cat(out) / n).double().numpy()


def pair_weights(x: KernelFeatures, y: KernelFeatures) -> np.ndarray:
    """What each pair of kernels counts, shape (kernels x, kernels y)."""
    middle = np.outer(x.weights == WEIGHTS[MIDDLE], y.weights == WEIGHTS[MIDDLE])
    return np.outer(x.weights, y.weights) * np.where(middle, MIDDLE_COUNTS, 1.0)


def _indicator(kernel: np.ndarray, n_kernels: int) -> torch.Tensor:
    return torch.as_tensor(np.eye(n_kernels, dtype=np.float32)[kernel])


def strongest(statistics: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The pairs of kernels combined into one number a permutation, shape (m,): large where some pair's is surprisingly large.

    Each pair's statistics (m, ...) are turned into tail probabilities of the gamma law with their mean and variance, which is
    near to that of a sum of weighted squares (Gretton et al., 2008), and the inverses of the probabilities averaged with
    ``weights`` (...) (Wilson, 2019, 'The harmonic mean p-value'). The laws are fitted to all permutations alike, the true
    order among them, so that the test stays exact.
    """
    flat = statistics.reshape(len(statistics), -1)
    mean, variance = flat.mean(0), flat.var(0)
    moving = variance > 1e-12 * mean**2
    if not moving.any():
        return np.zeros(len(flat))
    mean, variance = mean[moving], variance[moving]
    tail = gammaincc(mean**2 / variance, flat[:, moving] * mean / variance)
    return np.log(np.average(1 / tail.clip(1e-300), axis=1, weights=weights.reshape(-1)[moving]))
