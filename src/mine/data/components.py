"""A wide side as a few principal components next to its columns: what one side alone tells of how to read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from mine.data import outofcore
from mine.data.preprocessing import RankGaussianizer, SideEncoder
from mine.data.variable import Variable

__all__ = ["WIDE", "WideEncoder", "WideLayout", "is_wide", "share_a_unit"]

#: Columns of numbers from which on a side is wide.
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
    """The features of a side: normal scores of ``columns``, ``labels``, ``components`` ranked, and the same plain."""

    columns: int
    labels: int
    components: int


def is_wide(x: Variable, y: Variable) -> bool:
    """Whether a side has many columns of numbers, the other has some too or is a label, and their features fit into memory.

    >>> from mine.data.sides import as_variable
    >>> is_wide(*(as_variable(np.random.default_rng(d).normal(size=(30, d)), "x") for d in (64, 2)))
    True
    """
    dims = (x.n_continuous, y.n_continuous)
    readable = all(side.n_continuous or side.is_label for side in (x, y))
    return readable and max(dims) >= WIDE and 4 * len(x) * sum(dims) <= outofcore.RESIDENT_BYTES // 2


class WideEncoder(SideEncoder):
    """The features of a side: its normal scores and labels as in :class:`SideEncoder`, then its principal components.

    They are laid out as :class:`WideLayout` tells; a side of fewer than ``WIDE`` columns has no components. Components are
    taken of the plain columns if these share a unit (pixels, coordinates of an embedding), else of the normal scores. Plain
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
        components = self._fit_components(few.flat) if columns >= WIDE else 0
        self.layout = WideLayout(columns, super().transform(variable.take(slice(0, 1))).shape[1] - columns, components)
        return self

    def _fit_components(self, flat: np.ndarray) -> int:
        """Fit the principal components of rows (n, d); their number."""
        self.plain_ = share_a_unit(flat)
        values = flat if self.plain_ else self.scalers_[0].transform(flat)
        self.mean_ = values.mean(0)
        count = min(COMPONENTS, flat.shape[1] // 2, len(flat) // 10)
        from sklearn.decomposition import PCA

        found = PCA(max(1, count), svd_solver="randomized", random_state=0).fit((values - self.mean_).astype(np.float32))
        deviations = np.asarray(found.explained_variance_, np.float64) ** 0.5
        real = deviations > 1e-4 * max(float(deviations.max()), 1e-300)
        self.axes_ = np.asarray(found.components_, np.float64)[real].T / deviations[real]
        if real.any():
            self.ranks_ = RankGaussianizer().fit(self._components(values))
        return int(real.sum())

    def _components(self, values: np.ndarray) -> np.ndarray:
        return ((values - self.mean_) @ self.axes_).clip(-FARTHEST, FARTHEST)

    def transform(self, variable: Variable) -> np.ndarray:
        """Features of shape (n, d + l + 2 k), float32."""
        features = super().transform(variable)
        if not self.layout.components:
            return features
        components = self._components(variable.flat if self.plain_ else features[:, : self.layout.columns].astype(np.float64))
        return np.concatenate(
            [features, self.ranks_.transform(components), components], 1, dtype=np.float32, casting="same_kind"
        )


def share_a_unit(flat: np.ndarray) -> bool:
    """Whether the columns (n, d) can be weighted as they are: none reaches far beyond the others."""
    with np.errstate(over="ignore", invalid="ignore"):
        largest = np.abs(flat - flat.mean(0)).max(0)  # not deviations: a pixel that is seldom lit has the unit of the others
        return bool(0 < largest.max() <= UNEVEN * float(np.median(largest)))
