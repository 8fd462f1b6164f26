"""``mine.sample_size_check``: are the rows enough? Estimates on halves, quarters and eighths, and the line through them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from mine.api import choose_estimator, estimate
from mine.data.columns import DiscreteSpec
from mine.data.order import read_order
from mine.data.parsing import read_texts
from mine.data.problem import problem_seed
from mine.data.rows import complete_rows, rereadable, same_length, select_rows
from mine.data.sides import as_variable, check_discrete_names
from mine.data.weights import refuse_weights
from mine.errors import InputError, NotEnoughDataError
from mine.estimators import takes_numbers_only
from mine.estimators.run import with_read_columns
from mine.information.extrapolation import SampleSizeCheck, nested_parts, summed_up
from mine.progress import Callback, progress_callback
from mine.result import Estimate
from mine.surroundings import plain_modes

__all__ = ["sample_size_check"]

#: Rows that the smallest parts need.
FEWEST_ROWS = 50
#: Without three sizes no line can fail.
FEWEST_LEVELS = 3


@plain_modes()
def sample_size_check(
    x: Any,
    y: Any,
    z: Any = None,
    *,
    levels: int = 4,
    method: Any = "auto",
    discrete: DiscreteSpec = None,
    groups: Any = None,
    order: Any = None,
    unit: str = "nats",
    random_state: int | np.random.Generator | np.random.RandomState | None = None,
    drop_missing: bool = False,
    parse: bool = False,
    progress: bool | Callable[[int, int, str], None] | None = None,
    **options: Any,
) -> SampleSizeCheck:
    r"""Check whether the rows are enough: estimates on all rows, halves, quarters, ..., extrapolated to unlimited rows.

    For many rows the error of most estimators is proportional to ``1 / n``. The rows are cut into disjoint halves, those into
    halves, and so on. A line through the mean estimate of each size, against ``1 / n``, reaches ``1 / n = 0`` at the
    extrapolated value. If the means do not lie on a line, more than their spread explains, there are too few rows for this
    method, and no line helps: then ``straight`` is False and a warning says so. ``2 ** levels - 1`` estimates are made, so
    consider ``effort="fast"``.

    References:
        Abdelaleem, Martini & Nemenman, 2025, 'Accurate estimation of mutual information in high dimensional data' (arXiv
        2506.00330); Strong et al., 1998, 'Entropy and information in neural spike trains' (doi 10.1103/PhysRevLett.80.197);
        Holmes & Nemenman, 2019 (arXiv 1903.09280). The test of straightness is this library's own.

    Arguments:
        x: Rows of the first variable, as in :func:`mine.estimate`.
        y: Rows of the second variable.
        z: Rows of what to condition on, or None.
        levels: Number of sizes, at least 3: 4 means all rows, halves, quarters and eighths.
        method: As in :func:`mine.estimate`; every method works.
        discrete: Which columns are labels, as in :func:`mine.estimate`. It is decided on all rows, and holds in every part.
        groups: One label per row, shape (n,). A group is in one part.
        order: As in :func:`mine.estimate`: parts are then stretches of time.
        unit: ``"nats"`` or ``"bits"``.
        random_state: Seed or generator, of the parts and of each estimate.
        drop_missing: Leave out rows with a missing value instead of raising.
        parse: Read columns of numbers written as text as numbers, as in :func:`mine.estimate`.
        progress: As in :func:`mine.estimate`; counts estimates.
        **options: Other arguments of :func:`mine.estimate`, for example ``effort``, ``critic`` and ``device``, and options of
            the method.

    Returns:
        A :class:`~mine.SampleSizeCheck`; ``print`` it, or ``plot()`` it.

    Raises:
        InputError: Data or arguments that cannot be used, with the remedy.
        NotEnoughDataError: The smallest parts have fewer than 50 rows.

    Example:
        >>> import numpy as np, mine
        >>> rng = np.random.default_rng(0)
        >>> x = rng.normal(size=(800, 5))
        >>> check = mine.sample_size_check(x, x + rng.normal(size=(800, 5)), method="ksg", random_state=0)
        >>> check.sizes, check.estimate.value < check.value  # KSG is too low in five dimensions; the truth is 1.73
        ((800, 400, 200, 100), True)
    """
    if not isinstance(levels, (int, np.integer)) or isinstance(levels, bool) or levels < FEWEST_LEVELS:
        raise InputError(f"levels must be an integer of at least {FEWEST_LEVELS}, got {levels!r}.")
    refuse_weights(options)
    numbers_only = takes_numbers_only(_estimator(method, options, given=z is not None))
    (x, y, z), read = read_texts(parse, discrete, x=x, y=y, z=z)
    given = {"x": x, "y": y, "z": z, "groups": groups, "order": order}
    sides = {name: rereadable(side) for name, side in given.items()}
    if drop_missing:
        sides = dict(zip(sides, complete_rows(**sides)[0], strict=True))
    n, kinds = _kinds({name: sides[name] for name in "xyz" if sides[name] is not None}, discrete, numbers_only)
    seed = problem_seed(random_state)
    parts = _parts(n, levels, sides["groups"], sides["order"], seed)

    settings = {"method": method, "discrete": kinds, "unit": unit, "progress": False, **options}
    with progress_callback(progress) as on_progress:
        estimates = _estimates(sides, parts, seed, settings, on_progress)
    whole = with_read_columns(estimates[0][0], read)
    return summed_up(whole, [[e.value for e in level] for level in estimates], [round(n / len(level)) for level in parts])


def _estimates(
    sides: dict[str, Any], parts: list[list[np.ndarray]], seed: int, settings: dict[str, Any], on_progress: Callback | None
) -> list[list[Estimate]]:
    """One estimate per part; that of all rows has the caller's own seed, so that it is the one of :func:`mine.estimate`."""
    total = sum(map(len, parts))
    seeds = iter([seed, *map(int, np.random.SeedSequence([seed, 1]).generate_state(total - 1))])
    out: list[list[Estimate]] = []
    for level in parts:
        out.append([])
        for mask in level:
            if on_progress is not None:
                on_progress(sum(map(len, out)), total, f"{int(mask.sum()):,} of {len(mask):,} rows")
            rows = {name: _rows(side, mask) for name, side in sides.items()}
            with _named_part(mask):
                out[-1].append(estimate(**rows, random_state=next(seeds), **settings))
    return out


@contextmanager
def _named_part(mask: np.ndarray) -> Iterator[None]:
    """Say of an error that it is one of a part of the rows, as where a rare label is missing."""
    try:
        yield
    except InputError as error:
        if mask.all():
            raise
        raise InputError(f"In a part of {int(mask.sum()):,} rows: {error} A smaller levels makes the parts larger.") from error


def _estimator(method: Any, options: dict[str, Any], *, given: bool) -> Any:
    """The estimator that every part is given to, so that a wrong option is refused before the first estimate."""
    arguments = inspect.signature(estimate).parameters
    own = {name: value for name, value in options.items() if name not in arguments}
    if options.get("critic") is not None:
        own["critic"] = options["critic"]
    return choose_estimator(method, own, effort=options.get("effort"), conditional=options.get("conditional"), given=given)


def _kinds(sides: dict[str, Any], discrete: DiscreteSpec, numbers_only: bool) -> tuple[int, DiscreteSpec]:
    """The number of rows, and which columns are labels, by the values of all rows: a part has fewer rows per value."""
    spec = False if numbers_only and discrete is None else discrete
    typed = [as_variable(side, name, spec) for name, side in sides.items()]
    check_discrete_names(discrete, *typed)
    for other in typed[1:]:
        same_length(len(typed[0]), len(other), other.name)
    if numbers_only or not any(side.n_discrete for side in typed):
        return len(typed[0]), discrete if numbers_only else False
    return len(typed[0]), {column: column in side.discrete_columns for side in typed for column in side.columns}


def _parts(n: int, levels: int, groups: Any, order: Any, seed: int) -> list[list[np.ndarray]]:
    """Masks (n,) of the parts of each level: of whole groups, of stretches of time, or of rows at random."""
    units = np.arange(n)
    if groups is not None:
        labels = as_variable(groups, "groups", True, allow_constant=True)
        same_length(n, len(labels), "groups")
        units = np.unique(labels.row_ids(), return_inverse=True)[1].ravel()
    count = int(units.max()) + 1
    if order is not None and groups is None:
        sequence = np.argsort(read_order(order, n, None))
    else:
        sequence = np.random.default_rng([seed, 0]).permutation(count)
    parts = [[np.isin(units, part) for part in level] for level in nested_parts(sequence, levels)]
    fewest = min(int(mask.sum()) for mask in parts[-1])
    if fewest < FEWEST_ROWS:
        raise NotEnoughDataError(
            f"{n:,} rows in {2 ** (levels - 1)} parts leave {fewest} rows in the smallest, and {FEWEST_ROWS} are needed: pass "
            f"more rows{', larger groups' if groups is not None else ''} or a smaller levels."
        )
    return parts


def _rows(side: Any, mask: np.ndarray) -> Any:
    """The rows of a side; all of it as it is."""
    return side if side is None or isinstance(side, str) or mask.all() else select_rows(side, mask)
