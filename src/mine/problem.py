"""What every estimator is handed: two checked sides, and how to compute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mine.variables import Variable

if TYPE_CHECKING:
    from mine.ranks import Ranks

__all__ = ["Problem", "clustered_stderr"]


@dataclass(frozen=True)
class Problem:
    """One estimation problem.

    Attributes:
        x: The first side.
        y: The second side, with as many rows.
        groups: Integer label of the unit each row belongs to, shape (n,), or None where rows are independent.
        seed: Of everything random.
        device: Torch device name.
        copies: Number of surplus exact copies of rows (kept together by ``groups``).
        on_progress: Called with (done, total, message) or None.
        ranks: The processes that train this estimate together, or None where it is one alone.
    """

    x: Variable
    y: Variable
    groups: np.ndarray | None = None
    seed: int = 0
    device: str = "cpu"
    copies: int = 0
    on_progress: Callable[[int, int, str], None] | None = None
    ranks: Ranks | None = None

    @property
    def n(self) -> int:
        return len(self.x)

    def seeds(self, count: int) -> list[int]:
        """Independent seeds derived from ``seed``."""
        return [int(s) for s in np.random.SeedSequence(self.seed).generate_state(count, np.uint32)]


def clustered_stderr(influence: np.ndarray, groups: np.ndarray | None) -> float:
    """Standard error of the mean of ``influence`` (n,), a group counting as one term.

    >>> round(clustered_stderr(np.array([1.0, -1.0, 1.0, -1.0]), None), 3)
    0.577
    """
    centred = influence - influence.mean()
    if groups is not None:
        centred = np.bincount(np.unique(groups, return_inverse=True)[1].ravel(), weights=centred)
    m = len(centred)
    if m < 2:
        return float("inf")
    return float(np.sqrt((centred**2).sum() * m / (m - 1)) / len(influence))
