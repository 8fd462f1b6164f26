"""``mine.lag_scan``: the information between two series against the lag between them, in both directions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mine.api import estimate
from mine.data.columns import DiscreteSpec
from mine.data.gaps import infinite_values, missing_values
from mine.data.order import TimeOrder, time_order
from mine.data.parsing import ReadColumn
from mine.data.problem import Problem, problem_seed
from mine.data.rows import MIN_ROWS
from mine.data.sides import as_variable
from mine.data.subjects import Subjects, by_subject
from mine.data.variable import Variable
from mine.errors import InputError, NotEnoughDataError, UnknownNameError
from mine.estimators import EFFORTS
from mine.information.grids import on_a_grid
from mine.information.series import Series, discrete_columns, read_series
from mine.progress import Callback, progress_callback
from mine.result import UNITS
from mine.series.lag_result import LagScan
from mine.series.lag_test import FEWEST_SPANS, LagTest, lag_test
from mine.series.subject_lag_test import ENOUGH_INDEPENDENT, subject_lag_test
from mine.storage.cells import CellStore, digest
from mine.surroundings import plain_modes
from mine.tables.blocks import STACKED_METHOD, cell_seed
from mine.tables.columns import Column
from mine.tables.critics_checked import with_checks
from mine.tables.stack import EFFORT_SETTINGS, StackedPair, estimate_stack

__all__ = ["lag_scan"]

#: Lags whose critics train as one network, and that are kept together.
STACKED = 16
#: Rows that critics are trained on at most, evenly spread in time: more make the values hardly surer.
MOST_ROWS = 50_000

#: Words of the warnings that count if one lag has them.
ABOUT_ONE_LAG = ("saturated", "infinite", "miss dependence")


@plain_modes()
def lag_scan(
    x: Any,
    y: Any,
    lags: int | Iterable[int],
    *,
    method: Any = "auto",
    effort: str = "fast",
    discrete: DiscreteSpec = None,
    order: Any = "time",
    groups: Any = None,
    unit: str = "nats",
    random_state: int | np.random.Generator | np.random.RandomState | None = None,
    drop_missing: bool = False,
    parse: bool = False,
    out: str | Path | None = None,
    progress: bool | Callable[[int, int, str], None] | None = None,
    **options: Any,
) -> LagScan:
    r"""Information between two series against the lag between them: ``I(X_{t-lag}; Y_t)``, with a test over all lags.

    At a positive lag x comes first, at a negative one y. All lags are estimated on the same rows, in the order of time: folds
    and intervals are as in :func:`mine.estimate` with ``order="time"``. Of two columns of numbers the critics of many lags
    train as one network; states are estimated by counts; several columns take one estimate per lag, which takes longer.

    The test compares the lags with circular shifts of one series against the other, which keep the memory of both. Its p-values
    are adjusted for the number of lags. It needs series whose nature does not change over time. It tells dependence, not who
    drives whom: a memory of their own spreads it over many lags (see :func:`mine.transfer_entropy`).

    Arguments:
        x: A series, shape (n,) or (n, dx): numbers, or states, which are labels.
        y: The other series.
        lags: The lags, whole numbers; or one number L for all from -L to L.
        method: ``"auto"`` as above, or a method of :func:`mine.estimate` that is applied to every lag.
        effort: How long critics train: ``"fast"``, ``"default"`` or ``"thorough"``.
        discrete: Which columns are labels, decided on the whole series; see :func:`mine.estimate`.
        order: ``"time"`` where rows come in the order of time, at equal steps; or one number or date per row, shape (n,), by
            which they are sorted. Gaps in these times, or in a time index, are missing rows: see ``drop_missing``.
        groups: One label per row, shape (n,): rows of one label are a series of their own, as of several subjects. No lag
            crosses from one to another. The test shifts each one separately: differences between groups count in the
            values, but not in the p-values.
        unit: ``"nats"`` or ``"bits"``.
        random_state: Seed or generator.
        drop_missing: Leave out rows with a missing or infinite value, at each lag those that it needs.
        parse: Read columns of numbers written as text as numbers.
        out: Folder in which finished lags are kept; the same call resumes there. Needs an integer ``random_state``.
        progress: As in :func:`mine.estimate`; counts lags.
        **options: Options of the method, for example ``n_neighbors`` of ``"ksg"``.

    Raises:
        InputError: Lags that are no whole numbers, series of different length, times on no regular grid, or data that cannot
            be used.
        NotEnoughDataError: Too few rows for the longest lag.

    Example:
        >>> import mine
        >>> rng = np.random.default_rng(0)
        >>> x = rng.normal(size=500)
        >>> scan = mine.lag_scan(x, np.roll(x, 2) + rng.normal(size=500), 5, method="gaussian", random_state=0)
        >>> scan.best, int(scan.significant.sum())
        (2, 1)
    """
    if unit not in UNITS:
        raise UnknownNameError("unit", unit, UNITS)
    if effort not in EFFORTS:
        raise UnknownNameError("effort", effort, EFFORTS)
    wanted = _lags(lags)
    told = {"method": method, "discrete": discrete, "parse": parse, "drop_missing": drop_missing, **options}
    (x, y), subjects = by_subject(groups, order, x=x, y=y)
    (first, second), read, options = read_series(told, x=x, y=y)
    rows = len(first)
    (first, second), subjects = on_a_grid([first, second], x, y, drop_missing=drop_missing, subjects=subjects)
    scan = _Scan(first, second, wanted, {**options, "effort": effort}, problem_seed(random_state), subjects)
    scan.check()
    about = {"of": "lag scan", "data": digest(first.values, second.values), "lags": wanted.tolist(), "options": scan.options}
    if subjects is not None:
        about["groups"] = subjects.lengths.tolist()
    store = CellStore(out, about, random_state)
    with progress_callback(progress) as on_progress:
        found = scan.values(store, on_progress)
    if subjects is None or len(subjects.lengths) == 1:
        test = lag_test(first, second, wanted, scan.order.time)
    else:
        test = subject_lag_test(first, second, wanted, subjects, scan.seed)
    nats = UNITS[unit]
    values, low, high = (np.array([cell[name] for cell in found]) / nats for name in ("value", "low", "high"))
    return LagScan(
        wanted, values, np.stack([low, high], 1), test.p_values, test.band / nats, rows, scan.order.independent_rows,
        found[0]["method"], unit, _warnings(scan, found, read, test),
    )  # fmt: skip


def _lags(lags: int | Iterable[int]) -> np.ndarray:
    """The lags in increasing order, each once."""
    if isinstance(lags, (int, np.integer)) and not isinstance(lags, bool):
        lags = range(-abs(int(lags)), abs(int(lags)) + 1)
    if not isinstance(lags, Iterable):
        raise InputError(f"lags must be a whole number or several of them, got {lags!r}.")
    wanted = list(lags)
    for lag in wanted:
        if not isinstance(lag, (int, np.integer)) or isinstance(lag, bool):
            raise InputError(f"lags must be whole numbers, got {lag!r}.")
    if not wanted:
        raise InputError("lags is empty: pass at least one, for example range(-3, 4).")
    return np.unique(np.array(wanted, np.int64))


@dataclass(frozen=True)
class _Scan:
    """The two series, the lags (k,), options of :func:`mine.estimate`, the seed of the run, and which rows are whose."""

    x: Series
    y: Series
    lags: np.ndarray
    options: dict[str, Any]
    seed: int
    subjects: Subjects | None = None

    @property
    def rows(self) -> np.ndarray:
        """Rows of y that have a row of x at every lag, in the same series."""
        series = Subjects(np.array([len(self.x)])) if self.subjects is None else self.subjects
        return series.rows(max(0, int(self.lags.max())), max(0, -int(self.lags.min())))

    def whose(self, rows: np.ndarray) -> np.ndarray | None:
        """The number of the series of each of these rows; None where there is one series."""
        return None if self.subjects is None else self.subjects.codes[rows]

    def check(self) -> None:
        """Raise where the rows cannot do for the longest lag, or a value is missing that may not be."""
        longest = int(np.abs(self.lags).max())
        if len(self.rows) < max(MIN_ROWS, len(self.x) // 2):
            of = "" if self.subjects is None else f" in {len(self.subjects.lengths)} groups"
            raise NotEnoughDataError(
                f"{len(self.x):,} rows{of} are too few for a lag of {longest}: it may take half of them at most."
            )
        if not self.options.get("drop_missing"):
            gaps = int((~(_present(self.x) & _present(self.y))).sum())
            if gaps:
                raise InputError(f"{gaps:,} rows have a missing or infinite value: pass drop_missing=True, or fill them.")

    @property
    def stacks(self) -> bool:
        """Whether the critics of many lags train as one network: two columns of numbers by the default method."""
        single = all(series.labels == (False,) for series in (self.x, self.y))
        plain = set(self.options) <= {"method", "effort", "drop_missing"} and self.options["method"] == "auto"
        return single and plain

    @property
    def order(self) -> TimeOrder:
        """What the order of time makes of the two series as they are."""
        rows = np.flatnonzero(_present(self.x) & _present(self.y))
        sides = (_variable(series, rows) for series in (self.x, self.y))
        return time_order(rows, *sides, subjects=self.whose(rows))

    def values(self, store: CellStore, on_progress: Callback | None) -> list[dict[str, Any]]:
        """Value and interval (nats) of every lag."""
        size = STACKED if self.stacks else 1
        estimated = self._stacked if self.stacks else self._single
        found: list[dict[str, Any]] = []
        for start in range(0, len(self.lags), size):
            if on_progress is not None:
                on_progress(start, len(self.lags), f"{start:,} of {len(self.lags):,} lags")
            part = self.lags[start : start + size]
            found += store.fetch(str(part.tolist()), lambda part=part: estimated(part))
        return found

    def _stacked(self, lags: np.ndarray) -> list[dict[str, Any]]:
        seed = cell_seed(self.seed, *map(str, lags))
        columns = [Column(name, "number", series.values[:, 0]) for name, series in (("x", self.x), ("y", self.y))]
        of_x, of_y = (column.features() for column in columns)
        rows = self.rows[:: -(-len(self.rows) // MOST_ROWS)]
        here = np.isfinite(of_y[rows, 0])
        there = [here & np.isfinite(of_x[rows - lag, 0]) for lag in lags]
        if self.subjects is not None:  # whole series may be the units of all
            there = [np.logical_and.reduce(there)] * len(there)
        complete = [rows[present] for present in there]
        size = min(map(len, complete))
        if size < MIN_ROWS:
            raise NotEnoughDataError(f"Missing values leave {size} complete rows at a lag: at least {MIN_ROWS} are needed.")
        rng = np.random.default_rng(seed)
        kept = [r if len(r) == size else np.sort(rng.choice(r, size, replace=False)) for r in complete]
        orders = [
            time_order(r, columns[0].variable(r - lag), columns[1].variable(r), self.whose(r))
            for r, lag in zip(kept, lags, strict=True)
        ]
        found = estimate_stack(
            np.stack([of_x[r - lag] for r, lag in zip(kept, lags, strict=True)]),
            np.stack([of_y[r] for r in kept]),
            settings=EFFORT_SETTINGS[self.options["effort"]], seed=seed, orders=orders, groups=self.whose(kept[0]),
        )  # fmt: skip
        problems = [
            Problem(columns[0].variable(r - lag), columns[1].variable(r), order.blocks, seed, order=order)
            for r, lag, order in zip(kept, lags, orders, strict=True)
        ]
        return [_cell(*with_checks(one, problem, STACKED_METHOD)) for one, problem in zip(found, problems, strict=True)]

    def _single(self, lags: np.ndarray) -> list[dict[str, Any]]:
        (lag,) = lags
        now = self.y.at([self.rows])
        earlier = self.x.at([self.rows - lag])
        kinds = discrete_columns(x=self.x.labels, y=self.y.labels)
        seed = cell_seed(self.seed, str(lag))
        where = {"order": self.rows, "groups": self.whose(self.rows)}
        found = estimate(earlier, now, **where, discrete=kinds, random_state=seed, progress=False, **self.options)
        low, high = found.interval
        return [{"value": found.value, "low": low, "high": high, "method": found.method, "warnings": found.warnings}]


def _cell(one: StackedPair, sentences: list[str]) -> dict[str, Any]:
    if one.saturated and not sentences:
        sentences = ["A value is saturated: it is a lower end. Try mine.estimate at this lag."]
    return {"value": one.value, "low": one.low, "high": one.high, "method": STACKED_METHOD, "warnings": sentences}


def _present(series: Series) -> np.ndarray:
    """Rows without a missing or infinite value, shape (n,)."""
    kept = np.ones(len(series), bool)
    for column in series.values.T:
        kept &= ~(missing_values(column) | infinite_values(column))
    return kept


def _variable(series: Series, rows: np.ndarray) -> Variable:
    return as_variable(series.values[rows], "x", discrete_columns(x=series.labels))


def _warnings(scan: _Scan, found: list[dict[str, Any]], read: list[ReadColumn], test: LagTest) -> list[str]:
    """What to read first: columns of text, a long memory, too few rows for the test, and what half of the lags say."""
    warnings = [column.sentence for column in read]
    if scan.order.warning is not None:
        warnings.append(scan.order.warning)
    if test.independent_rows < ENOUGH_INDEPENDENT:
        warnings.append(
            f"A typical group has {test.independent_rows:.0f} independent rows: such short series of so long a memory make "
            "p-values too small. Take longer series, or the differences of each."
        )
    if test.spans < FEWEST_SPANS:
        span = int(scan.lags.max() - scan.lags.min()) + 1
        of = "" if scan.subjects is None else f" in {len(scan.subjects.lengths)} groups"
        warnings.append(f"{len(scan.x):,} rows{of} are too few for a test over a span of {span} lags: pass fewer lags.")
    counts: dict[str, int] = {}
    for cell in found:
        for warning in cell["warnings"]:
            counts[warning] = counts.get(warning, 0) + 1
    # A warning about one lag counts if that lag's interval has no upper end, or holds what its critics miss.
    warnings += [warning for warning in counts if any(word in warning for word in ABOUT_ONE_LAG)]
    return warnings + [w for w, count in counts.items() if 2 * count >= len(found) and w not in warnings]
