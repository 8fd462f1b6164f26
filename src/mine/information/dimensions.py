"""``mine.shared_dimensions``: through how many numbers does all that two sides share pass?"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from mine.data.columns import DiscreteSpec
from mine.data.parsing import read_texts
from mine.data.problem import Problem, make_problem, order_warnings
from mine.data.rows import equally_long, infinite_sentence, times_sentence
from mine.errors import InputError, UnknownNameError
from mine.estimators.widths.curve import WidthCurve, widest, width_curve
from mine.information.flattening import SharedDimensions, gains_of, where_flat
from mine.progress import progress_callback
from mine.result import UNITS
from mine.surroundings import plain_modes

__all__ = ["shared_dimensions"]

#: A bound this near (nats) to the most that it can be is capped.
NEAR_CAP = 1.5
#: Share of the information that a width must add, there, to be surely a dimension: less may be further digits of those before.
#: Copied numbers gained 5 to 13 % by a code too many, and 24 % or more by the last of two.
SURE_SHARE = 0.2
#: Nats times rows that may be hidden in few rows, in all and for each column: with 100 columns a side and 2,000 rows, pairs of
#: columns that share 0.07 nats were missed, and pairs that share 0.14 found.
UNSEEN, UNSEEN_A_COLUMN = 15.0, 1.0
#: From so many hidden nats, and from such a share of the information, more dimensions are possible than were found.
HIDDEN, HIDDEN_SHARE = 0.1, 0.1


@plain_modes()
def shared_dimensions(
    x: Any,
    y: Any,
    *,
    max_dimensions: int = 8,
    discrete: DiscreteSpec = None,
    groups: Any = None,
    order: Any = None,
    device: str = "auto",
    unit: str = "nats",
    random_state: int | np.random.Generator | np.random.RandomState | None = None,
    drop_missing: bool = False,
    parse: bool = False,
    steps: int | None = None,
    progress: bool | Callable[[int, int, str], None] | None = None,
) -> SharedDimensions:
    r"""Count how many numbers of x and of y carry all the information that the two sides share.

    Two networks squeeze x and y into k numbers each, and a third part sees these codes only. The information that it finds
    rises with k until the codes hold all that is shared. Widths from 1 to ``max_dimensions`` are trained at once on the same
    three folds. Each starts from the canonical directions of its training rows. Held-out rows give the bound (InfoNCE, both
    directions), and two widths are compared by the paired differences of these rows.

    A dimension counts if it adds at least 2 % of the information, and more than 2.33 standard errors (3 for the first). The
    interval holds every number that these rows and this rule leave possible; a dependence that the critics do not find is not
    in it. Codes vary smoothly, so a closed curve, such as an angle, counts as two dimensions. If every
    column is folded, as by an absolute value, the count comes out too high.

    References:
        Abdelaleem, Martini & Nemenman, 2025, 'Accurate estimation of mutual information in high dimensional data' (arXiv
        2506.00330); Hotelling, 1936, for the canonical directions. The rule for where it flattens is this library's own.

    Arguments:
        x: Rows of the first variable, shape (n, dx), as in :func:`mine.estimate`.
        y: Rows of the second variable, shape (n, dy).
        max_dimensions: Widest bottleneck.
        discrete: Which columns are labels, as in :func:`mine.estimate`. A label of L levels has L - 1 dimensions.
        groups: One label per row, shape (n,), as in :func:`mine.estimate`.
        order: As in :func:`mine.estimate`, for rows in the order of time.
        device: As in :func:`mine.estimate`.
        unit: ``"nats"`` or ``"bits"``.
        random_state: Seed or generator. The same one gives the same digits on the same machine.
        drop_missing: Leave out rows with a missing or infinite value instead of raising.
        parse: Read columns of numbers written as text as numbers, as in :func:`mine.estimate`.
        steps: Optimiser steps; None lets the number of rows decide.
        progress: As in :func:`mine.estimate`.

    Returns:
        A :class:`~mine.SharedDimensions`; ``print`` it, or ``plot()`` it.

    Raises:
        InputError: Data or arguments that cannot be used, with the remedy.
        NotEnoughDataError: Too few rows or groups for three folds.

    Example:
        >>> import numpy as np, mine
        >>> rng = np.random.default_rng(0)
        >>> shared = rng.normal(size=(600, 2))
        >>> x = shared @ rng.normal(size=(2, 10)) + 0.5 * rng.normal(size=(600, 10))
        >>> y = shared @ rng.normal(size=(2, 15)) + 0.5 * rng.normal(size=(600, 15))
        >>> found = mine.shared_dimensions(x, y, max_dimensions=3, random_state=0)
        >>> found.dimensions
        2
    """
    started = time.perf_counter()
    _check(max_dimensions, steps, unit)
    (x, y), read = read_texts(parse, discrete, x=x, y=y)
    x, y = equally_long(x=x, y=y)
    about_rows = times_sentence(x, y) + (infinite_sentence(x, y) if drop_missing else [])
    problem, dropped_rows = make_problem(
        x, y, discrete=discrete, groups=groups, order=order, device=device, random_state=random_state, drop_missing=drop_missing
    )
    columns = widest(problem)
    with progress_callback(progress) as on_progress:
        curve = width_curve(replace(problem, on_progress=on_progress), min(max_dimensions, columns), steps)
    result = _summed_up(curve, limited=columns <= max_dimensions, unit=unit)
    diagnostics = {
        **result.diagnostics,
        "dropped_constant_columns": [*problem.x.dropped, *problem.y.dropped],
        "dropped_missing_rows": dropped_rows,
        "seconds": round(time.perf_counter() - started, 3),
        "warnings": [
            *(column.sentence for column in read),
            *about_rows,
            *result.warnings,
            *order_warnings(problem, unsaid=groups is None and order is None),
        ],
    }
    return replace(result, diagnostics=diagnostics)


def _check(max_dimensions: Any, steps: Any, unit: str) -> None:
    for name, number in (("max_dimensions", max_dimensions), ("steps", steps)):
        whole = isinstance(number, (int, np.integer)) and not isinstance(number, bool) and number >= 1
        if not whole and not (name == "steps" and number is None):
            raise InputError(f"{name} must be an integer of at least 1, got {number!r}.")
    if unit not in UNITS:
        raise UnknownNameError("unit", unit, UNITS)


def _summed_up(curve: WidthCurve, *, limited: bool, unit: str) -> SharedDimensions:
    """The result; ``limited`` where the sides have no more columns than the widest bottleneck has codes."""
    problem, rows = curve.problem, curve.rows
    gains = gains_of(rows, curve.folds, problem.stderr, problem.independent_rows)
    resolved = gains.resolved(curve.cap)
    dimensions, (fewest, most) = where_flat(resolved)
    widths = rows.shape[1] - 1
    top, hidden = float(gains.mean[0].max()), _unseen(problem)
    if top > curve.cap - NEAR_CAP:
        fewest = min(fewest, int(sum(gains.mean[k, k + 1] >= SURE_SHARE * top for k in range(widths))))
    weak = hidden > max(HIDDEN, HIDDEN_SHARE * top)
    open_above = most == widths or (weak and dimensions > 0)
    ceiling = float(widths) if limited else float("inf")  # no more numbers are shared than a side has columns
    interval = (fewest, ceiling if open_above else float(max(most, 1)))
    scale = 1 / UNITS[unit]
    steps = [(gains.mean[k, k + 1], gains.stderr[k, k + 1]) for k in range(widths)]
    whole = [(gains.mean[0, k], gains.stderr[0, k]) for k in range(1, widths + 1)]
    return SharedDimensions(
        dimensions=dimensions,
        interval=interval,
        widths=tuple(range(1, widths + 1)),
        values=tuple(scale * float(mean) for mean, _ in whole),
        intervals=tuple(_ends(mean, error, scale) for mean, error in whole),
        gains=tuple(scale * float(mean) for mean, _ in steps),
        gain_intervals=tuple(_ends(mean, error, scale) for mean, error in steps),
        unit=unit,
        n=problem.n,
        diagnostics={
            "least_gain_that_counts_nats": resolved.counts,
            "largest_resolvable_nats": curve.cap,
            "start_correlations": [round(float(r), 4) for r in curve.correlations],
            "start": "columns and their squares" if curve.squares else "columns",
            "hidden_nats": hidden,
            "warnings": _warnings(curve, dimensions, widths, limited, top, hidden if weak or not dimensions else None),
        },
    )


def _ends(mean: float, stderr: float, scale: float) -> tuple[float, float]:
    return scale * float(mean - 1.96 * stderr), scale * float(mean + 1.96 * stderr)


def _warnings(curve: WidthCurve, dimensions: int, widths: int, limited: bool, top: float, hidden: float | None) -> list[str]:
    """Sentences to read before quoting the number; ``hidden`` nats are named if they matter."""
    out = []
    if top > curve.cap - NEAR_CAP:
        out.append(
            f"The information is near the most that so many held-out rows can show ({curve.cap:.1f} nats), and flattens for "
            "that reason: there may be more dimensions. There may be fewer too: copied numbers take further codes for their "
            "last digits. More rows raise the limit."
        )
    if dimensions == widths and not limited:
        out.append(f"The information still rises at {widths} dimensions: pass a larger max_dimensions.")
    if dimensions < widths and hidden is not None:
        out.append(
            f"So few rows in so many columns can hide dependence of up to about {hidden:.2f} nats: weak dimensions, or ones "
            "that bend much, may be missing. More rows or fewer columns would help."
        )
    return out


def _unseen(problem: Problem) -> float:
    """Nats that so few rows may hide in so many columns."""
    columns = sum(side.n_continuous + side.n_discrete for side in (problem.x, problem.y))
    return (UNSEEN + UNSEEN_A_COLUMN * columns) / problem.independent_rows
