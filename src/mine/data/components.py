"""A wide side as a few principal components next to its columns: what one side alone tells of how to read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from mine.data import outofcore
from mine.data.label_table import LabelTable
from mine.data.preprocessing import MAX_CATEGORIES, RankGaussianizer, SideEncoder
from mine.data.variable import Variable

__all__ = ["WIDE", "WideEncoder", "WideLayout", "is_wide", "share_a_unit"]

#: Columns of numbers, or of labels, from which on a side is wide.
WIDE = 64
#: Components kept; and rows that they are fitted on, which are many for a covariance of leading directions.
COMPONENTS, FIT_ROWS = 32, 20_000
#: The columns have no common unit if one reaches so many times as far from its mean as the median one: their normal scores are
#: decomposed instead.
UNEVEN = 10.0
#: Standard deviations at which components are cut off.
FARTHEST = 6.0


@dataclass(frozen=True)
class WideLayout:
    """The features of a side: normal scores of ``columns``, ``labels``, ``components`` ranked, and the same plain.

    ``occurrences`` says that the components are those of counts that are mostly 0.
    """

    columns: int
    labels: int
    components: int
    occurrences: bool = False

    @property
    def is_label(self) -> bool:
        """Whether the side is one column of labels."""
        return not self.columns and not self.components

    @property
    def of_labels(self) -> bool:
        """Whether the components are those of many columns of labels."""
        return self.columns < WIDE and self.components > 0


def is_wide(x: Variable, y: Variable) -> bool:
    """Whether a side has many columns of numbers or of labels, the other numbers, many labels or one, and they fit into memory.

    >>> from mine.data.sides import as_variable
    >>> is_wide(*(as_variable(np.random.default_rng(d).normal(size=(30, d)), "x") for d in (64, 2)))
    True
    """
    wide = [max(side.n_continuous, side.n_discrete) >= WIDE for side in (x, y)]
    readable = all(side.n_continuous or side.is_label or many for side, many in zip((x, y), wide, strict=True))
    features = sum(side.n_continuous + _indicators(side) for side in (x, y))
    return readable and any(wide) and 4 * len(x) * features <= outofcore.RESIDENT_BYTES // 2


def _indicators(side: Variable) -> int:
    """Most features of its labels where they are many columns; of a few columns they are few."""
    return sum(min(len(levels), MAX_CATEGORIES) for levels in side.levels) if side.n_discrete >= WIDE else 0


class WideEncoder(SideEncoder):
    """The features of a side: its normal scores and labels as in :class:`SideEncoder`, then its principal components.

    They are laid out as :class:`WideLayout` tells; a side of fewer than ``WIDE`` columns has no components. Components are
    taken of the plain columns if these share a unit (pixels, coordinates of an embedding), else of the normal scores. Of a side
    with many columns of labels and few of numbers they are taken of both, the labels as :class:`LabelTable` reads them. Plain
    components have unit variance, ranked ones are their normal scores.

    Attributes:
        layout: Number of each kind of features, after ``fit``.
    """

    def __init__(self) -> None:
        super().__init__("rank")

    def fit(self, variable: Variable, *, keep_shape: bool = False) -> Self:
        super().fit(variable)
        columns = variable.n_continuous
        sample = outofcore.fit_rows(len(variable), variable.n_continuous + variable.n_discrete)
        few = variable if sample is None else variable.take(sample)
        few = few.take(slice(0, None, -(-len(few) // FIT_ROWS)))
        self.table_ = LabelTable().fit(few) if columns < WIDE <= variable.n_discrete else None
        components = self._fit_components(few) if columns >= WIDE or self.table_ is not None else 0
        levels = super().transform(variable.take(slice(0, 1))).shape[1] - columns
        self.layout = WideLayout(columns, levels, components, self.table_ is not None and self.table_.counts_)
        return self

    def _fit_components(self, few: Variable) -> int:
        """Fit the principal components of some rows; their number."""
        flat = few.flat
        self.plain_ = self.table_ is None and share_a_unit(flat)
        scores = self.scalers_[0].transform(flat) if flat.shape[1] and not self.plain_ else flat
        values = self._values(few, scores)
        self.mean_ = values.mean(0)
        count = min(COMPONENTS, values.shape[1] // 2, len(flat) // 10)
        from sklearn.decomposition import PCA

        found = PCA(max(1, count), svd_solver="randomized", random_state=0).fit((values - self.mean_).astype(np.float32))
        deviations = np.asarray(found.explained_variance_, np.float64) ** 0.5
        real = deviations > 1e-4 * max(float(deviations.max()), 1e-300)
        self.axes_ = np.asarray(found.components_, np.float64)[real].T / deviations[real]
        if real.any():
            self.ranks_ = RankGaussianizer().fit(self._components(values))
        return int(real.sum())

    def _values(self, variable: Variable, scores: np.ndarray) -> np.ndarray:
        """What components are taken of, (n, q): plain columns or their normal ``scores``, and labels if they are many."""
        if self.table_ is not None:
            return np.concatenate([scores, self.table_.transform(variable)], 1)
        return variable.flat if self.plain_ else scores

    def _components(self, values: np.ndarray) -> np.ndarray:
        return ((values - self.mean_) @ self.axes_).clip(-FARTHEST, FARTHEST)

    def transform(self, variable: Variable) -> np.ndarray:
        """Features of shape (n, d + l + 2 k), float32."""
        features = super().transform(variable)
        if not self.layout.components:
            return features
        components = self._components(self._values(variable, features[:, : self.layout.columns].astype(np.float64)))
        return np.concatenate(
            [features, self.ranks_.transform(components), components], 1, dtype=np.float32, casting="same_kind"
        )


def share_a_unit(flat: np.ndarray) -> bool:
    """Whether the columns (n, d) can be weighted as they are: none reaches far beyond the others."""
    with np.errstate(over="ignore", invalid="ignore"):
        largest = np.abs(flat - flat.mean(0)).max(0)  # not deviations: a pixel that is seldom lit has the unit of the others
        return bool(0 < largest.max() <= UNEVEN * float(np.median(largest)))
