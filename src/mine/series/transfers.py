"""``mine.transfer_table``: who drives whom among the columns of a table, every ordered pair tested."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy.stats import false_discovery_control

from mine.data.columns import DiscreteSpec
from mine.data.frames import as_frame
from mine.data.problem import problem_seed
from mine.data.sources import named_columns, read_source
from mine.data.subjects import Subjects, by_subject
from mine.errors import InputError, UnknownNameError
from mine.formats import bracket, fixed
from mine.information.grids import on_a_grid
from mine.information.series import Series, read_series
from mine.information.surrogates import COPIES, Copies
from mine.information.transfer import Transfer, embedded
from mine.progress import progress_callback
from mine.result import UNITS
from mine.storage.cells import CellStore, digest
from mine.surroundings import plain_modes
from mine.tables.blocks import cell_seed
from mine.tables.orphans import end_with, workers
from mine.tables.significance import LEVEL

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["TransferTable", "transfer_table"]

#: Pairs that the text lists at most.
LISTED = 20


@dataclass(frozen=True, repr=False)
class TransferTable:
    """Transfer entropy of every ordered pair of columns, with false discovery control. Plain data.

    Attributes:
        names: The columns.
        pairs: One dictionary per ordered pair: ``source``, ``target``; the effective ``value`` with ``stderr``, ``low`` and
            ``high`` in ``unit``; ``p``, and ``q`` by Benjamini and Hochberg over all pairs; ``source_lags`` and
            ``target_lags``; ``method``, rows ``n``, and a ``note`` to read. Unknown numbers are NaN.
        unit: ``"nats"`` or ``"bits"``.
        warnings: Sentences to read before quoting the numbers.
    """

    names: tuple[str, ...]
    pairs: tuple[dict[str, Any], ...]
    unit: str = "nats"
    warnings: list[str] = field(default_factory=list)

    @property
    def found(self) -> list[tuple[str, str]]:
        """Source and target of the pairs with a q of at most 0.05, the largest transfer first."""
        pairs = [pair for pair in self.pairs if pair["q"] <= LEVEL]
        return [(pair["source"], pair["target"]) for pair in sorted(pairs, key=lambda pair: -pair["value"])]

    def records(self) -> dict[str, list[Any]]:
        """The columns of :meth:`to_frame` by name, each with one entry per ordered pair."""
        columns: dict[str, list[Any]] = {name: [pair[name] for pair in self.pairs] for name in self.pairs[0]}
        for name in ("source_lags", "target_lags"):
            columns[name] = [", ".join(map(str, lags)) for lags in columns[name]]
        return {**columns, "unit": [self.unit] * len(self.pairs)}

    def to_frame(self) -> Any:
        """One row per ordered pair, with the entries of ``pairs`` and ``unit`` as columns; lags are text."""
        return as_frame(self.records(), None)

    def plot(self) -> Figure:
        """The table as a matrix, sources as rows and targets as columns; pairs that are not found are grey.

        Needs the extra ``plot``: ``pip install "torch-mine[plot]"``.
        """
        from mine.reporting.transfers import plot_transfers

        return plot_transfers(self)

    def __str__(self) -> str:
        found = self.found
        head = f"Transfer entropy of {len(self.pairs)} ordered pairs: {len(found)} found (q ≤ {LEVEL:g})"
        by_name = {(pair["source"], pair["target"]): pair for pair in self.pairs}
        width = max((len(f"{a} -> {b}") for a, b in found), default=0)
        lines = []
        for source, target in found[:LISTED]:
            pair = by_name[source, target]
            shown = bracket(pair["low"], pair["high"], 3)
            lines.append(
                f"  {f'{source} -> {target}':{width}}   {fixed(pair['value'], 3)} {self.unit} {shown}   q = {pair['q']:.2g}"
            )
        if len(found) > LISTED:
            lines.append(f"  ... and {len(found) - LISTED} more")
        return "\n".join([head, *lines, *(f"  ! {warning}" for warning in self.warnings)])

    __repr__ = __str__


@plain_modes()
def transfer_table(
    data: Any,
    columns: Iterable[str] | None = None,
    lag: int | None = None,
    *,
    history: int | Literal["auto"] | None = None,
    longest: int | None = None,
    n_permutations: int = COPIES,
    discrete: DiscreteSpec = None,
    order: Any = "time",
    groups: Any = None,
    unit: str = "nats",
    random_state: int | np.random.Generator | np.random.RandomState | None = None,
    parse: bool = False,
    out: str | Path | None = None,
    n_jobs: int | None = None,
    progress: bool | Callable[[int, int, str], None] | None = None,
    **options: Any,
) -> TransferTable:
    r"""Effective transfer entropy of every ordered pair of columns, its test, and false discovery control.

    Each pair is estimated and tested as by :func:`mine.transfer_entropy` with ``test=True``. A p-value below what the shifted
    copies can count comes from the tail of a Pearson III distribution with their mean, spread and skewness, widened for their
    number. Pairs are looked at two by two: a third column that drives both can make one seem to drive the other; pass
    ``z=`` to :func:`mine.transfer_entropy` for such pairs.

    References:
        Benjamini & Hochberg, 1995, 'Controlling the false discovery rate'; Knijnenburg et al., 2009, 'Fewer permutations, more
        accurate P-values' (doi 10.1093/bioinformatics/btp211), for tails that are fitted.

    Arguments:
        data: A frame or an array of shape (n, d): each column is a series.
        columns: Names of the columns to take; None takes all.
        lag: As in :func:`mine.transfer_entropy`.
        history: As in :func:`mine.transfer_entropy`; with ``"auto"`` each pair has its own lags.
        longest: As in :func:`mine.transfer_entropy`.
        n_permutations: Shifted copies per pair, at least 19; fewer make the p-values rougher.
        discrete: Which columns are labels, as in :func:`mine.estimate`.
        order: ``"time"`` where rows come in the order of time, at equal steps; the name of a column of times, which is then no
            series; or one number or date per row, shape (n,). Gaps are missing rows, which need ``drop_missing=True``.
        groups: The name of a column, which is then no series, or one label per row, shape (n,): rows of one label are series of
            their own, as of several subjects. See :func:`mine.transfer_entropy`.
        unit: ``"nats"`` or ``"bits"``.
        random_state: Seed or generator. The seed of a pair derives from it and the names of the columns.
        parse: Read columns of numbers written as text as numbers.
        out: Folder in which finished pairs are kept; the same call resumes there. Needs an integer ``random_state``.
        n_jobs: Processes of joblib.
        progress: As in :func:`mine.estimate`; counts pairs.
        **options: Other options of :func:`mine.transfer_entropy`, for example ``method`` or ``drop_missing``.

    Raises:
        InputError: Data or arguments that cannot be used, with the remedy.
        UnknownNameError: A column or unit that does not exist.

    Example:
        >>> import mine
        >>> rng = np.random.default_rng(0)
        >>> a = rng.normal(size=500); b = np.append(0.0, a[:-1]) + rng.normal(size=500)
        >>> mine.transfer_table(np.stack([a, b], 1), method="gaussian", random_state=0).found
        [('x[0]', 'x[1]')]
    """
    if unit not in UNITS:
        raise UnknownNameError("unit", unit, UNITS)
    for refused in ("test", "z"):
        if refused in options:
            raise InputError(f"{refused}= is for mine.transfer_entropy: here every pair is tested, two by two.")
    data = read_source(data, "x")  # once, whatever asks for its columns
    columns_by_name = named_columns(data, "x")
    if isinstance(order, str) and order in columns_by_name:
        order = columns_by_name.pop(order)
    if isinstance(groups, str):
        if groups not in columns_by_name:
            raise UnknownNameError("column", groups, list(columns_by_name))
        groups = columns_by_name.pop(groups)
    names = list(columns_by_name)
    (data,), subjects = by_subject(groups, order, x=data)
    wanted = names if columns is None else list(dict.fromkeys(columns))
    for name in wanted:
        if name not in names:
            raise UnknownNameError("column", name, names)
    if len(wanted) < 2:
        raise InputError("There is no pair: pass at least two columns.")
    (table,), read, options = read_series({**options, "discrete": discrete, "parse": parse}, only=wanted, x=data)
    (table,), subjects = on_a_grid([table], data, drop_missing=bool(options.get("drop_missing")), subjects=subjects)
    series = {name: table.column(i) for i, name in enumerate(wanted)}
    Copies(len(table), 1, n_permutations)  # refuses a wrong number before the first pair
    seed = problem_seed(random_state)
    settings = {"lag": lag, "history": history, "longest": longest, "copies": n_permutations, "options": options}
    about = settings if subjects is None else {**settings, "groups": subjects.lengths.tolist()}
    store = CellStore(out, {"of": "transfer table", **about}, random_state)
    tasks = [
        _Pair(a, b, series[a], series[b], settings, cell_seed(seed, a, b), subjects) for a in series for b in series if a != b
    ]  # fmt: skip
    found = _run(tasks, store, n_jobs, progress)
    known = [i for i, pair in enumerate(found) if not math.isnan(pair["p"])]
    adjusted = false_discovery_control([found[i]["p"] for i in known]) if known else []
    q = dict(zip(known, map(float, adjusted), strict=True))
    pairs = tuple(_in_unit({**pair, "q": q.get(i, math.nan)}, unit) for i, pair in enumerate(found))
    return TransferTable(tuple(series), pairs, unit, [column.sentence for column in read if column.name in series])


@dataclass(frozen=True)
class _Pair:
    """One ordered pair: all that a worker needs for it."""

    source: str
    target: str
    driver: Series
    driven: Series
    settings: dict[str, Any]
    seed: int
    subjects: Subjects | None = None

    @property
    def name(self) -> str:
        return f"{self.source!r} {self.target!r} {digest(self.driver.values, self.driven.values)}"

    def run(self) -> dict[str, Any]:
        """The pair in nats."""
        nothing = Series(np.empty((len(self.driver), 0)), ())
        lag, history, longest = (self.settings[name] for name in ("lag", "history", "longest"))
        try:
            return self._found(embedded(self.driver, self.driven, nothing, lag, history, longest, self.subjects))
        except InputError as error:
            return _cell(self.source, self.target, note=str(error))

    def _found(self, transfer: Transfer) -> dict[str, Any]:
        options = {**self.settings["options"], "random_state": self.seed}
        estimated, used = transfer.estimated(options)
        copies = transfer.copies(self.settings["copies"])
        values = copies.values(lambda shift: transfer.shifted(shift).value(used), CellStore(None, {}, None), progress=False)
        found = copies.less_their_mean(estimated, values)
        low, high = found.interval
        return _cell(
            self.source, self.target, value=found.value, stderr=found.stderr, low=low, high=high,
            p=copies.tail_p(values, estimated.value), source_lags=list(transfer.lags.driver),
            target_lags=list(transfer.lags.driven), method=found.method, n=found.n, note=" ".join(found.warnings),
        )  # fmt: skip


def _cell(source: str, target: str, **known: Any) -> dict[str, Any]:
    """A pair of which nothing is known but this."""
    unknown = dict.fromkeys(("value", "stderr", "low", "high", "p", "q"), math.nan)
    rest = {"source_lags": [], "target_lags": [], "method": "none", "n": 0, "note": ""}
    return {"source": source, "target": target, **unknown, **rest, **known}


def _in_unit(pair: dict[str, Any], unit: str) -> dict[str, Any]:
    return {**pair, **{name: pair[name] / UNITS[unit] for name in ("value", "stderr", "low", "high")}}


def _run(tasks: list[_Pair], store: CellStore, n_jobs: int | None, progress: Any) -> list[dict[str, Any]]:
    """Every pair in the order of the tasks, each kept as soon as it is there."""
    from joblib import delayed

    found: dict[tuple[str, str], dict[str, Any]] = {}
    missing = []
    for task in tasks:
        cell = store.read(task.name)
        if isinstance(cell, dict):
            found[task.source, task.target] = cell
        else:
            missing.append(task)
    parallel = workers(n_jobs, return_as="generator_unordered", pre_dispatch="2*n_jobs")
    with progress_callback(progress) as on_progress:
        finished: Any = parallel(delayed(_work)(task, os.getpid()) for task in missing)
        for name, cell in finished:
            store.write(name, cell)
            found[cell["source"], cell["target"]] = cell
            if on_progress is not None:
                on_progress(len(found), len(tasks), f"{len(found):,} of {len(tasks):,} pairs")
    return [found[task.source, task.target] for task in tasks]


@plain_modes()
def _work(task: _Pair, parent: int) -> tuple[str, dict[str, Any]]:
    end_with(parent)
    return task.name, task.run()
