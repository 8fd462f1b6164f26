"""Two sides of labels: mutual information from the counts of their contingency table."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mine.data.problem import Problem
from mine.data.variable import Variable
from mine.errors import InputError
from mine.estimators.counts.choose import CountsInformation, information
from mine.estimators.counts.entropy import population_entropy
from mine.estimators.counts.identifier import is_identifier, unidentifiable_sentence
from mine.estimators.counts.table import distinct_codes
from mine.result import Estimate

__all__ = ["DiscretePlugin", "both_labels", "capped_by_entropy", "counts_suit", "identifier_estimate"]


def both_labels(problem: Problem) -> bool:
    """Whether both sides are wholly discrete."""
    return not problem.x.n_continuous and not problem.y.n_continuous


def counts_suit(problem: Problem) -> bool:
    """Whether the contingency table is the best basis: one column of labels on each side, or five rows per cell.

    Several columns joined to one label per row have more levels than rows, and a critic that sees the single columns finds
    structure between them that counts cannot.
    """
    if not both_labels(problem):
        return False
    if problem.x.is_label and problem.y.is_label:
        return True
    sides = (problem.x, problem.y)
    rows = [distinct_codes(side.row_ids()) for side in sides]
    if problem.n >= 5 * math.prod(int(codes.max()) + 1 for codes in rows):
        return True
    # Columns that repeat or group the levels of one of them add no level: that one column is the side.
    # Not if it names the rows: nothing is known of these, and something may be of the columns beside it.
    return all(
        side.is_label or (int(codes.max()) + 1 == _most_levels(side) and not is_identifier(codes))
        for codes, side in zip(rows, sides, strict=True)
    )


def _most_levels(side: Variable) -> int:
    """Levels of the column that has most."""
    return max(len(np.unique(column)) for column in side.discrete.T)


def identifier_estimate(problem: Problem, name: str) -> Estimate | None:
    """The estimate if one side is an identifier and the other is not one column of labels, else None.

    The value is 0, of all values up to the identifier's entropy the one that claims nothing.
    """
    if problem.x.is_label and problem.y.is_label:
        return None  # the contingency table knows
    for side in (problem.x, problem.y):
        if side.is_label and is_identifier(codes := distinct_codes(side.row_ids())):
            upper = population_entropy(np.bincount(codes)).upper
            diagnostics = {
                "basis": "none",
                "unidentifiable": True,
                "warnings": [unidentifiable_sentence([_name(side)])],
            }
            return Estimate(0.0, None, 0.0, (0.0, upper), name, problem.n, diagnostics=diagnostics)
    return None


def capped_by_entropy(estimate: Estimate, problem: Problem) -> Estimate:
    """``estimate`` with neither value nor interval beyond the entropy of a side of labels; unchanged without such a side."""
    sides = [side for side in (problem.x, problem.y) if not side.n_continuous]
    if not sides:
        return estimate
    entropies = [population_entropy(np.bincount(distinct_codes(side.row_ids()))) for side in sides]
    value = min([estimate.value, *(entropy.value for entropy in entropies)])
    low, high = estimate.interval
    upper = max(value, min(entropy.upper for entropy in entropies))
    return replace(estimate, value=value, interval=(min(low, value), min(high, upper)))


@dataclass(frozen=True)
class DiscretePlugin:
    """Estimator ``"discrete"``: counts of the contingency table, from 2 x 2 to every row its own level.

    With five rows per cell or more it is the plug-in value with the correction of Miller and Madow. With fewer it is a weighted
    mean of a mixture of ratios, the information adjusted for chance and a difference of entropies; the interval covers
    unseen levels, and its upper end is the smaller entropy's upper limit at most.

    References:
        Miller, 1955; Kiefer & Wolfowitz, 1956; Vinh, Epps & Bailey, 2010; Chao, Wang & Jost, 2013.
    """

    name: str = "discrete"
    numeric_only = False

    def run(self, problem: Problem) -> Estimate:
        if not both_labels(problem):
            raise InputError(
                "method 'discrete' needs discrete columns on both sides: pass discrete=True if these numbers are labels, "
                "or use method 'auto'."
            )
        x, y = (distinct_codes(side.row_ids()) for side in (problem.x, problem.y))
        counted = information(x, y, problem.groups)
        return Estimate(
            counted.value, None, counted.stderr, (counted.low, counted.high), self.name, problem.n,
            diagnostics=counts_diagnostics(counted, problem), influence=counted.influence,
        )  # fmt: skip


def counts_diagnostics(counted: CountsInformation, problem: Problem) -> dict[str, Any]:
    """What was chosen for this table and why, and what to be careful about."""
    warnings = []
    if counted.identifiers:
        warnings.append(unidentifiable_sentence([_name(getattr(problem, side)) for side in counted.identifiers]))
    elif counted.undersampled:
        rows, columns = counted.levels
        warnings.append(
            f"{rows:,} x {columns:,} levels for {problem.n:,} rows: so few rows per cell leave more than one answer, and the "
            "value assumes that all cells are alike. Merge rare levels, or collect more rows."
        )
    return {
        "basis": "contingency table",
        "estimator": counted.estimator,
        "levels": list(counted.levels),
        "bias_correction": counted.value - counted.plug_in,
        "candidates_nats": counted.candidates,
        "undersampled": counted.undersampled,
        "unidentifiable": bool(counted.identifiers),
        "warnings": warnings,
    }


def _name(side: Variable) -> str:
    """The column of a side that names its rows, or all its columns where only they do so together."""
    codes = zip(side.discrete_columns, side.discrete.T, strict=True)
    alone = (name for name, column in codes if is_identifier(distinct_codes(column)))
    return next(alone, ", ".join(side.columns) or side.name)
