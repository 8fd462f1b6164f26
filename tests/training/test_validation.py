"""Scores that are computed again and again, against scores computed afresh."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from mine.critics import ConcatCritic, Critic, GaussianCritic, ResidualCritic
from mine.critics.copula_metric import CopulaMetricCritic, SideLayout
from mine.training.evaluation import evaluate_scores
from mine.training.pairs import Pairs
from mine.training.validation import repeated_scores

ROWS, STACK = 40, 2


def draw(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(len(shape) + shape[-1]))


def gaussian() -> GaussianCritic:
    x = draw(50, 2).double().numpy()
    fitted = [GaussianCritic.fit(x[k::2], x[k::2] + draw(25, 2).numpy()) for k in range(STACK)]
    return GaussianCritic.stacked(fitted).float()


def concat() -> ConcatCritic:
    return ConcatCritic(6, 6, (7,), stack=(STACK,), generator=torch.Generator().manual_seed(0))


def distance() -> CopulaMetricCritic:
    weights, layout, generator = torch.ones(STACK, 1, 2), SideLayout(2, 2), torch.Generator().manual_seed(0)
    return CopulaMetricCritic(gaussian(), gaussian(), weights, layout, layout, hidden=(7,), generator=generator)


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize(
    "critic", [distance(), ResidualCritic(gaussian(), concat(), base_dx=2, base_dy=2), concat()], ids=lambda c: type(c).__name__
)
def test_the_scores_are_those_of_the_critic_as_it_is(critic: Critic, grouped: bool):
    pairs = Pairs(draw(ROWS, 6), draw(ROWS, 6) + 1, torch.arange(ROWS) // 4 if grouped else None)
    index = torch.arange(ROWS).flip(0).expand(STACK, ROWS)[:, :33]
    scores = repeated_scores(critic, pairs, index, 5, seed=3)
    for change in (1.0, 1.2, 0.5):
        with torch.no_grad():
            for p in critic.parameters():
                p.mul_(change if p.requires_grad else 1.0)
        if change != 1.0 and isinstance(critic, CopulaMetricCritic):
            critic.gate.fill_(0.7)  # it was 0: the base alone
        joint, marginal = scores()
        expected = evaluate_scores(critic, pairs, index, 5, torch.Generator().manual_seed(3))
        torch.testing.assert_close(joint, expected[0])
        torch.testing.assert_close(marginal, expected[1])


def test_a_base_is_scored_as_in_evaluation():
    class Noisy(GaussianCritic):
        """A base that is random while it is trained."""

        def combine(self, hx: torch.Tensor, hy: torch.Tensor) -> torch.Tensor:
            return nn.functional.dropout(super().combine(hx, hy), 0.5, self.training)

    base = Noisy.stacked([gaussian().select(k) for k in range(STACK)])
    critic = ResidualCritic(base, concat(), base_dx=2, base_dy=2)
    pairs, index = Pairs(draw(ROWS, 6), draw(ROWS, 6)), torch.arange(ROWS).expand(STACK, ROWS)
    scores = repeated_scores(critic, pairs, index, 5, seed=3)
    critic.eval()
    torch.testing.assert_close(scores()[1], evaluate_scores(critic, pairs, index, 5, torch.Generator().manual_seed(3))[1])
