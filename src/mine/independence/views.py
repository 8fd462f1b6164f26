"""The views of one side that the test compares: what is linear in it, its squares, its smooth shapes, its nearest rows.

A *view* is a set of features of a side's rows. Any view of x can be compared with any view of y: the statistic is the squared
cross-covariance of their features, which is the Hilbert-Schmidt criterion of two kernels (Gretton et al., 2008, 'A kernel
statistical test of independence'). Dependence that one pair of views misses is plain in another: ``y = (w^T x)^2`` in 15
columns has no linear part, and little of it is left in a Gaussian kernel of the median bandwidth: it spreads over all degrees.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.utils.extmath import randomized_svd

from mine.data.kernels import coordinates
from mine.data.variable import Variable

__all__ = ["FINE", "FINEST", "LINEAR", "RADIUS", "SMOOTH", "SQUARES", "Views", "principal"]

LINEAR, RADIUS, SQUARES = "linear", "radius", "squares"
SMOOTH, FINE, FINEST = "smooth", "fine", "finest"
#: Bandwidths of the Gaussian kernels as multiples of the median distance between rows.
BANDWIDTHS = {SMOOTH: 1.0, FINE: 0.3, FINEST: 0.1}
#: Maximum number of linear features, of a kernel's features, and of a kernel's features for many rows.
MOST_LINEAR, MOST_FEATURES, FEWER_FEATURES, MANY_ROWS = 128, 48, 32, 5000
#: Rows or columns up to which principal axes are computed exactly.
MOST_EXACT = 512
#: Rows that span a kernel's features, and the share of the kernel's variance that the features reach.
LANDMARKS, SHARE = 120, 0.99
#: Numbers are cut off at this many robust standard deviations from the median, so that no single row decides a distance.
CUT = 4.0


@dataclass(frozen=True)
class Views:
    """Centred features of one side by the name of the view.

    Attributes:
        features: For each view an array of shape (n, p), float32, of total variance 1; zeros where a view does not vary.
            Every function of a label is linear in its indicators: labels alone look the same at every scale.
        places: Coordinates in which nearest rows are looked for, shape (n, d), or None for labels alone.
    """

    features: dict[str, np.ndarray]
    places: np.ndarray | None

    @classmethod
    def of(cls, side: Variable, rng: np.random.Generator) -> Views:
        """All views of a side that has at least one column."""
        side = replace(side, discrete=_without_rare(side.discrete))
        scores = coordinates(side)
        n = len(scores)
        features = {LINEAR: principal(scores - scores.mean(0), MOST_LINEAR, 1.0)}
        if not side.n_continuous:
            linear = _scaled(features[LINEAR])
            return cls({LINEAR: linear, SMOOTH: linear, FINE: linear}, None)
        places = np.concatenate([_cut_off(side.flat), scores[:, side.n_continuous :]], 1)
        places -= places.mean(0)
        features[RADIUS] = np.sqrt(np.square(places).sum(1, keepdims=True))
        landmarks = np.sort(rng.choice(n, min(n, LANDMARKS), replace=False))
        features[SQUARES] = _squares(places, landmarks)
        most = MOST_FEATURES if n <= MANY_ROWS else FEWER_FEATURES
        distances = cdist(scores, scores[landmarks], "sqeuclidean")
        positive = distances[landmarks][distances[landmarks] > 0]
        median = float(np.median(positive)) if len(positive) else 1.0
        for name, bandwidth in BANDWIDTHS.items():
            features[name] = spanned(np.exp(-distances / (2 * bandwidth**2 * median)), landmarks, most)
        return cls({name: _scaled(values) for name, values in features.items()}, places)


def _without_rare(codes: np.ndarray) -> np.ndarray:
    """Labels (n, c) of which at most ``MOST_LINEAR`` a column are told apart: all rarer ones share one."""
    out = codes.copy()
    for column in out.T:
        counts = np.bincount(column)
        if np.count_nonzero(counts) > MOST_LINEAR:
            rare = np.argsort(-counts, kind="stable")[MOST_LINEAR - 1 :]
            column[np.isin(column, rare)] = rare[0]
    return out


def spanned(gram: np.ndarray, landmarks: np.ndarray, most: int) -> np.ndarray:
    """Principal features (n, at most ``most``) of a kernel of which the columns of the landmarks are known, shape (n, l).

    References:
        Williams & Seeger, 2001, 'Using the Nystroem method to speed up kernel machines'.
    """
    if len(landmarks) == len(gram):  # the whole kernel is known: its principal features are exact
        centred = gram - gram.mean(0) - gram.mean(1)[:, None] + gram.mean()
        return _longest(*np.linalg.eigh(centred), most, SHARE)
    spread, basis = np.linalg.eigh(gram[landmarks])
    if spread[-1] <= 0:
        return np.zeros((len(gram), 1))
    keep = spread > 1e-6 * spread[-1]
    features = gram @ (basis[:, keep] / np.sqrt(spread[keep]))
    return principal(features - features.mean(0), most, SHARE)


def principal(features: np.ndarray, most: int, share: float) -> np.ndarray:
    """Centred features (n, p) turned to their principal axes, as many as hold ``share`` of the variance, at most ``most``."""
    n, p = features.shape
    if p <= most and share == 1.0:
        return features
    if min(n, p) > MOST_EXACT:
        scores, lengths, _ = randomized_svd(features, most, random_state=0)
        return scores * lengths
    if p > n:
        return _longest(*np.linalg.eigh(features @ features.T), most, share)
    variance, axes = np.linalg.eigh(features.T @ features)
    return features @ axes[:, ::-1][:, : _enough(variance, most, share)]


def _longest(variance: np.ndarray, axes: np.ndarray, most: int, share: float) -> np.ndarray:
    """Features (n, p) of a Gram matrix by its eigenvalues, rising, and eigenvectors (n, n), the longest first."""
    k = _enough(variance, most, share)
    return axes[:, ::-1][:, :k] * np.sqrt(variance[::-1][:k].clip(0))


def _enough(variance: np.ndarray, most: int, share: float) -> int:
    """How many of the largest of the rising variances hold ``share`` of their sum, at most ``most``."""
    held = np.cumsum(variance[::-1].clip(0))
    return min(int(np.searchsorted(held, share * held[-1])) + 1, most)


def _squares(places: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """All products of two coordinates, or the principal ones of them if they are many."""
    d = places.shape[1]
    if d * (d + 1) // 2 <= MOST_FEATURES:
        first, second = np.triu_indices(d)
        products = places[:, first] * places[:, second] * np.where(first == second, 1.0, 2**0.5)
        return products - products.mean(0)
    return spanned(np.square(places @ places[landmarks].T), landmarks, MOST_FEATURES)


def _cut_off(numbers: np.ndarray) -> np.ndarray:
    """Columns (n, c) of standard deviation 1, cut off where they are far from their median."""
    _, exponents = np.frexp(np.abs(numbers).max(0))
    numbers = np.ldexp(numbers, -exponents)  # exact, and squares stay finite
    from_median = numbers - np.median(numbers, axis=0)
    spread = from_median.std(0)
    robust = 1.4826 * np.median(np.abs(from_median), axis=0)
    limit = CUT * np.where(robust > 0, robust, spread)
    inside = np.clip(from_median, -limit, limit)
    return inside / np.maximum(inside.std(0), 1e-300)


def _scaled(features: np.ndarray) -> np.ndarray:
    centred = features - features.mean(0)
    variance = float(centred.var(0).sum())
    if variance <= 1e-12 * float(np.square(features).mean(0).sum()):
        return np.zeros(features.shape, np.float32)  # rounding is no variation: all rows of +-1 are as far from the centre
    return (centred / np.sqrt(variance)).astype(np.float32)
