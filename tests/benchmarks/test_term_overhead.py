"""The loop by hand and the term do the same work, so that their times can be compared."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from mine.critics.users import as_critic

SCRIPT: dict[str, Any] = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "term_overhead.py"))


@pytest.mark.parametrize("kind", ["concat", "separable", "module"])
def test_both_loops_train_critic_and_encoder(kind: str, seeded_torch: None):
    make = SCRIPT["critics"](16)[kind]
    loops = {
        "hand": (SCRIPT["by_hand"], lambda: as_critic(make()), {}),
        "term": (SCRIPT["by_term"], make, {"check": True, "joint": False}),
        "joint": (SCRIPT["by_term"], make, {"check": True, "joint": True}),
    }
    steps = {}
    for name, (loop, critic, options) in loops.items():
        parts = [critic(), nn.Linear(16, SCRIPT["CODE"])]
        before = [[p.detach().clone() for p in part.parameters()] for part in parts]
        steps[name] = loop(*parts, 32, **options)
        for _ in range(2):  # a critic whose last layer starts at zero gives no gradient at first
            steps[name]()
        for part, old in zip(parts, before, strict=True):
            assert not all(map(torch.equal, part.parameters(), old)), name
    assert set(SCRIPT["compare"](steps, 1, 1)) == set(loops)
