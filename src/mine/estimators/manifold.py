"""Nearest neighbours among the principal components of wide sides: an estimate that needs no training and no columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mine.data.components import WIDE, share_a_unit
from mine.data.preprocessing import rank_gaussianize
from mine.data.problem import Problem
from mine.estimators.ksg import ksg
from mine.estimators.neighbours import jittered, neighbours_tell, without_copies

__all__ = ["ManifoldNeighbours", "manifold_neighbours"]

#: Rows that are asked, and k.
ROWS, NEIGHBOURS = 4000, 5
#: Share of a side's variance that its components keep, and their maximum number.
KEPT, MOST = 0.99, 30
#: How far the estimate may still move, as a multiple of its way from half of the rows to all of them: the error of neighbours
#: in d dimensions falls as n^(-2 / d), so that the rest of the way is longer than the last step.
STILL_TO_COME = 3.0


@dataclass(frozen=True)
class ManifoldNeighbours:
    """Kraskov's estimate on components.

    Attributes:
        nats: The estimate.
        doubt: How far (nats) the truth may lie above it.
    """

    nats: float
    doubt: float


def manifold_neighbours(problem: Problem) -> ManifoldNeighbours | None:
    """Kraskov's estimate (nats) on the components of two sides of numbers, one of them wide; None elsewhere.

    Images and curves that a few numbers describe lie on a surface of few dimensions, however many pixels they have: their
    neighbours are those of the few numbers. Where there is no such surface, neighbours are far apart and the estimate is too
    low. So it can only show what a critic has missed.

    References:
        Kraskov, Stoegbauer & Grassberger, 2004 (arXiv cond-mat/0305641), eq. 8; for how its error falls: Gao, Oh & Viswanath,
        2018, 'Demystifying fixed k-nearest neighbor information estimators' (arXiv 1604.03006).
    """
    if max(problem.x.n_continuous, problem.y.n_continuous) < WIDE or not neighbours_tell(problem):
        return None
    problem = without_copies(problem)
    if problem.n < 32 * NEIGHBOURS:
        return None
    rng = np.random.default_rng(problem.seed)
    rows = rng.permutation(problem.n)[:ROWS]
    sides = [_components(side.take(rows).flat, rng) for side in (problem.x, problem.y)]
    whole = ksg(sides[0], sides[1], NEIGHBOURS)
    half = len(rows) // 2
    halves = [ksg(sides[0][part], sides[1][part], NEIGHBOURS) for part in (slice(half), slice(half, None))]
    return ManifoldNeighbours(whole, STILL_TO_COME * max(0.0, whole - float(np.mean(halves))))


def _components(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Rows (n, d) in their leading principal directions, each as long as the data are in it; of unit spread in all."""
    values = values if share_a_unit(values) else rank_gaussianize(values)
    values = np.asarray(values, np.float64)
    values = values / max(float(np.abs(values).max()), np.finfo(float).tiny)  # squares of any finite numbers stay finite
    if values.shape[1] > MOST:
        from sklearn.decomposition import PCA  # takes half a second to import, which narrow sides need not wait for

        found = PCA(MOST, svd_solver="randomized", random_state=0)
        components = found.fit_transform(values - values.mean(0))
        total = np.cumsum(found.explained_variance_ratio_)
        values = components[:, : int(np.searchsorted(total, KEPT)) + 1]
    return jittered(values / max(float(values.std(0).max()), np.finfo(float).tiny), rng)
