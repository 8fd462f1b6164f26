"""Held-out information of critics whose codes are 1, 2, ... numbers wide, all trained at once on the same folds."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mine.critics.bottleneck import BottleneckCritic
from mine.data.preprocessing import SideEncoder
from mine.data.problem import Problem
from mine.data.splits import Fold
from mine.data.variable import Variable
from mine.estimators.folds import split
from mine.estimators.widths.canonical import Canonical, canonical_directions
from mine.estimators.widths.training import log_ratios, train_widths

__all__ = ["N_FOLDS", "WidthCurve", "widest", "width_curve"]

#: Number of folds; those of all widths are trained at once.
N_FOLDS = 3
#: Principal components that wider sides are reduced to, each side by itself.
MOST_COLUMNS = 128
#: Evaluation rows that are scored against each other at most: the memory is their square.
BLOCK = 2048


@dataclass(frozen=True)
class WidthCurve:
    """The bound of each width, by row.

    Attributes:
        problem: The rows as they were split.
        rows: Influence of each row on the bound of width k in column k, shape (n, widths + 1), in nats: their mean is the
            bound, and their spread its sampling error. A bottleneck of width 0 lets nothing through.
        cap: The most nats that the bound can be.
        correlations: Held-out correlation of the linear codes, mean over folds, shape (widths,).
    """

    problem: Problem
    rows: np.ndarray
    cap: float
    correlations: np.ndarray


def widest(problem: Problem) -> int:
    """The number of codes that the narrower side can fill: its columns, a label counting as one for each level but one."""
    return min(_n_features(side) for side in (problem.x, problem.y))


def width_curve(problem: Problem, widths: int, steps: int | None = None) -> WidthCurve:
    """The held-out InfoNCE bound for codes of 1 to ``widths`` numbers.

    Each critic starts from the canonical directions of its training rows, with the ratio of a Gaussian, and learns how far the
    codes and the ratio bend. Where that does not help on validation rows, it stays as it started.

    Arguments:
        problem: The checked rows.
        widths: Largest number of codes.
        steps: Number of optimiser steps; None lets the number of rows decide.

    Raises:
        NotEnoughDataError: Too few rows or groups for three folds.
    """
    seeds = problem.seeds(4)
    problem, folds = split(problem, N_FOLDS, seeds[0])
    sides = [_columns(side) for side in (problem.x, problem.y)]
    starts = [_start(sides, fold, widths) for fold in folds]
    critic = _critic(starts, widths, seeds[1]).to(problem.device)
    x, y = (torch.as_tensor(side, device=problem.device) for side in sides)
    train_widths(critic, x, y, folds, seeds[2], steps=steps, on_progress=problem.on_progress)

    rng = np.random.default_rng(seeds[3])
    rows, smallest = np.zeros((problem.n, widths + 1)), problem.n
    for k, fold in enumerate(folds):
        blocks = np.array_split(rng.permutation(fold.evaluation), -(-len(fold.evaluation) // BLOCK))
        smallest = min(smallest, *map(len, blocks))
        for width in range(widths):
            one = critic.select(k * widths + width)
            for block in blocks:
                rows[block, width + 1] = _influences(one, x, y, block)
    return WidthCurve(problem, rows, math.log(smallest), np.mean([start.correlations for start in starts], 0))


def _n_features(side: Variable) -> int:
    return side.n_continuous + sum(len(levels) - 1 for levels in side.levels)


def _columns(side: Variable) -> np.ndarray:
    """Centred normal scores and labels of a side, at most ``MOST_COLUMNS`` principal components of them; float32."""
    values = SideEncoder("rank").fit(side).transform(side)
    values = values - values.mean(0)
    if values.shape[1] <= MOST_COLUMNS:
        return values
    axes = np.linalg.eigh(values.T @ values)[1][:, ::-1]
    return values @ np.ascontiguousarray(axes[:, :MOST_COLUMNS])


def _start(sides: list[np.ndarray], fold: Fold, widths: int) -> Canonical:
    train, validation = ([side[rows].astype(np.float64) for side in sides] for rows in (fold.train, fold.validation))
    return canonical_directions((train[0], train[1]), (validation[0], validation[1]), widths)


def _critic(starts: list[Canonical], widths: int, seed: int) -> BottleneckCritic:
    """One critic for each fold and width, fold after fold."""
    x, y, r = (
        torch.as_tensor(np.repeat([getattr(start, name) for start in starts], widths, axis=0), dtype=torch.float32)
        for name in ("x", "y", "correlations")
    )
    each = torch.arange(1, widths + 1).repeat(len(starts))
    return BottleneckCritic(x, y, r, each, generator=torch.Generator().manual_seed(seed))


def _influences(critic: BottleneckCritic, x: Tensor, y: Tensor, rows: np.ndarray) -> np.ndarray:
    """Influence of each row on the bound, shape (len(rows),): its own terms, and its part in the denominators of others."""
    index = torch.as_tensor(rows, device=x.device)
    with torch.no_grad():
        scores = critic.all_pairs(critic.encode_x(x[index]), critic.encode_y(y[index])).double()
        among_others = 0.5 * (scores.softmax(-1).sum(-2) + scores.softmax(-2).sum(-1)) - 1
        return (log_ratios(scores) - among_others).cpu().numpy()
