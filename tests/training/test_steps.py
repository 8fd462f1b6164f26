"""One interface for all steps: whatever way is taken, a critic of any kind gets the gradient of autograd."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from mine import bounds
from mine.critics import ConcatCritic, Critic, ModuleCritic, SeparableCritic
from mine.critics.label import LabelCritic
from mine.critics.metric import MetricCritic
from mine.training.fused import FusedPairs
from mine.training.fused_labels import FusedLabels
from mine.training.options import TrainingOptions
from mine.training.pairs import Pairs
from mine.training.steps import AutogradStep, gradient_step

ROWS, STACK = 60, (2,)


class Bilinear(nn.Module):
    """A user's module."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([[0.3, -0.2, 0.1], [0.2, 0.4, -0.5]]))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return ((x @ self.weight) * y).sum(-1)


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def label_critic() -> LabelCritic:
    critic = LabelCritic(3, 2, (6,), labels="y", stack=STACK, generator=seeded())
    for p in critic.parameters():
        nn.init.normal_(p, generator=seeded())
    return critic


def pairs() -> Pairs:
    """Two numbers, and the indicators of three labels."""
    return Pairs(torch.randn(ROWS, 2, generator=seeded()), torch.eye(3)[torch.randint(3, (ROWS,), generator=seeded())])


CASES = {
    "pairs": (ConcatCritic(2, 3, (6, 5), stack=STACK, generator=seeded()), False, FusedPairs),
    "pairs, another activation": (ConcatCritic(2, 3, (6, 5), activation="tanh", generator=seeded()), False, AutogradStep),
    "separable, shuffles": (SeparableCritic(2, 3, (6,), stack=STACK, generator=seeded()), False, AutogradStep),
    "separable, all pairs": (SeparableCritic(2, 3, (6,), stack=STACK, generator=seeded()), True, AutogradStep),
    "distance": (MetricCritic(2, 3, (6,), stack=STACK, generator=seeded()), True, AutogradStep),
    "labels": (label_critic(), True, FusedLabels),
    "labels, shuffles": (label_critic(), False, AutogradStep),
    "a user's": (ModuleCritic(Bilinear()), False, AutogradStep),
}


@pytest.mark.parametrize("bound", [bounds.donsker_varadhan, bounds.mine], ids=lambda b: b.__name__)
@pytest.mark.parametrize("case", CASES)
def test_every_way_gives_the_gradient_of_autograd(case: str, bound: bounds.Bound):
    critic, all_pairs, kind = CASES[case]
    critic = copy.deepcopy(critic)
    step = gradient_step(critic, pairs(), TrainingOptions(batch_size=8, all_pairs=all_pairs), None)
    assert type(step) is kind
    other: Critic = copy.deepcopy(critic)
    x, y = pairs().rows(torch.arange(8).expand(*critic.stack, 8))
    value, _ = step.step(bound, x, y, [2, 5], None)
    expected, _ = AutogradStep(other, all_pairs=all_pairs).step(bound, x, y, [2, 5], None)
    torch.testing.assert_close(value.detach(), expected.detach())
    for p, q in zip(critic.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(p.grad, q.grad, rtol=1e-4, atol=1e-6)


def test_as_many_classes_as_rows_of_a_batch_are_scored_in_pairs():
    step = gradient_step(label_critic(), pairs(), TrainingOptions(batch_size=3, all_pairs=True), None)
    assert type(step) is AutogradStep
