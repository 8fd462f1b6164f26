"""``mine.pairwise``: the information between all columns of a table, or between its columns and some of them."""

from __future__ import annotations

import hashlib
import math
import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mine.data.columns import DiscreteSpec
from mine.data.order import read_order
from mine.data.parsing import ReadColumn, read_texts
from mine.data.problem import problem_seed
from mine.data.rows import MIN_ROWS, same_length
from mine.data.sides import as_variable, check_discrete_names
from mine.data.variable import Variable
from mine.errors import InputError, UnknownNameError
from mine.estimators import METHODS, get_estimator
from mine.estimators.ties import is_tied
from mine.progress import progress_callback
from mine.result import UNITS
from mine.storage import versions
from mine.surroundings import plain_modes
from mine.tables.blocks import Block, BlockStore, Cell, Task, plan
from mine.tables.columns import Column, read_columns, row_copies
from mine.tables.frames import as_frame
from mine.tables.orphans import end_with
from mine.tables.serial import noticed
from mine.tables.stack import EFFORT_SETTINGS

__all__ = ["COLUMNS", "Pairwise", "measure", "pairwise", "strength"]

#: Columns of the result, in order; the three of the test only where one was asked for.
COLUMNS = (
    "x", "y", "value", "lower_bound", "stderr", "low", "high", "strength", "p", "q", "permutations", "kind", "method", "n",
    "unit", "note",
)  # fmt: skip
#: Share of false discoveries that the number of permutations is chosen for.
FALSE_DISCOVERIES = 0.05


def strength(nats: float) -> float:
    """Information on a scale from 0 to 1: the correlation of the normal pair that has as much, sqrt(1 - exp(-2 I)).

    Derived from the value, with no error bar of its own.

    References:
        Linfoot, 1957, 'An informational measure of correlation' (doi 10.1016/S0019-9958(57)90116-X).

    >>> round(strength(-0.5 * math.log(1 - 0.6**2)), 6), strength(-0.01)
    (0.6, 0.0)
    """
    return math.sqrt(-math.expm1(-2 * max(nats, 0.0)))


@dataclass(frozen=True)
class Pairwise:
    """A measured table: its cells in nats, one a pair, its columns, and those of text that were ``read`` as numbers."""

    cells: list[Cell]
    columns: dict[str, Column]
    q: list[float | None] | None
    unit: str
    copies: int
    read: tuple[ReadColumn, ...] = ()

    def records(self) -> dict[str, list[Any]]:
        """The result, column by column, in ``unit``; a number that does not exist is NaN, an open end infinite."""
        scale = UNITS[self.unit]

        def nats(name: str, missing: float = math.nan) -> list[float]:
            values = [getattr(cell, name) for cell in self.cells]
            return [missing if v is None else v / scale for v in values]

        out: dict[str, list[Any]] = {
            "x": [c.x for c in self.cells],
            "y": [c.y for c in self.cells],
            "value": nats("value"),
            "lower_bound": nats("lower_bound"),
            "stderr": nats("stderr"),
            "low": [v if c.value is not None else math.nan for c, v in zip(self.cells, nats("low", -math.inf), strict=True)],
            "high": [v if c.value is not None else math.nan for c, v in zip(self.cells, nats("high", math.inf), strict=True)],
            "strength": [math.nan if c.value is None or c.unidentifiable else strength(c.value) for c in self.cells],
        }
        if self.q is not None:
            out["p"] = [math.nan if c.p is None else c.p for c in self.cells]
            out["q"] = [math.nan if q is None else q for q in self.q]
            out["permutations"] = [c.permutations or 0 for c in self.cells]
        out |= {name: [getattr(c, name) for c in self.cells] for name in ("kind", "method", "n")}
        return {**out, "unit": [self.unit] * len(self.cells), "note": [self._note(c) for c in self.cells]}

    def _note(self, cell: Cell) -> str:
        """What to be careful about, and which of the two columns were read as numbers."""
        sentences = [column.sentence for column in self.read if column.name in (cell.x, cell.y)]
        return " ".join([*([cell.note] if cell.note else []), *sentences])


def pairwise(
    data: Any,
    y: Any = None,
    *,
    method: str = "auto",
    effort: str = "fast",
    test: bool = False,
    n_permutations: int | None = None,
    discrete: DiscreteSpec = None,
    groups: Any = None,
    order: Any = None,
    drop_missing: bool = False,
    parse: bool = False,
    max_rows: int | None = 50_000,
    unit: str = "nats",
    random_state: int | np.random.Generator | np.random.RandomState | None = None,
    out: str | Path | None = None,
    n_jobs: int | None = None,
    progress: bool | Callable[[int, int, str], None] | None = None,
) -> Any:
    r"""The mutual information of every pair of columns, or of every column with those of ``y``: one row a pair.

    Two columns of numbers get cross-fitted critics, those of many pairs trained as one stacked network; two of labels the
    corrected contingency table; a label and numbers the neighbours of Ross (2014), or random effects if the label has many
    levels and few rows for each. A constant column gives 0 and a note. Pairs with an identifier, a label that differs in
    (nearly) every row, come last, with a note and without a strength.

    Arguments:
        data: A pandas, polars or other frame; or an array or tensor of shape (n, d).
        y: Names of columns of ``data`` to set against all others, or data with as many rows. None takes every pair once.
        method: ``"auto"`` as above, or the name of a method for every pair, for example ``"ksg"``.
        effort: How long the critics train: ``"fast"``, ``"default"`` or ``"thorough"``.
        test: Permutation tests of independence: columns ``p``, and ``q`` by Benjamini and Hochberg over all pairs. Critics
            train on one half, and the other half's y is permuted: exact.
        n_permutations: Most permutations a pair. None takes as many as a single discovery among so many pairs needs; a test
            stops early where nothing is found.
        discrete: Which columns are labels; see :func:`mine.estimate`.
        groups: One label a row, shape (n,): rows that belong together. They stay in one fold, count as one term of the standard
            error, and are permuted as one: the test exchanges groups of as many rows.
        order: ``"time"`` where rows come in the order of time, the name of a column of times (which is then none of the pairs),
            or one number or date a row: see :func:`mine.estimate`. The test shifts one column against the other in time.
        drop_missing: Leave rows with a missing value out, pair by pair. Pairs that train together keep equally many rows, so
            that one may lose up to a twentieth more.
        parse: Read columns of numbers written as text as numbers, as in :func:`mine.estimate`; the notes of their pairs say so.
        max_rows: Rows a pair at most, a random sample; None takes all.
        unit: ``"nats"`` or ``"bits"``.
        random_state: Seed or generator. A pair's seed derives from it and the names of the columns.
        out: Folder in which each finished block of pairs is kept; the same call goes on there after a kill. Needs an integer
            ``random_state``.
        n_jobs: Processes of joblib, or as :func:`joblib.parallel_config` says.
        progress: As in :func:`mine.estimate`.

    Returns:
        A frame of the library of ``data`` (pandas for arrays, or polars or pyarrow where it is missing), one row a pair:
        ``x``, ``y``; ``value``, ``lower_bound`` (NaN without one), ``stderr``, ``low`` and ``high`` (95 % interval) in
        ``unit``; ``strength``, the value on a scale from 0 to 1 (:func:`mine.tables.pairwise.strength`); with ``test``
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
        data, y, method=method, effort=effort, test=test, n_permutations=n_permutations, discrete=discrete, groups=groups,
        order=order, drop_missing=drop_missing, parse=parse, max_rows=max_rows, unit=unit, random_state=random_state, out=out,
        n_jobs=n_jobs, progress=progress,
    )  # fmt: skip
    return as_frame(result.records(), data)


@plain_modes()
def measure(
    data: Any,
    y: Any = None,
    *,
    method: str = "auto",
    effort: str = "fast",
    test: bool = False,
    n_permutations: int | None = None,
    discrete: DiscreteSpec = None,
    groups: Any = None,
    order: Any = None,
    drop_missing: bool = False,
    parse: bool = False,
    max_rows: int | None = 50_000,
    unit: str = "nats",
    random_state: Any = None,
    out: str | Path | None = None,
    n_jobs: int | None = None,
    progress: bool | Callable[[int, int, str], None] | None = None,
) -> Pairwise:
    """As :func:`pairwise`, as plain data beside the typed columns: what the command line and the report read."""
    if unit not in UNITS:
        raise UnknownNameError("unit", unit, UNITS)
    columns, pairs, read = _pairs(data, y, discrete, drop_missing, parse, order)
    if effort not in EFFORT_SETTINGS:
        raise UnknownNameError("effort", effort, EFFORT_SETTINGS)
    if method != "auto":
        get_estimator(method)
    if max_rows is not None and max_rows < MIN_ROWS:
        raise InputError(f"max_rows must be {MIN_ROWS} or more, or None for all rows; got {max_rows!r}.")
    if out is not None and not isinstance(random_state, (int, np.integer)):
        raise InputError("out= needs an integer random_state: the same call, going on there, must draw the same numbers.")
    codes, apart, copies = _groups(groups, columns, ordered=order is not None)
    position = None
    if order is not None:
        when = columns.pop(order).values if isinstance(order, str) and order in columns else order
        position = read_order(when, _length(columns), codes)
    seed = problem_seed(random_state)
    most = _permutations(n_permutations, len(pairs)) if test else 0
    if method in METHODS and METHODS[method].numeric_only:
        _numbers_only(method, columns)
    blocks = plan(pairs, columns, stack=method == "auto")
    store = None
    if out is not None:
        about = {
            "version": _version_of_numbers(columns), "method": method, "effort": effort, "seed": seed, "permutations": most,
            "max_rows": max_rows, "apart": apart,
            **({} if position is None else {"order": hashlib.sha256(position.tobytes()).hexdigest()}),
        }  # fmt: skip
        store = BlockStore(Path(out), about, columns, codes)
    stacked = [name for block in blocks if block.stacked for pair in block.pairs for name in pair]
    features = {name: columns[name].features() for name in dict.fromkeys(stacked)}

    def task(block: Block) -> Task:
        used = dict.fromkeys(name for pair in block.pairs for name in pair)
        return Task(
            block, {n: columns[n] for n in used}, {n: features[n] for n in used} if block.stacked else {},
            EFFORT_SETTINGS[effort], method, seed, codes, apart, position, most, max_rows,
        )  # fmt: skip

    done: dict[tuple[str, str], Cell] = {}
    with progress_callback(progress) as on_progress:
        for cells in _run(blocks, task, store, n_jobs):
            done |= {(cell.x, cell.y): cell for cell in cells}
            if on_progress is not None:
                on_progress(len(done), len(pairs), f"{len(done):,} of {len(pairs):,} pairs")
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
    from joblib import Parallel, delayed

    parallel = Parallel(n_jobs=n_jobs, return_as="generator_unordered", pre_dispatch="2*n_jobs")
    finished: Any = parallel(delayed(_work)(task(block), os.getpid()) for block in missing)
    for block, cells in finished:
        if store is not None:
            store.write(block, cells)
        yield cells


@plain_modes()
def _work(task: Task, parent: int) -> tuple[Block, list[Cell]]:
    end_with(parent)
    return task.block, task.run()


def _pairs(
    data: Any, y: Any, discrete: DiscreteSpec, drop_missing: bool, parse: bool, order: Any
) -> tuple[dict[str, Column], list[tuple[str, str]], list[ReadColumn]]:
    """All columns by name, the pairs wanted (none with the column of times), and the columns of text read as numbers."""
    (data,), read = read_texts(parse, discrete, x=data)
    columns = read_columns(data, "x", discrete, drop_missing=drop_missing)
    names = [name for name in columns if not isinstance(order, str) or name != order]
    if y is None:
        targets: list[str] = []
    elif isinstance(y, str):
        targets = [y]
    elif isinstance(y, Sequence) and len(y) and all(isinstance(name, str) for name in y) and len(y) != _length(columns):
        targets = list(y)
    else:
        (y,), its_columns = read_texts(parse, discrete, y=y)
        read += its_columns
        others = read_columns(y, "y", discrete, drop_missing=drop_missing)
        shared = [name for name in others if name in columns]
        if shared:
            raise InputError(f"Column {shared[0]!r} is in both tables: rename it, or pass its name as y.")
        same_length(_length(columns), _length(others))
        columns |= others
        targets = list(others)
    for target in targets:
        if target not in columns:
            raise UnknownNameError("column", target, columns)
    _check_discrete(discrete, columns)
    if _length(columns) < MIN_ROWS:
        raise InputError(f"The table has {_length(columns)} rows: an honest estimate needs at least {MIN_ROWS}.")
    if y is None:
        pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    else:
        pairs = [(a, b) for b in targets for a in names if a not in targets]
    if not pairs:
        raise InputError(f"There is no pair among {', '.join(names[:4])}: pass at least two columns.")
    return columns, pairs, read


def _length(columns: dict[str, Column]) -> int:
    return len(next(iter(columns.values())).values)


def _check_discrete(discrete: DiscreteSpec, columns: dict[str, Column]) -> None:
    if discrete is None or isinstance(discrete, bool):
        return
    empty = np.empty((0, 0))
    check_discrete_names(discrete, Variable("x", tuple(columns), empty, empty))


def _groups(groups: Any, columns: dict[str, Column], *, ordered: bool) -> tuple[np.ndarray | None, bool, int]:
    """A code a row or None, whether rows of one group must not meet in a shuffle, and the number of copied rows."""
    if groups is None and ordered:
        return None, False, 0
    if groups is None:
        codes, copies = row_copies(list(columns.values()))
        return codes, False, copies
    labels = as_variable(groups, "groups", True, allow_constant=True)
    if len(labels) != _length(columns):
        raise InputError(f"groups has {len(labels)} labels for {_length(columns)} rows: pass one a row.")
    return labels.row_ids(), True, 0


def _numbers_only(method: str, columns: dict[str, Column]) -> None:
    labels = [c.name for c in columns.values() if c.kind == "label"]
    if labels:
        raise InputError(
            f"method {method!r} needs numbers, but these columns are labels: {', '.join(labels[:8])}. Pass "
            "discrete=False, or use method 'auto'."
        )


def _permutations(wanted: int | None, n_pairs: int) -> int:
    """Most permutations a pair; a warning where they cannot single out one pair."""
    needed = math.ceil(n_pairs / FALSE_DISCOVERIES) - 1
    if wanted is None:
        return max(999, needed)
    if not isinstance(wanted, (int, np.integer)) or wanted < 19:
        raise InputError(f"n_permutations must be an integer of 19 or more, got {wanted!r}.")
    if wanted < needed:
        warnings.warn(
            f"{wanted:,} permutations cannot bring the q of a single one of {n_pairs:,} pairs below {FALSE_DISCOVERIES:g}: "
            f"pass n_permutations={needed} or more.",
            UserWarning,
            stacklevel=4,
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
