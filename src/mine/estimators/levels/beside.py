"""Labels with few rows per level next to other columns: what critics, who score each level, may not have found of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mine.data.preprocessing import rank_gaussianize
from mine.data.problem import Problem
from mine.data.variable import Variable
from mine.estimators.counts.identifier import is_identifier
from mine.estimators.counts.table import distinct_codes
from mine.estimators.levels.estimate import few_rows_per_level, levels_information
from mine.result import Estimate

__all__ = ["raised_by_levels"]

#: Rows and columns up to which random effects are fitted, and nats that are worth a sentence.
ROWS, COLUMNS, WORTH_SAYING = 20_000, 3, 0.1


def raised_by_levels(estimate: Estimate, problem: Problem) -> Estimate:
    """``estimate``, its interval raised by what random effects find between such labels and the numbers of the other side.

    The numbers are taken without what a line in the other columns of the labels' side predicts of them. How much of it the
    critics found is not known: the value stays, and the interval holds all of it.
    """
    if problem.order is not None or (problem.groups is not None and not problem.copies) or problem.n > ROWS:
        return estimate
    found = [
        (levels_information(_left_over(other, side), distinct_codes(codes), problem.seed), name)
        for side, other in ((problem.x, problem.y), (problem.y, problem.x))
        if not side.is_label and 0 < other.n_continuous <= COLUMNS and not other.n_discrete and side.n_discrete <= COLUMNS
        for name, codes in zip(side.discrete_columns, side.discrete.T, strict=True)
        if few_rows_per_level(codes) and not is_identifier(distinct_codes(codes))
    ]
    nats, name = max(found, default=(0.0, ""))
    low, high = estimate.interval
    if estimate.value + nats <= high:
        return estimate
    warnings = list(estimate.warnings)
    if nats > WORTH_SAYING:
        warnings.append(
            f"Few rows per level of {name}: up to {nats:.2f} nats of what its levels say may be missing from the value. The "
            "interval holds that; more rows per level would help."
        )
    diagnostics = {**estimate.diagnostics, "levels_nats": nats, "warnings": warnings}
    return replace(estimate, interval=(low, estimate.value + nats), diagnostics=diagnostics)


def _left_over(numbers: Variable, side: Variable) -> np.ndarray:
    """Normal scores of ``numbers`` (n, d) without what a line in those of the numbers of ``side`` predicts."""
    scores = rank_gaussianize(numbers.flat)
    if not side.n_continuous or side.n_continuous > len(scores) // 10:
        return scores
    known = np.concatenate([np.ones((len(scores), 1)), rank_gaussianize(side.flat)], 1)
    return scores - known @ np.linalg.lstsq(known, scores, rcond=None)[0]
