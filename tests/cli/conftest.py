"""A table of known dependence as CSV, and the command called in this process."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mine
from mine import api
from mine.cli.app import app
from mine.datasets import correlated_normal

from .commands import N, Result, Run, write_csv


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Call the command in this process."""

    def call(*arguments: str) -> Result:
        with pytest.raises(SystemExit) as stopped:
            app(list(arguments), prog_name="mine")
        code = stopped.value.code
        return Result(code if isinstance(code, int) else 0 if code is None else 1, *capsys.readouterr())

    return call


@pytest.fixture
def data() -> dict[str, Any]:
    """Columns: a and b tell about c (each 0.29 nats), id groups ten rows, kind is text, code a numeric label."""
    x, y = correlated_normal(N, 0.6, 2, random_state=0)
    return {
        "a": x[:, 0],
        "b": x[:, 1],
        "c": y[:, 0],
        "id": [f"p{i // 10}" for i in range(N)],
        "kind": np.where(y[:, 0] > 0, "high", "low"),
        "code": np.digitize(y[:, 0], [-0.5, 0.5]),
        "d, in kg": y[:, 1],
    }


@pytest.fixture
def csv(tmp_path: Path, data: dict[str, Any]) -> str:
    return str(write_csv(tmp_path / "data.csv", **data))


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """`mine.estimate` replaced by a recorder of its arguments, whose estimate has ends that JSON cannot write."""
    seen: list[dict[str, Any]] = []

    def record(x: Any, y: Any, z: Any = None, **options: Any) -> mine.Estimate:
        given = {} if z is None else {"z": z.column_names}
        seen.append({"x": x.column_names, "y": y.column_names, **given, **options})
        return mine.Estimate(0.5, None, math.nan, (-0.25, math.inf), "auto", 40, diagnostics={"worst": math.nan})

    monkeypatch.setattr(api, "estimate", record)
    return seen
