"""Threads of the workers, and for doctests the usual names, and random generators seeded in a fork and put back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn


def pytest_configure(config: pytest.Config) -> None:
    """Give each of several workers one thread: pools of threads side by side fight for the cores, and take three times as long.

    Workers inherit this before they import numpy, whose matrix library counts its threads only then.
    """
    if config.getoption("numprocesses", None):
        os.environ["OMP_NUM_THREADS"] = "1"


@pytest.fixture(autouse=True)
def _doctest_surroundings(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if not isinstance(request.node, pytest.DoctestItem):
        yield
        return
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = request.getfixturevalue("doctest_namespace")
    namespace.update({"np": np, "torch": torch, "nn": nn})
    state = np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        np.random.seed(0)
        yield
    np.random.set_state(state)
