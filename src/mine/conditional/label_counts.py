"""Conditional information of labels given labels: from the counts of one contingency table per level of z."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from mine.data.problem import Problem, clustered_stderr
from mine.data.variable import Variable
from mine.estimators.counts.chance import expected_by_chance
from mine.estimators.counts.choose import DENSE_ROWS, DETERMINISM, RARE_CELLS, information
from mine.estimators.counts.entropy import Entropy, chao_wang_jost, miller_madow, plug_in, population_entropy
from mine.estimators.counts.identifier import is_identifier, unidentifiable_sentence
from mine.estimators.counts.interval import Errors, effective_rows, interval
from mine.estimators.counts.table import Margin, distinct_codes
from mine.result import Estimate

__all__ = ["all_labels", "conditional_counts", "strata_suit"]

#: Rows by which an exception to a function of z may have hidden (the rule of three).
HIDDEN_ROWS = 3.0
#: Rows for each cell at which doubt about sparse tables is a half, and how far the interval reaches for their sake towards
#: candidates that are known to err upwards and downwards: chosen on simulated tables, seeds 3 and 4.
SURE_ROWS, TOWARDS = 1.5, 0.8
#: Doubt about the part of a conditional entropy that is inferred for what was not seen.
TAIL_DOUBT = 0.25
#: Factor on the variance that groups add, itself estimated from a few dozen of them.
DESIGN_DOUBT = 1.4
#: Share of rows alone in their level of z, from which the value rests on the other rows.
MOST_ALONE = 0.5


def all_labels(problem: Problem, third: Variable) -> bool:
    """Whether x, y and z are labels only."""
    return not (problem.x.n_continuous or problem.y.n_continuous or third.n_continuous)


def strata_suit(problem: Problem, third: Variable) -> bool:
    """Whether counts within each level of z are the best basis: single columns of labels, or five rows for each cell.

    Several columns that make more levels than rows leave nothing to count, where a critic sees the single columns.
    """
    if not all_labels(problem, third):
        return False
    if problem.x.is_label and problem.y.is_label:
        z = distinct_codes(third.row_ids())
        return third.is_label or _alone(z) < MOST_ALONE
    cells = math.prod(len(np.unique(side.row_ids())) for side in (problem.x, problem.y, third))
    return problem.n >= DENSE_ROWS * cells


def conditional_counts(problem: Problem, third: Variable, name: str) -> Estimate:
    """``I(X; Y | Z)`` of labels in nats: the same whichever side is called x, and from 0 to the smaller entropy.

    With five rows per cell or more it is the plug-in value with the correction of Miller and Madow. With fewer it is a weighted
    mean of the information adjusted for chance within each level of z, right for independent columns and for functions, and
    of the chain rule on counts both ways round, which is better for noisy copies.

    References:
        Miller, 1955; Vinh, Epps & Bailey, 2010; Chao, Wang & Jost, 2013.
    """
    x, y, z = (distinct_codes(side.row_ids()) for side in (problem.x, problem.y, third))
    strata = _Strata.of(x, y, z, problem.groups)
    named = zip((problem.x, problem.y, third), (x, y, z), strict=True)
    unknown = [", ".join(side.columns) for side, codes in named if is_identifier(codes)]
    diagnostics: dict[str, Any] = {
        "basis": "contingency tables within the levels of z",
        "levels": [int(codes.max()) + 1 for codes in (x, y, z)],
        "unidentifiable": bool(unknown),
        "undersampled": False,
        "warnings": [],
    }
    if unknown:
        diagnostics |= {"undersampled": True, "warnings": [unidentifiable_sentence(unknown)]}
        return Estimate(0.0, None, 0.0, (0.0, strata.ceiling), name, problem.n, diagnostics=diagnostics)
    if strata.determined:
        value, stderr, ends = 0.0, 0.0, (0.0, min(strata.hidden, strata.ceiling))
        diagnostics["estimator"] = "x or y is a function of z"
    else:
        value, stderr, ends, about = strata.estimate(x, y, z, problem.groups)
        diagnostics |= about
    if diagnostics["undersampled"]:
        sparse = (
            f"{int(z.max()) + 1:,} levels of z for {problem.n:,} rows: so few rows in each of its tables leave more than one "
            "answer, and the value assumes that all are alike. Merge rare levels, or collect more rows."
        )
        diagnostics["warnings"] = [sparse]
    return Estimate(value, None, stderr, ends, name, problem.n, diagnostics=diagnostics)


class _Joint(NamedTuple):
    """One array for each of (x, z), (y, z), z and (x, y, z)."""

    xz: np.ndarray
    yz: np.ndarray
    z: np.ndarray
    xyz: np.ndarray


@dataclass(frozen=True)
class _Strata:
    """The tables of x and y, one for each level of z, with what all candidates are made of.

    Attributes:
        n: Number of rows.
        counts: Rows of each occupied (x, z), (y, z), z and (x, y, z).
        cells: Which of these each row is in, shape (n,) each.
        chance: Mean plug-in information over all pairings of x and y within the levels of z.
        degrees: Degrees of freedom of conditional independence.
        table_cells: Cells of the tables, empty ones included.
        ceiling: Upper limit of the smaller of H(x) and H(y).
        limit: The smaller of H(x | z) and H(y | z), with an upper limit that is no larger than ``ceiling``.
        alone: Share of the rows that are alone in their level of z.
    """

    n: int
    counts: _Joint
    cells: _Joint
    chance: float
    degrees: int
    table_cells: int
    ceiling: float
    limit: Entropy
    alone: float

    @classmethod
    def of(cls, x: np.ndarray, y: np.ndarray, z: np.ndarray, groups: np.ndarray | None) -> _Strata:
        xz, yz = (distinct_codes(z * np.int64(side.max() + 1) + side) for side in (x, y))
        cells = _Joint(xz, yz, z, distinct_codes(xz * np.int64(y.max() + 1) + y))
        counts = _Joint(*map(np.bincount, cells))
        chance, degrees, table_cells = _by_chance(x, y, z)
        ceiling = min(population_entropy(np.bincount(side)).upper for side in (x, y))
        limit = _limit(counts, cells, groups, ceiling, _alone(z))
        return cls(len(x), counts, cells, chance, degrees, table_cells, ceiling, limit, _alone(z))

    def _combined(self, entropy: Callable[[np.ndarray], float]) -> float:
        """H(x, z) + H(y, z) - H(z) - H(x, y, z) by one estimator of entropies."""
        counts = self.counts
        return entropy(counts.xz) + entropy(counts.yz) - entropy(counts.z) - entropy(counts.xyz)

    @property
    def plain(self) -> float:
        """The information of the observed shares, uncorrected."""
        return max(self._combined(plug_in), 0.0)

    @property
    def determined(self) -> bool:
        """Whether every level of z has one level of x only, or one of y only, and there are levels with more rows."""
        return self.degrees == 0

    @property
    def hidden(self) -> float:
        """The most (nats) that exceptions which happened not to be drawn can make of the entropy of a function of z."""
        repeats = self.n - len(self.counts.z)
        rate = min(HIDDEN_ROWS / max(repeats, 1), 0.5)
        levels = max(len(self.counts.xz), 2)
        return -rate * math.log(rate) - (1 - rate) * math.log1p(-rate) + rate * math.log(levels)

    @property
    def explained(self) -> float:
        """Share of the smaller conditional entropy that is explained beyond chance, from 0 to 1."""
        most = min(plug_in(side) - plug_in(self.counts.z) for side in (self.counts.xz, self.counts.yz))
        room = most - self.chance
        return float(np.clip((self.plain - self.chance) / room, 0, 1)) if room > 1e-3 * most else 0.0

    @property
    def dense(self) -> bool:
        """Whether the first-order correction of the bias is enough."""
        holds = abs(self.chance - self.degrees / (2 * self.n)) < 0.25 * math.sqrt(self.degrees / 2) / self.n
        return holds and self.n >= DENSE_ROWS * self.table_cells

    @property
    def pointwise(self) -> np.ndarray:
        """Log-ratio of the observed shares of each row, shape (n,)."""
        xz, yz, z, xyz = (np.log(counts)[cell] for counts, cell in zip(self.counts, self.cells, strict=True))
        return xyz + z - xz - yz

    def estimate(
        self, x: np.ndarray, y: np.ndarray, z: np.ndarray, groups: np.ndarray | None
    ) -> tuple[float, float, tuple[float, float], dict[str, Any]]:
        """Value, standard error, interval and diagnostics."""
        explained = self.explained
        adjusted = explained * self.limit.value
        singletons = float((self.counts.xyz == 1).sum()) / self.n
        if self.dense:
            candidates = {"miller-madow": self._combined(miller_madow), "chao-wang-jost": self._combined(chao_wang_jost)}
            value, chosen = min(candidates["miller-madow"], self.limit.value), "miller-madow"
            above = below = 0.5 * abs(value - min(candidates["chao-wang-jost"], self.limit.value))
        else:
            chains = _chain(x, self.cells.yz, z), _chain(y, self.cells.xz, z)
            candidates = {"adjusted": adjusted, "chain rule": sum(chains) / 2}
            weight = 4 * explained * (1 - explained)
            chosen = "chain rule" if weight > 0.5 else "adjusted"
            value = float(np.clip((1 - weight) * adjusted + weight * sum(chains) / 2, 0.0, self.limit.value))
            above, below = self._reach(value, np.array([adjusted, *chains]), explained)
        errors = self._errors(clustered_stderr(self.pointwise, groups), groups, explained, above, below)
        stderr = clustered_stderr(self.pointwise, groups)
        about: dict[str, Any] = {
            "estimator": chosen,
            "bias_correction": value - self.plain,
            "candidates_nats": candidates,
            "undersampled": bool(self.alone > MOST_ALONE or singletons > 0.5),
        }
        return value, stderr, interval(value, errors), about

    def _rows(self, groups: np.ndarray | None) -> float:
        """Independent rows that rows in groups are worth: fewer by as much as groups make the variance of the value larger.

        Stretches of time are such groups, most of them of rows that hardly resemble each other.
        """
        if groups is None:
            return float(self.n)
        apart, together = clustered_stderr(self.pointwise, None), clustered_stderr(self.pointwise, groups)
        if apart < 1e-9:
            return effective_rows(self.n, groups)
        return self.n / max(1.0, DESIGN_DOUBT * (together / apart) ** 2)

    def _reach(self, value: float, candidates: np.ndarray, explained: float) -> tuple[float, float]:
        """How far the truth may lie above and below ``value`` because candidates differ, more so with few rows for each cell.

        The difference of entropies is too large with few rows, and the information less that by chance too small.
        """
        rows = self.n / self.table_cells
        doubt = 1 / (1 + (rows / SURE_ROWS) ** 2)
        apart = candidates.clip(0.0, self.limit.value) - value
        most = TOWARDS * (min(self._combined(chao_wang_jost), self.limit.value) - value)
        least = TOWARDS * (1 - 0.75 * explained**DETERMINISM) * (value - max(self.plain - self.chance, 0.0))
        return doubt * max(0.0, apart.max(), most), doubt * max(0.0, -apart.min(), least)

    def _errors(self, stderr: float, groups: np.ndarray | None, explained: float, above: float, below: float) -> Errors:
        rows = self._rows(groups) * (1 - self.alone)
        certain = explained**DETERMINISM
        growth = 1 + RARE_CELLS * (1 - certain) * min(1.0, len(self.counts.xyz) / self.n)
        return Errors(
            stderr=stderr * growth,
            limit_stderr=self.limit.stderr * explained,
            ceiling=self.limit.upper,
            entropy=self.limit.value,
            rows=rows,
            degrees=self.degrees,
            explained=explained,
            repeats=max(rows - len(self.counts.xz), 1.0),
            above=above,
            below=below,
            signed=self.dense,
        )


def _by_chance(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> tuple[float, int, int]:
    """Information by chance (nats), degrees of freedom and cells of the tables of all levels of z."""
    order = np.argsort(z, kind="stable")
    chance, degrees, cells = 0.0, 0, 0
    for rows in np.split(order, np.flatnonzero(np.diff(z[order])) + 1):
        margins = [Margin.of(np.unique(side[rows], return_counts=True)[1]) for side in (x, y)]
        levels = len(margins[0]), len(margins[1])
        cells += levels[0] * levels[1]
        if min(levels) > 1:
            degrees += (levels[0] - 1) * (levels[1] - 1)
            chance += len(rows) / len(z) * expected_by_chance(*margins)
    return chance, degrees, cells


def _limit(counts: _Joint, cells: _Joint, groups: np.ndarray | None, ceiling: float, alone: float) -> Entropy:
    """The smaller of H(x | z) and H(y | z), which the information cannot exceed."""
    found = []
    for joint, cell in ((counts.xz, cells.xz), (counts.yz, cells.yz)):
        plain = plug_in(joint) - plug_in(counts.z)
        value = float(np.clip(chao_wang_jost(joint) - chao_wang_jost(counts.z), plain, max(plain, ceiling)))
        surprise = np.log(counts.z)[cells.z] - np.log(joint)[cell]
        stderr = math.hypot(clustered_stderr(surprise, groups), TAIL_DOUBT * (value - plain))
        upper = value + 1.96 * stderr + 2 * (value - plain) + alone * ceiling  # rows alone in their level say nothing
        found.append(Entropy(value, stderr, max(min(upper, ceiling), value)))
    lower = min(found, key=lambda entropy: entropy.value)
    return Entropy(lower.value, lower.stderr, min(entropy.upper for entropy in found))


def _chain(side: np.ndarray, other_and_z: np.ndarray, z: np.ndarray) -> float:
    """``I(side; other, z) - I(side; z)`` on counts."""
    return information(side, other_and_z).value - information(side, z).value


def _alone(z: np.ndarray) -> float:
    """Share of the rows that no other row shares its level of z with."""
    return float((np.bincount(z) == 1).sum()) / len(z)
