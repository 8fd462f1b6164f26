"""Invertible maps that mix all coordinates of a side: after one, no coordinate alone shows what it was."""

from __future__ import annotations

import numpy as np
from scipy import stats

from mine.tasks.maps import chain
from mine.tasks.task import Map

__all__ = ["bend_shells", "between_rotations", "coupling", "henon", "linear", "rotation"]


def linear(matrix: np.ndarray) -> Map:
    """``u -> matrix u`` of every row, by an invertible matrix (d, d)."""
    back = np.linalg.inv(matrix)
    return Map(lambda u: u @ matrix.T, lambda v: v @ back.T)


def rotation(d: int, seed: int) -> Map:
    """A fixed orthogonal map, drawn uniformly by ``seed``; ``d`` of 2 or more."""
    turn = np.asarray(stats.ortho_group.rvs(d, random_state=np.random.default_rng(seed)))
    return Map(lambda u: u @ turn.T, lambda v: v @ turn)


def between_rotations(d: int, seed: int, *maps: Map) -> Map:
    """Rotation, first map, rotation, second map, ..., rotation."""
    steps = [rotation(d, seed)]
    for i, m in enumerate(maps, start=1):
        steps += [m, rotation(d, seed + i)]
    return chain(*steps)


def coupling(d: int, seed: int, strength: float = 0.5, layers: int = 2) -> Map:
    """Each half scaled and shifted by waves of the other half, in turn (the layer of real NVP).

    Log-scales are ``strength * sin(.)``, shifts ``2 * strength * sin(.)`` of fixed random projections of the other half.

    References:
        Dinh, Sohl-Dickstein & Bengio, 2017, Density estimation using Real NVP (arXiv 1605.08803), equations 7 and 8.
    """
    rng = np.random.default_rng(seed)
    halves = (np.arange(d) < d // 2, np.arange(d) >= d // 2)
    weights = []
    for layer in range(layers):
        given = int(halves[layer % 2].sum())
        weights.append(rng.normal(size=(2, given, d - given)) * np.sqrt(2 / given))

    def scale_and_shift(layer: int, given: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        first, second = weights[layer]
        return np.exp(strength * np.sin(given @ first)), 2 * strength * np.sin(given @ second + 0.5)

    def forward(u: np.ndarray) -> np.ndarray:
        u = u.copy()
        for layer in range(layers):
            given = halves[layer % 2]
            scale, shift = scale_and_shift(layer, u[:, given])
            u[:, ~given] = u[:, ~given] * scale + shift
        return u

    def inverse(v: np.ndarray) -> np.ndarray:
        v = v.copy()
        for layer in reversed(range(layers)):
            given = halves[layer % 2]
            scale, shift = scale_and_shift(layer, v[:, given])
            v[:, ~given] = (v[:, ~given] - shift) / scale
        return v

    return Map(forward, inverse)


def henon(bend: float) -> Map:
    """Neighbouring coordinates taken through ``(a, b) -> (b, -a + bend * b^2)``, an even number of them.

    References:
        Henon, 1976, A two-dimensional mapping with a strange attractor; here the form that preserves area.
    """

    def forward(u: np.ndarray) -> np.ndarray:
        a, b = u[:, 0::2], u[:, 1::2]
        mapped = np.empty_like(u)
        mapped[:, 0::2], mapped[:, 1::2] = b, -a + bend * b**2
        return mapped

    def inverse(v: np.ndarray) -> np.ndarray:
        b, c = v[:, 0::2], v[:, 1::2]
        back = np.empty_like(v)
        back[:, 0::2], back[:, 1::2] = -c + bend * b**2, b
        return back

    return Map(forward, inverse)


def bend_shells(strength: float, period: float) -> Map:
    """Every row turned, plane by plane of neighbouring coordinates, by ``strength * sin(length / period)`` radians."""

    def turn(rows: np.ndarray, direction: float) -> np.ndarray:
        angle = direction * strength * np.sin(np.linalg.norm(rows, axis=1, keepdims=True) / period)
        a, b = rows[:, 0::2], rows[:, 1::2]
        turned = np.empty_like(rows)
        turned[:, 0::2], turned[:, 1::2] = np.cos(angle) * a - np.sin(angle) * b, np.sin(angle) * a + np.cos(angle) * b
        return turned

    return Map(lambda u: turn(u, 1.0), lambda v: turn(v, -1.0))
