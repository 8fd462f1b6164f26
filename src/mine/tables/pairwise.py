"""``mine.pairwise``: the information between all columns of a table, or between its columns and some of them."""

from __future__ import annotations

import hashlib
import math
import os
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mine.data.columns import DiscreteSpec
from mine.data.frames import as_frame
from mine.data.gaps import unusable_rows
from mine.data.order import read_order
from mine.data.parsing import ReadColumn, read_texts
from mine.data.problem import problem_seed
from mine.data.rows import MIN_ROWS, carried_order, rereadable, same_length
from mine.data.sides import as_variable, check_discrete_names
from mine.data.sources import Source, read_source
from mine.data.variable import Variable
from mine.errors import InputError, NotEnoughDataError, UnknownNameError, moved, renamed_arguments
from mine.estimators import METHODS, get_estimator
from mine.estimators.ties import is_tied
from mine.progress import progress_callback
from mine.result import UNITS
from mine.storage import versions
from mine.surroundings import plain_modes
from mine.tables.blocks import Block, BlockStore, Cell, Task, plan, shares_null
from mine.tables.columns import Column, read_columns, row_copies
from mine.tables.measured import Pairwise
from mine.tables.orphans import end_with, workers
from mine.tables.screening import SCREEN, column_scores, with_p_values
from mine.tables.serial import noticed
from mine.tables.significance import LEVEL
from mine.tables.stack import EFFORT_SETTINGS

__all__ = ["EFFORTS", "measure", "pairwise"]

#: Values of ``effort=``, the quickest first.
EFFORTS = (SCREEN, *EFFORT_SETTINGS)


@renamed_arguments(y="target")
def pairwise(
    data: Any,
    target: Any = None,
    *,
    method: str = "auto",
    effort: str = "screen",
    test: bool = False,
    n_permutations: int | None = None,
    discrete: DiscreteSpec = None,
    groups: Any = None,
    order: Any = None,
    drop_missing: bool = True,
    parse: bool = False,
    max_rows: int | None = 50_000,
    unit: str = "nats",
    random_state: int | np.random.Generator | np.random.RandomState | None = None,
    out: str | Path | None = None,
    n_jobs: int | None = None,
    progress: bool | Callable[[int, int, str], None] | None = None,
) -> Any:
    r"""The mutual information of every pair of columns, or of every column with a target: one row per pair.

    Two columns of numbers are screened: nearest neighbours on their ranks, or a Gaussian copula unless neighbours find clearly
    more. Two columns of labels get the corrected contingency table; a label and numbers the neighbours of Ross (2014), or
    random effects if the label has many levels and few rows for each. A constant column gives 0 and a note. Pairs with an
    identifier, a label that differs in (nearly) every row, come last, with a note and without a strength.

    Arguments:
        data: A pandas, polars or other frame; or an array or tensor of shape (n, d).
        target: Names of columns of ``data`` to pair with every other column, or data with as many rows. None takes every pair
            once.
        method: ``"auto"`` as above, or the name of a method for every pair, for example ``"ksg"``.
        effort: For two columns of numbers. ``"screen"`` trains nothing and takes milliseconds per pair; it has no
            ``lower_bound``. ``"fast"``, ``"default"`` and ``"thorough"`` train cross-fitted critics, many pairs as one
            stacked network, for a ``lower_bound`` on held-out rows.
        test: Permutation tests of independence: columns ``p``, and ``q`` by Benjamini and Hochberg over all pairs. All are
            exact: with ``"screen"`` ranks are permuted; else critics train on one half, and the other half's y is permuted.
        n_permutations: Maximum permutations per pair. None takes as many as a single discovery among all pairs needs. A test
            stops early if it finds nothing.
        discrete: Which columns are labels; see :func:`mine.estimate`.
        groups: One label per row, shape (n,): rows that belong together. They stay in one fold, count as one term of the
            standard error, and are permuted as one: the test exchanges groups of as many rows.
        order: ``"time"`` where rows come in the order of time, the name of a column of times (which is then none of the pairs),
            or one number or date per row: see :func:`mine.estimate`. The test shifts one column against the other in time.
        drop_missing: Leave rows with a missing or infinite value out, pair by pair; notes count them. Pairs that train
            together keep equally many rows, so that one may lose up to a twentieth more. False raises an error instead.
        parse: Read columns of numbers written as text as numbers, as in :func:`mine.estimate`; the notes of their pairs say so.
        max_rows: Maximum rows per pair, a random sample; None takes all.
        unit: ``"nats"`` or ``"bits"``.
        random_state: Seed or generator. A pair's seed derives from it and the names of the columns.
        out: Folder that keeps each finished block of pairs; repeat the call to resume after a kill. Needs an integer
            ``random_state``.
        n_jobs: Processes of joblib, or as :func:`joblib.parallel_config` says.
        progress: As in :func:`mine.estimate`.

    Returns:
        A frame of the library of ``data`` (pandas for arrays, or polars or pyarrow if it is missing), one row per pair:
        ``x``, ``y``; ``value``, ``lower_bound`` (NaN without one), ``stderr``, ``low`` and ``high`` (95 % interval) in
        ``unit``; ``strength``, the value on a scale from 0 to 1 (:func:`mine.tables.measured.strength`); with ``test``
        ``p``, ``q``, ``permutations``; ``kind`` of the columns, ``method``, rows ``n``, ``unit``, and a ``note`` to read.

    Raises:
        InputError: Data or arguments that cannot be used, with the remedy.
        UnknownNameError: A column, method, effort or unit that does not exist.

    Example:
        >>> import mine
        >>> rng = np.random.default_rng(0)
        >>> a = rng.normal(size=300); table = np.stack([a, a + rng.normal(size=300), rng.normal(size=300)], 1)
        >>> pairs = mine.pairwise(table, method="gaussian", random_state=0)
        >>> [f"{x} {y} {s:.1f}" for x, y, s in zip(pairs["x"], pairs["y"], pairs["strength"])]
        ['x[0] x[1] 0.7', 'x[0] x[2] 0.0', 'x[1] x[2] 0.0']
    """
    result = measure(
        data, target, method=method, effort=effort, test=test, n_permutations=n_permutations, discrete=discrete, groups=groups,
        order=order, drop_missing=drop_missing, parse=parse, max_rows=max_rows, unit=unit, random_state=random_state, out=out,
        n_jobs=n_jobs, progress=progress,
    )  # fmt: skip
    return as_frame(result.records(), data)


@renamed_arguments(y="target")
@plain_modes()
def measure(
    data: Any,
    target: Any = None,
    *,
    method: str = "auto",
    effort: str = "screen",
    test: bool = False,
    n_permutations: int | None = None,
    discrete: DiscreteSpec = None,
    groups: Any = None,
    order: Any = None,
    drop_missing: bool = True,
    parse: bool = False,
    max_rows: int | None = 50_000,
    unit: str = "nats",
    random_state: Any = None,
    out: str | Path | None = None,
    n_jobs: int | None = None,
    progress: bool | Callable[[int, int, str], None] | None = None,
) -> Pairwise:
    """Measure as :func:`pairwise` does; return plain data and the typed columns, for the command line and the report."""
    if unit not in UNITS:
        raise UnknownNameError("unit", unit, UNITS)
    data, order = _with_order_apart(data, order)
    columns, pairs, read = _pairs(data, target, discrete, drop_missing, parse)
    if effort not in EFFORTS:
        raise UnknownNameError("effort", effort, EFFORTS)
    if method != "auto":
        get_estimator(method)
    if max_rows is not None and max_rows < MIN_ROWS:
        raise InputError(f"max_rows must be {MIN_ROWS} or more, or None for all rows; got {max_rows!r}.")
    if out is not None and not isinstance(random_state, (int, np.integer)):
        raise InputError("out= needs an integer random_state: the same call, going on there, must draw the same numbers.")
    codes, apart, copies = _groups(groups, columns, ordered=order is not None)
    position = None
    if order is not None:
        position = read_order(carried_order(order, data, target), _length(columns), codes)
    seed = problem_seed(random_state)
    most = _permutations(n_permutations, len(pairs)) if test else 0
    if method in METHODS and METHODS[method].numeric_only:
        _numbers_only(method, columns)
    screen = effort == SCREEN
    blocks = plan(pairs, columns, stack=method == "auto" and not screen)
    store = None
    if out is not None:
        about = {
            "version": _version_of_numbers(columns), "method": method,
            "effort": effort if method == "auto" else "fast",  # which has no meaning then, and was once the default
            "seed": seed, "permutations": most,
            "max_rows": max_rows, "apart": apart,
            **({} if position is None else {"order": hashlib.sha256(position.tobytes()).hexdigest()}),
        }  # fmt: skip
        store = BlockStore(Path(out), about, columns, codes)
    stacked = [name for block in blocks if block.stacked for pair in block.pairs for name in pair]
    features = {name: columns[name].features() for name in dict.fromkeys(stacked)}
    alone = screen and method == "auto" and shares_null(codes, position, apart=apart)
    rows = np.arange(_length(columns)) if codes is None else np.sort(np.unique(codes, return_index=True)[1])
    scores = column_scores(columns, pairs, rows, seed) if alone and len(rows) <= (max_rows or len(rows)) else {}

    def task(block: Block) -> Task:
        used = dict.fromkeys(name for pair in block.pairs for name in pair)
        return Task(
            block, {n: columns[n] for n in used}, {n: features[n] for n in used} if block.stacked else {},
            {n: scores[n] for n in used if n in scores}, EFFORT_SETTINGS.get(effort), method, seed, codes, apart, position,
            most, max_rows,
        )  # fmt: skip

    done: dict[tuple[str, str], Cell] = {}
    with progress_callback(progress) as on_progress:
        for cells in _run(blocks, task, store, n_jobs):
            done |= {(cell.x, cell.y): cell for cell in cells}
            if on_progress is not None:
                on_progress(len(done), len(pairs), f"{len(done):,} of {len(pairs):,} pairs")
    if test and alone:
        done = with_p_values(done, columns, rows, most, seed)
    if order is None and groups is None:
        done = noticed(done, columns)
    ordered = sorted((done[pair] for pair in pairs), key=lambda cell: cell.unidentifiable)
    return Pairwise(ordered, columns, _discoveries(ordered) if test else None, unit, copies, tuple(read))


def _version_of_numbers(columns: dict[str, Column]) -> str | int:
    """``NUMERICS``, the only version that decides whether a finished block counts; the first is written ``"0.1.0"``.

    Release 0.1.0 wrote its own version in that place, and its folders must still be found.
    """
    numerics = versions.cell_numerics(
        ties=any(c.kind == "label" or (c.kind == "number" and is_tied(c.values[c.present])) for c in columns.values())
    )
    return "0.1.0" if numerics == 1 else numerics


def _run(blocks: list[Block], task: Callable[[Block], Task], store: BlockStore | None, n_jobs: int | None) -> Any:
    """The cells of each block, those on disk first, each saved as soon as it is there."""
    missing: list[Block] = []
    for block in blocks:
        cells = None if store is None else store.read(block)
        if cells is None:
            missing.append(block)
        else:
            yield cells
    from joblib import delayed

    parallel = workers(n_jobs, return_as="generator_unordered", pre_dispatch="2*n_jobs")
    finished: Any = parallel(delayed(_work)(task(block), os.getpid()) for block in missing)
    for block, cells in finished:
        if store is not None:
            store.write(block, cells)
        yield cells


@plain_modes()
def _work(task: Task, parent: int) -> tuple[Block, list[Cell]]:
    end_with(parent)
    return task.block, task.run()


def _with_order_apart(data: Any, order: Any) -> tuple[Any, Any]:
    """The table without the column that ``order`` names, and that column as it is: not labels, whatever its values."""
    if not isinstance(order, str):
        return data, order
    source = read_source(data, "x")
    if order not in source.names:
        return source, order
    column = source.columns[source.names.index(order)]
    rest = [i for i, name in enumerate(source.names) if name != order]
    if not rest:
        raise InputError(f"There is no pair: {order!r} is the only column, and the one of times.")
    left = Source([source.names[i] for i in rest], [source.columns[i] for i in rest], times=source.times)
    return left, column


def _pairs(
    data: Any, target: Any, discrete: DiscreteSpec, drop_missing: bool, parse: bool
) -> tuple[dict[str, Column], list[tuple[str, str]], list[ReadColumn]]:
    """All columns by name, the pairs wanted, and the columns of text read as numbers."""
    (data,), read = read_texts(parse, discrete, x=data)
    columns = read_columns(data, "x", discrete, drop_missing=drop_missing)
    names = list(columns)
    if target is None:
        targets: list[str] = []
    elif isinstance(target, str):
        targets = [target]
    elif _are_names(target) and len(target) != _length(columns):
        targets = list(target)
    else:
        (target,), its_columns = read_texts(parse, discrete, y=target)
        read += its_columns
        others = read_columns(target, "y", discrete, drop_missing=drop_missing)
        shared = [name for name in others if name in columns]
        if shared:
            raise InputError(f"Column {shared[0]!r} is in both tables: rename it, or pass its name as target.")
        same_length(_length(columns), _length(others))
        columns |= others
        targets = list(others)
    for name in targets:
        if name not in columns:
            raise UnknownNameError("column", name, columns)
    _check_discrete(discrete, columns)
    if _length(columns) < MIN_ROWS:
        raise NotEnoughDataError(f"The table has {_length(columns)} rows: an honest estimate needs at least {MIN_ROWS}.")
    if target is None:
        pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    else:
        pairs = [(a, b) for b in targets for a in names if a not in targets]
    if not pairs:
        raise InputError(f"There is no pair among {', '.join(names[:4])}: pass at least two columns.")
    return columns, pairs, read


def _are_names(target: Any) -> bool:
    if isinstance(target, memoryview):
        return False
    return isinstance(target, Sequence) and len(target) > 0 and all(isinstance(name, str) for name in target)


def _length(columns: dict[str, Column]) -> int:
    return len(next(iter(columns.values())).values)


def _check_discrete(discrete: DiscreteSpec, columns: dict[str, Column]) -> None:
    if discrete is None or isinstance(discrete, bool):
        return
    empty = np.empty((0, 0))
    check_discrete_names(discrete, Variable("x", tuple(columns), empty, empty))


def _groups(groups: Any, columns: dict[str, Column], *, ordered: bool) -> tuple[np.ndarray | None, bool, int]:
    """A code per row or None, whether rows of one group must not meet in a shuffle, and the number of copied rows."""
    if groups is None and ordered:
        return None, False, 0
    if groups is None:
        codes, copies = row_copies(list(columns.values()))
        return codes, False, copies
    groups = rereadable(groups)
    gaps = int(unusable_rows(groups, "groups").sum())
    if gaps:
        raise InputError(f"groups lacks a label in {gaps:,} rows: leave those rows out of the table, or label them.")
    labels = as_variable(groups, "groups", True, allow_constant=True)
    if len(labels) != _length(columns):
        raise InputError(f"groups has {len(labels)} labels for {_length(columns)} rows: pass one per row.")
    return labels.row_ids(), True, 0


def _numbers_only(method: str, columns: dict[str, Column]) -> None:
    labels = [c.name for c in columns.values() if c.kind == "label"]
    if labels:
        raise InputError(
            f"method {method!r} needs numbers, but these columns are labels: {', '.join(labels[:8])}. Pass "
            "discrete=False, or use method 'auto'."
        )


def _permutations(wanted: int | None, n_pairs: int) -> int:
    """The maximum permutations per pair; warns if they cannot single out one pair."""
    needed = math.ceil(n_pairs / LEVEL) - 1
    if wanted is None:
        return max(999, needed)
    if not isinstance(wanted, (int, np.integer)) or wanted < 19:
        raise InputError(f"n_permutations must be an integer of 19 or more, got {wanted!r}.")
    if wanted < needed:
        warnings.warn(
            f"{wanted:,} permutations cannot bring the q of a single one of {n_pairs:,} pairs below {LEVEL:g}: "
            f"pass n_permutations={needed} or more.",
            UserWarning,
            stacklevel=7,
        )
    return int(wanted)


def _discoveries(cells: list[Cell]) -> list[float | None]:
    """Benjamini & Hochberg's q of each cell that has a p-value."""
    from scipy.stats import false_discovery_control

    tested = [i for i, cell in enumerate(cells) if cell.p is not None]
    out: list[float | None] = [None] * len(cells)
    if tested:
        for i, q in zip(tested, false_discovery_control([cells[i].p for i in tested]), strict=True):
            out[i] = float(q)
    return out


def __getattr__(name: str) -> Any:
    return moved(__name__, name, {"strength": "mine.tables.measured"})
