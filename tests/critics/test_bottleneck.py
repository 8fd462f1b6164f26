"""A bottleneck critic starts as the ratio of a Gaussian, and nothing passes but its codes."""

from __future__ import annotations

import math

import numpy as np
import torch

from mine.critics.bottleneck import BottleneckCritic

GENERATOR = torch.Generator().manual_seed(1)


def critic(correlations: list[float], widths: list[int], d: int = 3) -> BottleneckCritic:
    k = len(correlations)
    directions = torch.eye(d)[:, :k].expand(len(widths), d, k)
    r = torch.tensor(correlations).expand(len(widths), k)
    return BottleneckCritic(directions, directions, r, torch.tensor(widths), generator=torch.Generator().manual_seed(0))


def test_it_starts_as_the_log_ratio_of_a_gaussian_up_to_a_constant():
    r = [0.9, 0.4]
    start = critic(r, [1, 2])
    for part in (start.lift_x, start.lift_y):
        torch.nn.init.zeros_(part.layers[-1].weight)
        torch.nn.init.zeros_(part.layers[-1].bias)
    x, y = torch.randn(2, 50, 3, generator=GENERATOR)
    with torch.no_grad():
        scores = start(x.expand(2, 50, 3), y.expand(2, 50, 3)).double().numpy()
    u, v = x[:, :2].double().numpy(), y[:, :2].double().numpy()

    def log_normal_ratio(u: np.ndarray, v: np.ndarray, r: float) -> np.ndarray:
        joint = -(u**2 - 2 * r * u * v + v**2) / (2 * (1 - r**2)) - 0.5 * math.log(1 - r**2)
        return joint + (u**2 + v**2) / 2

    first, second = (log_normal_ratio(u[:, i], v[:, i], r[i]) for i in (0, 1))
    for found, exact in ((scores[0], first), (scores[1], first + second)):
        np.testing.assert_allclose(found - found.mean(), exact - exact.mean(), atol=1e-4)


def test_nothing_passes_beside_the_codes():
    """The codes beyond the width of a critic are zero, whatever the networks give, and so is their gradient."""
    stack = critic([0.5, 0.5, 0.5], [1, 2, 3])
    with torch.no_grad():
        for p in stack.parameters():
            p.normal_(generator=GENERATOR)
    x = torch.randn(3, 20, 3, generator=GENERATOR)
    codes = stack.codes_x(x)
    assert [int((codes[i].abs().sum(0) > 0).sum()) for i in range(3)] == [1, 2, 3]
    stack(x, x).sum().backward()
    assert stack.linear_x.grad is not None
    assert [int((stack.linear_x.grad[i].abs().sum(0) > 0).sum()) for i in range(3)] == [1, 2, 3]


def test_one_critic_of_the_stack_scores_as_in_it():
    stack = critic([0.5, 0.2], [1, 2])
    x, y = torch.randn(2, 2, 9, 3, generator=GENERATOR)
    one = stack.select(1)
    with torch.no_grad():
        alone = one.all_pairs(one.encode_x(x[1]), one.encode_y(y[1]))
        torch.testing.assert_close(alone, stack.all_pairs(stack.encode_x(x), stack.encode_y(y))[1])
