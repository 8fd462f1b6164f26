"""Mutual information of a contingency table of any size: candidates, which of them to believe, and an interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mine.data.problem import clustered_stderr
from mine.estimators.counts.bands import BandedFit, fit_bands
from mine.estimators.counts.chance import expected_by_chance
from mine.estimators.counts.entropy import Entropy, chao_wang_jost, plug_in, population_entropy
from mine.estimators.counts.identifier import is_identifier
from mine.estimators.counts.interval import Errors, effective_rows, interval, tilt
from mine.estimators.counts.mixture import fit_ratios
from mine.estimators.counts.table import Table

__all__ = ["CountsInformation", "information"]

#: Rows per cell from which the first-order correction of the bias is enough.
DENSE_ROWS = 5
#: Rows per level (of the column with more levels) at which the mixture and the adjustment for chance count the same; and at
#: which the value is as much an assumption as a finding.
ROWS_PER_LEVEL, SURE_ROWS_PER_LEVEL = 4.0, 6.0
#: Levels (of the column with fewer) at which the mixture counts as much as the difference of entropies: below, its Poisson
#: counts scatter more than counts whose sum is fixed.
FEW_LEVELS = 5.0
#: Power of the share of the entropy that is explained, above which a relation counts as deterministic.
DETERMINISM = 32
#: How far the interval reaches towards a candidate that differs, where nothing speaks for the value.
APART = 2.0
#: And towards the value without what is inferred for levels not seen, or beyond it as far.
UNSEEN_LEVELS = 0.7
#: Rows up to which a level is rare, and the share of what its rows alone in their cell tell that may not be there. Chosen on
#: hubs among 100 to 1,000 rare levels, 3,000 to 10,000 rows.
RARE_LEVEL, FROM_RARE_LEVELS = 4, 0.8
#: Growth of the first-order error with the occupied cells per row: rare cells' ratios are themselves estimates.
RARE_CELLS = 1.2
#: Largest growth of that error because chance explains a part of the entropy; where it explains more, candidates differ.
MOST_BY_CHANCE = 2.0


@dataclass(frozen=True)
class CountsInformation:
    """Mutual information in nats from counts.

    Attributes:
        value: The estimate.
        stderr: Its standard error from sampling.
        low: Lower end of the 95 % interval.
        high: Upper end, always finite.
        estimator: The candidate with the largest weight in ``value``.
        candidates: Every candidate that was computed, by name.
        plug_in: The information of the observed shares, uncorrected.
        levels: Observed levels of the two columns.
        undersampled: Whether so few rows fall in each cell that ``value`` rests on assumptions.
        identifiers: Which columns, ``"x"`` or ``"y"``, have (nearly) as many levels as rows.
        influence: Log-ratio of the cell of each row, shape (n,).
    """

    value: float
    stderr: float
    low: float
    high: float
    estimator: str
    candidates: dict[str, float]
    plug_in: float
    levels: tuple[int, int]
    undersampled: bool
    identifiers: tuple[str, ...]
    influence: np.ndarray


def information(x: np.ndarray, y: np.ndarray, groups: np.ndarray | None = None) -> CountsInformation:
    """Mutual information between codes ``x`` and ``y``, both of shape (n,), for any table from 2 x 2 to n x n.

    Arguments:
        x: Integers from 0 with no number left out; see :func:`mine.estimators.counts.table.distinct_codes`.
        y: Likewise.
        groups: Integer label of the unit each row belongs to, shape (n,), or None if rows are independent.

    >>> found = information(np.arange(300) % 3, np.arange(300) % 3)
    >>> round(found.value, 6), found.estimator  # log 3
    (1.098612, 'miller-madow')
    """
    table = Table.of(x, y)
    entropies = population_entropy(table.x.counts), population_entropy(table.y.counts)
    view = _View.of(table, entropies)
    names = [name for name, codes in (("x", x), ("y", y)) if is_identifier(codes)]
    if names:
        return _identifier(view, tuple(names), groups)
    return _dense(view, groups) if view.dense else _sparse(view, groups)


@dataclass(frozen=True)
class _View:
    """A table with what all candidates are made of.

    Attributes:
        table: The counts.
        limit: The smaller entropy of the two populations, which the information cannot exceed.
        plain: The plug-in information.
        chance: The part of it that is expected of independent columns.
        explained: What is left of it, as a share of what is left of the smaller entropy.
        unseen: The smaller entropy as a multiple of its plug-in value, which knows the observed levels only.
        stretch: The smaller plug-in entropy as a multiple of what chance leaves of it: errors grow as much.
        dense: Whether the correction of first order is enough.
    """

    table: Table
    limit: Entropy
    plain: float
    chance: float
    explained: float
    unseen: float
    stretch: float
    dense: bool

    @classmethod
    def of(cls, table: Table, entropies: tuple[Entropy, Entropy]) -> _View:
        n, degrees = table.n, table.degrees
        plain_entropies = plug_in(table.x.counts), plug_in(table.y.counts)
        plain = max(sum(plain_entropies) - plug_in(table.counts), 0.0)
        chance = expected_by_chance(table.x, table.y)
        smaller = min(plain_entropies)
        room = smaller - chance
        resolved = room > 1e-3 * smaller
        explained = float(np.clip((plain - chance) / room, 0, 1)) if resolved else 0.0
        stretch = smaller / room if resolved else math.inf
        lower = min(entropies, key=lambda entropy: entropy.value)
        limit = Entropy(lower.value, lower.stderr, min(e.upper for e in entropies))
        unseen = lower.value / max(plain_entropies[entropies.index(lower)], 1e-9)
        first_order_holds = abs(chance - degrees / (2 * n)) < 0.25 * math.sqrt(degrees / 2) / n
        dense = first_order_holds and n >= DENSE_ROWS * len(table.x) * len(table.y)
        return cls(table, limit, plain, chance, explained, unseen, stretch, dense)

    @property
    def adjusted(self) -> float:
        """The adjusted mutual information as a share of the population's entropy: right for independent columns and for
        functions of each other.

        References:
            Vinh, Epps & Bailey, 2010.
        """
        return self.explained * self.limit.value

    @property
    def difference(self) -> float:
        """H(x) + H(y) - H(x, y) by :func:`chao_wang_jost`."""
        table = self.table
        return chao_wang_jost(table.x.counts) + chao_wang_jost(table.y.counts) - chao_wang_jost(table.counts)

    @property
    def pointwise(self) -> np.ndarray:
        """Log-ratios of the observed shares of each occupied cell, shape (m,)."""
        return np.log(self.table.counts / self.table.expected)

    @property
    def singletons(self) -> float:
        """Share of the rows that are alone in their cell."""
        return float((self.table.counts == 1).sum()) / self.table.n

    def capped(self, value: float) -> float:
        return min(value, self.limit.value)

    def finished(
        self,
        value: float,
        stderr: float,
        candidates: dict[str, float],
        estimator: str,
        errors: Errors,
        influence: np.ndarray,
        *,
        undersampled: bool = False,
        identifiers: tuple[str, ...] = (),
    ) -> CountsInformation:
        low, high = (0.0, max(self.limit.upper, value)) if identifiers else interval(value, errors)
        return CountsInformation(
            value, stderr, low, high, estimator, candidates, self.plain, (len(self.table.x), len(self.table.y)),
            undersampled, identifiers, influence,
        )  # fmt: skip

    def errors(
        self,
        stderr: float,
        influence: np.ndarray,
        groups: np.ndarray | None,
        *,
        above: float = 0.0,
        below: float = 0.0,
        signed: bool = False,
    ) -> Errors:
        table = self.table
        rows = effective_rows(table.n, groups)
        certain = self.explained**DETERMINISM
        growth = (1 + RARE_CELLS * (1 - certain) * min(1.0, len(table.counts) / table.n)) * (
            1 + (1 - certain) * (min(self.stretch, MOST_BY_CHANCE) - 1)
        )
        return Errors(
            stderr=stderr * growth,
            tilt=tilt(influence, rows),
            limit_stderr=self.limit.stderr * self.explained * math.sqrt(table.n / rows),
            ceiling=self.limit.upper,
            entropy=self.limit.value,
            rows=rows,
            degrees=table.degrees,
            explained=self.explained,
            repeats=(table.n - max(len(table.x), len(table.y))) * rows / table.n,
            above=above,
            below=below,
            signed=signed,
        )


def _dense(view: _View, groups: np.ndarray | None) -> CountsInformation:
    """The closed form with its first-order correction."""
    table = view.table
    bias = (len(table.counts) - len(table.x) - len(table.y) + 1) / (2 * table.n)
    candidates = {"miller-madow": view.plain - bias, "chao-wang-jost": view.difference}
    value = view.capped(candidates["miller-madow"])
    influence = view.pointwise[table.cell]
    stderr = clustered_stderr(influence, groups)
    apart = 0.5 * abs(value - view.capped(candidates["chao-wang-jost"]))
    errors = view.errors(stderr, influence, groups, above=apart, below=apart, signed=True)
    return view.finished(value, stderr, candidates, "miller-madow", errors, influence)


def _sparse(view: _View, groups: np.ndarray | None) -> CountsInformation:
    """Candidates weighted by what they are known to be right for; where they differ, the interval says so."""
    table = view.table
    fit = fit_bands(table)
    weights = _weights(view)
    mixture, log_ratios = _mixture(view, fit)
    candidates = {"mixture": mixture, "adjusted": view.adjusted, "chao-wang-jost": view.difference}
    value = view.capped(sum(weights[name] * candidates[name] for name in weights))

    by_row = log_ratios[table.cell], view.pointwise[table.cell]
    fitted, plain = (clustered_stderr(rows, groups) for rows in by_row)
    stderr = math.sqrt(weights["mixture"] * fitted**2 + (1 - weights["mixture"]) * plain**2)
    influence = weights["mixture"] * by_row[0] + (1 - weights["mixture"]) * by_row[1]
    above, below = _doubt(view, candidates, value)
    unsure = _of_rare_levels(view, log_ratios)
    above, below = math.hypot(above, 0.5 * unsure), math.hypot(below, unsure)
    errors = view.errors(stderr, influence, groups, above=above, below=below)
    undersampled = _trust(view, SURE_ROWS_PER_LEVEL) < 0.5 or view.singletons > 0.5
    estimator = max(weights, key=lambda k: weights[k])
    return view.finished(value, stderr, candidates, estimator, errors, influence, undersampled=undersampled)


def _mixture(view: _View, fit: BandedFit) -> tuple[float, np.ndarray]:
    """The mixture's information (nats) and log-ratios (m,): in bands as far as there are rows per level to tell them apart.

    The mixture knows the observed levels only; the information grows in proportion to the entropy of those not seen.
    """
    trust = _trust(view, ROWS_PER_LEVEL)
    value = trust * fit.banded.value + (1 - trust) * fit.plain.value
    log_ratios = trust * fit.banded.log_ratios + (1 - trust) * fit.plain.log_ratios
    return view.unseen * value, log_ratios


def _doubt(view: _View, candidates: dict[str, float], value: float) -> tuple[float, float]:
    """How far (nats) the truth may lie above and below ``value`` because candidates differ."""
    trust = _trust(view, SURE_ROWS_PER_LEVEL)
    certain = view.explained**DETERMINISM
    doubt = max(1 - trust, min(1.0, 2 * view.singletons))
    apart = np.array([view.capped(candidates["mixture"]), candidates["adjusted"]]) - value
    # The mixture is known to be low on functions with few rows per level, so that it is little evidence against one.
    reach = APART * doubt * (1 - 0.75 * certain)
    # With few rows per level the joint entropy is too low whatever the relation, and the difference of entropies too high.
    most = 0.5 * (1 - trust) * (view.capped(candidates["chao-wang-jost"]) - value)
    unseen = UNSEEN_LEVELS * (view.unseen - 1) * value
    return math.hypot(max(0.0, reach * apart.max(), most), unseen), math.hypot(max(0.0, -reach * apart.min()), unseen)


def _of_rare_levels(view: _View, log_ratios: np.ndarray) -> float:
    """How far (nats) the truth may lie below the value because rows alone in their cell, of levels of few rows, look telling.

    With frequent levels beside them there are rows enough per level on average, and all candidates agree. But in levels of two
    or three rows nothing tells a match that is seen once from a chance one. Half as far it may lie above, if they are cleaner
    than the frequent ones.
    """
    table = view.table
    rows = np.minimum(table.x.counts[table.row], table.y.counts[table.column])
    alone = (table.counts == 1) & (rows <= RARE_LEVEL)
    told = float(np.maximum(log_ratios[alone], 0.0).sum()) / table.n
    return FROM_RARE_LEVELS * _trust(view, SURE_ROWS_PER_LEVEL) * (1 - view.explained**DETERMINISM) * told


def _trust(view: _View, rows_per_level: float) -> float:
    """How far the mixture is to be trusted, from 0 to 1: a half at so many rows per level of the column with more levels."""
    return 1 / (1 + (rows_per_level * max(len(view.table.x), len(view.table.y)) / view.table.n) ** 3)


def _weights(view: _View) -> dict[str, float]:
    """Weights of the candidates, which sum to 1.

    The mixture is right for independent, noisy and spread-out relations, given some rows per level; the adjustment for chance
    for functions and for independent columns at any number of levels; the difference of entropies for columns of few levels,
    given some rows per cell.
    """
    table = view.table
    sizes = len(table.x), len(table.y)
    certain = view.explained**DETERMINISM
    adjusted = certain + (1 - certain) * (1 - _trust(view, ROWS_PER_LEVEL)) * view.explained
    few = (1 - certain) / (1 + (min(sizes) / FEW_LEVELS) ** 2)
    per_cell = table.n / (sizes[0] * sizes[1])
    filled = per_cell**2 / (per_cell**2 + 1)
    return {
        "mixture": (1 - few) * (1 - adjusted),
        "adjusted": (1 - few) * adjusted + few * (1 - filled),
        "chao-wang-jost": few * filled,
    }


def _identifier(view: _View, names: tuple[str, ...], groups: np.ndarray | None) -> CountsInformation:
    """A column with (nearly) as many levels as rows: any value up to the entropy of the other explains the table."""
    fit = fit_ratios(view.table)
    value = view.capped(max(fit.value, 0.0))
    influence = fit.log_ratios[view.table.cell]
    stderr = clustered_stderr(influence, groups)
    errors = view.errors(stderr, influence, groups)
    candidates = {"mixture": fit.value}
    return view.finished(value, stderr, candidates, "mixture", errors, influence, undersampled=True, identifiers=names)
