"""Label codes as indicator columns; scikit-learn's encoder gives the same, and takes a second to import."""

from __future__ import annotations

from typing import Self

import numpy as np

__all__ = ["OneHot"]


class OneHot:
    """Indicators of the levels of each column of codes; the rarest levels share the last one of their column.

    A column of two levels has the indicator of the second one only. A code that :meth:`fit` did not see counts as one of the
    rare levels, and has no indicator if there are none.

    Arguments:
        most_levels: Maximum number of indicators per column, that of the rare levels included.

    Example:
        >>> encoder = OneHot(most_levels=64).fit(np.array([[0, 5], [1, 6], [1, 7]]))
        >>> encoder.transform(np.array([[1, 7], [0, 8]]))
        array([[1., 0., 0., 1.],
               [0., 0., 0., 0.]])
    """

    def __init__(self, most_levels: int) -> None:
        self.most_levels = most_levels

    def fit(self, codes: np.ndarray) -> Self:
        """Learn the levels of ``codes``, whole numbers of shape (n, d)."""
        self.levels_: list[np.ndarray] = []
        self.places_: list[np.ndarray] = []
        self.rare_: list[int] = []
        for column in codes.T:
            levels, counts = np.unique(column, return_counts=True)
            n_rare = len(levels) - self.most_levels + 1 if len(levels) > self.most_levels else 0
            rare = np.argsort(counts, kind="stable")[:n_rare]
            kept = np.ones(len(levels), bool)
            kept[rare] = False
            places = np.where(kept, np.cumsum(kept) - 1, kept.sum())
            self.levels_.append(levels)
            self.places_.append(places - 1 if len(levels) == 2 else places)
            self.rare_.append(n_rare)
        return self

    def transform(self, codes: np.ndarray) -> np.ndarray:
        """Indicators of ``codes`` (n, d): one column per level that has its own, shape (n, levels), in float64."""
        parts = []
        for column, levels, places, n_rare in zip(codes.T, self.levels_, self.places_, self.rare_, strict=True):
            at = np.searchsorted(levels, column).clip(max=len(levels) - 1)
            width = int(places.max()) + 1
            place = np.where(levels[at] == column, places[at], width - 1 if n_rare else -1)
            out = np.zeros((len(column), width))
            known = place >= 0
            out[np.flatnonzero(known), place[known]] = 1.0
            parts.append(out)
        return np.concatenate(parts, 1)
