"""Nearest neighbours among components: right on images of a few numbers, too low and no more than that elsewhere."""

from __future__ import annotations

import math

import numpy as np
import pytest

import mine
from mine.data.problem import Problem, make_problem
from mine.estimators.ksg import ksg
from mine.estimators.manifold import manifold_neighbours


def problem(x: np.ndarray, y: np.ndarray, groups: np.ndarray | None = None) -> Problem:
    return make_problem(x, y, groups=groups, random_state=0)[0]


def correlated(n: int, dim: int, nats: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two normal matrices (n, dim) with ``nats`` of information."""
    rng = np.random.default_rng(seed)
    r = math.sqrt(1 - math.exp(-2 * nats / dim))
    z = rng.normal(size=(n, dim))
    return z, r * z + math.sqrt(1 - r * r) * rng.normal(size=(n, dim))


def rings(numbers: np.ndarray, size: int = 12) -> np.ndarray:
    """Images (n, size, size) of a soft ring: its radius and its height are two numbers."""
    grid = np.arange(size) - size / 2 + 0.5
    radius = np.hypot(grid[:, None], grid[None])
    u = 1 / (1 + np.exp(-1.7 * numbers))
    return (0.3 + 0.7 * u[:, 1, None, None]) * np.exp(-0.5 * (radius - 1 - 4 * u[:, 0, None, None]) ** 2)


def test_images_of_two_numbers_have_the_neighbours_of_the_numbers() -> None:
    z, w = correlated(1500, 2, 2.0, seed=4)
    found = manifold_neighbours(problem(rings(z), rings(w)))
    assert found is not None
    assert found.nats == pytest.approx(ksg(z, w, 5), abs=0.15)
    assert found.nats <= 2.0 <= found.nats + found.doubt + 0.1


def test_a_network_that_saw_little_gets_an_upper_end_above_what_neighbours_see() -> None:
    z, w = correlated(1200, 2, 2.5, seed=5)
    est = mine.estimate(rings(z), rings(w), effort="fast", steps=4, random_state=0)
    assert est.value < 1.5
    assert est.diagnostics["neighbours_nats"] > 2.0
    assert est.interval[1] > 2.4
    assert any("misses dependence" in warning and "nearest-neighbour" in warning for warning in est.warnings)


def test_independent_sides_and_sides_without_a_surface_add_nothing() -> None:
    rng = np.random.default_rng(6)
    apart = manifold_neighbours(problem(rings(rng.normal(size=(1000, 2))), rings(rng.normal(size=(1000, 2)))))
    assert apart is not None and abs(apart.nats) < 0.1
    x = rng.normal(size=(800, 100))
    noise = manifold_neighbours(problem(x, x + rng.normal(size=x.shape)))  # 35 nats
    assert noise is not None and noise.nats < 3


def test_rows_that_are_copies_count_once_and_rows_of_a_group_are_not_asked() -> None:
    z, w = correlated(600, 2, 1.0, seed=7)
    x, y = rings(z).reshape(600, -1), rings(w).reshape(600, -1)
    once = manifold_neighbours(problem(x, y))
    twice = manifold_neighbours(problem(np.repeat(x, 2, 0), np.repeat(y, 2, 0)))
    assert once is not None and twice is not None
    assert twice.nats == pytest.approx(once.nats, abs=0.1)
    assert manifold_neighbours(problem(x, y, groups=np.repeat(np.arange(100), 6))) is None


def test_narrow_sides_and_labels_are_for_others() -> None:
    rng = np.random.default_rng(8)
    x = rng.normal(size=(400, 70))
    assert manifold_neighbours(problem(x[:, :20], x[:, :20])) is None
    assert manifold_neighbours(problem(x, np.repeat(["a", "b"], 200))) is None
    assert manifold_neighbours(problem(x, x[:, :1])) is not None


def test_columns_without_a_common_unit_are_ranked() -> None:
    z, w = correlated(1000, 2, 1.5, seed=9)
    x, y = (
        np.concatenate([rings(side).reshape(1000, -1), np.random.default_rng(1).standard_cauchy((1000, 1)) * 1e6], 1)
        for side in (z, w)
    )
    found = manifold_neighbours(problem(x, y))
    assert found is not None and found.nats > 0.5


@pytest.mark.parametrize("scale", [1e-300, 1e150, 1e307])
def test_any_unit_gives_the_same(scale: float) -> None:
    z, w = correlated(400, 2, 1.5, seed=10)
    plain, scaled = (manifold_neighbours(problem(rings(z) * factor, rings(w))) for factor in (1.0, scale))
    assert plain is not None and scaled is not None
    assert scaled.nats == pytest.approx(plain.nats, abs=0.02)
