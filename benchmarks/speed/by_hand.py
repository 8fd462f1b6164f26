"""(d) A step written out by hand against the same step by autograd: the critics of the default method."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from mine import bounds
from mine.critics import ConcatCritic, Critic, GaussianCritic, ResidualCritic
from mine.critics.copula_metric import CopulaMetricCritic, SideLayout
from mine.critics.label import LabelCritic
from mine.training.options import TrainingOptions
from mine.training.pairs import Pairs
from mine.training.steps import AutogradStep, GradientStep, gradient_step

#: As many critics as the default method has folds for many rows; rows to draw batches from.
STACK, ROWS = 3, 2000


@dataclass(frozen=True)
class Steps:
    """One critic with the data that it is trained on: ``batch`` rows per step, all their pairs or two shuffles of them."""

    name: str
    critic: Critic
    pairs: Pairs
    batch: int
    all_pairs: bool


def default_steps() -> list[Steps]:
    """The default critic for 5 + 5 and 25 + 25 columns, the critic of pairs beside it, and that of 20 labels."""
    return [_by_distance(5), _by_distance(25), _on_pairs(5), _on_labels(20)]


def compare(steps: Steps, rounds: int) -> dict[str, object]:
    """Median seconds of CPU per step by autograd and by hand, in turns."""
    options = TrainingOptions(batch_size=steps.batch, all_pairs=steps.all_pairs)
    ways = {
        "autograd": AutogradStep(steps.critic, all_pairs=steps.all_pairs),
        "by_hand": gradient_step(steps.critic, steps.pairs, options, None),
    }
    rows = torch.randint(ROWS, (STACK, steps.batch), generator=torch.Generator().manual_seed(0))
    x, y = steps.pairs.rows(rows)
    taken: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, step in ways.items():
            taken[way].append(_seconds(step, x, y))
    return {"name": steps.name, **{way: statistics.median(seconds) for way, seconds in taken.items()}}


def _seconds(step: GradientStep, x: torch.Tensor, y: torch.Tensor, repeats: int = 20) -> float:
    def run(times: int) -> None:
        for _ in range(times):
            step.step(bounds.donsker_varadhan, x, y, [5, 17], None)

    run(2)
    start = time.process_time()
    run(repeats)
    return (time.process_time() - start) / repeats


def _normals(dim: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(ROWS, dim))
    return x, 0.7 * x + 0.5**0.5 * rng.normal(size=x.shape)


def _copulas(dim: int) -> GaussianCritic:
    x, y = _normals(dim)
    return GaussianCritic.stacked([GaussianCritic.fit(x[k::STACK], y[k::STACK]) for k in range(STACK)]).float()


def _features(dim: int, of: Callable[[np.ndarray], np.ndarray]) -> Pairs:
    x, y = (torch.as_tensor(of(side), dtype=torch.float32) for side in _normals(dim))
    return Pairs(x, y)


def _by_distance(dim: int) -> Steps:
    copulas, layout = _copulas(dim), SideLayout(dim, norms=2)
    critic = CopulaMetricCritic(copulas, copulas, torch.ones(STACK, 1, dim), layout, layout, hidden=(128, 128))
    critic.start_training()
    pairs = _features(dim, lambda side: np.concatenate([side, side, side[:, :2]], 1))
    return Steps(f"copula and distance, {dim} + {dim}", critic, pairs, 256, all_pairs=True)


def _on_pairs(dim: int) -> Steps:
    critic = ResidualCritic(_copulas(dim), ConcatCritic(dim, dim, (64, 64, 64), stack=(STACK,)), base_dx=dim, base_dy=dim)
    return Steps(f"copula and pairs, {dim} + {dim}", critic, _features(dim, lambda side: side), 512, all_pairs=False)


def _on_labels(levels: int) -> Steps:
    numbers, noise = _normals(1)
    labels = np.eye(levels)[np.clip(4 * (noise[:, 0] + 2.5), 0, levels - 1).astype(int)]
    pairs = Pairs(torch.as_tensor(labels, dtype=torch.float32), torch.as_tensor(numbers, dtype=torch.float32))
    critic = LabelCritic(levels, 1, (64, 64, 64), labels="x", stack=(STACK,))
    return Steps(f"{levels} labels and a number", critic, pairs, 512, all_pairs=True)
