"""Numbers given labels: what the mean and the scale of each level of z explain is taken out first."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from mine.data.preprocessing import RobustLogScaler, rank_gaussianize
from mine.data.problem import Problem
from mine.data.rows import MIN_ROWS
from mine.data.variable import Variable
from mine.estimators.counts.table import distinct_codes
from mine.estimators.gaussian import wishart_bias
from mine.estimators.levels.effects import (
    Effects,
    LevelSums,
    fit_effects,
    level_means_and_scales,
    level_sums,
    log_evidence,
)
from mine.estimators.residual import entropy_rows
from mine.result import Estimate

__all__ = ["WithinLevels", "within_levels"]

#: Levels from which means and scales of levels are taken out: a critic learns those of a few by itself.
FEWEST_LEVELS = 8
#: Share of rows alone in their level above which nothing is done, and above which a sentence says that they were left out.
MOST_ALONE, MENTIONED_ALONE = 0.5, 0.1
#: Share of distinct values below which a column's repeats mean something, which a mean for each level would tear apart.
DISTINCT = 0.9
#: Entropy (nats) of a standard normal variable, which normal scores are.
NORMAL_ENTROPY = 0.5 * math.log(2 * math.pi * math.e)
#: Magnitude up to which squares can be summed, and the least share of a row that its level's mean leaves free.
FARTHEST, LEAST_FREE = 1e100, 0.1


@dataclass(frozen=True)
class WithinLevels:
    """A problem whose numbers are relative to their level of z, without the rows that are alone in theirs.

    Attributes:
        problem: Of those rows.
        third: z of those rows.
        rows: Which they are, shape (m,).
        free: Share of them that is left when each level has taken one for its mean.
    """

    problem: Problem
    third: Variable
    rows: np.ndarray
    free: float

    @classmethod
    def of(cls, problem: Problem, third: Variable) -> WithinLevels | None:
        """The problem within the levels of z; None unless z is labels of many levels, most rows share theirs, and a side has
        numbers.

        A row alone in its level shows nothing about x and y given z.
        """
        if third.n_continuous or not (problem.x.n_continuous or problem.y.n_continuous):
            return None
        codes = third.row_ids()
        if int(codes.max()) + 1 < FEWEST_LEVELS:
            return None
        rows = np.flatnonzero(np.bincount(codes)[codes] > 1)
        if len(rows) < max(MIN_ROWS, (1 - MOST_ALONE) * problem.n):
            return None
        part = third.take(rows)
        levels = distinct_codes(codes[rows])
        x, y = within_levels([side.take(rows) for side in (problem.x, problem.y)], levels)
        groups = None if problem.groups is None else problem.groups[rows]
        free = 1 - (int(levels.max()) + 1) / len(rows)
        return cls(replace(problem, x=x, y=y, groups=groups), part, rows, free)

    def estimate(self, run: Callable[[Problem, Variable], Estimate], n: int) -> Estimate:
        """``run`` on these rows, as an estimate of all ``n``, with the interval that so many free rows give."""
        found = run(self.problem, self.third)
        factor = 1 / math.sqrt(self.free)
        low, high = (found.value + factor * (end - found.value) for end in found.interval)
        alone = 1 - len(self.rows) / n
        warnings = list(found.warnings)
        apart = level_by_level(self.problem, self.third)
        if apart is None and _has_columns(self.problem.x) and _has_columns(self.problem.y):
            warnings.insert(
                0,
                "Most levels of z have too few rows to check that x and y are related alike in all of them, which the value "
                "assumes. Merge levels, or collect more rows.",
            )
        elif apart is not None and apart[0] - apart[1] > high:
            high = apart[0] + 2 * apart[1]
            warnings.insert(
                0,
                f"A line for each level of z gives {apart[0]:.2f} nats, which the interval holds: the relation of x and y "
                "seems to differ between levels. With more rows per level the critics would see it.",
            )
        if alone > MENTIONED_ALONE:
            warnings.insert(0, f"{alone:.0%} of the rows are alone in their level of z, show nothing given z and are left out.")
        return replace(
            found,
            stderr=factor * found.stderr,
            interval=(low, high),
            n=n,
            diagnostics={**found.diagnostics, "alone_in_level_of_z": n - len(self.rows), "warnings": warnings},
            pointwise_values=None if len(self.rows) < n else found.pointwise_values,
            influence=None if len(self.rows) < n else found.influence,
        )


def level_by_level(problem: Problem, third: Variable) -> tuple[float, float] | None:
    """Information (nats) of a Gaussian copula for each level of z apart, and its standard error; None for labels or few rows.

    Right where the relation changes from level to level, which a critic cannot learn from a dozen rows each. Each level's value
    is without the bias that so few rows give it (:func:`mine.estimators.gaussian.wishart_bias`), so that three rows of two
    columns are enough: by themselves they show next to nothing, but hundreds of such levels do.
    """
    if problem.x.n_discrete or problem.y.n_discrete or not (_has_columns(problem.x) and _has_columns(problem.y)):
        return None
    scores = np.concatenate([rank_gaussianize(side.flat) for side in (problem.x, problem.y)], 1)
    dx, dy = problem.x.n_continuous, problem.y.n_continuous
    codes = third.row_ids()
    order = np.argsort(codes, kind="stable")
    values, weights = [], []
    for rows in np.split(scores[order], np.flatnonzero(np.diff(codes[order])) + 1):
        if len(rows) <= dx + dy or not (rows.std(0) > 0).all():
            continue
        correlations = np.corrcoef(rows, rowvar=False)
        logs = [float(np.linalg.slogdet(part)[1]) for part in (correlations[:dx, :dx], correlations[dx:, dx:], correlations)]
        values.append(0.5 * (logs[0] + logs[1] - logs[2]) - wishart_bias(len(rows), dx, dy))
        weights.append(len(rows))
    if sum(weights) < 0.5 * len(scores) or len(values) < FEWEST_LEVELS or not np.isfinite(values).all():
        return None
    mean = float(np.average(values, weights=weights))
    shares = np.array(weights) / sum(weights)
    return mean, float(np.sqrt((shares**2 * (np.array(values) - mean) ** 2).sum()))


def within_levels(sides: list[Variable], codes: np.ndarray) -> list[Variable]:
    """``sides`` with numbers relative to the mean and the scale of their level; labels and n-D inputs stay as they are.

    The information given the level does not change: each level has its own line. Means and scales are those of a model of
    random effects, so that levels of few rows are moved as far as their rows are known to differ. All columns move as far
    towards their level's mean as the one whose levels differ most: an x without the chance of its level's mean and a y with it
    would be less alike than they are. Columns whose values repeat stay as they are.

    Arguments:
        sides: The numbers.
        codes: Level of each row, integers from 0 with no number left out, shape (n,).
    """
    fits = [
        [_fit(c, codes) if len(np.unique(c)) >= DISTINCT * len(c) else None for c in side.flat.T] if _has_columns(side) else []
        for side in sides
    ]
    kappa = min((float(fit.effects.kappa[0]) for columns in fits for fit in columns if fit is not None), default=0.0)
    out = []
    for side, columns in zip(sides, fits, strict=True):
        values = [plain if fit is None else fit.within(codes, kappa) for fit, plain in zip(columns, side.flat.T, strict=False)]
        out.append(replace(side, continuous=np.stack(values, 1)) if columns else side)
    return out


def _has_columns(side: Variable) -> bool:
    return bool(side.n_continuous) and side.continuous.ndim == 2


@dataclass(frozen=True)
class _Fit:
    """One column (n, 1) in the coordinates in which its levels are most easily told apart, with the effects of the levels."""

    values: np.ndarray
    sums: LevelSums
    effects: Effects
    evidence: float

    @classmethod
    def of(cls, space: np.ndarray, entropy: float, codes: np.ndarray) -> _Fit:
        """In coordinates ``space`` (n, 1) of this differential entropy (nats)."""
        values = space - space.mean(0)
        sums = level_sums(values, codes, int(codes.max()) + 1)
        effects = fit_effects(sums)
        return cls(values, sums, effects, log_evidence(sums, effects) / len(values) + entropy)

    def within(self, codes: np.ndarray, kappa: float) -> np.ndarray:
        """The column less its level's mean, in units of its spread, shape (n,); of r rows the mean weighs r / (r + kappa)."""
        effects = replace(self.effects, kappa=np.array([kappa]))
        mean, scale, worth = level_means_and_scales(self.sums, effects)
        # A row is a part of its own level's mean: it is nearer to it by this share than another row of the level would be.
        nearer = np.sqrt(np.maximum(1 - 1 / worth, LEAST_FREE))
        return (self.values - mean[codes])[:, 0] / (np.sqrt(scale) * nearer)[codes, 0]


def _fit(column: np.ndarray, codes: np.ndarray) -> _Fit:
    """The fit of one column (n,) as normal scores, as scaled values or with logarithms of far ones, by its evidence."""
    values = column[:, None]
    scaler = RobustLogScaler()
    spaces = [(rank_gaussianize(values), NORMAL_ENTROPY)]
    spaces += [(u, _entropy(u)) for u in (scaler.fit_transform(values), scaler.linear(values)) if np.abs(u).max() < FARTHEST]
    return max((_Fit.of(space, entropy, codes) for space, entropy in spaces), key=lambda fit: fit.evidence)


def _entropy(values: np.ndarray) -> float:
    """Differential entropy (nats) of a column (n, 1), each value once."""
    return float(entropy_rows(np.unique(values)[:, None]).mean())
