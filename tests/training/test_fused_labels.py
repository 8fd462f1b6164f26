"""The step over classes, against autograd on the scores of all pairs."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor

from mine import bounds
from mine.critics import SeparableCritic
from mine.critics.label import LabelCritic
from mine.critics.metric import off_diagonal
from mine.training.fused import matrix_slopes
from mine.training.fused_labels import FusedLabels, class_slopes, classes_of

LEVELS = 4


def label_critic(labels: str, stack: tuple[int, ...] = (), activation: str = "relu") -> LabelCritic:
    draw = torch.Generator().manual_seed(0)
    side = "x" if labels == "x" else "y"
    critic = LabelCritic(LEVELS, 2, (7, 6), labels=side, activation=activation, stack=stack, generator=draw).double()
    for p in critic.parameters():
        torch.nn.init.normal_(p, std=0.5, generator=draw)
    return critic


def batch(rows: int, stack: tuple[int, ...] = (), levels: int = LEVELS) -> tuple[Tensor, Tensor]:
    """Centred indicators of labels, and two numbers beside each."""
    draw = torch.Generator().manual_seed(rows)
    indicators = torch.eye(LEVELS, dtype=torch.float64) - torch.tensor([0.4, 0.3, 0.2, 0.1], dtype=torch.float64)
    labels = indicators[torch.randint(levels, (*stack, rows), generator=draw)]
    return labels, torch.randn(*stack, rows, 2, generator=draw, dtype=torch.float64)


def by_autograd(critic: LabelCritic, bound: bounds.Bound, x: Tensor, y: Tensor, state: Tensor | None):
    other = copy.deepcopy(critic)
    scores = other.all_pairs(other.encode_x(x), other.encode_y(y))
    loss, value, state = bound(scores.diagonal(dim1=-2, dim2=-1), off_diagonal(scores), state)
    loss.sum().backward()
    return [p.grad for p in other.parameters()], value.detach(), state


@pytest.mark.parametrize("bound", [bounds.donsker_varadhan, bounds.mine, bounds.infonce], ids=lambda b: b.__name__)
@pytest.mark.parametrize("stack", [(), (3,)], ids=["single", "stacked"])
@pytest.mark.parametrize("labels", ["x", "y"])
def test_gradients_are_those_of_all_pairs(labels: str, stack: tuple[int, ...], bound: bounds.Bound):
    critic = label_critic(labels, stack)
    step = FusedLabels(critic, classes_of(batch(200)[0]))
    state = torch.linspace(-0.3, 0.4, max(1, *stack, 1), dtype=torch.float64).reshape(stack)
    for rows, levels in ((11, LEVELS), (5, 1), (30, 2)):  # of all levels, of one alone, and of two
        one_hot, other = batch(rows, stack, levels)
        x, y = (one_hot, other) if labels == "x" else (other, one_hot)
        expected, value, after = by_autograd(critic, bound, x, y, state)
        got, got_after = step.step(bound, x, y, [], state)
        torch.testing.assert_close(got, value)
        torch.testing.assert_close(got_after, after)
        for p, gradient in zip(critic.parameters(), expected, strict=True):
            torch.testing.assert_close(p.grad, gradient, rtol=1e-10, atol=1e-12)


def test_a_class_that_no_other_row_has_may_score_anything():
    # its score would be the highest, and everything else 0 beside it
    scores = torch.tensor([[0.0, 1.0, 800.0], [0.5, 0.2, 900.0], [0.1, 0.3, 700.0]], dtype=torch.float64)
    belongs = torch.eye(3, dtype=torch.float64)[[0, 1, 0]]
    slopes, value = class_slopes(scores, belongs)
    by_pair, expected = matrix_slopes(scores @ belongs.mT)
    torch.testing.assert_close(slopes, by_pair @ belongs)
    torch.testing.assert_close(value, expected)


def test_scores_of_ten_thousand_stay_finite():
    slopes, value = class_slopes(torch.tensor([[1e4, -1e4], [-1e4, 1e4]]), torch.eye(2))
    assert bool(slopes.isfinite().all())
    assert value.item() == pytest.approx(2e4)


def test_classes_are_the_different_rows():
    labels, _ = batch(500)
    classes = classes_of(labels)
    assert len(classes) == LEVELS
    assert {tuple(row) for row in classes.tolist()} == {tuple(row) for row in labels.tolist()}


def test_other_critics_have_no_such_step():
    frozen = label_critic("x").requires_grad_(False)
    for critic in (
        label_critic("x", activation="elu"),
        frozen,
        SeparableCritic(2, 3, generator=torch.Generator().manual_seed(0)),
    ):
        assert not FusedLabels.supports(critic)
        with pytest.raises(TypeError, match="supports"):
            FusedLabels(critic, torch.eye(LEVELS))
