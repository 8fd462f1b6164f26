"""The fitted copula that a critic starts from: its shrinkage and its tails are chosen on the validation rows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mine.critics.copula_metric import direction_weights
from mine.critics.critic import Critic
from mine.critics.gaussian import GaussianCritic
from mine.critics.student import StudentCritic, fit_student, student_scores
from mine.data import outofcore
from mine.data.shrinkage import ledoit_wolf_shrinkage
from mine.data.splits import Fold, trimmed
from mine.estimators.partition import bound_rows, log_partition, shrunk
from mine.training.pairs import Pairs

__all__ = ["CopulaBase", "base_rows", "base_train", "copula_name", "fit_base", "fit_copulas", "made_to_fit"]

#: Degrees of freedom tried, from light tails to heavy ones, until one is no better than the last.
DEGREES = (24.0, 10.0, 5.0, 3.0, 2.0, 1.5, 1.0, 0.7)
#: Shares taken off the covariance between the sides.
SHRINKAGES = (0.0, 0.03, 0.1, 0.3, 0.6, 1.0)


@dataclass(frozen=True)
class CopulaBase:
    """The folds' copulas: ``ratio`` is the log-ratio, ``gaussian`` the Gaussian whose directions are used; both stacked.

    ``weights`` (M, 1, r) tells how far each canonical direction correlates on the validation rows. They are those of the plain
    Gaussian even if its log-ratio does not fit the sides: a curve's directions are good, and their correlations too large.
    """

    ratio: Critic
    gaussian: GaussianCritic
    weights: Tensor


def copula_name(degrees: list[float], folds: int) -> str:
    """What most folds' copulas are called; ``degrees`` are those of the folds that took a Student.

    >>> copula_name([2.0, 3.0, 3.0], 3), copula_name([24.0], 3)
    ('Student copula, 3 degrees of freedom', 'Gaussian copula')
    """
    if len(degrees) * 2 <= folds:
        return "Gaussian copula"
    return f"Student copula, {float(np.median(degrees)):g} degrees of freedom"


def fit_base(x: np.ndarray, y: np.ndarray, fold: Fold) -> GaussianCritic:
    """The Gaussian of the training rows, shrunk by as much as the validation rows' mean log-ratio asks for.

    Candidates are the sample covariance and that shrunk by the formula of Ledoit & Wolf (2004), each with less and less
    covariance between the sides. 1 - r^2 is kept above 1 / n: so few rows cannot tell a stronger relation from a
    deterministic one. If the sides are not jointly Gaussian, the best bound chooses instead of the mean log-ratio.
    """
    gaussian = _choose_gaussian(x, y, fold)[0]
    return made_to_fit(gaussian, *_validation(x, y, fold))


def _choose_gaussian(x: np.ndarray, y: np.ndarray, fold: Fold) -> tuple[GaussianCritic, float, float]:
    """The chosen Gaussian, its shrinkage of the cross-covariance and its weight of the diagonal."""
    train, validation = fold.train, fold.validation
    both = np.concatenate([x[train], y[train]], 1)
    diagonals = [ledoit_wolf_shrinkage(both)]
    if len(train) > 3 * both.shape[1]:
        diagonals.append(0.0)
    tx, ty = torch.as_tensor(x[validation]), torch.as_tensor(y[validation])
    candidates = []
    for diagonal in diagonals:
        for shrinkage in SHRINKAGES:
            critic = GaussianCritic.fit(x[train], y[train], shrinkage=shrinkage, diagonal=diagonal, floor=1 / len(train))
            ratio = critic(tx, ty)
            surely = float(ratio.mean() - 0.5 * ratio.std(correction=0) / len(validation) ** 0.5)
            candidates.append((surely, critic, shrinkage, diagonal))
    _, critic, shrinkage, diagonal = max(candidates, key=lambda c: c[0])
    return critic, shrinkage, diagonal


def fit_copulas(parts: list[tuple[np.ndarray, np.ndarray, Fold]], ensemble_size: int = 1) -> CopulaBase:
    """The copula of each fold's training rows, all of them ``ensemble_size`` times over.

    A part is what :func:`base_rows` gives, normal scores and their fold.
    """
    chosen = [_choose_gaussian(*part) for part in parts]
    gaussian = GaussianCritic.stacked([c[0] for c in chosen] * ensemble_size)
    weights = torch.stack(
        [
            direction_weights(critic, torch.as_tensor(x[fold.validation]), torch.as_tensor(y[fold.validation]))
            for (critic, _, _), (x, y, fold) in zip(chosen, parts, strict=True)
        ]
        * ensemble_size
    )
    best = [_heavier_tails(*c, *part) for c, part in zip(chosen, parts, strict=True)]
    shares = [_weakening(copula, *_validation(*part)) for (copula, _), part in zip(best, parts, strict=True)]
    if not any(math.isfinite(dof) for _, dof in best):
        ratio = GaussianCritic.stacked([shrunk(c[0], s) for c, s in zip(chosen, shares, strict=True)] * ensemble_size)
        return CopulaBase(ratio, gaussian, weights)
    students = [
        shrunk(
            critic
            if isinstance(critic, StudentCritic)
            else fit_student(x[f.train], y[f.train], math.inf, shrinkage=s, diagonal=d, floor=1 / len(f.train)),
            share,
        )
        for (critic, _), (_, s, d), (x, y, f), share in zip(best, chosen, parts, shares, strict=True)
    ]
    return CopulaBase(StudentCritic.stacked(students * ensemble_size), gaussian, weights)


def _heavier_tails(
    gaussian: GaussianCritic, shrinkage: float, diagonal: float, x: np.ndarray, y: np.ndarray, fold: Fold
) -> tuple[GaussianCritic | StudentCritic, float]:
    """The best copula on the validation rows and its degrees of freedom, from the Gaussian on while heavier tails help."""
    validation = _validation(x, y, fold)
    best: tuple[GaussianCritic | StudentCritic, float] = (gaussian, math.inf)
    rows = bound_rows(gaussian, *validation)
    train = fold.train
    for dof in DEGREES:
        tx, ty = student_scores(x[train], dof), student_scores(y[train], dof)
        critic = fit_student(tx, ty, dof, shrinkage=shrinkage, diagonal=diagonal, floor=1 / len(train))
        candidate_rows = bound_rows(critic, *validation)
        gain = candidate_rows - rows
        if gain.mean() <= 0.5 * gain.std(correction=0) / len(gain) ** 0.5 + 0.5 / len(gain):
            break
        best, rows = (critic, dof), candidate_rows
    return best


def made_to_fit(copula: GaussianCritic, x: Tensor, y: Tensor) -> GaussianCritic:
    """``copula`` with as much taken off its correlations as rows (m, dx), (m, dy) ask for, none if it fits them."""
    return shrunk(copula, _weakening(copula, x, y))


def _weakening(copula: GaussianCritic | StudentCritic, x: Tensor, y: Tensor) -> float:
    """Share to take off the correlations of ``copula``: none if it fits rows (m, dx), (m, dy), else what bounds best on them.

    The mean log-ratio of a copula that does not fit is no bound: it grows with each column that repeats what others say.
    """
    if x.shape[1] == y.shape[1] == 1 or log_partition(copula, x, y).fits:  # the scores of one column are normal
        return 0.0
    bounds = [float(bound_rows(shrunk(copula, share), x, y).mean()) for share in SHRINKAGES]
    return SHRINKAGES[max(range(len(bounds)), key=bounds.__getitem__)]


def _validation(x: np.ndarray, y: np.ndarray, fold: Fold) -> tuple[Tensor, Tensor]:
    return torch.as_tensor(x[fold.validation]), torch.as_tensor(y[fold.validation])


def base_rows(pairs: Pairs, fold: Fold, dx: int, dy: int) -> tuple[np.ndarray, np.ndarray, Fold]:
    """What the copulas read of a fold: its training and validation rows of the first features, and their new numbers."""
    train = base_train(fold, dx + dy)
    n = len(train) + len(fold.validation)
    x, y = pairs.rows(torch.as_tensor(np.concatenate([train, fold.validation]), device=pairs.x.device))
    renumbered = Fold(np.arange(len(train)), np.arange(len(train), n), np.arange(0))
    return x[:, :dx].cpu().double().numpy(), y[:, :dy].cpu().double().numpy(), renumbered


def base_train(fold: Fold, width: int) -> np.ndarray:
    """Training rows that a covariance of ``width`` columns is estimated from: so many that a copy of them stays small."""
    return trimmed([fold], max(20_000, outofcore.FIT_VALUES // width), seed=0)[0].train
