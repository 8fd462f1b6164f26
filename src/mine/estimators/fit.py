"""What a cross-fit is: trained critics, one per fold, with the data they were trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mine.critics.critic import Critic
from mine.data.preprocessing import SideEncoder
from mine.data.problem import Problem
from mine.data.splits import Fold
from mine.training.options import History
from mine.training.pairs import Pairs

__all__ = ["CrossFit", "Trained"]


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


@dataclass(frozen=True)
class Trained:
    """Trained critics, one per fold, and the data they read.

    ``steps`` is the maximum number of steps; ``words`` describe the critics, if the method cannot know them beforehand.
    """

    folds: list[Fold]
    critics: list[Critic]
    histories: list[History]
    encoders: list[SideEncoder]
    pairs: Pairs
    steps: int
    words: str = ""
