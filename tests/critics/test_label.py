"""The critic of a column of labels: its form, a stack, and that the default method finds with it what there is."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

import mine
from mine.critics import pair_scores
from mine.critics.label import LabelCritic
from mine.tasks import get_task

RANDOM = torch.Generator().manual_seed(0)


def critic(labels: str, stack: tuple[int, ...] = ()) -> LabelCritic:
    out = LabelCritic(3, 2, (8,), labels="x" if labels == "x" else "y", stack=stack, generator=RANDOM)
    for weights in out.parameters():
        torch.nn.init.normal_(weights, generator=RANDOM)
    return out


def rows(*shape: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Labels of three levels, and two numbers beside each."""
    return torch.eye(3)[torch.randint(3, shape, generator=RANDOM)], torch.randn(*shape, 2, generator=RANDOM)


@pytest.mark.parametrize("labels", ["x", "y"])
@pytest.mark.parametrize("stack", [(), (4,)])
def test_every_pair_and_one_pair_agree(labels: str, stack: tuple[int, ...]):
    model = critic(labels, stack)
    one_hot, other = rows(*stack, 6)
    x, y = (one_hot, other) if labels == "x" else (other, one_hot)
    score_matrix = model.all_pairs(model.encode_x(x), model.encode_y(y))
    assert score_matrix.shape == (*stack, 6, 6)
    torch.testing.assert_close(score_matrix.diagonal(dim1=-2, dim2=-1), model(x, y))
    shifted = pair_scores(model, x, y, [1])[1].squeeze(-1)
    torch.testing.assert_close(shifted, score_matrix[..., range(6), [1, 2, 3, 4, 5, 0]])


def test_a_stack_may_share_its_rows():
    model = critic("x", (4,))
    x, y = rows(6)
    alone = torch.stack([model.select(k)(x, y) for k in range(4)])
    torch.testing.assert_close(model(x, y), alone)


def test_any_score_of_label_and_number_can_be_told():
    # a label of two levels is one feature: the constant beside it makes room for a score of each level
    model = LabelCritic(1, 1, (16,), labels="x", generator=torch.Generator().manual_seed(0))
    x, y = torch.tensor([[-0.5], [0.5]]).repeat(50, 1), torch.linspace(-1, 1, 100).unsqueeze(-1)
    target = torch.where(x > 0, y.sin(), 2 + y.square()).squeeze(-1)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(500):
        loss = (model(x, y) - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 1e-2


def test_many_label_columns_are_not_lost():
    # pixels of 17 values are read as labels: 62 columns whose features, at plus and minus a half, hid in what they shared
    digits = load_digits()
    estimate = mine.estimate(digits.data[:1200], digits.target[:1200].astype(str), random_state=0, effort="fast")
    assert len(estimate.diagnostics["discrete_columns"]) > 50
    assert 1.5 < estimate.value < math.log(10) + 0.1


@pytest.mark.parametrize("swapped", [False, True])
def test_sharp_edges_are_found_by_neighbours(swapped: bool):
    task = get_task("mixture-steps-20")
    x, y = task.sample(3000, 0)
    estimate = mine.estimate(*((y, x) if swapped else (x, y)), random_state=0, effort="fast")
    assert estimate.value == pytest.approx(task.mutual_information, abs=0.04)
    assert estimate.interval[0] <= task.mutual_information <= estimate.interval[1]
    assert "Ross" in estimate.diagnostics["basis"]
    assert estimate.lower_bound is not None and estimate.lower_bound < estimate.value


def test_neighbours_are_not_asked_where_rows_belong_together():
    x, y = get_task("mixture-steps-20").sample(3000, 0)
    estimate = mine.estimate(x, y, groups=np.arange(3000) // 3, random_state=0, effort="fast")
    assert "Ross" not in estimate.diagnostics["basis"]
