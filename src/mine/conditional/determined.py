"""A side that is a function of z and the other side together, without noise: the information given z is then infinite."""

from __future__ import annotations

import math
from dataclasses import replace

from mine.data.joined import joined
from mine.data.problem import Problem
from mine.data.variable import Variable
from mine.estimators.noiseless import STRONG_ENOUGH, noiseless_regression, without_upper_end
from mine.result import Estimate

__all__ = ["open_where_determined"]


def open_where_determined(result: Estimate, problem: Problem, third: Variable) -> Estimate:
    """``result`` with an interval open above if a column of x or y follows from z and the other side.

    The term I(x; y, z) of the chain rule sees x alone as a function, or y, z: not that y = f(x, z), where f has several x for
    one y. Nearest neighbours and copulas see none. A function of the other side alone is looked for first: columns of z that
    have no part in it would hide it.

    Arguments:
        result: The estimate given z (nats).
        problem: The two sides.
        third: z.
    """
    if not math.isfinite(result.interval[1]) or result.value < STRONG_ENOUGH:
        return result
    alone = noiseless_regression(problem)
    if alone.determined is not None:
        return without_upper_end(result, *alone.warnings)
    for target, other in ((problem.y, problem.x), (problem.x, problem.y)):
        if not (target.n_continuous and other.n_continuous):
            continue
        found = noiseless_regression(replace(problem, x=joined(other, third), y=target), both_ways=False)
        if found.determined is not None:
            sentence = (
                f"The relation may be deterministic, of infinite information: {target.name} seems to follow from {other.name} "
                "and z without noise. The value says only how closely the relation was fitted; the interval has no upper end."
            )
            return without_upper_end(result, sentence)
    return result
