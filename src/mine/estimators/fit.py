"""What a cross-fit is: trained critics, one per fold, with the data they were trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mine.critics.critic import Critic
from mine.data.preprocessing import SideEncoder
from mine.data.problem import Problem
from mine.data.splits import Fold
from mine.training.options import History
from mine.training.pairs import Pairs

__all__ = ["CrossFit", "stacked_rows"]


@dataclass(frozen=True)
class CrossFit:
    """Trained critics, one a fold, with the data they were trained on.

    ``steps`` is the most steps they could take, ``about`` goes into the diagnostics.
    """

    problem: Problem
    encoders: list[SideEncoder]
    pairs: Pairs
    folds: list[Fold]
    critics: list[Critic]
    histories: list[History]
    steps: int
    about: dict[str, Any]


def stacked_rows(parts: list[np.ndarray], seed: int, device: torch.device) -> Tensor:
    """Index parts as one tensor (M, n): the longer ones lose random rows, at most one each without groups."""
    size = min(map(len, parts))
    rng = np.random.default_rng(seed)
    rows = [p if len(p) == size else rng.permutation(p)[:size] for p in parts]
    return torch.as_tensor(np.stack(rows), device=device)
