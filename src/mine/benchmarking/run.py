"""``mine.benchmark``: measure what is not yet measured, then say what came out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from typing import Any

from mine.benchmarking.entrants import as_entrants, with_effort
from mine.benchmarking.grid import chosen_tasks, make_grid
from mine.benchmarking.pool import run_cells
from mine.benchmarking.store import Record, Store, superseded
from mine.benchmarking.summary import Line, as_csv, as_markdown, summarise
from mine.data.unreadable import foreign
from mine.errors import InputError, renamed_arguments
from mine.progress import progress_callback
from mine.storage.files import write_whole
from mine.tasks import Task

__all__ = ["BenchmarkResult", "benchmark"]

#: Named in the notes at most so many.
_NAMED_FAILURES = 8


@dataclass(frozen=True)
class BenchmarkResult:
    """A finished benchmark.

    Attributes:
        records: One record per cell, in the order of the grid.
        lines: The summary: one line per n and method.
        notes: Sentences to read before quoting the numbers: failed cells, cells of other code, several machines.
        title: What was measured.
    """

    records: list[Record]
    lines: list[Line]
    notes: list[str]
    title: str

    def __str__(self) -> str:
        return as_markdown(self.lines, self.title, self.notes)

    @renamed_arguments(folder="out")
    def save(self, out: str | os.PathLike[str]) -> list[Path]:
        """Write ``table.csv``, ``summary.md``, ``heatmap.png`` and ``error_time.png``; the figures need matplotlib.

        Raises:
            InputError: The files cannot be written; each is written whole or not at all.
        """
        from mine.benchmarking.figures import plot_error_time, plot_heatmap
        from mine.reporting.figures import write_figure

        where = Path(out)
        try:
            where.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{where} cannot be written: {error.strerror or error}. Name a folder.") from error
        texts = {"table.csv": as_csv(self.records), "summary.md": str(self)}
        figures = {"heatmap.png": plot_heatmap(self.records), "error_time.png": plot_error_time(self.lines)}
        try:
            for name, text in texts.items():
                write_whole(where / name, lambda stream, text=text: stream.write(text.encode()))
            for name, figure in figures.items():
                write_figure(figure, where / name, dpi=150)
        except OSError as error:
            raise InputError(f"{error.filename} cannot be written: {error.strerror or error}.") from error
        return [where / name for name in (*texts, *figures)]


@renamed_arguments(seeds="n_repeats", jobs="n_jobs")
def benchmark(
    tasks: str | Task | Sequence[str | Task] | None = None,
    methods: str | Sequence[Any] | Mapping[str, Any] = ("auto",),
    *,
    suite: str | None = "published",
    n: int | Sequence[int] = (1000, 5000, 10_000),
    n_repeats: int | Sequence[int] = 3,
    effort: str | Sequence[str] | None = None,
    n_jobs: int = 1,
    out: str | os.PathLike[str] | None = None,
    retry_failed: bool = False,
    progress: bool | Callable[[int, int, str], None] | None = None,
) -> BenchmarkResult:
    """Measure methods on tasks with known information; every method sees the same rows.

    Each estimate runs in a worker process with one thread, after a tiny one that takes the cost of imports. Its seeds derive
    from task, method, n and the draw's number: results depend neither on ``n_jobs`` nor on the cells that are already finished.

    Arguments:
        tasks: Names, globs (comma-separated or a list) and :class:`mine.tasks.Task` objects; None for the whole suite.
        methods: Names as on the command line, with options in brackets (``"auto[steps=200]"``), import paths
            (``"package.module:Estimator"``, ``"file.py:function[k=3]"``), objects with ``estimate(x, y)`` or
            ``run(problem)``, functions ``(x, y) -> nats``; or a mapping from labels to objects.
        suite: The suite that globs search, and that ``tasks=None`` means; None for all suites (the command: ``all``). An exact
            name is found in any suite.
        n: Numbers of rows.
        n_repeats: Number of repetitions, numbered from 0, or their numbers. Each draws its own rows.
        effort: One or several efforts, for the methods that take this option.
        n_jobs: Worker processes. Seconds are comparable only if there is a free core for each.
        out: Folder. Every finished cell is written there at once, and a later call with the same arguments reuses it. None
            keeps everything in memory.
        retry_failed: Measure cells again that have failed before.
        progress: As in :func:`mine.estimate`.

    Returns:
        The records, their summary and notes; ``save`` writes tables and figures.

    Raises:
        InputError: An argument that cannot be used, a method that cannot be imported.
        UnknownNameError: A task, suite or method that does not exist.

    Example:
        >>> import mine
        >>> from mine.datasets import correlated_normal, correlated_normal_mi
        >>> task = mine.tasks.Task("normal", 1, 1, correlated_normal_mi(0.6), "two correlated normals", "closed form", "mine",
        ...                        lambda n, rng: correlated_normal(n, 0.6, 1, rng))
        >>> results = mine.benchmark(task, "gaussian,ksg", n=500, n_repeats=1)
        >>> [(line.method, line.failed, line.mae < 0.2) for line in results.lines]
        [('gaussian', 0, True), ('ksg', 0, True)]
    """
    entrants = as_entrants(methods)
    if effort is not None:
        entrants = with_effort(entrants, [effort] if isinstance(effort, str) else list(effort))
    sizes = _numbers("n", n, 1)
    draws = _numbers("n_repeats", range(n_repeats) if isinstance(n_repeats, int) else n_repeats, 0)
    _numbers("n_jobs", n_jobs, 1)
    cells = make_grid(chosen_tasks(tasks, suite), entrants, sizes, draws)

    store = None if out is None else Store(Path(out))
    stored = {} if store is None else store.read()
    done = {key: record for key, record in stored.items() if not (retry_failed and record.failed)}
    todo = [cell for cell in cells if cell.key not in done]
    with progress_callback(progress) as on_progress, closing(run_cells(todo, n_jobs)) as outcomes:
        for count, (cell, outcome) in enumerate(outcomes, 1):
            record = Record.of(cell, **outcome)
            if store is not None:
                store.write(record)
            done[record.key] = record
            if on_progress is not None:
                on_progress(count, len(todo), f"{cell.task.name}, {cell.entrant.label}, n = {cell.n:,}")

    records = [done[cell.key] for cell in cells]
    notes = _notes(records, superseded(stored.values(), cells), [] if store is None else store.unreadable)
    count = len({record.task for record in records})
    title = f"Benchmark on {count} {'task' if count == 1 else 'tasks'}, {len(draws)} {'draw' if len(draws) == 1 else 'draws'}"
    return BenchmarkResult(records, summarise(records), notes, title)


def _numbers(name: str, values: int | Sequence[int], least: int) -> list[int]:
    with foreign(name):
        numbers: list[Any] = list(values) if isinstance(values, Iterable) else [values]
        if not numbers or not all(isinstance(v, Integral) and not isinstance(v, bool) and int(v) >= least for v in numbers):
            raise InputError(f"{name} must be whole numbers of at least {least}, got {repr(values)[:200]}.")
    if len(set(numbers)) < len(numbers):
        raise InputError(f"{name} has a number twice: {values!r}.")
    return [int(v) for v in numbers]


def _notes(records: list[Record], left_out: dict[tuple[str, str], int], unreadable: list[str]) -> list[str]:
    failures: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        if record.error is not None:
            failures.setdefault((record.method, record.error), []).append(record)
    notes = [
        f"Failed: {method}, {len(cells)} {'cell' if len(cells) == 1 else 'cells'}, first on {cells[0].task}, "
        f"n = {cells[0].n:,}, seed {cells[0].seed}: {error}"
        for (method, error), cells in list(failures.items())[:_NAMED_FAILURES]
    ]
    if len(failures) > _NAMED_FAILURES:
        notes.append("More cells failed in other ways: see the column 'failure' of table.csv.")
    methods_by_code: dict[str, list[str]] = {}
    for record in records:
        methods = methods_by_code.setdefault(record.code, [])
        if record.method not in methods:
            methods.append(record.method)
    notes += [f"Code: {code} for {', '.join(methods)}." for code, methods in methods_by_code.items()]
    for (method, code), count in left_out.items():
        notes.append(f"Left out: {count} stored cells of {method} that other code ({code}) gave, or another form of the task.")
    environments = list(dict.fromkeys(record.environment for record in records if record.environment))
    notes += [f"Measured with {environment}." for environment in environments]
    if len(environments) > 1:
        notes.append("Seconds come from different machines or versions: they do not compare.")
    if unreadable:
        notes.append(f"Measured again, since the stored file could not be read: {', '.join(unreadable[:_NAMED_FAILURES])}.")
    return notes
