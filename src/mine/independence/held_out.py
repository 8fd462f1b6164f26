"""A critic trained on one half of the rows, and the other half permuted under it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from sklearn.model_selection import GroupShuffleSplit, ShuffleSplit
from torch import Tensor

from mine.conditional.shuffles import Shuffles
from mine.data.kernels import coordinates
from mine.data.problem import Problem
from mine.data.splits import Fold
from mine.data.variable import Variable
from mine.estimators import get_estimator
from mine.estimators.neural import Neural
from mine.progress import reported
from mine.training.pairs import Pairs

__all__ = ["held_out_statistics"]

#: Units that are permuted among each other: every pair of them is scored once.
MOST_UNITS = 256
#: Pairs scored at a time.
CHUNK = 1 << 14
#: Weight of a bilinear form added to the scores: it breaks ties where training found nothing and every score is the same.
TIE_BREAKER = 1e-4


def held_out_statistics(
    problem: Problem, critic: Any, third: Variable | None, n_permutations: int, options: dict[str, Any]
) -> tuple[np.ndarray, int]:
    """The mean score of the pairs of the second half less that of all pairs (nats), the true order first, then permuted.

    The critics, two on different parts of the first half, never see the second: under independence the true order is one
    of the permutations. Every pair of rows that may meet is scored once, and a permutation sums scores from that matrix.

    Returns:
        The statistics, shape (1 + n_permutations,), and the number of rows permuted.
    """
    seeds = problem.seeds(6)
    first, second = _halves(np.arange(problem.n), problem.groups, 0.5, seeds[4])
    folds = []
    for k in range(2):
        train, validation = _halves(first, problem.groups, 0.25, (seeds[4] + 1 + k) % 2**32)
        folds.append(Fold(train, validation, second))
    method = get_estimator("auto", {**({} if critic is None else {"critic": critic}), "effort": "fast", **options})
    if not isinstance(method, Neural):
        raise TypeError(f"Method 'auto' trains no critics: {method!r}.")
    critics, pairs = method.train(problem, folds)

    groups = None if problem.groups is None else problem.groups[second]
    z = None if third is None else coordinates(third)[second]
    shuffles = Shuffles.of(len(second), groups, z, MOST_UNITS, equal=third is not None and not third.n_continuous)
    bilinear = TIE_BREAKER * _cross_covariance(pairs, first[:20_000])

    def score(x: Tensor, y: Tensor) -> Tensor:
        tie_breaker = ((x.flatten(1) @ bilinear) * y.flatten(1)).sum(1)
        return torch.stack([critic(x, y) for critic in critics]).mean(0) + tie_breaker

    score_matrix, column = _score_matrix(score, pairs, second[shuffles.rows], shuffles)
    rows = np.arange(len(shuffles.rows))
    out = [score_matrix[rows, column].mean(keepdims=True)]
    draws = reported(shuffles.draw(n_permutations, seeds[5]), n_permutations, "permutations", problem.on_progress)
    out += [score_matrix[rows, column[batch]].mean(1) for batch in draws]
    return np.concatenate(out) - np.nanmean(score_matrix), len(rows)


def _halves(rows: np.ndarray, groups: np.ndarray | None, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    kind = ShuffleSplit if groups is None else GroupShuffleSplit
    split = kind(1, test_size=share, random_state=seed % 2**32).split(rows, groups=None if groups is None else groups[rows])
    rest, taken = next(iter(split))
    return rows[rest], rows[taken]


def _cross_covariance(pairs: Pairs, rows: np.ndarray) -> Tensor:
    """Cross-covariance of the two sides' features on ``rows``, of unit norm."""
    x, y = pairs.rows(torch.as_tensor(rows, device=pairs.x.device))
    x, y = x.flatten(1), y.flatten(1)
    cross = (x - x.mean(0)).T @ (y - y.mean(0))
    return cross / cross.norm().clamp(min=1e-30)


def _score_matrix(
    score: Callable[[Tensor, Tensor], Tensor], pairs: Pairs, rows: np.ndarray, shuffles: Shuffles
) -> tuple[np.ndarray, np.ndarray]:
    """Scores (r, widest stratum) of each place with the row it meets in each unit of its stratum, NaN where there is none.

    And the column that stands for each place's own unit, shape (r,).
    """
    n = len(rows)
    unit_of = shuffles.units
    offset = np.arange(n) - shuffles.starts[unit_of]
    first_unit = np.searchsorted(shuffles.strata, shuffles.strata, side="left")
    width = np.bincount(shuffles.strata)[shuffles.strata]
    column = unit_of - first_unit[unit_of]
    place, partner_column = np.nonzero(np.arange(width.max()) < width[unit_of][:, None])
    partner = shuffles.starts[first_unit[unit_of[place]] + partner_column] + offset[place]
    score_matrix = np.full((n, int(width.max())), np.nan)
    device = pairs.x.device
    with torch.no_grad():
        for start in range(0, len(place), CHUNK):
            part = slice(start, start + CHUNK)
            x = pairs.x[torch.as_tensor(rows[place[part]], device=device)]
            y = pairs.y[torch.as_tensor(rows[partner[part]], device=device)]
            score_matrix[place[part], partner_column[part]] = score(x, y).cpu().double().numpy()
    return score_matrix, column
