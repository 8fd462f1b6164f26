"""A worker process: reads jobs from its standard input, answers on its standard output, computes with one thread.

Started by :class:`mine.benchmarking.pool.Worker`, whose end it does not outlive. A message is its length and a pickle.
"""

from __future__ import annotations

import math
import os
import pickle
import queue
import random
import signal
import struct
import sys
import threading
import time
from dataclasses import dataclass
from typing import IO, Any

__all__ = ["THREAD_VARIABLES", "Job", "main", "read_message", "run_job", "write_message"]

#: What numerical libraries read their number of threads from, when they are first imported.
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


@dataclass(frozen=True)
class Job:
    """What a worker needs of a cell; with ``n`` = 0 only whether the entrant can be prepared."""

    task: Any
    entrant: Any
    n: int = 0
    sample_seed: int = 0
    estimate_seed: int = 0


def write_message(stream: IO[bytes], payload: bytes) -> None:
    stream.write(struct.pack("!Q", len(payload)) + payload)
    stream.flush()


def read_message(stream: IO[bytes]) -> bytes | None:
    """The next message, None at the end of the stream."""
    head = stream.read(8)
    if len(head) < 8:
        return None
    (size,) = struct.unpack("!Q", head)
    payload = stream.read(size)
    return payload if len(payload) == size else None


def main() -> None:
    """Answer jobs until standard input ends, then leave at once, whatever is being computed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what estimators print is no answer
    jobs: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, jobs), daemon=True).start()

    import torch

    torch.set_num_threads(1)
    warmed: set[str] = set()
    while True:
        payload = jobs.get()
        try:
            outcome = run_job(pickle.loads(payload), warmed)
        except Exception as error:
            outcome = {"error": _message(error)}
        write_message(answers, pickle.dumps(outcome))


def _listen(stream: IO[bytes], jobs: queue.SimpleQueue[bytes]) -> None:
    while (payload := read_message(stream)) is not None:
        jobs.put(payload)
    os._exit(0)  # the parent has closed the pipe, or is gone


def run_job(job: Job, warmed: set[str]) -> dict[str, Any]:
    """Fields of a :class:`mine.benchmarking.store.Record`; a method that raises gives its message as ``error``."""
    from mine.benchmarking.calls import as_estimate, prepare, warm_up

    if not job.n:
        prepare(job.entrant)
        return {}
    x, y = job.task.sample(job.n, job.sample_seed)
    about = {"oracle": _oracle(job.task, x, y), "environment": _environment()}
    try:
        call = prepare(job.entrant)
        if job.entrant.label not in warmed:
            warm_up(call)
            warmed.add(job.entrant.label)
        _seed_globals(job.estimate_seed)
        started = time.perf_counter()
        value = call(x, y, job.estimate_seed)
        about["seconds"] = time.perf_counter() - started
        estimate = as_estimate(value, job.entrant, job.n)
    except (Exception, SystemExit) as error:
        return {**about, "error": _message(error)}
    plain = estimate.to_dict()
    low, high = plain["interval"]
    return {
        **about,
        "value": plain["value"],
        "lower_bound": plain["lower_bound"],
        "stderr": plain["stderr"],
        "low": low,
        "high": high,
        "has_interval": (low is not None or high is not None) and not any(map(math.isnan, estimate.interval)),
        "diagnostics": plain["diagnostics"],
    }


def _oracle(task: Any, x: Any, y: Any) -> float | None:
    """Mean of the true log-ratio, where the task knows it."""
    if not task.has_log_ratio:
        return None
    mean = float(task.log_ratio(x, y).mean())
    return mean if math.isfinite(mean) else None


def _seed_globals(seed: int) -> None:
    """Strangers may draw from the global generators; in this process nobody else does."""
    import numpy as np
    import torch

    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def _environment() -> str:
    from mine.benchmarking.provenance import environment

    return environment()


def _message(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
