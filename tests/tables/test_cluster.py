"""Pairs on a real Dask cluster of two worker processes: the same digits, and a killed worker loses nothing."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
import torch

import mine
from mine.tables import blocks

distributed = pytest.importorskip("distributed")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


def table() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    data = pd.DataFrame(rng.normal(size=(600, 8)), columns=[f"c{i}" for i in range(8)])
    data["c1"] += data["c0"]
    data["label"] = np.where(data["c2"] > 0, "up", "down")
    return data


@pytest.fixture
def client() -> Iterator[Any]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as the workers have
    env = {"OMP_NUM_THREADS": "1"}
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, env=env) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client
    torch.set_num_threads(threads)


def test_a_cluster_gives_the_local_digits(client: Any):
    local = mine.pairwise(table(), random_state=0, test=True)
    with joblib.parallel_config(backend="dask"):
        remote = mine.pairwise(table(), random_state=0, test=True)
    pd.testing.assert_frame_equal(local, remote)
    assert len(client.scheduler_info()["workers"]) == 2


def test_a_killed_worker_loses_nothing(client: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any):
    monkeypatch.setattr(blocks, "STACKED", 2)  # many small blocks
    monkeypatch.setattr(blocks, "OTHERS", 2)
    local = mine.pairwise(table(), random_state=0)
    pids = client.run(os.getpid)
    victim = next(iter(pids.values()))
    folder = tmp_path / "cells"

    def kill() -> None:
        while len(list(folder.glob("block_*.json"))) < 2:
            time.sleep(0.01)
        os.kill(victim, signal.SIGKILL)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    with joblib.parallel_config(backend="dask"):
        remote = mine.pairwise(table(), random_state=0, out=tmp_path)
    killer.join(60)
    pd.testing.assert_frame_equal(local, remote)
    assert victim not in client.run(os.getpid).values()
