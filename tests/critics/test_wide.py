"""Critics of wide sides: every way to score gives the same numbers, dropout only while training, and files keep them."""

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from mine.critics.gaussian import GaussianCritic
from mine.critics.storage import load_critic, save_critic
from mine.critics.wide import DropoutMetricCritic, ViewCritic, WideCritic


def made(stack: tuple[int, ...] = (2,)) -> tuple[WideCritic, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(*stack, 40, 5, generator=generator), torch.randn(*stack, 40, 4, generator=generator)
    parts = [GaussianCritic.fit(x[k, :, :3].numpy(), y[k, :, :2].numpy(), shrinkage=0.2) for k in range(*stack)]
    base = GaussianCritic.stacked(parts).float()
    critic = WideCritic(base, base.correlations, (3, 2), (5, 4), hidden=(16,), dropout=0.5, generator=generator)
    return critic, x, y


def test_the_copula_alone_until_training_starts():
    critic, x, y = made()
    critic.eval()
    assert torch.allclose(critic(x, y), critic.base(x[..., :3], y[..., :2]), atol=1e-5)
    critic.start_training()
    assert not torch.allclose(critic(x, y), critic.base(x[..., :3], y[..., :2]), atol=1e-2)


def test_all_pairs_are_the_scores_of_the_pairs_and_selected_critics_those_of_the_stack():
    critic, x, y = made()
    critic.eval().start_training()
    score_matrix = critic.all_pairs(critic.encode_x(x), critic.encode_y(y))
    assert torch.allclose(score_matrix.diagonal(dim1=-2, dim2=-1), critic(x, y), atol=1e-4)
    assert torch.allclose(score_matrix[1, 3, 7], critic(x[:, 3:4], y[:, 7:8])[1, 0], atol=1e-4)
    assert torch.allclose(critic.select(1)(x[1], y[1]), critic(x, y)[1], atol=1e-5)


def test_dropout_leaves_the_share_out_keeps_the_mean_and_leaves_the_global_generator_alone():
    critic = DropoutMetricCritic(50, 50, (4000,), dropout=0.25, seed=3, generator=torch.Generator().manual_seed(0))
    weights = dict(critic.tower_x.named_parameters())
    values = {"layers.0.weight": 0.0, "layers.0.bias": 1.0, "layers.1.weight": 1 / 4000, "layers.1.bias": 0.0}
    with torch.no_grad():
        for name, value in values.items():
            weights[name].fill_(value)
    state = torch.get_rng_state()
    x = torch.zeros(300, 50)
    kept = critic.train().encode_x(x)[:, 0].detach()  # the mean of 4,000 hidden units, each 0 or 1 / 0.75
    assert float(kept.mean()) == pytest.approx(1, abs=4 * math.sqrt(1 / 3 / 4000 / 300))
    assert float(kept.std()) == pytest.approx(math.sqrt(1 / 3 / 4000), rel=0.2)
    assert not torch.equal(critic.encode_x(x)[:, 0], kept)
    assert torch.allclose(critic.eval().encode_x(x)[:, 0], torch.ones(300), atol=1e-4)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_view_reads_columns_and_their_combinations(tmp_path: Path):
    critic, x, y = made()
    critic.eval().start_training()
    inner = critic.select(0)
    mix = torch.linalg.qr(torch.randn(5, 5, generator=torch.Generator().manual_seed(1))).Q / 3
    columns = torch.tensor([4, 2, 0, 1])
    seen = ViewCritic(inner, "some", 1.0, (torch.arange(5), mix), (columns, None))
    wide_y = torch.zeros(40, 6)
    wide_y[:, columns] = y[0]
    assert torch.allclose(seen(x[0], wide_y), inner(x[0] @ mix, y[0]), atol=1e-5)
    save_critic(seen, tmp_path / "critic.json")
    assert torch.allclose(load_critic(tmp_path / "critic.json")(x[0], wide_y), seen(x[0], wide_y), atol=1e-6)
    nothing = ViewCritic(inner, "nothing", 0.0, (torch.arange(5), mix), (columns, None))
    assert not nothing(x[0], wide_y).any()
