"""The critic by distance."""

import pytest
import torch

from mine.critics import GaussianCritic
from mine.critics.metric import MetricCritic, off_diagonal


@pytest.mark.parametrize("stack", [(), (3,)])
def test_the_table_holds_every_pair(stack: tuple[int, ...]):
    critic = MetricCritic(2, 3, (8,), embed=4, stack=stack, generator=torch.Generator().manual_seed(0))
    generator = torch.Generator().manual_seed(1)
    x, y = torch.randn(*stack, 6, 2, generator=generator), torch.randn(*stack, 6, 3, generator=generator)
    score_matrix = critic.all_pairs(critic.encode_x(x), critic.encode_y(y))
    for shift in range(6):
        scores = critic(x, y.roll(-shift, -2))
        expected = torch.stack([score_matrix[..., i, (i + shift) % 6] for i in range(6)], -1)
        torch.testing.assert_close(scores, expected, atol=1e-5, rtol=1e-4)


def test_off_diagonal_keeps_rows_together():
    score_matrix = torch.arange(2 * 4 * 4).reshape(2, 4, 4)
    expected = torch.stack([torch.stack([row[torch.arange(4) != i] for i, row in enumerate(one)]) for one in score_matrix])
    assert torch.equal(off_diagonal(score_matrix), expected)


def test_a_gaussian_table_holds_every_pair():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(300, 2, generator=generator, dtype=torch.float64)
    y = x + 0.05 * torch.randn(300, 2, generator=generator, dtype=torch.float64)  # r near 1: the form must not cancel
    critic = GaussianCritic.fit(x.numpy(), y.numpy())
    score_matrix = critic.all_pairs(critic.encode_x(x), critic.encode_y(y))
    torch.testing.assert_close(score_matrix.diagonal(), critic(x, y))
    torch.testing.assert_close(score_matrix[0], critic(x[:1].expand(300, 2), y))


def test_the_start_is_small_but_not_flat():
    critic = MetricCritic(2, 2, generator=torch.Generator().manual_seed(0))
    x, y = (torch.randn(64, 2, generator=torch.Generator().manual_seed(s)) for s in (1, 2))
    scores = critic(x, y)
    assert scores.abs().max() < 0.5
    scores.var().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in critic.tower_x.layers[-1].parameters() if p.ndim > 1)
