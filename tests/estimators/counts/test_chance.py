"""Expected information by chance, against all permutations and scikit-learn."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from sklearn.metrics import mutual_info_score
from sklearn.metrics.cluster import contingency_matrix, expected_mutual_information

from mine.estimators.counts.chance import expected_by_chance
from mine.estimators.counts.table import Margin


@pytest.mark.parametrize(
    ("x", "y"),
    [([0, 0, 0, 1, 1, 2], [0, 1, 1, 1, 2, 2]), ([0, 0, 0, 0, 1, 1], [0, 0, 1, 1, 1, 1]), ([0, 1, 2, 3, 4], [0, 0, 0, 1, 1])],
)
def test_all_permutations(x: list[int], y: list[int]):
    mean = np.mean([mutual_info_score(x, shuffled) for shuffled in permutations(y)])
    margins = (Margin.of(np.bincount(side)) for side in (x, y))
    assert expected_by_chance(*margins) == pytest.approx(mean, abs=1e-12)


def _both(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    x, y = (np.unique(side, return_inverse=True)[1] for side in (x, y))
    theirs = expected_mutual_information(contingency_matrix(x, y), len(x))
    return expected_by_chance(Margin.of(np.bincount(x)), Margin.of(np.bincount(y))), float(theirs)


@pytest.mark.parametrize(("levels", "n"), [(3, 50), (40, 200), (200, 400)])
def test_scikit_learn(levels: int, n: int):
    rng = np.random.default_rng(0)
    weight = 1 / np.arange(1, levels + 1)
    x, y = rng.choice(levels, n, p=weight / weight.sum()), rng.integers(0, levels, n)
    ours, theirs = _both(x, y)
    assert ours == pytest.approx(theirs, rel=1e-8)


def test_large_counts_take_the_series():
    rng = np.random.default_rng(1)
    x, y = rng.integers(0, 4, 4000), rng.choice(3, 4000, p=[0.6, 0.3, 0.1])  # cells expect 100 to 600 rows
    ours, theirs = _both(x, y)
    assert ours == pytest.approx(theirs, rel=2e-3)
    assert ours == pytest.approx(3 * 2 / 8000, rel=0.02)  # the first order
