"""The speed benchmark: its count of operations, its clock, its table, and that a tiny race runs."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from mine.critics import ConcatCritic, pair_scores
from mine.training.options import TrainingOptions
from mine.training.steps import AutogradStep, gradient_step

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch):
    """Import a module of the benchmark, which lies beside the package."""
    monkeypatch.syspath_prepend(str(ROOT))

    def load(name: str) -> ModuleType:
        return importlib.import_module(f"benchmarks.speed.{name}")

    return load


@pytest.mark.parametrize("shuffles", [1, 3])
def test_operations_are_those_that_torch_counts(load, shuffles: int):
    race = load("race").Race(batch=8, width=6, layers=3, dim=5)
    generator = torch.Generator().manual_seed(0)
    critic = ConcatCritic(5, 5, race.hidden, generator=generator)
    x, y = (torch.randn(8, 5, generator=generator) for _ in range(2))
    with FlopCounterMode(display=False) as counter:
        joint, marginal = pair_scores(critic, x, y, list(range(1, shuffles + 1)))
        (joint.mean() - marginal.mean()).backward()
    assert load("flops").step_flops(race, shuffles) == counter.get_total_flops()


@pytest.mark.parametrize("contender", ["torch_mine", "plain_loop"])
def test_a_tiny_race_is_timed(load, seeded_torch: None, contender: str):
    race = load("race").Race(batch=16, width=4, steps=5, rows=100, dim=2, warmup=2)
    clock = load("race").Clock(race)
    load(f"contenders.{contender}").train(race, clock)
    assert 0 < clock.seconds_per_step() < 1


def test_a_run_of_another_length_is_an_error(load):
    race = load("race").Race(batch=16, width=4, steps=5, warmup=2)
    clock = load("race").Clock(race)
    for _ in range(6):
        clock.tick()
    with pytest.raises(RuntimeError, match="6 steps instead of 7"):
        clock.seconds_per_step()


def test_the_rate_of_the_machine_is_positive(load):
    assert load("matmul").matmul_rate(64, 3) > 0


def test_the_table_names_ratios_and_reasons(load):
    rows = [
        {"name": "torch-mine", "seconds": 0.5, "problem": ""},
        {"name": "a loop", "seconds": 2.0, "problem": ""},
        {"name": "a rival", "seconds": None, "problem": "not installed: no index"},
    ]
    text = load("table").render(
        {
            "machine": "A machine.",
            "races": [{"width": 64, "batch": 100, "contenders": rows}],
            "share": {"layers": 3, "width": 256, "batch": 4096, "achieved": 6e10, "rate": 1e11},
            "by_hand": [{"name": "a critic", "autograd": 0.004, "by_hand": 0.0025}],
            "scaling": {"rows": [(1000, 1e-3)], "dim": [(1, 1e-3)], "critics": [(1, 1e-3)], "estimate": [(1000, 2.0)]},
        }
    )
    assert "| 2 × 64, 100 | a loop | 0 | 4.0 × |" in text  # half a step a second, rounded
    assert "not installed: no index" in text
    assert "60 of 100 Gflop/s | 60% |" in text
    assert "| a critic | 4.00 ms | 2.50 ms | 1.60 × |" in text


def test_every_default_critic_has_a_step_by_hand(load, seeded_torch: None):
    by_hand = load("by_hand")
    for steps in by_hand.default_steps():
        options = TrainingOptions(batch_size=steps.batch, all_pairs=steps.all_pairs)
        assert not isinstance(gradient_step(steps.critic, steps.pairs, options, None), AutogradStep)
    compared = by_hand.compare(steps, rounds=1)
    assert compared["autograd"] > 0 and compared["by_hand"] > 0


def test_a_reason_is_the_last_line_that_tells_of_an_error(load):
    assert (
        load("environments").reason("Looking\nERROR: No matching distribution\nnotice\n") == "ERROR: No matching distribution"
    )
