"""Many columns of labels as one table of numbers: counts of words, ratings, genotypes, purchases, answers to questions."""

from __future__ import annotations

from typing import Self

import numpy as np

from mine.data.labels import codes_among, level_numbers
from mine.data.one_hot import OneHot
from mine.data.variable import Variable

__all__ = ["LabelTable"]

#: Share of cells that are 0 from which on a table of counts is one of occurrences: what counts is which, not how many.
MOSTLY_ZERO = 0.5
#: Share of the mean count that is added to what is expected: one rare word in a short text would be a direction of its own.
DAMPED = 0.1
#: Levels of a column that have a column of their own; the rarest share one.
MOST_LEVELS = 8


class LabelTable:
    """The label columns of a side as numbers (n, q) whose principal directions tell what the columns share.

    Levels that are numbers are taken as such, in units of their spread. Counts that are mostly 0 are taken as the residuals of
    independence in units of the chance of a count: ``(v_ij - t_i c_j) / sqrt(t_i c_j)``, with the row's total and the column's
    share, and a little more under the root. Their principal directions are correspondence analysis. Other levels have an
    indicator each, in units of the root of their share, as in multiple correspondence analysis.

    References:
        Greenacre, 2017, 'Correspondence analysis in practice', 3rd edition, chapters 4 and 18.
    """

    def fit(self, variable: Variable) -> Self:
        """Learn means, spreads and shares of the levels."""
        numbers = [level_numbers(levels) for levels in variable.levels]
        self.numeric_ = np.array([found is not None for found in numbers], bool)
        values = self._numbers(variable)
        self.counts_ = bool(self.numeric_.all() and (values >= 0).all() and (values == 0).mean() >= MOSTLY_ZERO)
        self.mean_, self.scale_ = values.mean(0), np.maximum(values.std(0), np.finfo(float).tiny)
        if self.counts_:
            self.shares_ = np.maximum(values.sum(0), np.finfo(float).tiny)
            self.shares_ /= self.shares_.sum()
            self.expected_ = max(float(values.mean()), np.finfo(float).tiny)
        self.levels_ = tuple(variable.levels[j] for j in np.flatnonzero(~self.numeric_))
        self.indicators_: OneHot | None = (
            OneHot(MOST_LEVELS).fit(variable.discrete[:, ~self.numeric_]) if self.levels_ else None
        )
        if self.indicators_ is not None:
            indicators = self.indicators_.transform(variable.discrete[:, ~self.numeric_])
            self.chances_ = indicators.mean(0).clip(min=1 / len(variable))
        return self

    def transform(self, variable: Variable) -> np.ndarray:
        """The table (n, q); a level that :meth:`fit` did not see is its column's mean."""
        values = self._numbers(variable)
        if self.counts_:
            expected = values.sum(1, keepdims=True) * self.shares_
            return (values - expected) / np.sqrt(expected + DAMPED * self.expected_)
        parts = [(values - self.mean_) / self.scale_]
        if self.indicators_ is not None:
            codes = [
                codes_among(variable.discrete[:, j], variable.levels[j], known)
                for j, known in zip(np.flatnonzero(~self.numeric_), self.levels_, strict=True)
            ]
            parts.append((self.indicators_.transform(np.stack(codes, 1)) - self.chances_) / np.sqrt(self.chances_))
        return np.concatenate(parts, 1)

    def _numbers(self, variable: Variable) -> np.ndarray:
        """The columns of numbers, (n, number of them)."""
        out = np.empty((len(variable), int(self.numeric_.sum())))
        for k, j in enumerate(np.flatnonzero(self.numeric_)):
            numbers = level_numbers(variable.levels[j])
            if numbers is None:  # a label of new rows that is no number
                numbers = np.array(
                    [
                        found[0] if (found := level_numbers((level,))) is not None else self.mean_[k]
                        for level in variable.levels[j]
                    ]
                )
            out[:, k] = numbers[variable.discrete[:, j]]
        return out
