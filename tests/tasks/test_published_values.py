"""Three tasks of the published benchmark 'Beyond Normal' (Czyz et al., 2023), where its stored samples are at hand.

``MINE_DATA`` names the folder with ``bmi40_seed0_10k.npz`` and ``bmi40_truth.json``; nothing else in the tests needs it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

import mine

DATA = Path(os.environ.get("MINE_DATA", "."))
SAMPLES, TRUTH = DATA / "bmi40_seed0_10k.npz", DATA / "bmi40_truth.json"


@pytest.mark.skipif(not SAMPLES.is_file(), reason="the stored benchmark samples are not here: set MINE_DATA")
@pytest.mark.parametrize("task", ["1v1-normal-0.75", "asinh-student-identity-1-1-1", "half_cube-multinormal-sparse-3-3-2-2.0"])
def test_default_method_on_a_published_task(task: str) -> None:
    truth = json.loads(TRUTH.read_text())[task][0]
    with np.load(SAMPLES) as stored:
        x, y = stored[f"{task}|x"][:5000], stored[f"{task}|y"][:5000]
    estimate = mine.estimate(x, y, random_state=0)
    # 0.02 nats is the standard error at 5,000 rows where the log-ratio's deviation is 1.4; 0.06 is three of them
    assert abs(estimate.value - truth) < 0.06
    assert estimate.interval[0] < truth < estimate.interval[1]
