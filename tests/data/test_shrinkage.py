"""The weight of Ledoit and Wolf: as their sums written out, and as scikit-learn has it."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.covariance import ledoit_wolf_shrinkage as scikit_learns

from mine.data.shrinkage import ledoit_wolf_shrinkage


@pytest.mark.parametrize(("n", "d"), [(20, 2), (300, 5), (50, 80)])
def test_the_sums_of_the_paper(n: int, d: int) -> None:
    rng = np.random.default_rng(n)
    rows = rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + 5
    centred = rows - rows.mean(0)
    covariance = centred.T @ centred / n
    target = np.eye(d) * np.trace(covariance) / d
    error = sum(np.square(np.outer(row, row) - covariance).sum() for row in centred) / n**2
    distance = np.square(covariance - target).sum()
    assert ledoit_wolf_shrinkage(rows) == pytest.approx(min(error, distance) / distance, rel=1e-9)
    assert ledoit_wolf_shrinkage(rows) == pytest.approx(scikit_learns(rows), rel=1e-9)


def test_nothing_varies() -> None:
    assert ledoit_wolf_shrinkage(np.ones((10, 3))) == 0.0
