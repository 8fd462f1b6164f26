"""How well generated points cover a known distribution, and how a code relates to where they fall."""

from __future__ import annotations

import numpy as np

__all__ = ["code_information", "covered", "energy_distance", "inner_width", "nearest_centre", "purity", "reverse_kl"]


def nearest_centre(points: np.ndarray, centres: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Index of the nearest centre and the distance to it, both of shape (n,)."""
    distance = np.linalg.norm(points[:, None, :] - centres, axis=-1)  # (n, k)
    index = distance.argmin(1)
    return index, distance[np.arange(len(points)), index]


def covered(clusters: np.ndarray, good: np.ndarray) -> int:
    """How many clusters have at least one good point."""
    return len(np.unique(clusters[good]))


def inner_width(points: np.ndarray, clusters: np.ndarray) -> float:
    """Standard deviation of points around the mean of their cluster, per coordinate: how wide clusters are.

    Arguments:
        points: Shape (n, d).
        clusters: Labels, shape (n,).

    Example:
        >>> inner_width(np.array([[0.0, 0.0], [2.0, 0.0], [9.0, 9.0]]), np.array([0, 0, 1])) ** 2 * 6
        2.0
    """
    _, index, counts = np.unique(clusters, return_inverse=True, return_counts=True)
    means = np.stack([np.bincount(index, weights=column) for column in points.T], 1) / counts[:, None]
    return float(np.sqrt(((points - means[index]) ** 2).mean()))


def reverse_kl(clusters: np.ndarray, good: np.ndarray, k: int) -> float:
    """KL divergence (nats) of the clusters of the good points from the uniform distribution on ``k``; log k without any.

    References:
        Lin et al., 2018 (PacGAN, arXiv 1712.04086), section 4.1.
    """
    counts = np.bincount(clusters[good], minlength=k)
    if counts.sum() == 0:
        return float(np.log(k))
    p = counts[counts > 0] / counts.sum()
    return float(np.sum(p * np.log(p * k)))


def purity(codes: np.ndarray, clusters: np.ndarray) -> float:
    """Share of points in the commonest cluster of their code: 1 where the points of a code stay together."""
    counts = np.zeros((codes.max() + 1, clusters.max() + 1))
    np.add.at(counts, (codes, clusters), 1)
    return float(counts.max(1).sum() / len(codes))


def code_information(codes: np.ndarray, clusters: np.ndarray) -> float:
    """I(code; cluster) in nats, 0 where all points are in one cluster.

    Arguments:
        codes: Labels, shape (n,), or continuous codes, shape (n, d).
        clusters: Labels, shape (n,).
    """
    import mine

    if len(np.unique(clusters)) < 2:
        return 0.0
    if codes.ndim == 1:
        return mine.estimate(codes.astype(str), clusters.astype(str), method="discrete").value
    # two folds and few steps: one figure among others, not worth a minute
    estimate = mine.estimate(codes, clusters.astype(str), method="mine", random_state=0, progress=False, n_folds=2, steps=200)
    return estimate.value


def energy_distance(x: np.ndarray, y: np.ndarray, directions: int = 64) -> float:
    """``sqrt(2 E|x - y| - E|x - x'| - E|y - y'|)`` of two samples of the plane: 0 for the same sample, small for the same law.

    A length in the plane is pi / 2 times the mean of its shadows over all directions, and on a line the distance takes a sort:
    enough for samples of 100,000, whose own distance no longer hides that of their distributions.

    References:
        Székely & Rizzo, 2013 (doi 10.1016/j.jspi.2013.03.018).

    Arguments:
        x: Points, shape (n, 2).
        y: Points, shape (m, 2).
        directions: Evenly spaced, that the mean is over.
    """
    from scipy.stats import energy_distance as on_line

    angles = np.pi * (np.arange(directions) + 0.5) / directions
    squares = [on_line(x @ u, y @ u) ** 2 for u in np.stack([np.cos(angles), np.sin(angles)], 1)]
    return float(np.sqrt(np.pi / 2 * np.mean(squares)))
