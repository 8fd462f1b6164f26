"""The fitted copula that a critic starts from: how much to shrink it and how heavy its tails are, chosen on the stop rows."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.covariance import ledoit_wolf_shrinkage
from torch import Tensor

from mine.critics import Critic, GaussianCritic
from mine.guided import direction_weights
from mine.reporting import selection_rows
from mine.splits import Fold
from mine.student import StudentCritic, fit_student, student_scores
from mine.training import Pairs, evaluate_scores

__all__ = ["CopulaBase", "fit_base", "fit_copulas"]

#: Degrees of freedom tried, from light tails to heavy ones, until one is no better than the last.
DEGREES = (24.0, 10.0, 5.0, 3.0, 2.0, 1.5, 1.0, 0.7)
#: Rows of the stop split that choose among them, and shuffles a row.
CHOOSING_ROWS, CHOOSING_SHUFFLES = 4000, 12


@dataclass(frozen=True)
class CopulaBase:
    """The folds' copulas: ``ratio`` is the log-ratio, ``gaussian`` the Gaussian of the same rows; both stacked.

    ``weights`` (M, 1, r) tells how far each canonical direction correlates on the stop rows.
    """

    ratio: Critic
    gaussian: GaussianCritic
    weights: Tensor
    degrees: tuple[float, ...]

    @property
    def name(self) -> str:
        finite = [f for f in self.degrees if math.isfinite(f)]
        if len(finite) * 2 <= len(self.degrees):
            return "Gaussian copula"
        return f"Student copula, {float(np.median(finite)):g} degrees of freedom"


def fit_base(x: np.ndarray, y: np.ndarray, fold: Fold) -> GaussianCritic:
    """The Gaussian of the training rows, shrunk by as much as the stop rows' mean log-ratio asks for.

    Candidates are the sample covariance and that shrunk by the formula of Ledoit & Wolf (2004), each with less and less
    covariance between the sides. 1 - r^2 is kept above 1 / n: so few rows cannot tell a stronger relation from a
    deterministic one.
    """
    return _choose_gaussian(x, y, fold)[0]


def _choose_gaussian(x: np.ndarray, y: np.ndarray, fold: Fold) -> tuple[GaussianCritic, float, float]:
    """The chosen Gaussian, its shrinkage of the cross-covariance and its weight of the diagonal."""
    train, stop = fold.train, fold.stop
    both = np.concatenate([x[train], y[train]], 1)
    diagonals = [float(ledoit_wolf_shrinkage(both))]
    if len(train) > 3 * both.shape[1]:
        diagonals.append(0.0)
    tx, ty = torch.as_tensor(x[stop]), torch.as_tensor(y[stop])
    candidates = []
    for diagonal in diagonals:
        for shrinkage in (0.0, 0.03, 0.1, 0.3, 0.6, 1.0):
            critic = GaussianCritic.fit(x[train], y[train], shrinkage=shrinkage, diagonal=diagonal, floor=1 / len(train))
            ratio = critic(tx, ty)
            surely = float(ratio.mean() - 0.5 * ratio.std(correction=0) / len(stop) ** 0.5)
            candidates.append((surely, critic, shrinkage, diagonal))
    _, critic, shrinkage, diagonal = max(candidates, key=lambda c: c[0])
    return critic, shrinkage, diagonal


def fit_copulas(x: np.ndarray, y: np.ndarray, folds: list[Fold], *, heavy_tails: bool = True) -> CopulaBase:
    """The copula of each fold's training rows; x (n, dx) and y (n, dy) are normal scores."""
    chosen = [_choose_gaussian(x, y, fold) for fold in folds]
    gaussian = GaussianCritic.stacked([c[0] for c in chosen])
    weights = [
        direction_weights(critic, torch.as_tensor(x[fold.stop]), torch.as_tensor(y[fold.stop]))
        for (critic, _, _), fold in zip(chosen, folds, strict=True)
    ]
    weights = torch.stack(weights)
    if not heavy_tails:
        return CopulaBase(gaussian, gaussian, weights, (math.inf,) * len(folds))
    best: list[tuple[Critic, float]] = [(c[0], math.inf) for c in chosen]
    pairs = Pairs(torch.as_tensor(x), torch.as_tensor(y))
    rows = [_stop_rows(critic, pairs, fold) for (critic, _), fold in zip(best, folds, strict=True)]
    going = set(range(len(folds)))
    for dof in DEGREES:
        tx, ty = student_scores(x, dof), student_scores(y, dof)  # of one side alone: the same for every fold
        for k in sorted(going):
            fold, (_, shrinkage, diagonal) = folds[k], chosen[k]
            critic = fit_student(
                tx[fold.train], ty[fold.train], dof, shrinkage=shrinkage, diagonal=diagonal, floor=1 / len(fold.train)
            )
            found = _stop_rows(critic, pairs, fold)
            gain = found - rows[k]
            if gain.mean() > 0.5 * gain.std(correction=0) / len(gain) ** 0.5 + 0.5 / len(gain):
                best[k], rows[k] = (critic, dof), found
            else:
                going.remove(k)
        if not going:
            break
    degrees = tuple(dof for _, dof in best)
    if not any(map(math.isfinite, degrees)):
        return CopulaBase(gaussian, gaussian, weights, degrees)
    students = [
        critic
        if isinstance(critic, StudentCritic)
        else fit_student(x[f.train], y[f.train], math.inf, shrinkage=s, diagonal=d, floor=1 / len(f.train))
        for (critic, _), (_, s, d), f in zip(best, chosen, folds, strict=True)
    ]
    return CopulaBase(StudentCritic.stacked(students), gaussian, weights, degrees)


def _stop_rows(critic: Critic, pairs: Pairs, fold: Fold) -> Tensor:
    """Contributions (nats) of the stop rows to the held-out bound of ``critic``; the same rows and shuffles each time."""
    index = torch.as_tensor(fold.stop[:CHOOSING_ROWS])
    shuffles = min(CHOOSING_SHUFFLES, len(index) - 1)
    joint, marginal, _ = evaluate_scores(critic, pairs, index, shuffles, torch.Generator().manual_seed(0))
    return selection_rows("dv", joint, marginal)
