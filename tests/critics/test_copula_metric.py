"""The critic of the default method."""

import numpy as np
import pytest
import torch

from mine import bounds
from mine.critics import GaussianCritic
from mine.critics.copula_metric import CopulaMetricCritic, SideLayout, direction_weights
from mine.critics.metric import off_diagonal
from mine.training.loop import train_critic
from mine.training.options import TrainingOptions
from mine.training.pairs import Pairs


def _rows(n: int, d: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d))
    y = np.concatenate([0.8 * x[:, :1] + 0.6 * rng.normal(size=(n, 1)), rng.normal(size=(n, d - 1))], 1)
    return x, y


def _critic(d: int = 3, stack: int = 2, norms: int = 2) -> CopulaMetricCritic:
    gaussians, weights = [], []
    for k in range(stack):
        x, y = _rows(500, d, k)
        gaussian = GaussianCritic.fit(x[:400], y[:400])
        gaussians.append(gaussian)
        weights.append(direction_weights(gaussian, torch.tensor(x[400:]), torch.tensor(y[400:])))
    base = GaussianCritic.stacked(gaussians).float()
    layout = SideLayout(d, norms)
    generator = torch.Generator().manual_seed(0)
    return CopulaMetricCritic(base, base, torch.stack(weights).float(), layout, layout, hidden=(16,), generator=generator)


def _features(b: int, layout: SideLayout, seed: int) -> torch.Tensor:
    return torch.randn(b, layout.width, generator=torch.Generator().manual_seed(seed))


def test_it_starts_as_the_copula():
    critic = _critic()
    x, y = _features(9, critic.sides[0], 1), _features(9, critic.sides[1], 2)
    torch.testing.assert_close(critic(x, y), critic.base(x[:, :3], y[:, :3]))
    critic.start_training()
    assert not torch.allclose(critic(x, y), critic.base(x[:, :3], y[:, :3]))


@pytest.mark.parametrize("started", [False, True])
def test_the_table_holds_every_pair(started: bool):
    critic = _critic()
    if started:
        critic.start_training()
    x, y = _features(6, critic.sides[0], 1), _features(6, critic.sides[1], 2)
    score_matrix = critic.all_pairs(critic.encode_x(x), critic.encode_y(y))
    for shift in range(6):
        expected = torch.stack([score_matrix[:, i, (i + shift) % 6] for i in range(6)], -1)
        torch.testing.assert_close(critic(x, y.roll(-shift, 0)), expected, atol=1e-4, rtol=1e-4)


def test_where_the_copula_is_right_it_stays():
    """Nothing beats the true log-ratio on the validation rows: the critic left behind is the copula, at full share."""
    x, y = _rows(1500, 2, 5)
    gaussian = GaussianCritic.stacked([GaussianCritic.fit(x, y)]).float()
    layout = SideLayout(2, 0)
    weights = torch.ones(1, 1, 2)
    critic = CopulaMetricCritic(
        gaussian, gaussian, weights, layout, layout, hidden=(8,), generator=torch.Generator().manual_seed(0)
    )
    features = [torch.tensor(np.concatenate([side, side], 1), dtype=torch.float32) for side in (x, y)]
    options = TrainingOptions(steps=40, batch_size=64, learning_rate=1e-3, eval_every=10, averaging=0.15, all_pairs=True)

    def contributions(joint: torch.Tensor, marginal: torch.Tensor) -> torch.Tensor:
        value = bounds.donsker_varadhan(joint, marginal).value
        return joint + (value - joint.mean(-1)).unsqueeze(-1)

    index = torch.arange(1500).unsqueeze(0)
    train_critic(
        critic,
        bounds.donsker_varadhan,
        Pairs(*features),
        index[:, :1000],
        index[:, 1000:],
        options,
        contributions=contributions,
        seed=0,
    )
    assert critic.gate.item() == 0.0 and critic.scale.item() == 1.0


def test_directions_that_correlate_by_chance_get_no_weight():
    x, y = _rows(4000, 4, 3)
    gaussian = GaussianCritic.fit(x[:2000], y[:2000])
    weights = direction_weights(gaussian, torch.tensor(x[2000:]), torch.tensor(y[2000:])).squeeze(0)
    assert weights[0] == 1 and weights[1:].max() < 0.05


def test_all_pairs_of_a_batch_give_the_plain_bound():
    score_matrix = torch.randn(5, 5, generator=torch.Generator().manual_seed(0))
    value = bounds.donsker_varadhan(score_matrix.diagonal(), off_diagonal(score_matrix)).value
    others = [score_matrix[i, j].exp() for i in range(5) for j in range(5) if i != j]
    assert value.item() == pytest.approx(
        score_matrix.diagonal().mean().item() - torch.stack(others).mean().log().item(), abs=1e-6
    )
