"""Labels among several columns: what counts of labels alone find is a part of what there is."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from mine.data.problem import Problem
from mine.data.variable import Variable
from mine.estimators.counts.choose import CountsInformation, information
from mine.estimators.counts.table import distinct_codes
from mine.result import Estimate

__all__ = ["raised_by_label_pairs"]

#: Pairs of columns that are counted at most.
MOST_PAIRS = 30


def raised_by_label_pairs(estimate: Estimate, problem: Problem) -> Estimate:
    """``estimate``, or the counts of labels alone if they surely find more than critics did.

    Critics of labels with many levels can go astray on few rows, and do not find what only several columns tell together. The
    information of one column of labels on each side, or of all of them as one, is never above that of the sides.
    """
    x, y = problem.x, problem.y
    if problem.order is not None or not x.n_discrete or not y.n_discrete or x.n_discrete * y.n_discrete > MOST_PAIRS:
        return estimate
    if x.is_label and y.is_label:
        return estimate  # the contingency table is asked first
    found, names = _strongest_pair(problem)
    if found is None or found.low <= estimate.value:
        return estimate
    warning = (
        f"Counts of the labels {names} alone find more than the critics did, and give the value: it may be too low. More rows, "
        "fewer levels or fewer columns would help."
    )
    diagnostics = {
        **estimate.diagnostics,
        "basis": f"contingency table of {names}",
        "bias_correction": found.value - found.plug_in,
        "warnings": [warning],
    }
    high = estimate.interval[1] if estimate.interval[1] > found.high else math.inf
    return replace(
        estimate,
        value=found.value,
        stderr=found.stderr,
        interval=(found.low, high),
        diagnostics=diagnostics,
        pointwise_values=None,
        influence=None,
        lower_bound=None,
    )


def _strongest_pair(problem: Problem) -> tuple[CountsInformation | None, str]:
    """The counts of the pair that surely has most, of single label columns or all of a side; and the names of its columns."""
    best, names = None, ""
    for a, first in _labels_of(problem.x):
        for b, second in _labels_of(problem.y):
            found = information(first, second, problem.groups)
            if not found.identifiers and (best is None or found.low > best.low):
                best, names = found, f"{a} and {b}"
    return best, names


def _labels_of(side: Variable) -> list[tuple[str, np.ndarray]]:
    """Names and codes (n,) of each column of labels, and of all of them as one where there are several."""
    names = list(side.discrete_columns)
    columns = [distinct_codes(column) for column in side.discrete.T]
    if len(columns) > 1:
        joint = columns[0]
        for column in columns[1:]:
            joint = distinct_codes(joint * (int(column.max()) + 1) + column)
        names, columns = [*names, f"({', '.join(names)})"], [*columns, joint]
    return list(zip(names, columns, strict=True))
