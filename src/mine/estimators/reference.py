"""Reference estimates of dependence that need no training: what they find and the critics do not, the critics have missed."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from mine.critics.combined import MeanCritic, ResidualCritic
from mine.critics.copula_metric import CopulaMetricCritic
from mine.critics.critic import Critic
from mine.critics.gaussian import GaussianCritic
from mine.critics.student import StudentCritic
from mine.data import outofcore
from mine.data.preprocessing import rank_gaussianize
from mine.data.problem import Problem
from mine.data.splits import subsampled
from mine.estimators.base import base_train, copula_name, fit_base
from mine.estimators.fit import CrossFit
from mine.estimators.ksg import ksg
from mine.estimators.neighbours import neighbours_tell, prepared, without_copies
from mine.estimators.partition import CHECKED_ROWS, Partition, bound_rows, log_partition
from mine.estimators.ties import is_heaped, tied_column
from mine.training.pairs import Pairs

__all__ = [
    "at_limit",
    "base_partition",
    "base_ratio",
    "copula_reference",
    "copula_tells",
    "fitted_copula",
    "name_of_copula",
    "neighbour_reference",
]

#: Above this many columns in all the copula costs more than it tells; above so many, neighbours are too far apart to tell.
COPULA_COLUMNS, NEIGHBOUR_COLUMNS = 200, 6
#: Rows that nearest neighbours are asked about, and k: large enough that its noise is well below the critics'.
NEIGHBOUR_ROWS, NEIGHBOURS = 10_000, 5


def base_ratio(fit: CrossFit, most: int | None = None) -> tuple[np.ndarray, float] | None:
    """Log-ratio (nats) of the folds' Gaussian bases: on each row held out (n,), and its mean on training rows.

    With ``most``, at most so many random rows of each fold are evaluated, and the others are NaN.

    None where the critics have no such base.
    """
    bases = [copula for c in fit.critics if (copula := fitted_copula(c)) is not None]
    if not bases:
        return None
    dx, dy = fit.problem.x.n_continuous, fit.problem.y.n_continuous
    ratio, on_train = np.full(fit.problem.n, np.nan), []
    rng = np.random.default_rng(0)
    for base, fold in zip(bases, fit.folds, strict=True):
        few = most is not None and len(fold.evaluation) > most
        evaluated = np.sort(rng.choice(fold.evaluation, most, replace=False)) if few else fold.evaluation
        ratio[evaluated] = _base_scores(base, fit.pairs, evaluated, dx, dy)
        on_train.append(float(_base_scores(base, fit.pairs, fold.train, dx, dy).mean()))
    return ratio, float(np.mean(on_train))


def _base_scores(base: Critic, pairs: Pairs, rows: np.ndarray, dx: int, dy: int) -> np.ndarray:
    """Log-ratios (nats) of ``rows`` (m,) by a base that reads the first ``dx`` and ``dy`` features, shape (m,)."""
    parts = []
    with torch.no_grad():
        for part in outofcore.chunks(len(rows), dx + dy):
            x, y = pairs.rows(torch.as_tensor(rows[part], device=pairs.x.device))
            parts.append(base(x[..., :dx], y[..., :dy]).cpu().double().numpy())
    return np.concatenate(parts)


def base_partition(fit: CrossFit) -> Partition | None:
    """Log-partition of the folds' copulas over shuffled pairs of held-out rows: the median over folds.

    None where the critics have no such base.
    """
    parts = [
        log_partition(copula, *_base_features(fit, fold.evaluation))
        for critic, fold in zip(fit.critics, fit.folds, strict=True)
        if (copula := fitted_copula(critic)) is not None
    ]
    if not parts:
        return None
    return Partition(float(np.median([p.full for p in parts])), float(np.median([p.worst for p in parts])))


def _base_features(fit: CrossFit, rows: np.ndarray) -> tuple[Tensor, Tensor, Tensor | None]:
    """The features that a base reads of the first ``CHECKED_ROWS`` of ``rows``, and their groups."""
    index = torch.as_tensor(rows[:CHECKED_ROWS], device=fit.pairs.x.device)
    x, y = fit.pairs.rows(index)
    groups = None if fit.pairs.groups is None else fit.pairs.groups[index]
    return x[..., : fit.problem.x.n_continuous], y[..., : fit.problem.y.n_continuous], groups


def copula_reference(fit: CrossFit) -> tuple[float | None, bool]:
    """Held-out mean log-ratio (nats) of a Gaussian copula fitted to the training rows; None where there is none.

    If the copula does not fit the sides it is the copula's bound instead. And whether a correlation is as strong as so many
    rows can tell from a deterministic relation, of infinite information.
    """
    x, y = fit.problem.x, fit.problem.y
    if not x.n_continuous or not y.n_continuous or x.n_continuous + y.n_continuous > COPULA_COLUMNS:
        return None, False
    copula_ratio = base_ratio(fit, most=outofcore.FIT_ROWS)
    if copula_ratio is not None:
        bases = [copula for c in fit.critics if (copula := fitted_copula(c)) is not None]
        rows = [base_train(fold, x.n_continuous + y.n_continuous) for fold in fit.folds]
        held_out = [_base_features(fit, fold.evaluation) for fold in fit.folds]
        reference = float(np.nanmean(copula_ratio[0]))
        return _checked(reference, bases, held_out), any(map(at_limit, bases, map(len, rows)))
    folds, rows = subsampled(fit.folds, outofcore.FIT_ROWS)
    if rows is not None:
        x, y = x.take(rows), y.take(rows)
    u, v = rank_gaussianize(x.flat), rank_gaussianize(y.flat)
    bases = [fit_base(u, v, fold) for fold in folds]
    held_out = [(torch.as_tensor(u[fold.evaluation]), torch.as_tensor(v[fold.evaluation]), None) for fold in folds]
    reference = sum(float(base(a, b).sum()) for base, (a, b, _) in zip(bases, held_out, strict=True)) / len(u)
    return _checked(reference, bases, held_out), any(map(at_limit, bases, (len(fold.train) for fold in folds)))


def _checked(
    reference: float, copulas: Sequence[GaussianCritic | StudentCritic], rows: Sequence[tuple[Tensor, Tensor, Tensor | None]]
) -> float:
    """The mean log-ratio ``reference`` of the folds' ``copulas``, if these fit their held-out rows; else their bound."""
    if np.mean([log_partition(copula, *part).fits for copula, part in zip(copulas, rows, strict=True)]) > 0.5:
        return reference
    return float(np.mean([float(bound_rows(copula, *part).mean()) for copula, part in zip(copulas, rows, strict=True)]))


def copula_tells(problem: Problem) -> bool:
    """Whether what a fitted copula finds is there: fitted to ties it errs upwards."""
    some = slice(None, None, -(-problem.n // NEIGHBOUR_ROWS))
    return tied_column(problem.x.take(some), problem.y.take(some)) is None


def name_of_copula(fit: CrossFit) -> str:
    """The copula that ``copula_nats`` is the held-out mean log-ratio of."""
    copulas = [fitted_copula(c) for c in fit.critics]
    degrees = [float(c.dof) for c in copulas if isinstance(c, StudentCritic) and math.isfinite(float(c.dof))]
    return copula_name(degrees, len(copulas))


def fitted_copula(critic: Critic) -> GaussianCritic | StudentCritic | None:
    """The copula that a critic was built on, through what was trained on top of it."""
    while isinstance(critic, ResidualCritic | CopulaMetricCritic | MeanCritic):
        critic = critic.members[0] if isinstance(critic, MeanCritic) else critic.base
    return critic if isinstance(critic, GaussianCritic | StudentCritic) else None


def at_limit(base: GaussianCritic | StudentCritic, n: int | np.ndarray) -> np.ndarray:
    """Whether ``fit_base`` has met its limit on ``n`` training rows, 1 - r^2 = 1 / n (with room for float32)."""
    left = 1 - base.correlations.double() ** 2
    return left.flatten(len(base.stack)).min(-1).values.cpu().numpy() < 1.02 / n


def neighbour_reference(problem: Problem) -> float | None:
    """Kraskov's estimate (nats) on the ranks of few columns of numbers; None elsewhere.

    It errs downwards wherever the density bends between neighbours, so that what it finds is there: sharp edges and corners
    above all, which networks round off.
    """
    if problem.x.n_continuous + problem.y.n_continuous > NEIGHBOUR_COLUMNS or not neighbours_tell(problem):
        return None
    problem = without_copies(problem)
    rng = np.random.default_rng(problem.seed)
    rows = np.arange(problem.n)
    if len(rows) > NEIGHBOUR_ROWS:
        rows = rng.choice(rows, NEIGHBOUR_ROWS, replace=False)
    if len(rows) < 8 * NEIGHBOURS:
        return None
    x, y = problem.x.take(rows), problem.y.take(rows)
    if tied_column(x, y, tied=is_heaped) is not None:
        return None
    sides = [prepared(side.flat, "rank", rng) for side in (x, y)]
    return ksg(sides[0], sides[1], NEIGHBOURS)
