"""Two processes must give what one gives on the joined batch."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path

import torch

import mine

PROCESSES = Path(__file__).parent / "processes.py"


def test_two_processes_give_the_gradient_of_one(tmp_path: Path, seeded_torch: None):
    env = {**os.environ, "PYTHONPATH": str(Path(mine.__file__).parents[1]), "OMP_NUM_THREADS": "1"}
    files = [tmp_path / f"{rank}.pt" for rank in range(2)]
    running = [
        subprocess.Popen(
            [sys.executable, str(PROCESSES), str(rank), "2", str(tmp_path / "rendezvous"), str(file)],
            env=env,
            cwd=tmp_path,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank, file in enumerate(files)
    ]
    try:
        errors = [process.communicate(timeout=120)[1] for process in running]
    finally:
        for process in running:
            process.kill()
            process.wait()
    assert [process.returncode for process in running] == [0, 0], "\n".join(errors)

    alone = runpy.run_path(str(PROCESSES))["results"](0, 1)
    for file in files:
        shared = torch.load(file, weights_only=True)
        assert shared.keys() == alone.keys()
        for name, expected in alone.items():
            torch.testing.assert_close(shared[name], expected, rtol=0, atol=1e-5, msg=lambda m, name=name: f"{name}: {m}")
    # All these numbers are far above the tolerance, and the clipping did clip.
    assert all(alone[name].abs().max() > 1e-3 for name in alone if "model" in name and "bias" not in name)
    assert alone["clipped: factor"] < 0.9
