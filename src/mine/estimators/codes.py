"""Whether images or sequences determine each other without noise, by what the critics make of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from mine.critics.builders import EMBED
from mine.critics.two_towers import TowerCritic
from mine.data.problem import Problem
from mine.data.sides import as_variable
from mine.data.variable import Variable
from mine.errors import InputError
from mine.estimators.fit import CrossFit
from mine.estimators.noiseless import STRONG_ENOUGH, Regression, noiseless_regression, without_upper_end
from mine.result import Estimate

__all__ = ["opened_by_codes"]

#: Share of a side's columns that are copies of the other side's, from which they are no coincidence.
COPIED = 0.1


def opened_by_codes(estimate: Estimate, fit: CrossFit) -> Estimate:
    """``estimate`` with an interval open above if the codes of one side, or its columns, follow from the other without noise.

    Regressions of single pixels on hundreds of others are not possible. The coordinates in which the critic compares the two
    sides are few: if both are smooth functions of the same numbers, one side's follow from the other's.
    """
    if not isinstance(fit.critics[0], TowerCritic) or estimate.value < STRONG_ENOUGH:
        return estimate
    if estimate.diagnostics["determined"] is not None:
        return estimate
    x, y = fit.problem.x, fit.problem.y
    copied = _copied(x, y)
    regression = Regression(f"{y.name} by {x.name}, of which it has copies") if copied else _between_codes(fit)
    if regression.determined is None:
        return estimate
    told = replace(estimate, diagnostics={**estimate.diagnostics, "determined": regression.determined})
    return without_upper_end(told, *regression.warnings)


def _copied(x: Variable, y: Variable) -> bool:
    """Whether a share of the columns of the narrower side are columns of the other."""
    if not x.n_continuous or not y.n_continuous:
        return False
    columns = [{column.tobytes() for column in side.flat.T if np.ptp(column) > 0} for side in (x, y)]
    return len(columns[0] & columns[1]) > COPIED * min(map(len, columns))


def _between_codes(fit: CrossFit) -> Regression:
    """Regressions between the coordinates that the first fold's critic gives to its held-out rows."""
    critic, rows = fit.critics[0], fit.folds[0].evaluation
    if not isinstance(critic, TowerCritic) or fit.problem.x.is_label or fit.problem.y.is_label:
        return Regression()
    x, y = fit.pairs.rows(torch.as_tensor(rows, device=fit.pairs.x.device))
    with torch.no_grad():
        codes = [h[:, -1 - EMBED : -1].cpu().double().numpy() for h in (critic.encode_x(x), critic.encode_y(y))]
    try:
        sides = [as_variable(code, name, False) for code, name in zip(codes, ("x", "y"), strict=True)]
    except InputError:  # a critic that found nothing may give every row the same codes
        return Regression()
    groups = None if fit.problem.groups is None else fit.problem.groups[rows]
    found = noiseless_regression(Problem(sides[0], sides[1], groups, fit.problem.seed, copies=fit.problem.copies))
    if found.determined is None:
        return found
    return Regression(f"the critic's {found.determined}")
