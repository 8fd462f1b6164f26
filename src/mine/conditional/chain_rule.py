"""Conditional information: by the chain rule, two estimates on the same folds, or by one critic on exchanged rows."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from mine.comparison import fingerprints, row_differences
from mine.conditional.determined import open_where_determined
from mine.conditional.given import CONSTANT, third_variable
from mine.conditional.label_counts import all_labels, conditional_counts, strata_suit
from mine.conditional.leftover import NEARLY, Leftover, without_copies_of_z, without_regression
from mine.conditional.local_shuffle import MOST_BOOSTED, LocalShuffle
from mine.conditional.neighbours import check_sides, follows_from_z, neighbours_given
from mine.conditional.side_order import by_content, ordered
from mine.conditional.within_levels import WithinLevels
from mine.data.joined import joined
from mine.data.problem import Problem, make_problem, order_warnings
from mine.data.rows import complete_rows, equally_long, infinite_sentence, times_sentence
from mine.data.splits import copied_rows
from mine.data.variable import Variable
from mine.errors import InputError, UnknownNameError
from mine.estimators import Estimator, get_estimator, takes_numbers_only
from mine.estimators.auto import Auto
from mine.estimators.crossfit import MISFIT, interval_half_width, upper_half_width
from mine.estimators.discrete import DiscretePlugin, capped_by_entropy
from mine.estimators.gaussian import GaussianCopula
from mine.estimators.ksg import KSG
from mine.estimators.levels.estimate import few_rows_per_level
from mine.estimators.neural import Neural
from mine.estimators.run import run_estimator
from mine.estimators.thinned import thinned
from mine.estimators.ties import check_ranks
from mine.progress import progress_callback
from mine.result import UNITS, Estimate

__all__ = [
    "WAYS",
    "conditional_estimate",
    "conditional_estimator",
    "difference",
    "estimate_given",
    "within_what_is_known",
]

#: What ``conditional=`` takes.
WAYS = ("chain", "shuffle")


def conditional_estimator(way: str | None, method: Any, options: dict[str, Any]) -> Estimator | LocalShuffle:
    """What estimates ``I(X; Y | Z)``: by ``method`` twice, or the one critic of :class:`LocalShuffle`.

    Arguments:
        way: ``"chain"`` (None is that too) or ``"shuffle"``.
        method: As for :func:`mine.estimate`.
        options: Options of the method.

    Raises:
        UnknownNameError: No such way, method or option.
    """
    if way not in (None, *WAYS):
        raise UnknownNameError("conditional", way, WAYS)
    return LocalShuffle.with_options(method, options) if way == "shuffle" else get_estimator(method, options)


def conditional_estimate(
    estimator: Estimator | LocalShuffle,
    x: Any,
    y: Any,
    z: Any,
    *,
    groups: Any = None,
    order: Any = None,
    unit: str = "nats",
    drop_missing: bool = False,
    progress: bool | Callable[[int, int, str], None] | None = None,
    **data: Any,
) -> Estimate:
    """``I(X; Y | Z)``; see :func:`mine.estimate`.

    Arguments:
        estimator: What estimates either term of ``I(X; (Y, Z)) - I(X; Z)``, with the same rows, folds and seeds; or the one
            critic of :class:`LocalShuffle`.
        x: Rows of the first variable.
        y: Rows of the second.
        z: Rows of the condition.
        groups: One label per row.
        order: Where rows stand in time; see :func:`mine.estimate`.
        unit: ``"nats"`` or ``"bits"``.
        drop_missing: Leave out rows with a missing or infinite value in any of them.
        progress: Progress bar.
        **data: Further arguments of :func:`mine.data.problem.make_problem`.
    """
    started = time.perf_counter()
    if unit not in UNITS:
        raise UnknownNameError("unit", unit, UNITS)
    n_dropped = 0
    x, y, z = equally_long(x=x, y=y, z=z)
    about_rows = times_sentence(x, y, z) + (infinite_sentence(x, y, z) if drop_missing else [])
    if drop_missing:
        (x, y, z, groups, order), n_dropped = complete_rows(x=x, y=y, z=z, groups=groups, order=order)
    if order is not None and isinstance(estimator, LocalShuffle):
        raise InputError("order= does not go with conditional='shuffle': leave one of them out.")
    unsaid = groups is None and order is None
    told = {"groups": groups, "order": order}
    spec = False if takes_numbers_only(estimator) else data.get("discrete")
    third = third_variable(z, spec)
    if takes_numbers_only(estimator) and third.n_discrete:
        raise InputError(f"This method needs numbers, but these columns of z are labels: {', '.join(third.discrete_columns)}.")
    problem, _ = make_problem(x, y, numeric_only=takes_numbers_only(estimator), others=[third], **told, **data)
    if not third.columns:
        if isinstance(estimator, LocalShuffle):
            found = estimator.run(problem, _one_label(problem.n)).to(unit)
        else:
            found = run_estimator(_run, estimator, x, y, unit=unit, progress=progress, **told, **data)
        return _given_a_constant(found, problem, third, n_dropped, about_rows)
    both = joined(problem.y, third)
    if unsaid:
        codes, copies = copied_rows(problem.x, both)
        problem = replace(problem, groups=codes, copies=copies)
    with progress_callback(progress) as on_progress:
        result = _in_order(estimator, replace(problem, on_progress=on_progress), third)
    warnings = [*about_rows, *result.warnings, *order_warnings(problem, unsaid=unsaid)]
    return replace(
        result,
        diagnostics={
            **result.diagnostics,
            "warnings": warnings,
            "discrete_columns": [*problem.x.discrete_columns, *both.discrete_columns],
            "dropped_constant_columns": [*problem.x.dropped, *problem.y.dropped, *third.dropped],
            "dropped_missing_rows": n_dropped,
            "duplicate_rows": problem.copies,
            "seconds": round(time.perf_counter() - started, 3),
        },
        groups=problem.groups,
        sides=fingerprints(problem.x, problem.y, third),
    ).to(unit)


def _in_order(estimator: Estimator | LocalShuffle, problem: Problem, third: Variable) -> Estimate:
    """:func:`estimate_given`; of rows in the order of time by methods for independent rows, on rows far enough apart."""
    if problem.order is None:
        return estimate_given(estimator, problem, third)
    problem = replace(problem, order=problem.order.against(problem.x, joined(problem.y, third)))
    knows_time = isinstance(estimator, Neural) and not (isinstance(estimator, Auto) and strata_suit(problem, third))
    if knows_time:
        return estimate_given(estimator, problem, third)
    if isinstance(estimator, GaussianCopula):
        check_ranks(replace(problem, y=joined(problem.y, third)), estimator.name)
    elif isinstance(estimator, KSG):
        check_sides(estimator, problem, third)
    return thinned(lambda part, rows: estimate_given(estimator, part, third.take(rows)), problem)


def estimate_given(estimator: Estimator | LocalShuffle, problem: Problem, third: Variable) -> Estimate:
    """``I(X; Y | Z)`` in nats by what suits: counts of labels, nearest neighbours, one critic, or the chain rule."""
    if isinstance(estimator, DiscretePlugin) and all_labels(problem, third):
        return conditional_counts(problem, third, f"{estimator.name}, conditional")
    if isinstance(estimator, Auto) and estimator.critic is None and strata_suit(problem, third):
        return conditional_counts(problem, third, f"{estimator.name}, conditional")
    if isinstance(estimator, KSG):
        return open_where_determined(neighbours_given(estimator, problem, third), problem, third)
    within = None if getattr(estimator, "critic", None) is not None else WithinLevels.of(problem, third)
    if within is not None:
        return within.estimate(partial(_estimate_of_sides, estimator), problem.n)
    return _estimate_of_sides(estimator, problem, third)


def _estimate_of_sides(estimator: Estimator | LocalShuffle, problem: Problem, third: Variable) -> Estimate:
    """By one critic or the chain rule, on the sides without what z explains of them."""
    x, y = (without_copies_of_z(side, third) for side in (problem.x, problem.y))
    if x.determined or y.determined:
        side = problem.x if x.determined else problem.y
        return follows_from_z(side, f"{getattr(estimator, 'name', type(estimator).__name__)}, conditional", problem.n)
    if isinstance(estimator, LocalShuffle):
        x, y = _regressed_apart(x, y, problem, third)
        result = estimator.run(replace(problem, x=x.side, y=y.side), third)
    elif getattr(estimator, "critic", None) is not None:
        x, y = Leftover(problem.x), Leftover(problem.y)  # a user's critic was built for these columns in this order
        result = _chain(estimator, problem, problem.x, problem.y, third)
    else:
        if isinstance(estimator, Neural):
            x, y = without_regression([x, y], third, problem.groups, problem.seeds(7)[6], needed_below=NEARLY)
        # Methods that draw nothing give the same digits every time: so must the order of their sides.
        if isinstance(estimator, GaussianCopula):  # whose closed form is the same either way, but for rounding
            sides = by_content(x.side, y.side)
        else:
            sides = ordered(x.side, y.side, third, problem.groups, seed=0)
        result = _chain(estimator, problem, *sides, third)
    result = open_where_determined(result, problem, third)
    return within_what_is_known(result, problem, (*x.unresolved, *y.unresolved))


def _regressed_apart(x: Leftover, y: Leftover, problem: Problem, third: Variable) -> list[Leftover]:
    """Both sides without a regression on z, each by the fit that leaves least of it; as they are if z is labels."""
    if not third.n_continuous:
        return [x, y]
    return [
        without_regression([left], third, problem.groups, seed, trees=left.side.n_continuous <= MOST_BOOSTED)[0]
        for left, seed in zip((x, y), problem.seeds(3)[1:], strict=True)
    ]


def _chain(estimator: Estimator, problem: Problem, first: Variable, second: Variable, third: Variable) -> Estimate:
    """``I(first; second, z) - I(first; z)``."""
    both = joined(second, third)
    more = estimator.run(replace(problem, x=first, y=both))
    if isinstance(estimator, Auto) and any(side.is_label and few_rows_per_level(side.row_ids()) for side in (first, second)):
        # Critics merge rare levels. What counts or random effects find without z is a part of what there is with it.
        alone = estimator.run(replace(problem, x=first, y=second))
        more = alone if alone.value > more.value else more
    less = estimator.run(replace(problem, x=first, y=third))
    return difference(more, less, replace(problem, x=first), both)


def within_what_is_known(result: Estimate, problem: Problem, unresolved: tuple[str, ...]) -> Estimate:
    """``result`` within the entropies of labels and not surely below 0; open above for ``unresolved`` columns."""
    (low, high), value, warnings = result.interval, result.value, list(result.warnings)
    if high < 0:
        warnings.insert(
            0,
            f"z alone seems to tell {-value:.2f} nats more than z with the other side, which cannot be: the two terms are too "
            "large to be subtracted, and 0 is given.",
        )
        value, high = 0.0, high - value - low  # as far above 0 as it is surely below, and what may be missed
    if unresolved:
        warnings.insert(
            0,
            f"{', '.join(unresolved)} is nearly a function of z: its residual cannot be distinguished from the error of a "
            "regression, and the interval is open.",
        )
        low, high = min(low, 0.0), math.inf
    # It is never negative: only chance, and the value that is reported, reach below 0.
    low = max(low, min(0.0, value) - interval_half_width(result.stderr, 0.0, problem.independent_rows))
    bounded = replace(result, value=value, interval=(low, high))
    bounded = capped_by_entropy(bounded, problem)
    return replace(bounded, diagnostics={**result.diagnostics, "warnings": warnings})


def _run(estimator: Estimator, problem: Problem) -> Estimate:
    return estimator.run(problem)


def _given_a_constant(alone: Estimate, problem: Problem, third: Variable, n_dropped: int, about_rows: list[str]) -> Estimate:
    """``I(X; Y)``, which is what there is given a constant, with a sentence that says so."""
    return replace(
        alone,
        diagnostics={
            **alone.diagnostics,
            "discrete_columns": [*problem.x.discrete_columns, *problem.y.discrete_columns],
            "dropped_constant_columns": [*problem.x.dropped, *problem.y.dropped, *third.dropped],
            "dropped_missing_rows": n_dropped,
            "duplicate_rows": problem.copies,
            "warnings": [CONSTANT, *about_rows, *alone.warnings],
        },
    )


def _one_label(n: int) -> Variable:
    """A constant z as a label that all rows have: every row may be exchanged with every other."""
    return Variable("z", ("z",), np.empty((n, 0)), np.zeros((n, 1), np.int64), (("constant",),))


def difference(more: Estimate, less: Estimate, problem: Problem, both: Variable) -> Estimate:
    """``more - less`` (nats): no bound, for a difference of two lower bounds bounds nothing.

    The standard error is that of the rows' differences, in which what the two estimates share cancels; where a method has no
    rows, or the two were made in different ways (one from shuffled pairs, one from what a regression leaves), that of two
    independent errors, and the interval is made of the two intervals.
    """
    n = problem.n
    value = more.value - less.value
    rows = None
    alike = more.diagnostics.get("basis") == less.diagnostics.get("basis")
    if alike and more.pointwise_values is not None and less.pointwise_values is not None:
        rows = more.pointwise_values - less.pointwise_values
        stderr = problem.stderr(rows)
    else:
        stderr = float(np.hypot(more.stderr, less.stderr))
    corrections = [float(e.diagnostics.get("bias_correction") or 0.0) for e in (more, less)]
    half_width = interval_half_width(stderr, corrections[0] - corrections[1], problem.independent_rows)
    columns = sum(v.n_continuous + v.n_discrete for v in (problem.x, both))
    # What the first term misses is missing from the difference, what the second misses is too much in it.
    missed = [MISFIT * max(0.0, correction) for correction in corrections]
    low = value - math.hypot(half_width, missed[1])
    high = value + math.hypot(upper_half_width(half_width, columns, problem.independent_rows), missed[0])
    if not alike:
        low = min(low, value - math.hypot(more.value - more.interval[0], less.interval[1] - less.value))
        high = max(high, value + math.hypot(more.interval[1] - more.value, less.value - less.interval[0]))
    saturated = [bool(e.diagnostics.get("saturated")) for e in (more, less)]
    warnings = [f"I(X; Y, Z): {w}" for w in more.warnings] + [f"I(X; Z): {w}" for w in less.warnings]
    if saturated[0] or math.isinf(more.interval[1]):  # a function of z and the other side has infinite information
        high = float("inf")
    if saturated[1] or math.isinf(less.interval[1]):
        low = min(low, 0.0)
    return Estimate(
        value=value,
        lower_bound=None,
        stderr=stderr,
        interval=(low, high),
        method=f"{more.method}, conditional",
        n=n,
        diagnostics={
            "basis": "chain rule: I(X; Y, Z) - I(X; Z) on the same folds",
            "with_y_nats": more.value,
            "without_y_nats": less.value,
            "bias_correction": corrections[0] - corrections[1],
            "saturated": any(saturated),
            "warnings": warnings,
        },
        influence=row_differences(more, less),
    )
