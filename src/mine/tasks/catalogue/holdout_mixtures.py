"""Held-out tasks: mixtures of normals. Not for tuning; information by Monte Carlo, or by quadrature in the plane."""

from __future__ import annotations

import numpy as np

from mine.tasks.families.normal_mixture import NormalMixture
from mine.tasks.task import Task


def crossing() -> NormalMixture:
    """Four components in the plane: two ridges that cross, two islands."""
    ridge = np.array([[1.0, 0.9], [0.9, 1.0]])
    flipped = ridge * np.array([[1, -1], [-1, 1]])
    island = 0.1 * np.eye(2)
    means = np.array([[0.0, 0.0], [0.0, 0.0], [3.0, -1.0], [-3.0, -1.0]])
    return NormalMixture(np.array([0.3, 0.3, 0.2, 0.2]), means, np.stack([ridge, flipped, island, island]), 1)


def random_mixture(dx: int, dy: int, k: int, spread: float, seed: int) -> NormalMixture:
    """``k`` components with means of that spread and covariances ``A A' / d + I / 4``, all from the seed."""
    rng, d = np.random.default_rng(seed), dx + dy
    means = spread * rng.normal(size=(k, d))
    roots = rng.normal(size=(k, d, d))
    return NormalMixture(rng.dirichlet(np.full(k, 5.0)), means, roots @ roots.transpose(0, 2, 1) / d + np.eye(d) / 4, dx)


#: name, mixture, information in nats, its standard error, words. Standard error 0: by quadrature over (-9, 9)^2, error below
#: 1e-6; else the mean of ``mixture.information(100_000, np.random.default_rng([2026, i]))`` over i of 0 .. 99.
MIXTURES: tuple[tuple[str, NormalMixture, float, float, str], ...] = (
    ("mixture-crossing-1d", crossing(), 0.489720, 0.0, "two normal ridges that cross, two islands, 1 x 1"),
    ("mixture-3-2d", random_mixture(3, 2, 3, 1.0, 1), 0.312859, 0.00020, "three normals of random means and shapes, 3 x 2"),
    (
        "mixture-10-10d",
        random_mixture(10, 10, 5, 0.4, 2),
        1.911768,
        0.00032,
        "five normals of random means and shapes, 10 x 10",
    ),
)

TASKS = tuple(
    Task(
        name=f"holdout-{name}", dx=mixture.dx, dy=mixture.dy, mutual_information=information, description=words,
        source="this project; information by quadrature, or by Monte Carlo to a standard error of 0.0004", suite="holdout",
        sampler=mixture.sampler, ratio=mixture.ratio,
    )
    for name, mixture, information, _, words in MIXTURES
)  # fmt: skip
