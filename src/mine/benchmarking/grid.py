"""The grid of a benchmark: task x method x n x seed, and what each cell derives from its own key alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np

from mine import tasks as registry
from mine.benchmarking.entrants import Entrant
from mine.data.columns import MAX_LEVELS, ROWS_PER_LEVEL
from mine.data.unreadable import foreign
from mine.errors import InputError, UnknownNameError
from mine.estimators.ties import is_tied
from mine.storage.versions import cell_numerics
from mine.tasks import Task

__all__ = ["Cell", "cell_key", "chosen_tasks", "derived_seed", "make_grid", "task_version"]


def derived_seed(*parts: object) -> int:
    """A seed of 32 bits from any parts, the same in every process.

    >>> derived_seed("task", 0) == derived_seed("task", 0) != derived_seed("task", 1)
    True
    """
    return int.from_bytes(hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()[:4], "big")


def task_version(task: Task) -> str:
    """A digest of what the task is: its information and a few rows; a changed sampler is another task.

    Rows are rounded to single precision: the last digits differ between processors.
    """
    x, y = task.sample(16, 0)
    rows = "\n".join(",".join(f"{v:.5g}" if isinstance(v, float) else str(v) for v in side.ravel().tolist()) for side in (x, y))
    return hashlib.sha256(f"{task.mutual_information:.9g}\n{rows}".encode()).hexdigest()[:8]


def has_ties(task: Task) -> bool:
    """Whether a column of the task is labels, by :mod:`mine.data.columns`' rule, or numbers with large ties."""
    rows = MAX_LEVELS * ROWS_PER_LEVEL
    sides = (np.asarray(side).reshape(rows, -1) for side in task.sample(rows, 0))
    columns = [column for side in sides for column in side.T]
    return any(c.dtype.kind not in "iuf" or len(np.unique(c)) <= MAX_LEVELS or is_tied(c) for c in columns)


def cell_key(place: tuple[str, str, int, int], task_version: str, method_version: str, numerics: int | None) -> str:
    """What a stored result must have in common with a cell to count: the place, the task, and the code that estimates.

    Arguments:
        place: Task, method, n, seed.
        task_version: See :func:`task_version`.
        method_version: Decides for other people's code; for this package's own methods it is recorded, not compared.
        numerics: Decides for this package's own methods; None for other people's code.
    """
    code = method_version if numerics is None else f"numerics {numerics}"
    return "\x1f".join(map(str, (*place, task_version, code)))


@dataclass(frozen=True)
class Cell:
    """One estimate to make.

    Attributes:
        task: The distribution.
        entrant: The method.
        n: Rows.
        seed: Number of the draw.
        task_version: See :func:`task_version`.
        ties: Whether the task has labels, or numbers with large ties, on a side.
    """

    task: Task
    entrant: Entrant
    n: int
    seed: int
    task_version: str
    ties: bool = False

    @property
    def place(self) -> tuple[str, str, int, int]:
        """Where the cell stands in the grid: task, method, n, seed."""
        return self.task.name, self.entrant.label, self.n, self.seed

    @property
    def key(self) -> str:
        """See :func:`cell_key`."""
        return cell_key(self.place, self.task_version, self.entrant.version, self.numerics)

    @property
    def numerics(self) -> int | None:
        """The version of this package's numbers that decides whether a stored result counts; None for other code."""
        return cell_numerics(ties=self.ties) if self.entrant.own else None

    @property
    def sample_seed(self) -> int:
        """Of the rows: the same for every method."""
        return derived_seed("sample", self.task.name, self.seed)

    @property
    def estimate_seed(self) -> int:
        """Of the method: it depends on the place alone, not on the order of work nor on the code's version."""
        return derived_seed("estimate", *self.place)


def make_grid(tasks: Sequence[Task], entrants: Sequence[Entrant], n: Sequence[int], seeds: Iterable[int]) -> list[Cell]:
    """All cells; a seed is finished before the next begins, so that an interrupted run has whole draws."""
    names = [task.name for task in tasks]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"Two tasks are called {twice!r}: rename one.")
    about = [(task, task_version(task), has_ties(task)) for task in tasks]
    return [
        Cell(task, entrant, rows, seed, version, ties)
        for seed in seeds
        for rows in n
        for task, version, ties in about
        for entrant in entrants
    ]


def chosen_tasks(tasks: str | Task | Sequence[str | Task] | None, suite: str | None) -> list[Task]:
    """The tasks that names, globs and objects mean: an exact name in any suite, a glob within ``suite`` (None: in all).

    Raises:
        UnknownNameError: A name that no task has, or an unknown suite.
        InputError: A glob that matches nothing in the suite, or no task at all.
    """
    if tasks is not None and not isinstance(tasks, (str, Task)):
        with foreign("tasks"):
            tasks = list(tasks)
        others = [type(task).__name__ for task in tasks if not isinstance(task, (str, Task))]
        if others:
            raise InputError(f"tasks must be names, globs or tasks, one or a list of them; got {others[0]}.")
    within = registry.names(suite) if tasks is None or not _only_objects(tasks) else []
    if tasks is None:
        return [registry.get_task(name) for name in within]
    out: dict[str, Task] = {}
    for item in [tasks] if isinstance(tasks, Task) else _split(tasks) if isinstance(tasks, str) else tasks:
        for task in [item] if isinstance(item, Task) else _matching(item, within, suite):
            if out.setdefault(task.name, task) is not task:
                raise InputError(f"Two tasks are called {task.name!r}: rename one.")
    if not out:
        raise InputError("No task to measure on: name one, or a suite.")
    return list(out.values())


def _only_objects(tasks: str | Task | Sequence[str | Task]) -> bool:
    return isinstance(tasks, Task) or (not isinstance(tasks, str) and all(isinstance(task, Task) for task in tasks))


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _matching(pattern: str, within: Sequence[str], suite: str | None) -> list[Task]:
    known = registry.names()
    if pattern in known:
        return [registry.get_task(pattern)]
    if not set(pattern) & set("*?["):
        raise UnknownNameError("task", pattern, known)
    names = [name for name in within if fnmatchcase(name, pattern)]
    if names:
        return [registry.get_task(name) for name in names]
    elsewhere = [s for s in registry.suites() if any(fnmatchcase(name, pattern) for name in registry.names(s))]
    hint = f" Suite {elsewhere[0]!r} has some." if elsewhere else " List them: mine benchmark --list."
    raise InputError(f"No task{'' if suite is None else f' of suite {suite!r}'} matches {pattern!r}.{hint}")
