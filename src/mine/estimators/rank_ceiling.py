"""An upper end for what ranks hide: columns that nearly repeat each other differ by less than a place in the order."""

from __future__ import annotations

import math
from dataclasses import replace

import torch

from mine.critics.gaussian import GaussianCritic
from mine.data.preprocessing import rank_gaussianize
from mine.data.problem import Problem, clustered_stderr
from mine.estimators.gaussian import wishart_bias
from mine.estimators.partition import log_partition
from mine.estimators.rank_noise import rank_noise_of
from mine.estimators.ties import tied_column
from mine.result import Estimate

__all__ = ["raised_by_ranks"]

#: Most columns in all, and rows that are looked at.
COLUMNS, ROWS = 12, 20_000


def raised_by_ranks(estimate: Estimate, problem: Problem) -> Estimate:
    """``estimate``, with the interval raised to a Gaussian copula that allows for what ranks hide, if that finds more.

    Critics see ranks and smooth scores. If a combination of columns is nearly constant, its small differences carry much
    information and ranks show none of it; every method on scores then agrees on a value that is far too small. The copula that
    was moved until its simulated ranks look like the observed ones knows how much was hidden. It only raises the upper end.
    """
    x, y = problem.x, problem.y
    columns = x.n_continuous + y.n_continuous
    if x.n_discrete or y.n_discrete or problem.order is not None or not columns + 2 < problem.n <= ROWS or columns > COLUMNS:
        return estimate
    if not math.isfinite(estimate.interval[1]) or _by_values(estimate, columns) or tied_column(x, y) is not None:
        return estimate
    u, v = rank_gaussianize(x.flat), rank_gaussianize(y.flat)
    critic = GaussianCritic.fit(u, v)
    bias, rows = wishart_bias(problem.n, u.shape[1], v.shape[1]), (torch.as_tensor(u), torch.as_tensor(v))
    stderr = clustered_stderr(critic(*rows).numpy(), problem.groups)
    noise = rank_noise_of(u, v, bias, stderr)
    if noise is None:
        return estimate
    nats = float(critic.mutual_information) - bias + noise.hidden
    low, high = estimate.interval
    if (nats <= high and not noise.open_above) or not log_partition(critic, *rows).fits:
        return estimate
    upper = math.inf if noise.open_above else nats + 1.96 * noise.stderr(stderr)
    warning = (
        f"Some columns nearly repeat each other, so that the ranks of so few rows hide what their small differences tell: a "
        f"Gaussian copula that allows for it gives {nats:.2f} nats. The interval holds that; more rows would help."
    )
    diagnostics = {**estimate.diagnostics, "copula_with_hidden_nats": nats, "warnings": [*estimate.warnings, warning]}
    return replace(estimate, interval=(low, upper), diagnostics=diagnostics)


def _by_values(estimate: Estimate, columns: int) -> bool:
    """Whether the value comes from the distances in a pair of columns, or of rows from a line, and not from ranks or scores."""
    basis = str(estimate.diagnostics.get("basis", ""))
    line = basis.endswith(("minus a linear fit of scaled values", "minus a linear fit of logarithms"))
    return basis.startswith("residual") and (columns == 2 or line)
