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
#: Gain on validation rows, in nats and as a share, from which squares of the columns are features too.
SQUARES_GAIN, SQUARES_SHARE = 0.05, 0.1
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
        folds: Number of the fold that each row was evaluated in, shape (n,).
        correlations: Held-out correlation of the codes that training started from, mean over folds, shape (widths,).
        squares: Whether they are combinations of squares too.
    """

    problem: Problem
    rows: np.ndarray
    cap: float
    folds: np.ndarray
    correlations: np.ndarray
    squares: bool


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
    sides, starts, squares = _starts(problem, folds, widths)
    critic = _critic(starts, widths, seeds[1]).to(problem.device)
    x, y = (torch.as_tensor(side, device=problem.device) for side in sides)
    train_widths(critic, x, y, folds, seeds[2], steps=steps, on_progress=problem.on_progress)

    rng = np.random.default_rng(seeds[3])
    rows, codes, smallest = np.zeros((problem.n, widths + 1)), np.zeros(problem.n, np.int64), problem.n
    for k, fold in enumerate(folds):
        codes[fold.evaluation] = k
        blocks = np.array_split(rng.permutation(fold.evaluation), -(-len(fold.evaluation) // BLOCK))
        smallest = min(smallest, *map(len, blocks))
        for width in range(widths):
            one = critic.select(k * widths + width)
            for block in blocks:
                rows[block, width + 1] = influences(one, x, y, block)
    correlations = np.mean([start.correlations for start in starts], 0)
    return WidthCurve(problem, rows, math.log(smallest), codes, correlations, squares)


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


def _starts(problem: Problem, folds: list[Fold], widths: int) -> tuple[list[np.ndarray], list[Canonical], bool]:
    """The features of both sides, the canonical directions of each fold, and whether there are squares among the features.

    Squares see what has no correlation, as of a wave and its strength. They double the columns: they are taken only if that
    pays on validation rows.
    """
    plain = [_columns(side) for side in (problem.x, problem.y)]
    linear = [_start(plain, fold, widths) for fold in folds]
    bent = [np.concatenate([side, _squares(side)], 1) for side in plain]
    quadratic = [_start(bent, fold, widths) for fold in folds]
    gain = np.mean([after.nats - before.nats for after, before in zip(quadratic, linear, strict=True)])
    if gain > max(SQUARES_GAIN, SQUARES_SHARE * float(np.mean([start.nats for start in linear]))):
        return bent, quadratic, True
    return plain, linear, False


def _squares(values: np.ndarray) -> np.ndarray:
    deviations = np.maximum(values.std(0), 1e-6)
    squares = (values / deviations) ** 2
    return (squares - squares.mean(0)) / np.maximum(squares.std(0), 1e-6) * deviations


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


def influences(critic: BottleneckCritic, x: Tensor, y: Tensor, rows: np.ndarray) -> np.ndarray:
    """Influence of each row on the bound, shape (len(rows),): its own terms, and its part in the denominators of others."""
    index = torch.as_tensor(rows, device=x.device)
    with torch.no_grad():
        scores = critic.all_pairs(critic.encode_x(x[index]), critic.encode_y(y[index])).double()
        among_others = 0.5 * (scores.softmax(-1).sum(-2) + scores.softmax(-2).sum(-1)) - 1
        return (log_ratios(scores) - among_others).cpu().numpy()
