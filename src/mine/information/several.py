"""What several blocks of columns share: total correlation by the chain rule on the same folds."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from typing import Any

import numpy as np

from mine.data.columns import DiscreteSpec
from mine.data.joined import joined
from mine.data.order import TimeOrder
from mine.data.parsing import read_texts
from mine.data.problem import Problem, make_problem, order_warnings
from mine.data.rows import complete_rows, equally_long, infinite_sentence, rereadable
from mine.data.sides import as_variable, refuse_labels
from mine.data.sources import named_columns
from mine.data.splits import copied_rows
from mine.data.unreadable import foreign
from mine.data.variable import Variable
from mine.errors import InputError, UnknownNameError
from mine.estimators import get_estimator, takes_numbers_only, with_effort
from mine.estimators.counts.entropy import population_entropy
from mine.estimators.counts.table import distinct_codes
from mine.estimators.crossfit import interval_half_width
from mine.estimators.run import run_checked, with_read_columns
from mine.progress import progress_callback
from mine.result import UNITS, Estimate
from mine.surroundings import plain_modes

__all__ = ["total_correlation"]


@plain_modes()
def total_correlation(
    blocks: Sequence[Any] | Mapping[str, Any],
    *,
    method: Any = "auto",
    effort: str | None = None,
    discrete: DiscreteSpec = None,
    groups: Any = None,
    order: Any = None,
    device: str = "auto",
    unit: str = "nats",
    random_state: int | np.random.Generator | np.random.RandomState | None = None,
    drop_missing: bool = False,
    parse: bool = False,
    progress: bool | Callable[[int, int, str], None] | None = None,
    **options: Any,
) -> Estimate:
    r"""Total correlation of several variables: ``KL(p(x_1, ..., x_k) || p(x_1) ... p(x_k))``.

    By the chain rule ``I(X_1; X_2) + I(X_1, X_2; X_3) + ...``, every term with the same rows, folds and seeds. The sum of the
    terms' held-out bounds is a lower bound. Of two blocks it is their mutual information.

    References:
        Watanabe, 1960, 'Information theoretical analysis of multivariate correlation'.

    Arguments:
        blocks: At least two variables of as many rows, as in :func:`mine.estimate`; a mapping names them. A table, such as a
            frame or an array of shape (n, d), stands for its columns.
        method: As in :func:`mine.estimate`, like the arguments below.
        effort: How long a neural method may take.
        discrete: Which columns are labels: True, False or None.
        groups: One label per row.
        order: ``"time"`` where rows come in the order of time, or one number or date per row; see :func:`mine.estimate`.
        device: Where to compute.
        unit: ``"nats"`` or ``"bits"``.
        random_state: Seed or generator.
        drop_missing: Leave out rows with a missing or infinite value in any block instead of raising; ``diagnostics`` counts
            them.
        parse: Read columns of numbers written as text as numbers.
        progress: Progress bar.
        **options: Options of the method.

    Raises:
        InputError: Fewer than two blocks, or data that cannot be used.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> a, b = rng.integers(0, 2, size=(2, 500))
        >>> round(total_correlation([a, b, a ^ b]).value, 2)  # any two are independent, all three are not: log 2
        0.69
    """
    named = {name: rereadable(block) for name, block in _named_blocks(blocks).items()}
    if len(named) < 2:
        raise InputError(f"total_correlation needs at least two blocks of columns, got {len(named)}.")
    if unit not in UNITS:
        raise UnknownNameError("unit", unit, UNITS)
    if effort is not None:
        options = with_effort(method, effort, options)
    estimator = get_estimator(method, options)
    sides_read, read = read_texts(parse, discrete, **named)
    named = dict(zip(named, sides_read, strict=True))
    about_rows, n_dropped = [], 0
    if drop_missing:
        named = dict(zip(named, equally_long(**named), strict=True))
        about_rows = infinite_sentence(*named.values())
        (*complete, groups, order), n_dropped = complete_rows(**named, **{"groups=": groups, "order=": order})
        named = dict(zip(named, complete, strict=True))
    (name, first), (other, second) = list(named.items())[:2]
    problem, _ = make_problem(
        first,
        second,
        names=(name, other),
        numeric_only=takes_numbers_only(estimator),
        discrete=discrete,
        groups=groups,
        order=order,
        device=device,
        random_state=random_state,
    )
    spec = False if takes_numbers_only(estimator) else discrete
    sides = [as_variable(block, name, spec) for name, block in named.items()]
    if takes_numbers_only(estimator):
        refuse_labels(*sides)
    for side in sides:
        if len(side) != problem.n:
            raise InputError(f"{side.name} has {len(side)} rows and {sides[0].name} has {problem.n}: blocks share their rows.")
    chain = [(reduce(joined, sides[:k]), sides[k]) for k in range(1, len(sides))]
    unsaid = groups is None and order is None
    if unsaid:
        codes, copies = copied_rows(*chain[-1])
        problem = replace(problem, groups=codes, copies=copies)
    elif problem.order is not None:
        problem = _remembering_longest(problem, problem.order, chain)
    with progress_callback(progress) as on_progress:
        problem = replace(problem, on_progress=on_progress)
        terms = [run_checked(estimator, replace(problem, x=before, y=side)) for before, side in chain]
    before, last = chain[-1]
    said = order_warnings(replace(problem, x=before, y=last), unsaid=unsaid)
    result = _within_entropies(_sum(terms, problem, [*about_rows, *said]), problem, sides)
    result = replace(result, diagnostics={**result.diagnostics, "dropped_missing_rows": n_dropped})
    return with_read_columns(result, read).to(unit)


def _named_blocks(blocks: Any) -> dict[str, Any]:
    """The blocks by name; those of a list are called by their places. Of a table, each column is a block.

    Raises:
        InputError: What holds no blocks.
    """
    with foreign("blocks"):
        is_table = any(inspect.getattr_static(blocks, name, None) is not None for name in ("shape", "columns"))
    if is_table:
        return named_columns(blocks, "x")
    if not isinstance(blocks, (Mapping, Iterable)) or isinstance(blocks, (str, bytes)):
        raise InputError(f"blocks must be a list of blocks of columns, or a mapping from names; got {type(blocks).__name__}.")
    with foreign("blocks"):
        pairs = blocks.items() if isinstance(blocks, Mapping) else ((f"block{i}", block) for i, block in enumerate(blocks))
        named = {str(name): block for name, block in pairs}
    empty = next((name for name, block in named.items() if block is None), None)
    if empty is not None:
        raise InputError(f"{empty} is None: pass columns.")
    return named


def _remembering_longest(problem: Problem, order: TimeOrder, chain: list[tuple[Variable, Variable]]) -> Problem:
    """The problem in time as the pair of sides that remembers longest has it: all terms share folds and blocks."""
    longest = max((order.against(*pair) for pair in chain), key=lambda of_pair: of_pair.time)
    return replace(problem, order=longest, groups=longest.blocks)


def _within_entropies(result: Estimate, problem: Problem, sides: list[Variable]) -> Estimate:
    """``result`` (nats) not surely below 0 and, if all blocks are labels, not above all entropies but the largest."""
    (low, high), value = result.interval, result.value
    low = max(low, min(0.0, value) - interval_half_width(result.stderr, 0.0, problem.independent_rows))
    if not any(side.n_continuous for side in sides):
        entropies = [population_entropy(np.bincount(distinct_codes(side.row_ids()))) for side in sides]
        upper = [entropy.upper for entropy in entropies]
        value = min(value, sum(entropy.value for entropy in entropies) - max(entropy.value for entropy in entropies))
        high = max(value, min(high, sum(upper) - max(upper)))
    return replace(result, value=value, interval=(min(low, value), high))


def _sum(terms: list[Estimate], problem: Problem, said: list[str]) -> Estimate:
    """The terms' sum (nats); its error from the sums of the rows where every term has them, else from independent errors."""
    n, value = problem.n, float(sum(term.value for term in terms))
    bounds = [term.lower_bound for term in terms]
    parts = [term.pointwise_values for term in terms if term.pointwise_values is not None]
    rows = np.sum(parts, axis=0) if len(parts) == len(terms) else None
    # Rows leave out the partition terms' own noise, which each term's error holds: the larger of the two.
    apart = float(np.sqrt(sum(term.stderr**2 for term in terms)))
    stderr = apart if rows is None else max(apart, problem.stderr(rows))
    # Corrections add up. Those of counts are no sign of what was missed, and their own intervals hold the doubt.
    corrections = [term.diagnostics.get("bias_correction") or 0.0 for term in terms]
    correction = float(sum(corrections))
    counted = ["contingency table" in str(term.diagnostics.get("basis")) for term in terms]
    uncertain = sum(c for c, by_counts in zip(corrections, counted, strict=True) if not by_counts)
    half_width = interval_half_width(stderr, uncertain, problem.independent_rows)
    low, high = (math.hypot(*(term.interval[end] - term.value for term in terms)) for end in (0, 1))
    interval = terms[0].interval if len(terms) == 1 else (value - max(half_width, low), value + max(half_width, high))
    return Estimate(
        value=value,
        lower_bound=float(sum(b for b in bounds if b is not None)) if None not in bounds else None,
        stderr=stderr,
        interval=interval,
        method=f"{terms[0].method}, total correlation",
        n=n,
        diagnostics={
            "basis": "chain rule over blocks on the same folds",
            "terms_nats": [term.value for term in terms],
            "bias_correction": correction,
            "warnings": [*said, *(f"term {k + 1}: {warning}" for k, term in enumerate(terms) for warning in term.warnings)],
        },
        pointwise_values=rows,
    )
