"""What the default method promises, measured: slow, `pytest -m slow tests/test_targets.py`."""

from __future__ import annotations

import time

import numpy as np
import pytest

import mine
from mine.datasets import correlated_normal, correlated_normal_mi

pytestmark = pytest.mark.slow

RHOS = (0.0, 0.1, -0.1, 0.3, -0.3, 0.5, -0.5, 0.7, -0.7, 0.9, -0.9, 0.99, -0.99)


@pytest.mark.parametrize(("dim", "rho"), [(1, rho) for rho in RHOS] + [(20, rho) for rho in RHOS if abs(rho) <= 0.5])
def test_the_papers_correlations(dim: int, rho: float) -> None:
    x, y = correlated_normal(10_000, rho, dim, random_state=abs(hash((dim, rho))) % 1000)
    truth = correlated_normal_mi(rho, dim)
    estimate = mine.estimate(x, y, random_state=0)
    assert abs(estimate.value - truth) <= max(0.03, 0.03 * truth)
    assert not estimate.diagnostics["saturated"]


@pytest.mark.parametrize("rho", [0.7, 0.9, 0.99])
def test_beyond_what_shuffled_pairs_resolve_it_says_so(rho: float) -> None:
    x, y = correlated_normal(10_000, rho, 20, random_state=0)
    estimate = mine.estimate(x, y, random_state=0)
    assert estimate.diagnostics["saturated"]
    assert estimate.interval[1] == float("inf")
    assert estimate.interval[0] < correlated_normal_mi(rho, 20)
    assert estimate.warnings


def test_independent_variables_average_to_zero() -> None:
    values = []
    for draw in range(50):
        rng = np.random.default_rng(draw)
        values.append(mine.estimate(rng.normal(size=1000), rng.normal(size=1000), random_state=draw).value)
    assert abs(np.mean(values)) <= 0.01


def test_wide_data_finish_in_time() -> None:
    x, y = correlated_normal(10_000, 0.3, 25, random_state=0)
    started = time.perf_counter()
    mine.estimate(x, y, random_state=0)
    assert time.perf_counter() - started < 60  # 30 s on an idle core, and machines differ
