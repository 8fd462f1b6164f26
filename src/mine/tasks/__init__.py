"""Distributions with known mutual information, to measure estimators by.

>>> from mine import tasks
>>> task = tasks.get_task("1v1-normal-0.75")
>>> x, y = task.sample(1000, random_state=0)
>>> x.shape, round(task.mutual_information, 3)
((1000, 1), 0.413)

Adding a task is one small file in ``catalogue/``: a module with ``TASKS``, a tuple of :class:`Task`.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from mine.errors import UnknownNameError
from mine.tasks import catalogue
from mine.tasks.task import Map, Task

__all__ = ["Map", "Task", "get_task", "names", "suites"]


def get_task(name: str) -> Task:
    """The task of that name.

    Raises:
        UnknownNameError: No such task; lists the closest.
    """
    tasks = _tasks()
    if name not in tasks:
        raise UnknownNameError("task", name, list(tasks))
    return tasks[name]


def names(suite: str | None = None) -> list[str]:
    """Names of all tasks, or of one suite, in the order of the catalogue.

    >>> len(names("published"))
    40
    """
    if suite is not None and suite not in suites():
        raise UnknownNameError("suite", suite, suites())
    return [task.name for task in _tasks().values() if suite in (None, task.suite)]


def suites() -> list[str]:
    """Names of the suites."""
    return list(dict.fromkeys(task.suite for task in _tasks().values()))


@cache
def _tasks() -> dict[str, Task]:
    tasks: dict[str, Task] = {}
    for module in sorted(m.name for m in pkgutil.iter_modules(catalogue.__path__)):
        for task in import_module(f"mine.tasks.catalogue.{module}").TASKS:
            if task.name in tasks:
                raise RuntimeError(f"Two tasks are called {task.name!r}.")
            tasks[task.name] = task
    return tasks
