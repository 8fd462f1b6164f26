"""How much of the past counts: a choice among lags by how well they predict rows that were not fitted to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from scipy.spatial import KDTree

from mine.data.preprocessing import rank_gaussianize
from mine.data.problem import clustered_stderr
from mine.information.series import Series

__all__ = ["Lags", "chosen_lags"]

#: Rows that a choice is made on at most, and folds of their stretches.
MOST_ROWS, FOLDS = 4000, 5
#: Lags of one series at most.
MOST_LAGS = 4
#: Standard errors by which a lag must lower the error of the prediction.
SURELY = 2.0
#: Neighbours of the prediction by neighbours, and the penalty of the one by polynomials, per row.
NEIGHBOURS, PENALTY = 10, 1e-3
#: Columns up to which polynomials have products of two columns.
PRODUCTS = 12
#: Levels of a label that are told apart, the commonest.
MOST_LEVELS = 8

#: A lag of a series: the index of the series, and how many rows back.
_Place: TypeAlias = tuple[int, int]
#: Predicts from inputs and targets that were seen the targets of other inputs.
_Predictor: TypeAlias = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Lags:
    """The lags that count, each in increasing order: of the driver, of the driven series and of the others."""

    driver: tuple[int, ...]
    driven: tuple[int, ...]
    others: tuple[int, ...] = ()

    @property
    def longest(self) -> int:
        return max((*self.driver, *self.driven, *self.others))


def chosen_lags(
    driver: Series,
    driven: Series,
    others: Series,
    rows: np.ndarray,
    blocks: np.ndarray,
    longest: int,
    driver_lags: tuple[int, ...],
) -> Lags:
    """Lags up to ``longest`` by non-uniform embedding: one after the other, as long as it improves held-out predictions.

    First come lags of the driven series and the others, until no further one helps; then lags of the driver; then again lags of
    the first two, given the driver's. So what the driven series tells of itself is never put down to the driver. A lag helps
    if it surely lowers the squared error of the prediction of held-out stretches. Nearest neighbours (Ragwitz & Kantz) and
    polynomials predict, and the better of the two counts.

    References:
        Ragwitz & Kantz, 2002, 'Markov models from data by simple nonlinear time series predictors in delay embedding spaces'
        (doi 10.1103/PhysRevE.65.056201); Faes, Nollo & Porta, 2011, 'Information-based detection of nonlinear Granger
        causality in multivariate processes via a nonuniform embedding technique' (doi 10.1103/PhysRevE.83.051112).

    Arguments:
        driver: The series that may drive.
        driven: The series that may be driven.
        others: The series to condition on, perhaps without columns.
        rows: Rows of the present that the choice may use, shape (m,), at least ``longest``.
        blocks: Stretch of each of them, shape (m,).
        longest: The longest lag to try.
        driver_lags: Lags of the driver that the caller has set; empty to choose them.
    """
    search = _Search.of([driver, driven, others], rows, blocks, longest)
    lags = range(1, longest + 1)
    own = search.extended([], [(series, k) for series in (1, 2) for k in lags])
    if not any(series == 1 for series, _ in own):
        own.append((1, 1))
    of_driver = [(0, k) for k in driver_lags] or [p for p in search.extended(own, [(0, k) for k in lags]) if p[0] == 0]
    if not of_driver:
        of_driver = [search.best(own, [(0, k) for k in lags])]
    every = search.extended([*own, *of_driver], [(series, k) for series in (1, 2) for k in lags])
    if others.labels and not any(series == 2 for series, _ in every):
        every.append((2, 1))
    chosen = [tuple(sorted(k for series, k in every if series == wanted)) for wanted in range(3)]
    return Lags(*chosen)


@dataclass(frozen=True)
class _Search:
    """Columns that stand for each series (n, c), the target (m, c), the rows of the present and their folds (m,)."""

    columns: list[np.ndarray]
    target: np.ndarray
    rows: np.ndarray
    blocks: np.ndarray

    @classmethod
    def of(cls, series: list[Series], rows: np.ndarray, blocks: np.ndarray, longest: int) -> _Search:
        columns = [_scores(one) for one in series]
        complete = np.ones(len(rows), bool)
        for one in columns:
            for k in range(longest + 1):
                complete &= np.isfinite(one[rows - k]).all(1)
        rows, blocks = rows[complete], blocks[complete]
        kept = blocks <= blocks[min(len(blocks), MOST_ROWS) - 1]  # whole stretches
        rows, blocks = rows[kept], np.unique(blocks[kept], return_inverse=True)[1].ravel()
        return cls(columns, columns[1][rows], rows, blocks)

    def extended(self, places: list[_Place], candidates: list[_Place]) -> list[_Place]:
        """``places`` and the candidates that help, the most helpful first."""
        places = list(places)
        left = [place for place in candidates if place not in places and self.columns[place[0]].shape[1]]
        errors = self._errors(places)
        while left:
            found = {place: self._errors([*places, place]) for place in left}
            best = min(found, key=lambda place: found[place].mean())
            gain = errors - found[best]
            if gain.mean() <= SURELY * clustered_stderr(gain, self.blocks):
                break
            places.append(best)
            errors = found[best]
            full = {series for series, _ in left if sum(p[0] == series for p in places) >= MOST_LAGS}
            left = [place for place in left if place != best and place[0] not in full]
        return places

    def best(self, places: list[_Place], candidates: list[_Place]) -> _Place:
        """The candidate that helps most, surely or not."""
        return min(candidates, key=lambda place: self._errors([*places, place]).mean())

    def _errors(self, places: list[_Place]) -> np.ndarray:
        """Squared error of the held-out prediction of each row from these places, by the better predictor, shape (m,)."""
        inputs = np.concatenate([np.empty((len(self.rows), 0)), *(self.columns[s][self.rows - k] for s, k in places)], 1)
        found = [self._held_out(_by_polynomial, _powers(inputs))]
        if places:
            found.append(self._held_out(_by_neighbours, inputs))
        return min(found, key=lambda errors: errors.mean())

    def _held_out(self, predict: _Predictor, inputs: np.ndarray) -> np.ndarray:
        errors = np.empty(len(self.rows))
        for test in self._folds():
            predicted = predict(inputs[~test], self.target[~test], inputs[test])
            errors[test] = ((self.target[test] - predicted) ** 2).sum(1)
        return errors

    def _folds(self) -> Iterator[np.ndarray]:
        for fold in range(FOLDS):
            test = self.blocks % FOLDS == fold
            if test.any() and not test.all():
                yield test


def _by_polynomial(inputs: np.ndarray, target: np.ndarray, where: np.ndarray) -> np.ndarray:
    gram = inputs.T @ inputs
    return where @ np.linalg.solve(gram + PENALTY * len(inputs) * np.eye(len(gram)), inputs.T @ target)


def _by_neighbours(inputs: np.ndarray, target: np.ndarray, where: np.ndarray) -> np.ndarray:
    nearest = KDTree(inputs).query(where, min(NEIGHBOURS, len(inputs)))[1]
    return target[nearest.reshape(len(where), -1)].mean(1)


def _powers(inputs: np.ndarray) -> np.ndarray:
    """A constant, the columns, their squares and cubes, and products of two: (n, d) -> (n, p)."""
    n, d = inputs.shape
    products = [inputs[:, i] * inputs[:, j] for i in range(d) for j in range(i)] if d <= PRODUCTS else []
    return np.concatenate([np.ones((n, 1)), inputs, inputs**2, inputs**3, *(p[:, None] for p in products)], 1)


def _scores(series: Series) -> np.ndarray:
    """Normal scores of numbers, indicators of common labels, NaN where a value is missing: shape (n, c)."""
    columns = []
    for values, is_label in zip(series.values.T, series.labels, strict=True):
        if is_label:
            missing = np.array([value is None for value in values])
            levels, codes = np.unique(np.where(missing, "", values).astype(str), return_inverse=True)
            counts = np.bincount(codes[~missing], minlength=len(levels))
            commonest = np.argsort(-counts, kind="stable")[: min(MOST_LEVELS, (counts > 0).sum() - 1)]
            column = (codes[:, None] == commonest).astype(float)
        else:
            numbers = values.astype(float)
            missing = ~np.isfinite(numbers)
            column = np.full((len(values), 1), np.nan)
            column[~missing] = rank_gaussianize(numbers[~missing, None])
        column[missing] = np.nan
        columns.append(column)
    return np.concatenate([np.empty((len(series), 0)), *columns], 1)
