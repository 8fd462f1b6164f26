"""How the rows of a problem are split and read: folds, validation rows, steps by the number of rows, features."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from mine.data.components import WideEncoder
from mine.data.features import features
from mine.data.preprocessing import SideEncoder
from mine.data.problem import Problem
from mine.data.splits import Fold, make_folds
from mine.data.time_folds import time_folds
from mine.errors import NotEnoughDataError
from mine.training.pairs import Pairs

__all__ = ["default_steps", "even_rows", "pairs_of", "split", "validation_share"]


def default_steps(n: int) -> int:
    """Steps for n rows: small data are fitted, and overfitted, in fewer.

    >>> default_steps(100), default_steps(10_000)
    (150, 600)
    """
    return int(np.clip(0.15 * n, 150, 600))


def validation_share(n: int) -> float:
    """Share of a fold's rows that choose the step: a few hundred rows are needed, 15 % suffice once there are many.

    About ten thousand rows are always enough: with more rows a validation should not cost more.

    >>> validation_share(10_000), validation_share(500), validation_share(1_000_000)
    (0.15, 0.25, 0.015)
    """
    return float(np.clip(300 / n, min(0.15, 15_000 / n), 0.25))


def split(problem: Problem, n_folds: int | None, seed: int) -> tuple[Problem, list[Fold]]:
    """The folds; copies of rows are let go where keeping them together leaves nothing to shuffle.

    ``n_folds`` None takes 5, and 3 from 4,000 rows on.
    """
    n_folds = n_folds or (5 if problem.n < 4000 else 3)
    share = validation_share(problem.n)
    if problem.order is not None and problem.order.in_stretches:
        return problem, time_folds(problem.order, n_folds, seed, share)
    try:
        return problem, make_folds(problem.n, n_folds, seed, problem.groups, validation_share=share)
    except NotEnoughDataError:
        if not problem.copies:
            raise
        return replace(problem, groups=None), make_folds(problem.n, n_folds, seed, validation_share=share)


def pairs_of(problem: Problem, encoders: list[SideEncoder]) -> Pairs:
    """The features of both sides, as their fitted encoders give them."""
    x, y = features(problem.x, problem.y, (encoders[0], encoders[1]), problem.device)
    # Groups made of copies matter to the splits; that a row meets its own copy in a shuffle is as rare as the copies are.
    grouped = problem.groups is not None and not problem.copies
    groups = torch.as_tensor(problem.groups).to(problem.device) if grouped else None
    left, right = encoders
    wide = (left.layout, right.layout) if isinstance(left, WideEncoder) and isinstance(right, WideEncoder) else None
    return Pairs(x, y, groups, wide)


def even_rows(parts: list[np.ndarray], seed: int, device: torch.device) -> Tensor:
    """Index parts as one tensor (M, n): the longer ones lose random rows, at most one each without groups."""
    size = min(map(len, parts))
    rng = np.random.default_rng(seed)
    rows = [p if len(p) == size else rng.permutation(p)[:size] for p in parts]
    return torch.as_tensor(np.stack(rows), device=device)
