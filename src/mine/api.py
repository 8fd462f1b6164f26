"""``mine.estimate``: choose the estimator, run it on the data, complete the result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mine.data.columns import DiscreteSpec
from mine.data.parsing import read_texts
from mine.data.serial import SERIAL
from mine.data.weights import repeated_rows
from mine.errors import InputError
from mine.estimators import Estimator, check_data_parallel, get_estimator, with_effort
from mine.estimators.run import run_estimator, with_read_columns
from mine.estimators.users_critic import is_users
from mine.result import Estimate
from mine.surroundings import plain_modes

if TYPE_CHECKING:
    from mine.data.problem import Problem
    from mine.training.processes import ProcessGroup

__all__ = ["choose_estimator", "estimate"]


@plain_modes()
def estimate(
    x: Any,
    y: Any,
    z: Any = None,
    *,
    method: Any = "auto",
    effort: str | None = None,
    critic: Any = None,
    encoder: Any = None,
    discrete: DiscreteSpec = None,
    groups: Any = None,
    order: Any = None,
    device: str = "auto",
    unit: str = "nats",
    random_state: int | np.random.Generator | np.random.RandomState | None = None,
    drop_missing: bool = False,
    parse: bool = False,
    sample_weight: Any = None,
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
        x: Rows of the first variable: shape (n,), (n, dx), or n-D such as images; numpy, torch, lists, arrays of xarray
            or MNE, or pandas, polars and other columns or frames.
        y: Rows of the second variable, likewise.
        z: Rows of the variable to condition on, likewise: the result is then ``I(X; Y | Z)``; see ``conditional``. Given
            a constant it is ``I(X; Y)``, with a warning.
        method: A name (see :func:`mine.methods`), an estimator object with ``run(problem)``, or a function
            ``(x, y) -> float``.
        effort: How long a neural method may take: ``"fast"``, ``"default"`` or ``"thorough"``, each at least as accurate as
            the one before and slower. Methods without training have no effort settings and ignore it.
        critic: For neural methods: an untrained ``nn.Module`` taking ``(x, y)``, or a function making one. It is copied and
            re-initialised for each fold; yours is never changed. Or the name of a built-in one: ``"conv"`` (images),
            ``"sequence"`` (rows of shape (T, D)) or ``"mlp"``. By default the shape of the rows decides.
        encoder: A frozen network or function that is applied once to the rows of both sides, before anything else; a pair
            ``(f, g)`` for x and y, None in it leaving a side as it is. It sees batches of rows without gradient, a module in
            evaluation mode on ``device``; what it gives is then the data. See the page on images and sequences.
        discrete: Which columns are labels rather than numbers. By default strings, categories, booleans, and numeric columns
            with at most 20 values that average 10 rows or more. True or False for all; a list of names for these and the
            non-numeric ones only; a mapping from names to booleans for exceptions.
        groups: One label per row, shape (n,). Rows of one group (a patient, a session) are never split between training and
            evaluation, and count as one term of the standard error.
        order: ``"time"`` if rows come in the order of time, or one number or date per row, shape (n,), that orders them. Data
            with a time index (pandas, xarray) bring their own order with ``"time"``. Neighbouring rows that resemble each other
            are then not independent: folds are stretches of time with gaps between, and the interval uses blocks as long as
            the resemblance lasts. With ``groups``, each group is its own series. See the page on time series.
        device: ``"auto"`` (a GPU if there is one), ``"cpu"``, ``"cuda"``, ...
        unit: ``"nats"`` or ``"bits"``.
        random_state: Seed or generator. The same one gives the same digits on the same machine.
        drop_missing: Leave out rows with a missing or infinite value instead of raising; ``diagnostics`` counts them, and a
            warning counts those with an infinite one.
        parse: Read columns of numbers written as text (``$23,456.78``, ``12.3 %``, ``1.234,5``, ``4 kg``) as numbers, and dates
            and times as microseconds; a warning names them. Without it they are refused, unless few values repeat often.
            Columns that are ``discrete`` stay text, and so do numbers with leading zeros. See the page on kinds of columns.
        sample_weight: How many times each row was seen, whole numbers of shape (n,): a table of counts. Frequencies, not
            importance: a row counts as that many observations. For methods ``"auto"`` and ``"discrete"``, if all columns are
            labels; not with ``order``.
        progress: True or False for the progress bar; None shows it on a terminal once two seconds have passed. Or a function
            called with (done, total, message).
        fabric: A launched ``lightning.fabric.Fabric`` (extra ``lightning``), whose processes train this one estimate together:
            each makes the same call with all rows, trains on its share of every batch, and returns the same estimate. The
            device is Fabric's; the numbers are the same as with one process, up to rounding.
        conditional: With z only: ``"chain"``, the default, takes ``I(X; (Y, Z)) - I(X; Z)`` by ``method`` on the same folds,
            without a ``lower_bound``; ``"shuffle"`` trains one critic on (x, y, z) against rows whose y comes from a row with
            nearly the same z, by ``steps``, ``batch_size``, ``hidden``, ``n_folds`` and ``n_neighbors``. This is
            approximate unless z consists of labels only; then there is a ``lower_bound``. See the page on conditional
            information.
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
    if encoder is not None:
        x, y = _encoded(x, y, encoder, device)
    estimator = choose_estimator(method, options, effort=effort, conditional=conditional, given=z is not None)
    processes = None if fabric is None else _process_group(fabric, estimator, device)
    settings: dict[str, Any] = {
        "discrete": discrete, "groups": groups, "order": order, "device": device, "unit": unit, "random_state": random_state,
        "drop_missing": drop_missing, "progress": progress if processes is None or processes.first else False,
        "processes": processes,
    }  # fmt: skip
    (x, y, z), read = read_texts(parse, discrete, x=x, y=y, z=z)
    if sample_weight is not None:
        if order is not None:
            raise InputError("sample_weight= counts rows, and rows seen several times have no order= in time: leave one out.")
        x, y, z, settings["groups"] = repeated_rows(sample_weight, method, discrete, x=x, y=y, z=z, groups=groups)
    result = _estimated(estimator, x, y, z, is_users(critic), settings)
    if sample_weight is not None:  # copies of a row stand together: their order means nothing
        warnings = [warning for warning in result.warnings if warning != SERIAL]
        result = replace(result, diagnostics={**result.diagnostics, "warnings": warnings})
    result = with_read_columns(result, read)
    if processes is None:
        return result
    return processes.same(replace(result, diagnostics={**result.diagnostics, "processes": processes.size}))


def _estimated(estimator: Any, x: Any, y: Any, z: Any, users_critic: bool, settings: dict[str, Any]) -> Estimate:
    """``I(X; Y)``, or given z."""
    if z is None:
        return run_estimator(_run, estimator, x, y, keep_constant_columns=users_critic, **settings)
    from mine.conditional.chain_rule import conditional_estimate

    return conditional_estimate(estimator, x, y, z, **settings)


def choose_estimator(
    method: Any, options: dict[str, Any], *, effort: str | None = None, conditional: str | None = None, given: bool = False
) -> Any:
    """The estimator that :func:`estimate` runs: an ``Estimator``, or with ``conditional="shuffle"`` one that also takes z.

    Arguments:
        method: As for :func:`estimate`.
        options: Options of the method.
        effort: As for :func:`estimate`.
        conditional: As for :func:`estimate`.
        given: Whether there is a z to condition on.

    Raises:
        UnknownNameError: No such method, option, effort or conditional.
        InputError: Options that the method does not take, or ``conditional`` without z.
    """
    if effort is not None:
        options = with_effort(method, effort, options)
    if given:
        from mine.conditional.chain_rule import conditional_estimator

        return conditional_estimator(conditional, method, options)
    if conditional is not None:
        raise InputError("conditional= says how to estimate the information given z: pass z, or leave conditional out.")
    return get_estimator(method, options)


def _run(estimator: Estimator, problem: Problem) -> Estimate:
    return estimator.run(problem)


def _encoded(x: Any, y: Any, encoder: Any, device: str) -> tuple[Any, Any]:
    """Both sides after frozen encoders."""
    from mine.data.encoders import encoded_sides
    from mine.data.problem import problem_device

    return encoded_sides(x, y, encoder, problem_device(device))


def _process_group(fabric: Any, estimator: Any, device: str) -> ProcessGroup:
    """The processes of ``fabric``, which must be able to share the training."""
    from mine.training.processes import ProcessGroup

    check_data_parallel(estimator, "fabric=")
    if device != "auto":
        raise InputError(f"With fabric= the device is Fabric's: drop device={device!r}, or pass it as Fabric's accelerator.")
    return ProcessGroup(fabric)
