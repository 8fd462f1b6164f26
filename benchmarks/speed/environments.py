"""Virtual environments of the rivals, made once in a folder and used again."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import torch


@dataclass(frozen=True)
class Rival:
    """A package of others: its name, what pip is asked for, and the module of its contender."""

    name: str
    requirements: tuple[str, ...]
    module: str
    environment: dict[str, str] = field(default_factory=dict)


# torch in the version measured here; pandas is imported by torch-mist but not declared by it.
TORCH_MIST = Rival("torch-mist", ("torch-mist", f"torch=={torch.__version__.split('+')[0]}", "pandas"), "torch_mist")
# with a later jax it does not import; the flags keep XLA to one thread
BENCHMARK_MI = Rival(
    "benchmark-mi",
    ("benchmark-mi", "jax==0.4.30", "jaxlib==0.4.30"),
    "benchmark_mi",
    {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1", "JAX_PLATFORMS": "cpu"},
)


class NotInstalledError(RuntimeError):
    """A rival's environment could not be made; the message says why, in one line."""


def interpreter(rival: Rival, folder: Path) -> Path:
    """Python of the rival's environment, which is made where it is missing.

    Raises:
        NotInstalledError: If it cannot be made, with pip's reason.
    """
    home = folder / rival.name
    python = home / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    finished = home / "installed"  # written last: a half-made environment is made again
    if finished.exists():
        return python
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(home)],
        [str(python), "-m", "pip", "install", "--quiet", *rival.requirements],
    ):
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=1200)
        except subprocess.TimeoutExpired:
            raise NotInstalledError("pip took more than 20 minutes") from None
        if done.returncode:
            raise NotInstalledError(reason(done.stderr))
    finished.write_text("\n".join(rival.requirements) + "\n")
    return python


def reason(stderr: str) -> str:
    """The last line of an error that says something, cut to fit a table."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    told = [line for line in lines if line.startswith("ERROR") or "Error" in line] or lines or ["no message"]
    return told[-1][:120]
