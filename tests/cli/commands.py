"""What the tests of the commands share: calling one, its refusal, a table as CSV."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

import mine

N = 400
FIELDS = ["value", "lower_bound", "stderr", "interval", "unit", "method", "n", "diagnostics"]


class Result(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Result]


def write_csv(path: Path, **columns: Sequence[object] | np.ndarray) -> Path:
    rows = [",".join(f'"{name}"' for name in columns)]
    rows += [",".join(map(str, row)) for row in zip(*columns.values(), strict=True)]
    path.write_text("\n".join(rows) + "\n")
    return path


def check_refused(result: Result, message: str) -> None:
    """Exit code 2, nothing on stdout, one plain sentence on stderr."""
    assert result.code == 2
    assert result.out == ""
    assert re.fullmatch(r"mine: error: [^\n]+\n", result.err), result.err
    assert re.search(message, result.err), result.err


def program(*arguments: str, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    env = {**os.environ, "PYTHONPATH": str(Path(mine.__file__).parents[1]), "OMP_NUM_THREADS": "1", **environment}
    return subprocess.run([sys.executable, "-m", "mine", *arguments], input=stdin, env=env, capture_output=True, timeout=120)
