"""Two discrete variables: the plug-in estimate with its first-order bias removed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mine.data.problem import Problem, clustered_stderr
from mine.errors import InputError
from mine.result import Estimate

__all__ = ["DiscretePlugin", "plugin_suits"]


def plugin_suits(problem: Problem) -> bool:
    """Whether both sides are wholly discrete and the table of their values has five rows a cell or more."""
    if problem.x.n_continuous or problem.y.n_continuous:
        return False
    cells = len(np.unique(problem.x.row_ids())) * len(np.unique(problem.y.row_ids()))
    return problem.n >= 5 * cells


@dataclass(frozen=True)
class DiscretePlugin:
    """Estimator ``"discrete"``: counts of the contingency table, with the Miller-Madow correction.

    References:
        Miller, 1955; Paninski, 2003 (doi 10.1162/089976603321780272), section 4.
    """

    name: str = "discrete"
    numeric_only = False

    def run(self, problem: Problem) -> Estimate:
        if problem.x.n_continuous or problem.y.n_continuous:
            raise InputError(
                "method 'discrete' needs discrete columns on both sides: pass discrete=True if these numbers are labels, "
                "or use method 'auto'."
            )
        x, y = problem.x.row_ids(), problem.y.row_ids()
        n = problem.n
        table = np.zeros((x.max() + 1, y.max() + 1))
        np.add.at(table, (x, y), 1)
        p_x, p_y = table.sum(1) / n, table.sum(0) / n
        pointwise = np.log(table[x, y] / n) - np.log(p_x[x]) - np.log(p_y[y])

        # Each plug-in entropy is low by (cells - 1) / 2n, so I = H(x) + H(y) - H(x, y) is off by the sum below.
        bias = (np.count_nonzero(table) - table.shape[0] - table.shape[1] + 1) / (2 * n)
        value = float(pointwise.mean()) - bias
        stderr = clustered_stderr(pointwise, problem.groups)
        half_width = float(np.hypot(1.96 * stderr, 1.96 * np.sqrt(2 * max(bias, 0) / (2 * n)) + 0.5 * abs(bias)))
        diagnostics = {
            "levels": list(table.shape),
            "bias_correction": -bias,
            "warnings": [],
        }
        if n < 5 * np.count_nonzero(table):
            diagnostics["warnings"].append(
                f"{np.count_nonzero(table)} occupied cells for {n} rows: merge rare levels, the correction is first-order."
            )
        interval = (value - half_width, value + half_width)
        return Estimate(value, None, stderr, interval, self.name, n, diagnostics=diagnostics)
