"""Where golden values are made: one thread, and the packages and the processor that the last digits depend on."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from threadpoolctl import threadpool_limits

#: What the last digits depend on: where all of these agree, so do the digits.
DECISIVE = ("torch", "numpy", "scipy", "scikit-learn", "processor", "instructions", "threads")


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for torch, BLAS and OpenMP: sums in the same order on any number of cores. Put back afterwards."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(threads)


def environment() -> dict[str, Any]:
    """What this process computes with; the number of threads is that of now."""
    return {
        "python": platform.python_version(),
        **{package: version(package) for package in ("torch", "numpy", "scipy", "scikit-learn")},
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "instructions": torch.backends.cpu.get_cpu_capability(),  # ATEN_CPU_CAPABILITY chooses others on the same processor
        "threads": torch.get_num_threads(),
    }


def alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two environments must give the same digits."""
    return all(one.get(name) == other.get(name) for name in DECISIVE)


def numerics() -> int:
    """The number that mine raises when estimates are meant to change; 1 where mine is older than that number."""
    try:
        from mine.storage.versions import NUMERICS
    except ModuleNotFoundError:
        return 1
    return int(NUMERICS)


def _processor() -> str:
    """Name and model, for many a cloud's processor is called by its maker alone."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    told = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if "model name" not in told:
        return platform.machine()
    return f"{told['model name']}, family {told.get('cpu family')}, model {told.get('model')}"
