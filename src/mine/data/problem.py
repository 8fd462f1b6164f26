"""What every estimator is handed: two checked sides, and how to compute."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np

from mine.data.columns import DiscreteSpec
from mine.data.order import TimeOrder, time_order
from mine.data.rows import MIN_ROWS, carried_order, complete_rows, equally_long
from mine.data.serial import SERIAL, serial_sides
from mine.data.sides import as_variable, check_discrete_names, refuse_labels
from mine.data.splits import copied_rows
from mine.data.subjects import group_codes
from mine.data.variable import Variable
from mine.errors import InputError, NotEnoughDataError, UnknownNameError

__all__ = [
    "Problem",
    "SharingProcesses",
    "clustered_stderr",
    "make_problem",
    "order_warnings",
    "problem_device",
    "problem_seed",
]

T = TypeVar("T")


class SharingProcesses(Protocol):
    """The processes that train one estimate together, as far as a problem knows them."""

    size: int
    device: str

    def same(self, value: T) -> T:
        """The first process's ``value``, in every process."""
        ...

    def check_same(self, sides: Sequence[Variable], groups: np.ndarray | None) -> None:
        """Raise where the processes were given different rows."""
        ...


@dataclass(frozen=True)
class Problem:
    """One estimation problem.

    Attributes:
        x: The first side.
        y: The second side, with as many rows.
        groups: Integer label of the unit each row belongs to, shape (n,), or None where rows are independent.
        seed: Of everything random.
        device: Torch device name.
        copies: Number of surplus exact copies of rows (kept together by ``groups``).
        on_progress: Called with (done, total, message) or None.
        processes: The processes that train this estimate together, or None where it is one alone.
        order: Where rows stand in time, or None where their order means nothing; ``groups`` are then blocks of time.
        whole: The problem of all rows where this one is about a part of them, evenly spread in time; else None.
    """

    x: Variable
    y: Variable
    groups: np.ndarray | None = None
    seed: int = 0
    device: str = "cpu"
    copies: int = 0
    on_progress: Callable[[int, int, str], None] | None = None
    processes: SharingProcesses | None = None
    order: TimeOrder | None = None
    whole: Problem | None = None

    @property
    def n(self) -> int:
        return len(self.x)

    @property
    def independent_rows(self) -> int:
        """Rows that these are worth: as many as there are, or fewer where neighbours in time resemble each other."""
        return self.n if self.order is None else self.order.independent_rows

    def stderr(self, influence: np.ndarray) -> float:
        """Standard error of the mean of ``influence`` (n,), rows of one group or block of time counting as one term."""
        plain = clustered_stderr(influence, self.groups)
        return plain if self.order is None else plain * self.order.widening

    def seeds(self, count: int) -> list[int]:
        """Independent seeds derived from ``seed``."""
        return [int(s) for s in np.random.SeedSequence(self.seed).generate_state(count, np.uint32)]


def clustered_stderr(influence: np.ndarray, groups: np.ndarray | None) -> float:
    """Standard error of the mean of ``influence`` (n,), a group counting as one term.

    >>> round(clustered_stderr(np.array([1.0, -1.0, 1.0, -1.0]), None), 3)
    0.577
    """
    centred = influence - influence.mean()
    if groups is not None:
        centred = np.bincount(np.unique(groups, return_inverse=True)[1].ravel(), weights=centred)
    m = len(centred)
    if m < 2:
        return float("inf")
    return float(np.sqrt((centred**2).sum() * m / (m - 1)) / len(influence))


def make_problem(
    x: Any,
    y: Any,
    *,
    numeric_only: bool = False,
    discrete: DiscreteSpec = None,
    groups: Any = None,
    device: str = "auto",
    random_state: Any = None,
    drop_missing: bool = False,
    keep_constant_columns: bool = False,
    others: Sequence[Variable] = (),
    processes: SharingProcesses | None = None,
    order: Any = None,
    names: tuple[str, str] = ("x", "y"),
) -> tuple[Problem, int]:
    """The checked problem, and the number of rows dropped for missing values; arguments as in :func:`estimate`.

    ``others`` are further variables of the question, whose columns ``discrete`` may name; ``processes`` are the processes that
    share it; ``names`` are what messages call the two sides.
    """
    spec = False if numeric_only and discrete is None else discrete
    n_dropped = 0
    if drop_missing:
        (x, y, groups, order), n_dropped = complete_rows(x=x, y=y, groups=groups, order=order)
    x, y = equally_long(**dict(zip(names, (x, y), strict=True)))
    order = carried_order(order, x, y)
    kept = {"keep_constant": keep_constant_columns, "min_rows": MIN_ROWS}
    left, right = as_variable(x, names[0], spec, **kept), as_variable(y, names[1], spec, **kept)
    check_discrete_names(discrete, left, right, *others)
    if numeric_only:
        refuse_labels(left, right)

    codes, copies, time = None, 0, None
    if groups is not None:
        codes = group_codes(groups, len(left))
        if order is None and (codes == codes[0]).all():
            raise NotEnoughDataError(
                "groups has 1 distinct group, which says nothing about how sure a value is: use finer groups, or none."
            )
    elif order is None:
        codes, copies = copied_rows(left, right)
    if order is not None:
        time = time_order(order, left, right, codes)
        codes = time.blocks
    seed = problem_seed(random_state)
    if processes is None or processes.size == 1:
        return Problem(
            left, right, codes, seed, problem_device(device if processes is None else processes.device), copies, order=time
        ), n_dropped
    processes.check_same((left, right, *others), codes)
    return Problem(
        left, right, codes, processes.same(seed), processes.device, copies, processes=processes, order=time
    ), n_dropped


def order_warnings(problem: Problem, *, unsaid: bool) -> list[str]:
    """What is to be said of the order of the rows.

    Arguments:
        problem: The checked problem.
        unsaid: Whether the caller said neither ``order=`` nor ``groups=``.
    """
    if unsaid:
        return [SERIAL] if serial_sides(problem.x, problem.y) else []
    said = [] if problem.order is None else [problem.order.warning, problem.order.about_ties]
    return [sentence for sentence in said if sentence is not None]


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
    shown = repr(random_state) if isinstance(random_state, (int, float, str)) else type(random_state).__name__
    raise InputError(f"random_state must be a non-negative integer, a numpy generator or None; got {shown}.")


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
