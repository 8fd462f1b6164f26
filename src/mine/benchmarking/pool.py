"""Worker processes, and the threads of the parent that each wait for one."""

from __future__ import annotations

import json
import os
import pickle
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, suppress
from typing import IO, Any

from joblib import wrap_non_picklable_objects

from mine.benchmarking.grid import Cell
from mine.benchmarking.worker import THREAD_VARIABLES, Job, read_message, write_message
from mine.errors import InputError, MineError

__all__ = ["Worker", "WorkerDiedError", "check_entrants", "run_cells"]

_BOOT = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from mine.benchmarking.worker import main; main()"


class WorkerDiedError(MineError):
    """A worker ended while it computed: killed for memory, or crashed in compiled code."""


class Worker:
    """One process with one thread, started from the same interpreter and import path.

    A fresh interpreter rather than a fork or a spawned copy: its libraries read the number of threads before they are
    imported, the caller's main module is not run again, and nothing of the caller's process is changed. It imports nothing
    from the working directory, unless the caller does.

    Arguments:
        working_directory: Look there too, after everything else: estimators named by import path may lie there.
    """

    def __init__(self, *, working_directory: bool = False) -> None:
        path = [entry or os.getcwd() for entry in sys.path]
        if working_directory and os.getcwd() not in path:
            path.append(os.getcwd())
        with ExitStack() as resources:
            self.log: IO[bytes] = resources.enter_context(tempfile.TemporaryFile())
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-c", _BOOT, json.dumps(path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.log,
                env={**os.environ, **dict.fromkeys(THREAD_VARIABLES, "1"), "PYTHONSAFEPATH": "1"},
            )
            self.resources = resources.pop_all()

    def ask(self, job: Job) -> dict[str, Any]:
        """The outcome of a job.

        Raises:
            WorkerDiedError: The process ended, with the last line it wrote.
        """
        # joblib's pickle takes along functions and closures that an import could not find
        payload = pickle.dumps(wrap_non_picklable_objects(job, keep_wrapper=False))
        assert self.process.stdin is not None and self.process.stdout is not None
        try:
            write_message(self.process.stdin, payload)
            answer = read_message(self.process.stdout)
        except (OSError, ValueError):
            answer = None
        if answer is None:
            raise WorkerDiedError(self._end())
        return pickle.loads(answer)

    def _end(self) -> str:
        code = self.process.wait()
        self.log.seek(0)
        lines = self.log.read().decode(errors="replace").strip().splitlines()
        how = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        return f"the worker process died ({how}){': ' + lines[-1] if lines else ''}"

    def kill(self) -> None:
        """End the process at once; another thread may be waiting for its answer."""
        self.process.kill()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with suppress(OSError):  # what was still to be written to a process that is gone
                    stream.close()
        self.resources.close()


def check_entrants(worker: Worker, cells: Sequence[Cell]) -> None:
    """Import every entrant once, so that a misspelt name ends the run at its start.

    Raises:
        InputError: An entrant that cannot be imported or made.
        WorkerDiedError: The worker cannot be started.
    """
    for entrant in {cell.entrant.label: cell.entrant for cell in cells}.values():
        error = worker.ask(Job(None, entrant)).get("error")
        if error is not None:
            raise InputError(error.partition(": ")[2] if error.startswith(("InputError", "UnknownNameError")) else error)


def run_cells(cells: Sequence[Cell], jobs: int) -> Generator[tuple[Cell, dict[str, Any]], None, None]:
    """Outcomes in the order they are finished; closing the iterator ends the workers.

    A worker that dies takes its cell down as failed and is replaced.
    """
    if not cells:
        return
    asked = any(cell.entrant.is_external for cell in cells)
    first = Worker(working_directory=asked)
    lanes = _Lanes(cells, first, asked)
    try:
        check_entrants(first, cells)
        yield from lanes.run(min(jobs, len(cells)))
    finally:
        lanes.stop()


class _Lanes:
    """Threads that each feed one worker from a common queue."""

    def __init__(self, cells: Sequence[Cell], first: Worker, working_directory: bool) -> None:
        self.working_directory = working_directory
        self.todo: queue.SimpleQueue[Cell] = queue.SimpleQueue()
        for cell in cells:
            self.todo.put(cell)
        self.count = len(cells)
        self.finished: queue.SimpleQueue[tuple[Cell, dict[str, Any]] | BaseException] = queue.SimpleQueue()
        self.lock = threading.Lock()
        self.stopping = False
        self.spare: list[Worker] = [first]
        self.live: set[Worker] = {first}
        self.threads: list[threading.Thread] = []

    def run(self, lanes: int) -> Iterator[tuple[Cell, dict[str, Any]]]:
        self.threads = [threading.Thread(target=self._lane, daemon=True) for _ in range(lanes)]
        for thread in self.threads:
            thread.start()
        for _ in range(self.count):
            while True:
                try:
                    item = self.finished.get(timeout=0.5)  # without a timeout, Ctrl-C would wait too on some systems
                    break
                except queue.Empty:
                    continue
            if isinstance(item, BaseException):
                raise item
            yield item

    def stop(self) -> None:
        with self.lock:
            self.stopping = True
            for worker in self.live:
                worker.kill()
        for thread in self.threads:
            thread.join()
        for worker in self.live:
            worker.close()

    def _lane(self) -> None:
        worker: Worker | None = None
        try:
            while not self.stopping:
                try:
                    cell = self.todo.get_nowait()
                except queue.Empty:
                    return
                worker = worker or self._start()
                if worker is None:
                    return
                job = Job(cell.task, cell.entrant, cell.n, cell.sample_seed, cell.estimate_seed)
                try:
                    outcome = worker.ask(job)
                except WorkerDiedError as error:
                    self._drop(worker)
                    worker = None
                    outcome = {"error": str(error)}
                    if self.stopping:
                        return
                self.finished.put((cell, outcome))
        except BaseException as error:  # nothing may leave the main thread waiting
            self.finished.put(error)

    def _start(self) -> Worker | None:
        with self.lock:
            if self.stopping:
                return None
            if self.spare:
                return self.spare.pop()
            worker = Worker(working_directory=self.working_directory)
            self.live.add(worker)
            return worker

    def _drop(self, worker: Worker) -> None:
        with self.lock:
            if not self.stopping:
                self.live.discard(worker)
                worker.close()
