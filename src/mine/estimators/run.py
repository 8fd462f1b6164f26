"""Run an estimator on users' data: check them, and complete the result."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from mine.comparison import fingerprints
from mine.data.parsing import ReadColumn
from mine.data.problem import Problem, make_problem, order_warnings
from mine.data.rows import equally_long, infinite_sentence, times_sentence
from mine.errors import UnknownNameError
from mine.estimators import Estimator, takes_numbers_only
from mine.estimators.copied_rows import open_without_noise
from mine.estimators.thinned import run_in_order
from mine.progress import progress_callback
from mine.result import UNITS, Estimate

__all__ = ["run_checked", "run_estimator", "with_read_columns"]


def run_estimator(
    run: Callable[[Any, Problem], Estimate],
    estimator: Estimator,
    x: Any,
    y: Any,
    *,
    unit: str = "nats",
    progress: bool | Callable[[int, int, str], None] | None = None,
    **data: Any,
) -> Estimate:
    """Check the data, call ``run(estimator, problem)``, and complete the result's diagnostics and unit.

    Arguments:
        run: Runs the estimator; :class:`mine.MutualInformation` keeps the fitted critics here.
        estimator: The estimator.
        x: As in :func:`mine.estimate`.
        y: As in :func:`mine.estimate`.
        unit: ``"nats"`` or ``"bits"``.
        progress: As in :func:`mine.estimate`.
        **data: Arguments of :func:`mine.data.problem.make_problem`.
    """
    started = time.perf_counter()
    if unit not in UNITS:
        raise UnknownNameError("unit", unit, UNITS)
    unsaid = data.get("groups") is None and data.get("order") is None
    x, y = equally_long(x=x, y=y)
    about_rows = times_sentence(x, y) + (infinite_sentence(x, y) if data.get("drop_missing") else [])
    problem, dropped_rows = make_problem(x, y, numeric_only=takes_numbers_only(estimator), **data)
    with progress_callback(progress) as on_progress:
        problem = replace(problem, on_progress=on_progress)
        result = run_checked(estimator, problem, run)

    dropped = [*problem.x.dropped, *problem.y.dropped]
    warnings = [*about_rows, *result.diagnostics.get("warnings", [])]
    if problem.copies:
        warnings.append(f"{problem.copies:,} rows are exact copies of others and were kept in one fold.")
    if dropped:
        warnings.append(f"Constant columns left out: {', '.join(dropped[:8])}{', ...' if len(dropped) > 8 else ''}.")
    warnings += order_warnings(problem, unsaid=unsaid)
    diagnostics = {
        **result.diagnostics,
        "discrete_columns": [*problem.x.discrete_columns, *problem.y.discrete_columns],
        "dropped_constant_columns": dropped,
        "dropped_missing_rows": dropped_rows,
        **({} if problem.order is None else {"independent_rows": problem.independent_rows}),
        "duplicate_rows": problem.copies,
        "seconds": round(time.perf_counter() - started, 3),
        "warnings": warnings,
    }
    rows = {"groups": problem.groups, "sides": fingerprints(problem.x, problem.y)}
    return replace(result, diagnostics=diagnostics, **rows).to(unit)


def run_checked(estimator: Any, problem: Problem, run: Callable[[Any, Problem], Estimate] | None = None) -> Estimate:
    """The estimate (nats), open above where the sides share numbers or one determines a column of the other."""
    result = run_in_order(estimator, problem) if run is None else run_in_order(estimator, problem, run)
    return open_without_noise(result, problem)


def with_read_columns(result: Estimate, columns: Sequence[ReadColumn]) -> Estimate:
    """The estimate, saying first which ``columns`` of text were read as numbers."""
    if not columns:
        return result
    warnings = [*(column.sentence for column in columns), *result.warnings]
    names = [column.name for column in columns]
    return replace(result, diagnostics={**result.diagnostics, "read_as_numbers": names, "warnings": warnings})
