"""Ross' k-nearest-neighbour estimator for labels on one side and numbers on the other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import digamma

from mine.data.problem import Problem, clustered_stderr
from mine.errors import InputError, NotEnoughDataError
from mine.estimators.counts.entropy import population_entropy
from mine.estimators.discrete import capped_by_entropy, identifier_estimate
from mine.estimators.ksg import count_closer
from mine.estimators.nearest import Nearest
from mine.estimators.neighbours import disjoint_parts, drift_warnings, prepared, spread, without_copies
from mine.result import Estimate

__all__ = ["Ross", "merge_rare", "ross", "ross_rows"]

#: Rows per level that are few, and how many times as far the interval reaches as to the value by the nearest neighbour alone.
ROWS_PER_LEVEL, WIDE = 30, 2.0
#: How far (nats) the value is too high for normal levels that differ and have up to so many rows each; less with more rows.
BIAS, FEW_ROWS = 0.1, 20


def ross(values: np.ndarray, labels: np.ndarray, n_neighbors: int = 3) -> float:
    r"""``psi(n) - < psi(n_label) > + < psi(k) > - < psi(m) >`` in nats, never below what the rows give: it may be negative.

    ``m`` counts the rows, itself included, whose values lie strictly closer (maximum norm) than the k-th neighbour of the same
    label. A label with k rows or fewer takes as many neighbours as it has; one with a single row is left out.

    References:
        Ross, 2014, 'Mutual Information between Discrete and Continuous Data Sets' (doi 10.1371/journal.pone.0087357), eq. 4.

    Arguments:
        values: Rows of shape (n, d), tied ones told apart beforehand, as :class:`Ross` does.
        labels: Integer label of each row, shape (n,).
        n_neighbors: k, at least 1.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> labels = rng.integers(0, 2, 4000)
        >>> values = labels[:, None] * 100 + rng.normal(size=(4000, 1))  # they tell the label: log 2
        >>> round(ross(values, labels), 2)
        0.69
    """
    counts = np.bincount(labels)
    kept = counts[labels] > 1
    if not kept.any():
        return float("nan")
    return float(ross_rows(values[kept], labels[kept], n_neighbors).mean())


def ross_rows(values: np.ndarray, labels: np.ndarray, n_neighbors: int = 3) -> np.ndarray:
    """The contribution of each row to :func:`ross`, shape (n,): every label of two rows or more, values without ties."""
    n, counts = len(values), np.bincount(labels)
    distance, k = np.empty(n), np.minimum(n_neighbors, counts[labels] - 1)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        few = int(k[rows[0]])
        distance[rows] = Nearest(values[rows]).reach(few, p=np.inf)
    within = count_closer(values, distance)
    return digamma(n) - digamma(counts[labels]) + digamma(k) - digamma(within)


def merge_rare(labels: np.ndarray, least: int) -> tuple[np.ndarray, int]:
    """Integer labels (n,) from 0, those with fewer than ``least`` rows as one, and the number of labels that were merged.

    >>> merge_rare(np.array([0, 0, 0, 1, 2, 2, 2]), 3)
    (array([0, 0, 0, 2, 1, 1, 1]), 1)
    """
    rare = np.bincount(labels)[labels] < least
    merged = len(np.unique(labels[rare]))
    out = np.where(rare, labels.max() + 1, labels)
    return np.unique(out, return_inverse=True)[1].ravel(), merged


def _hidden_by_merging(labels: np.ndarray, least: int) -> float:
    """What labels with fewer than ``least`` rows may tell (nats) that is lost when they are one: at most their own entropy.

    I(x; y) = I(merged; y) + I(x; y | merged), and the second is at most H(x | merged).
    """
    counts = np.bincount(labels)
    rare = counts[(counts > 0) & (counts < least)]
    return float(rare.sum() / len(labels)) * population_entropy(rare).upper


@dataclass(frozen=True)
class Ross:
    """Estimator ``"ross"``: one side labels, the other numbers in few dimensions; no training, no lower bound.

    Attributes:
        n_neighbors: The k of the estimator.
        preprocess: ``"robust"`` scales each coordinate, ``"rank"`` takes normal scores, None keeps the numbers.
    """

    n_neighbors: int = 3
    preprocess: str | None = "robust"
    name: str = "ross"
    numeric_only = False

    def run(self, problem: Problem) -> Estimate:
        k = self.n_neighbors
        if not isinstance(k, (int, np.integer)) or k < 1:
            raise InputError(f"n_neighbors must be an integer of 1 or more, got {k!r}.")
        whole, problem = problem, without_copies(problem)
        flat, codes = _sides(problem)
        n = problem.n
        labels, merged = merge_rare(codes, k + 1)
        hidden = _hidden_by_merging(codes, k + 1) if merged > 1 else 0.0
        if np.bincount(labels).max() <= k:
            raise NotEnoughDataError(
                f"No label has more than n_neighbors={k} rows: merge levels, lower n_neighbors, or pass discrete=False."
            )
        if (unknown := identifier_estimate(problem, self.name)) is not None:
            return unknown
        rng = np.random.default_rng(problem.seed)
        values = self._prepare(flat, rng)
        kept = np.bincount(labels)[labels] > 1
        rows = ross_rows(values[kept], labels[kept], k)
        value = float(rows.mean())
        kept_groups = None if problem.groups is None else problem.groups[kept]

        levels = int(labels.max()) + 1
        part_of, n_parts, n_units = disjoint_parts(n, problem.groups, 8 * (k + 1) * levels, rng)
        parts = np.array([self._on(values, labels, part_of == p) for p in range(n_parts)])
        halves = [self._on(values, labels, (part_of % 2) == h) for h in (0, 1)]
        if not np.isfinite(parts).all():
            raise NotEnoughDataError(
                f"{n} rows in {n_units} group(s) are too few for the standard error of a label with so many levels ({levels})."
            )
        stderr, drift, half_width = spread(value, clustered_stderr(rows, kept_groups), parts, halves)
        diagnostics: dict[str, Any] = {
            "n_neighbors": k,
            "levels": [levels],
            "drift_from_half_the_rows": drift,
            "warnings": [],
        }
        if merged > 1:
            diagnostics["warnings"].append(
                f"{merged} labels with {k} rows or fewer were merged into one, which can only lower the value."
            )
        diagnostics["warnings"] += drift_warnings(drift, stderr)
        below, above = self._few_rows(value, rows, values[kept], labels[kept])
        low, high = math.hypot(half_width, below), math.hypot(half_width, above)
        interval = (value - low, value + high + hidden)
        influence = rows if n == whole.n and kept.all() else None  # else these are other rows than the caller's
        estimate = Estimate(value, None, stderr, interval, self.name, n, diagnostics=diagnostics, influence=influence)
        return capped_by_entropy(estimate, problem)

    def _prepare(self, values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        if self.preprocess not in ("robust", "rank", None):
            raise InputError(f"preprocess must be 'robust', 'rank' or None, got {self.preprocess!r}.")
        return prepared(values, self.preprocess, rng)

    def _few_rows(self, value: float, rows: np.ndarray, values: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
        """How far (nats) the truth may lie below and above because balls around the k-th of few rows reach beyond their level.

        That error is not in the spread of the contributions ``rows`` (n,). The value by the nearest neighbour alone has less of
        it.
        """
        per_level = len(rows) / (int(labels.max()) + 1)
        if per_level >= ROWS_PER_LEVEL:
            return 0.0, 0.0
        difference = rows - ross_rows(values, labels, 1)
        mean = float(difference.mean())
        wide = WIDE * mean if abs(mean) > clustered_stderr(difference, None) else 0.0
        known = BIAS * min(1.0, 2 * max(value, 0.0)) * min(1.0, FEW_ROWS / per_level)
        return max(wide, known), max(-wide, 0.0)

    def _on(self, values: np.ndarray, labels: np.ndarray, rows: np.ndarray) -> float:
        return ross(values[rows], labels[rows], self.n_neighbors)


def _sides(problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    """The numbers (n, d) of one side and the labels (n,) of the other."""
    for numbers, labels in ((problem.x, problem.y), (problem.y, problem.x)):
        if not numbers.n_discrete and not labels.n_continuous:
            return numbers.flat, labels.row_ids()
    kinds = ", ".join(
        f"{side.name} has {side.n_continuous} numeric and {side.n_discrete} label columns" for side in (problem.x, problem.y)
    )
    raise InputError(
        f"method 'ross' needs labels on one side and numbers on the other; here {kinds}. Pass discrete= to say which is, "
        "or use method 'auto'."
    )
