"""``mine.transfer_entropy``: what the past of one series tells about the next value of another."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from mine.api import estimate
from mine.conditional.determined import open_where_determined
from mine.conditional.given import third_variable
from mine.conditional.leftover import without_copies_of_z
from mine.conditional.neighbours import neighbours_value
from mine.data.order import clock_warning
from mine.data.problem import make_problem, problem_seed
from mine.data.rows import complete_rows
from mine.data.serial import serial_features
from mine.data.sides import as_variable
from mine.data.subjects import Subjects, by_subject
from mine.errors import InputError, NotEnoughDataError
from mine.estimators import get_estimator
from mine.estimators.gaussian import copula_information
from mine.estimators.ksg import KSG
from mine.estimators.neural import Neural
from mine.estimators.noiseless import STRONG_ENOUGH
from mine.estimators.run import with_read_columns
from mine.estimators.ties import TiesError
from mine.information.embedding import Lags, chosen_lags
from mine.information.series import (
    FEWEST,
    ROWS_A_GAP,
    Series,
    check_lag,
    discrete_columns,
    read_series,
    stretches,
    stretches_of,
)
from mine.information.surrogates import COPIES, TRAINED_COPIES, Copies, Shift
from mine.information.without_gaps import without_gaps
from mine.result import Estimate
from mine.storage.cells import CellStore, digest
from mine.surroundings import plain_modes

__all__ = ["Transfer", "embedded", "transfer_entropy"]

#: Columns of numbers up to which nearest neighbours are the default: with so few they are as accurate as critics or better, and
#: a hundred times as fast. Chosen on linear processes of two to five columns.
FEW_COLUMNS = 5
#: Neighbours then, at most, and rows for each: more of them than for independent rows, for the noise is what counts here.
NEIGHBOURS, ROWS_A_NEIGHBOUR = 10, 100
#: Options of :func:`mine.estimate` that name no critic and no training.
OF_ANY_METHOD = frozenset({"unit", "random_state", "drop_missing", "device", "effort", "progress"})
#: Of so many stretches one serves for the choice of the lags, and the others for the estimate.
CHOICE_EVERY = 3
#: The longest lag that a choice looks at by default.
LONGEST = 10


@plain_modes()
def transfer_entropy(
    x: Any,
    y: Any,
    lag: int | None = None,
    *,
    history: int | Literal["auto"] | None = None,
    z: Any = None,
    longest: int | None = None,
    order: Any = "time",
    groups: Any = None,
    test: bool = False,
    n_permutations: int | None = None,
    out: str | Path | None = None,
    **options: Any,
) -> Estimate:
    r"""Information from the past of x about the next y, given y's own past: ``I(Y_t; X_{t-1..t-lag} | Y_{t-1..t-history})``.

    With ``z``, the past of z is conditioned on too. The rows, in the order of time, are cut into stretches that stay in
    one fold and count as one term of the standard error. Between two stretches as many rows are left out as the past is long,
    so that no value is on both sides of a split.

    Up to five columns of numbers, all lags counted, are estimated by nearest neighbours (``"ksg"`` with up to ten of them),
    states by counts, anything else by critics; ``method`` and the options of critics override this.

    References:
        Schreiber, 2000, 'Measuring information transfer' (doi 10.1103/PhysRevLett.85.461); Marschinski & Kantz, 2002,
        'Analysing the information flow between financial time series' (doi 10.1140/epjb/e2002-00379-2), for the effective one.

    Arguments:
        x: The series that may drive, shape (n,) or (n, dx): numbers, or states, which are labels.
        y: The series that may be driven, shape (n,) or (n, dy).
        lag: Past values of x, from 1 back. None takes 1, or chooses them if ``history="auto"``.
        history: Past values of y and z; None takes as many as ``lag``. ``"auto"`` chooses the lags of each series, with gaps
            between them where they help: those that predict a third of the rows best. The estimate uses the other rows.
        z: Further series to condition on, shape (n,) or (n, dz).
        longest: The longest lag that ``history="auto"`` may choose; None takes 10, or fewer if there are few rows.
        order: ``"time"`` where rows come in the order of time, at equal steps; or one number or date per row, shape (n,), by
            which they are sorted. No past reaches across a gap in these.
        groups: One label per row, shape (n,): rows of one label are a series of their own, as of several subjects. No past
            reaches from one into another, and the test shifts each one separately. Ten groups or more are one stretch each.
        test: Test of "x does not drive y": the estimate is made again for copies of x that are shifted in time. Then
            ``p_value`` is set, and ``value`` is the effective transfer entropy: less the mean of the copies, which is bias.
        n_permutations: Shifted copies, at least 19. None takes 99, or 19 for methods that train.
        out: Folder in which the estimates of shifted copies are kept; the same call resumes there. Needs an integer
            ``random_state``.
        **options: Of :func:`mine.estimate`, for example ``method``, ``unit`` and ``random_state``. Which
            columns are labels is decided on the whole series by the rule of :func:`mine.estimate`, and holds for every lag;
            ``discrete`` names columns of the series, and ``parse`` reads columns of them.

    Returns:
        The estimate; ``diagnostics["lags"]`` names the lags of each series.

    Raises:
        InputError: Lags that are no positive integers, series of different length.
        NotEnoughDataError: Too few rows for eight stretches.

    Example:
        >>> import mine
        >>> rng = np.random.default_rng(0)
        >>> x = rng.normal(size=2000)
        >>> y = np.append(0.0, 0.75 * x[:-1]) + rng.normal(size=2000)  # x drives y: log(1 + 0.75^2) / 2 = 0.22 nats
        >>> there, back = mine.transfer_entropy(x, y, random_state=0), mine.transfer_entropy(y, x, random_state=0)
        >>> round(there.value, 1), abs(back.value) < 0.03
        (0.2, True)
    """
    if lag is not None:
        check_lag("lag", lag)
    (x, y, z), subjects = by_subject(groups, order, x=x, y=y, z=z)
    (driver, driven, others), read, options = read_series(options, x=x, y=y, z=z)
    random_state = options.pop("random_state", None)
    progress = options.pop("progress", None)
    carrying_times = [side for side in (x, y, z) if side is not None]
    transfer = embedded(driver, driven, others, lag, history, longest, subjects).without_gaps(*carrying_times)
    settings = {**options, "random_state": problem_seed(random_state) if test else random_state}
    found, settings = transfer.estimated(settings, progress)
    if test:
        store = CellStore(out, {"of": "transfer entropy", "data": transfer.digest(), "options": settings}, random_state)
        copies = transfer.copies(n_permutations or transfer.permutations(settings))
        found = copies.effective(found, lambda shift: transfer.shifted(shift).value(settings), store, progress)
    return with_read_columns(found, read)


def embedded(
    driver: Series,
    driven: Series,
    others: Series,
    lag: int | None,
    history: int | Literal["auto"] | None,
    longest: int | None,
    subjects: Subjects | None = None,
) -> Transfer:
    """The question with its lags settled and its rows cut into stretches; arguments as in :func:`transfer_entropy`.

    ``subjects`` says which rows are whose; None is one series.
    """

    def cut(gap: int, fewest: int = FEWEST) -> tuple[np.ndarray, np.ndarray]:
        if subjects is None:
            return stretches(len(driver), gap, fewest=fewest)
        return stretches_of(subjects, gap, fewest=fewest)

    if history != "auto":
        if longest is not None:
            raise InputError("longest= bounds a choice of lags: pass history='auto' with it, or leave it out.")
        lag = 1 if lag is None else lag
        own = lag if history is None else history
        check_lag("history", own)
        past = tuple(range(1, own + 1))
        lags = Lags(tuple(range(1, lag + 1)), past, past if others.labels else ())
        return Transfer(driver, driven, others, lags, *cut(lags.longest), subjects=subjects)
    told = () if lag is None else tuple(range(1, lag + 1))
    needed = CHOICE_EVERY * FEWEST // (CHOICE_EVERY - 1)  # stretches, of which enough are left for the estimate
    if longest is None:
        longest = max(1, *told, min(LONGEST, len(driver) // (needed * ROWS_A_GAP)))
    check_lag("longest", longest, least=max((1, *told)))
    rows, blocks = cut(longest, needed)
    of_choice = blocks % CHOICE_EVERY == 0
    lags = chosen_lags(driver, driven, others, rows[of_choice], blocks[of_choice], longest, told)
    return Transfer(driver, driven, others, lags, rows[~of_choice], blocks[~of_choice], subjects=subjects)


@dataclass(frozen=True)
class Transfer:
    """Whether ``driver`` drives ``driven``: the series, the lags that count, and the rows of the present in their stretches.

    ``shift`` is by how many rows the driver is shifted in time, its end to its beginning; of several ``subjects`` each by its
    own number.
    """

    driver: Series
    driven: Series
    others: Series
    lags: Lags
    rows: np.ndarray
    blocks: np.ndarray
    shift: Shift = 0
    subjects: Subjects | None = None

    def without_gaps(self, *series: Any) -> Transfer:
        """Without the rows whose past reaches across a gap in the times that ``series`` carry, as the caller passed them."""
        rows, blocks = without_gaps(self.rows, self.blocks, self.lags.longest, *series, subjects=self.subjects)
        return replace(self, rows=rows, blocks=blocks)

    def shifted(self, shift: Shift) -> Transfer:
        return replace(self, shift=shift)

    def copies(self, count: int) -> Copies:
        """Shifted copies of the driver."""
        return Copies(len(self.driver), self.lags.longest, count, self.subjects)

    def _shifted_rows(self, rows: np.ndarray) -> np.ndarray:
        if self.subjects is None:
            return (rows + self.shift) % len(self.driver)
        return rows if self.shift == 0 else self.subjects.shifted(rows, self.shift)

    def sides(self) -> dict[str, np.ndarray]:
        """The driver's past as ``x``, the next value of the driven series as ``y``, and as ``z`` all other pasts."""
        own = [self.driven.at([self.rows - k for k in self.lags.driven])]
        if self.lags.others:
            own.append(self.others.at([self.rows - k for k in self.lags.others]))
        return {
            "x": self.driver.at([self._shifted_rows(self.rows - k) for k in self.lags.driver]),
            "y": self.driven.at([self.rows]),
            "z": np.concatenate(own, 1),
        }

    @property
    def kinds(self) -> bool | dict[str, bool]:
        """Which columns of the sides are labels, as ``discrete=``."""
        pasts = self.driven.labels * len(self.lags.driven) + self.others.labels * len(self.lags.others)
        return discrete_columns(x=self.driver.labels * len(self.lags.driver), y=self.driven.labels, z=pasts)

    @property
    def few_numbers(self) -> bool:
        """Whether all columns of the sides are numbers, and few enough for nearest neighbours."""
        return self.kinds is False and sum(side.shape[1] for side in self.sides().values()) <= FEW_COLUMNS

    def estimated(self, options: dict[str, Any], progress: Any = False) -> tuple[Estimate, dict[str, Any]]:
        """The estimate, and the options that name its method: nearest neighbours unless something else suits or was asked."""
        if options.get("method", "auto") == "auto" and set(options) - {"method"} <= OF_ANY_METHOD and self.few_numbers:
            n_neighbors = int(np.clip(len(self.rows) // ROWS_A_NEIGHBOUR, 3, NEIGHBOURS))
            neighbours = {**options, "method": "ksg", "n_neighbors": n_neighbors}
            try:
                return self._told(self._estimate({**neighbours, "progress": progress})), neighbours
            except TiesError:  # numbers heaped at one value: for critics
                pass
        return self._told(self._estimate({**options, "progress": progress})), options

    def _told(self, found: Estimate) -> Estimate:
        """The estimate, with a warning where both series change with time alone: copies that are shifted do not show that."""
        if self.subjects is not None:  # what changes from one to another is no matter of time
            return found
        (driver, driven), _ = complete_rows(x=self.driver.values, y=self.driven.values)
        sides = (
            as_variable(values, name, discrete_columns(**{name: series.labels}), allow_constant=True)
            for name, values, series in (("x", driver, self.driver), ("y", driven, self.driven))
        )
        warning = clock_warning(*map(serial_features, sides))
        warnings = [*found.warnings, *([] if warning is None else [warning])]
        return replace(found, diagnostics={**found.diagnostics, "warnings": warnings})

    def _estimate(self, options: dict[str, Any]) -> Estimate:
        found = self._open_where_determined(estimate(**self.sides(), groups=self.blocks, discrete=self.kinds, **options))
        lags = {"x": list(self.lags.driver), "y": list(self.lags.driven), "z": list(self.lags.others)}
        return replace(found, diagnostics={**found.diagnostics, "lags": lags})

    def _open_where_determined(self, found: Estimate) -> Estimate:
        """``found``, open above if the pasts determine the next value: by all rows, since stretches of time are too few."""
        nats = found.to("nats")
        if self.subjects is not None or not math.isfinite(nats.interval[1]) or nats.value < STRONG_ENOUGH:
            return found
        (x, y, z), _ = complete_rows(**self.sides())
        third = third_variable(z, self.kinds)
        problem, _ = make_problem(x, y, discrete=self.kinds, device="cpu", random_state=0, others=[third])
        return open_where_determined(nats, problem, third).to(found.unit)

    def value(self, options: dict[str, Any]) -> float:
        """The value alone, in nats, without progress."""
        options = {**options, "progress": False, "unit": "nats"}
        if options.get("method") == "gaussian" and set(options) - {"method"} <= OF_ANY_METHOD:
            return self._by_copulas()
        if options.get("method") != "ksg":
            return self._estimate(options).value
        own = {name: value for name, value in options.items() if name not in OF_ANY_METHOD | {"method"}}
        estimator = get_estimator("ksg", own)
        assert isinstance(estimator, KSG)
        (x, y, z, groups), _ = complete_rows(**self.sides(), groups=self.blocks)
        third = third_variable(z, False)
        problem, _ = make_problem(
            x, y, numeric_only=True, groups=groups, device="cpu", random_state=options["random_state"], others=[third]
        )
        return neighbours_value(estimator, problem, third)

    def _by_copulas(self) -> float:
        """The difference of the information of two Gaussian copulas, of the sides that the chain rule takes."""
        sides, _ = complete_rows(**self.sides())
        third = third_variable(sides[2], False)
        left = [without_copies_of_z(as_variable(side, "x", False, allow_constant=True), third) for side in sides[:2]]
        if any(after.determined for after in left):
            return 0.0
        x, y, z = *(after.side.flat for after in left), third.flat
        more, less = copula_information(x, np.concatenate([y, z], 1)), copula_information(x, z)
        if more is None or less is None:
            raise NotEnoughDataError(f"{len(z)} rows are too few for a copula of so many columns.")
        return more - less

    def permutations(self, options: dict[str, Any]) -> int:
        """Shifted copies by default: few where each trains a network."""
        trains = isinstance(get_estimator(options.get("method", "auto")), Neural) and not self._counted
        return TRAINED_COPIES if trains else COPIES

    @property
    def _counted(self) -> bool:
        return all((*self.driver.labels, *self.driven.labels, *self.others.labels))

    def digest(self) -> str:
        """A fingerprint of the data and the lags."""
        sides = self.sides()
        whose = [] if self.subjects is None else [self.subjects.codes]
        return digest(*sides.values(), self.driver.values, self.rows, *whose)
