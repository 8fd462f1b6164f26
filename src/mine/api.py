"""``mine.estimate``: check the data, find the estimator, run it. Everything else happens below."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mine.errors import InputError, NotEnoughDataError, UnknownNameError
from mine.estimators import Estimator, get_estimator, with_effort
from mine.outofcore import NamedRows
from mine.problem import Problem
from mine.progress import progress_callback
from mine.result import UNITS, Estimate
from mine.splits import copied_rows
from mine.variables import DiscreteSpec, Variable, as_variable, check_discrete_names, missing_rows

if TYPE_CHECKING:
    from mine.ranks import Ranks

__all__ = ["MIN_ROWS", "estimate", "make_problem", "problem_device", "problem_seed", "run_estimator", "select_rows"]

#: Below this no split leaves rows to report on.
MIN_ROWS = 20


def estimate(
    x: Any,
    y: Any,
    z: Any = None,
    *,
    method: Any = "auto",
    effort: str | None = None,
    critic: Any = None,
    discrete: DiscreteSpec = None,
    groups: Any = None,
    device: str = "auto",
    unit: str = "nats",
    random_state: int | np.random.Generator | np.random.RandomState | None = None,
    drop_missing: bool = False,
    progress: bool | Callable[[int, int, str], None] | None = None,
    fabric: Any = None,
    conditional: str | None = None,
    **options: Any,
) -> Estimate:
    r"""Mutual information between ``x`` and ``y``, with a 95 % interval.

    ``I(X; Y) = E[log p(x, y) / (p(x) p(y))]``: zero exactly when X and Y are independent, whatever the dependence looks
    like; unchanged by invertible maps of either side.

    References:
        Belghazi et al., 2018, 'Mutual Information Neural Estimation' (arXiv 1801.04062).

    Arguments:
        x: Rows of the first variable: shape (n,), (n, dx), or n-D such as images; numpy, torch, lists, or pandas, polars
            and other columns or frames.
        y: Rows of the second variable, likewise.
        z: What is given: then the result is ``I(X; Y | Z)``, estimated as ``conditional`` says.
        method: A name (see :func:`mine.methods`), an estimator object with ``run(problem)``, or a function
            ``(x, y) -> float``.
        effort: How long a neural method may take: ``"fast"``, ``"default"`` or ``"thorough"``, each at least as accurate as
            the one before and slower. Methods without training have no such dial and ignore it.
        critic: For neural methods: an untrained ``nn.Module`` taking ``(x, y)``, or a function making one. It is copied and
            re-initialised for each fold; yours is never changed.
        discrete: Which columns are labels rather than numbers. By default strings, categories, booleans, and numeric columns
            with at most 20 values that average 10 rows or more. True or False for all; a list of names for these and the
            non-numeric ones only; a mapping from names to booleans for exceptions.
        groups: One label a row, shape (n,); rows of one group (a patient, a session) are never split between training and
            reporting, and count as one term of the standard error.
        device: ``"auto"`` (a GPU if there is one), ``"cpu"``, ``"cuda"``, ...
        unit: ``"nats"`` or ``"bits"``.
        random_state: Seed or generator. The same one gives the same digits on the same machine.
        drop_missing: Leave out rows with a missing value instead of raising.
        progress: True or False for the progress bar; None shows it on a terminal once two seconds have passed. Or a function
            called with (done, total, message).
        fabric: A launched ``lightning.fabric.Fabric`` (extra ``lightning``), whose processes train this one estimate together:
            each makes the same call with all rows, trains on its share of every batch, and returns the same estimate. The
            device is Fabric's; the numbers are those of one process, up to rounding.
        conditional: With z only: ``"chain"``, the default, takes ``I(X; (Y, Z)) - I(X; Z)`` by ``method`` on the same folds,
            without a ``lower_bound``; ``"shuffle"`` trains one critic on (x, y, z) against rows whose y comes from a row with
            nearly the same z, by ``steps``, ``batch_size``, ``hidden``, ``n_folds`` and ``n_neighbors``: approximate, except
            where z is labels only, which gives a ``lower_bound``. See the page on conditional information.
        **options: Options of the method, for example ``steps=2000`` or ``n_neighbors=5``.

    Returns:
        An :class:`~mine.Estimate`.

    Raises:
        InputError: Data or arguments that cannot be used, with the remedy.
        NotEnoughDataError: Fewer than 20 rows, or too few groups.
        UnknownNameError: A method, option, unit, device or column that does not exist.

    Example:
        >>> import numpy as np, mine
        >>> rng = np.random.default_rng(0)
        >>> x = rng.normal(size=1000)
        >>> y = np.sin(3 * x) + 0.3 * rng.normal(size=1000)
        >>> est = mine.estimate(x, y, random_state=0)
        >>> abs(np.corrcoef(x, y)[0, 1]) < 0.15 and est.value > 0.5
        True
    """
    if critic is not None:
        options["critic"] = critic
    if effort is not None:
        options = with_effort(method, effort, options)
    estimator: Any
    if z is None:
        if conditional is not None:
            raise InputError("conditional= says how to estimate what is left given z: pass z, or leave conditional out.")
        estimator = get_estimator(method, options)
    else:
        from mine.statistics.conditional import conditional_estimate, conditional_estimator

        estimator = conditional_estimator(conditional, method, options)
    ranks = None if fabric is None else _ranks(fabric, estimator, device)
    if ranks is not None and not ranks.first:
        progress = False
    if z is not None:
        result = conditional_estimate(
            estimator, x, y, z, discrete=discrete, groups=groups, device=device, unit=unit,
            random_state=random_state, drop_missing=drop_missing, progress=progress, ranks=ranks,
        )  # fmt: skip
    else:
        result = run_estimator(
            lambda estimator, problem: estimator.run(problem), estimator, x, y, discrete=discrete,
            groups=groups, device=device, unit=unit, random_state=random_state, drop_missing=drop_missing,
            keep_constant_columns=critic is not None, progress=progress, ranks=ranks,
        )  # fmt: skip
    if ranks is None:
        return result
    return ranks.same(replace(result, diagnostics={**result.diagnostics, "processes": ranks.size}))


def _ranks(fabric: Any, estimator: Estimator, device: str) -> Ranks:
    """The processes of ``fabric``, which must have something to share."""
    from mine.ranks import Ranks

    if not getattr(estimator, "data_parallel", False):
        name = getattr(estimator, "name", type(estimator).__name__)
        raise InputError(f"fabric= shares the training of critics, and {name!r} takes no part: drop it, or use 'auto'.")
    if device != "auto":
        raise InputError(f"With fabric= the device is Fabric's: drop device={device!r}, or pass it as Fabric's accelerator.")
    return Ranks(fabric)


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
        x: As in :func:`estimate`.
        y: As in :func:`estimate`.
        unit: ``"nats"`` or ``"bits"``.
        progress: As in :func:`estimate`.
        **data: Arguments of :func:`make_problem`.
    """
    started = time.perf_counter()
    if unit not in UNITS:
        raise UnknownNameError("unit", unit, UNITS)
    problem, dropped_rows = make_problem(x, y, estimator, **data)
    with progress_callback(progress) as on_progress:
        result = run(estimator, replace(problem, on_progress=on_progress))

    dropped = [*problem.x.dropped, *problem.y.dropped]
    warnings = list(result.diagnostics.get("warnings", []))
    if problem.copies:
        warnings.append(f"{problem.copies:,} rows are exact copies of others and were kept in one fold.")
    if dropped:
        warnings.append(f"Constant columns left out: {', '.join(dropped[:8])}{', ...' if len(dropped) > 8 else ''}.")
    diagnostics = {
        **result.diagnostics,
        "discrete_columns": [*problem.x.discrete_columns, *problem.y.discrete_columns],
        "dropped_constant_columns": dropped,
        "dropped_missing_rows": dropped_rows,
        "duplicate_rows": problem.copies,
        "seconds": round(time.perf_counter() - started, 3),
        "warnings": warnings,
    }
    return replace(result, diagnostics=diagnostics).to(unit)


def make_problem(
    x: Any,
    y: Any,
    estimator: Estimator,
    *,
    discrete: DiscreteSpec = None,
    groups: Any = None,
    device: str = "auto",
    random_state: Any = None,
    drop_missing: bool = False,
    keep_constant_columns: bool = False,
    others: Sequence[Variable] = (),
    ranks: Ranks | None = None,
) -> tuple[Problem, int]:
    """The checked problem, and the number of rows dropped for missing values; arguments as in :func:`estimate`.

    ``others`` are further variables of the question, whose columns ``discrete`` may name; ``ranks`` are the processes that
    share it.
    """
    numeric_only = bool(getattr(estimator, "numeric_only", False))
    spec = False if numeric_only and discrete is None else discrete
    n_dropped = 0
    if drop_missing:
        x, y, groups, n_dropped = _without_missing(x, y, groups)
    kept = {"keep_constant": keep_constant_columns, "min_rows": MIN_ROWS}
    left, right = as_variable(x, "x", spec, **kept), as_variable(y, "y", spec, **kept)
    _same_length(len(left), len(right))
    check_discrete_names(discrete, left, right, *others)
    if numeric_only and (left.n_discrete or right.n_discrete):
        names = ", ".join([*left.discrete_columns, *right.discrete_columns])
        raise InputError(f"This method needs numbers, but these columns are labels: {names}. Use method 'auto'.")

    codes, copies = None, 0
    if groups is not None:
        codes = _group_codes(groups, len(left))
    else:
        codes, copies = copied_rows(left, right)
    seed = problem_seed(random_state)
    if ranks is None or ranks.size == 1:
        return Problem(left, right, codes, seed, problem_device(device if ranks is None else ranks.device), copies), n_dropped
    ranks.check_same((left, right, *others), codes)
    return Problem(left, right, codes, ranks.same(seed), ranks.device, copies, ranks=ranks), n_dropped


def _without_missing(x: Any, y: Any, groups: Any) -> tuple[Any, Any, Any, int]:
    """The rows that lack nothing, and the number of the others."""
    # What can be read only once, as a generator, becomes a list: it is read here and again later.
    x, y, groups = (list(data) if isinstance(data, Iterator) else data for data in (x, y, groups))
    missing = [missing_rows(x, "x"), missing_rows(y, "y")]
    _same_length(len(missing[0]), len(missing[1]))
    if groups is not None:
        missing.append(missing_rows(groups, "groups"))
        _same_length(len(missing[0]), len(missing[2]), "groups")
    keep = ~np.any(missing, axis=0)
    if keep.all():
        return x, y, groups, 0
    if not keep.any():
        raise InputError("Every row has a missing value: choose other columns, or fill the gaps.")
    n_dropped, n_kept = int((~keep).sum()), int(keep.sum())
    if n_kept < MIN_ROWS:
        raise NotEnoughDataError(
            f"Leaving out {n_dropped:,} rows with a missing value leaves {n_kept} rows: an honest estimate needs at least "
            f"{MIN_ROWS}. Choose columns with fewer gaps, or fill them."
        )
    return select_rows(x, keep), select_rows(y, keep), None if groups is None else select_rows(groups, keep), n_dropped


def _same_length(n_x: int, n_y: int, second: str = "y") -> None:
    if n_x != n_y:
        raise InputError(f"x has {n_x} rows and {second} has {n_y}: each row of x must belong to one of {second}.")


def select_rows(data: Any, keep: np.ndarray) -> Any:
    """Rows of any accepted input by a boolean mask."""
    if isinstance(data, (list, tuple)):
        return [row for row, kept in zip(data, keep, strict=True) if kept]
    if isinstance(data, np.ndarray):
        return data[keep]
    if isinstance(data, NamedRows):
        return data.rows(keep)
    if hasattr(data, "detach"):
        import torch

        return data[torch.as_tensor(keep, device=data.device)]
    import narwhals as nw

    frame: Any = nw.from_native(data, allow_series=True, eager_only=True, pass_through=True)
    if isinstance(frame, (nw.DataFrame, nw.Series)):
        return frame.filter(keep.tolist()).to_native()
    arrow = sys.modules.get("pyarrow")
    if arrow is not None and isinstance(data, (arrow.Array, arrow.RecordBatch)):  # narwhals knows the chunked kinds
        return data.filter(arrow.array(keep))
    return [row for row, kept in zip(data, keep, strict=True) if kept]  # an index, a deque, an array.array, ...


def _group_codes(groups: Any, n: int) -> np.ndarray:
    labels = as_variable(groups, "groups", True, allow_constant=True)
    if len(labels) != n:
        raise InputError(f"groups has {len(labels)} labels for {n} rows: pass one a row.")
    return labels.row_ids()


def problem_seed(random_state: Any) -> int:
    """The seed that ``random_state`` stands for.

    Raises:
        InputError: It stands for none.
    """
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**32))
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**32, dtype=np.uint64))
    if isinstance(random_state, (int, np.integer)) and random_state >= 0:
        return int(random_state)
    raise InputError(f"random_state must be a non-negative integer, a numpy generator or None; got {random_state!r}.")


def problem_device(name: str) -> str:
    """The torch device that ``name`` stands for, checked to work.

    Raises:
        UnknownNameError: No such device.
        InputError: It cannot be used here.
    """
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError):
        raise UnknownNameError("device", name, ["auto", "cpu", "cuda", "cuda:0", "mps"]) from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise InputError(f"device {name!r} was asked for, but torch sees no CUDA GPU: pass device='cpu' or 'auto'.")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise InputError(f"device {name!r} was asked for, but torch sees no Apple GPU: pass device='cpu' or 'auto'.")
    try:
        torch.zeros(1, device=device).item()
    except Exception as error:  # whatever the back end raises that torch knows of but was not built with, or that holds nothing
        reason = str(error).strip().partition("\n")[0].partition(". ")[0] or type(error).__name__
        raise InputError(f"device {name!r} cannot be used ({reason}): pass device='cpu' or 'auto'.") from error
    return str(device)
