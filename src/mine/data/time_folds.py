"""Folds of rows in the order of time: each evaluation part is one stretch, with a gap to the rows that train for it."""

from __future__ import annotations

import numpy as np

from mine.data.order import TimeOrder
from mine.data.splits import Fold
from mine.errors import NotEnoughDataError

__all__ = ["time_folds"]

#: Fewest rows that a training may be left with.
FEWEST = 8


def time_folds(order: TimeOrder, n_folds: int, seed: int, validation_share: float = 0.15) -> list[Fold]:
    """Cross-fitting folds whose evaluation parts are stretches of time that partition the rows.

    Between training, validation and evaluation rows ``order.apart`` rows of time are left out, of those that train or
    validate. The validation part is one stretch as well, somewhere in the rest.

    Raises:
        NotEnoughDataError: Too few rows for ``n_folds`` stretches and their gaps.

    >>> import numpy as np
    >>> order = TimeOrder(np.arange(100), None, 2.0, np.arange(100) // 4, 1.0)
    >>> fold = time_folds(order, 5, seed=0)[0]
    >>> int(fold.evaluation.max()), int(min(fold.train.min(), fold.validation.min()))  # rows 20 and 21 are the gap
    (19, 22)
    """
    n, gap = len(order.position), order.apart
    places = np.argsort(order.position)
    rng = np.random.default_rng(seed)
    folds = []
    for evaluation in np.array_split(np.arange(n), n_folds):
        free = np.ones(n, bool)
        free[max(0, evaluation[0] - gap) : evaluation[-1] + 1 + gap] = False
        rest = np.flatnonzero(free)
        length = round(validation_share * len(rest))
        start = int(rng.integers(len(rest) - length + 1))
        validation = rest[start : start + length]
        if length >= 2:
            free[max(0, validation[0] - gap) : validation[-1] + 1 + gap] = False
        train = np.flatnonzero(free)
        if min(length, len(evaluation)) < 2 or len(train) < FEWEST:
            raise NotEnoughDataError(
                f"{n} rows of a series are too few for {n_folds} stretches of time with gaps of {gap}: pass more rows."
            )
        folds.append(Fold(*(np.sort(places[part]) for part in (train, validation, evaluation))))
    return folds
