"""A training step of the critic of a column of labels without autograd, over classes in place of pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mine import bounds
from mine.bounds import Bound
from mine.critics.critic import Critic
from mine.critics.label import LabelCritic
from mine.training.fused import pair_slopes
from mine.training.layers import FusedLayers, Gradients

__all__ = ["FusedLabels", "class_slopes", "classes_of"]


class FusedLabels:
    """Training steps of one critic on every pair of a batch, of which those with equal labels are scored once.

    A row scores the same with every label of one class: B rows and K classes have B K different scores, not B^2. The slopes
    of all pairs are summed over the labels of a class.

    Arguments:
        critic: A :class:`LabelCritic` with ReLU. See :meth:`supports`.
        classes: Features of each class, shape (K, levels), as :func:`classes_of` gives them.

    Raises:
        TypeError: For any other critic.

    Example:
        >>> labels = torch.eye(3)[[0, 1, 1, 2, 0]]
        >>> critic = LabelCritic(3, 2, (8,), labels="y")
        >>> labels_step = FusedLabels(critic, classes_of(labels))
        >>> value, _ = labels_step.step(bounds.donsker_varadhan, torch.randn(5, 2), labels, [], None)
        >>> value.item()  # the last layer starts at zero
        0.0
    """

    def __init__(self, critic: Critic, classes: Tensor) -> None:
        if not self.supports(critic):
            raise TypeError(f"No fused step for this {type(critic).__name__}: ask FusedLabels.supports(critic) first.")
        network: Any = critic.network
        self.labels_first = critic.labels == "x"
        self.gradients = Gradients(critic)
        self.network = FusedLayers(network, self.gradients)
        self.classes = torch.cat([classes, torch.ones_like(classes[:, :1])], 1)

    @staticmethod
    def supports(critic: Critic) -> bool:
        """Whether ``critic`` has this step: a trainable critic of labels with ReLU, on the CPU, stacked once or not at all."""
        if type(critic) is not LabelCritic or critic.network.activation != "relu" or len(critic.stack) > 1:
            return False
        return all(p.requires_grad and p.device.type == "cpu" for p in critic.parameters())

    def step(
        self, bound: Bound, x: Tensor, y: Tensor, shifts: Sequence[int], state: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """As :meth:`mine.training.steps.GradientStep.step`; every pair of the batch is scored, and ``shifts`` are not used."""
        del shifts
        labels, other = (x, y) if self.labels_first else (y, x)
        self.gradients.attach()
        with torch.no_grad():
            belongs = self._memberships(labels)
            self.network.prepare(other.shape[-2])
            scores = self.network.forward(other) @ self.classes.mT
            if bound is bounds.donsker_varadhan:
                slopes, value = class_slopes(scores, belongs)
            else:
                slopes, value, state = self._slopes_by_pair(bound, scores, belongs, state)
            self.network.backward(slopes @ self.classes)
        return value, state

    def _memberships(self, labels: Tensor) -> Tensor:
        """1 at the class of each label and 0 elsewhere, shape (*stack, B, K); the class is the nearest, at distance 0."""
        features = self.classes[:, :-1]
        nearness = labels @ features.mT - 0.5 * features.square().sum(-1)
        return torch.zeros_like(nearness).scatter_(-1, nearness.argmax(-1, keepdim=True), 1.0)

    def _slopes_by_pair(
        self, bound: Bound, scores: Tensor, belongs: Tensor, state: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        by_pair = scores @ belongs.mT
        by_pair, value, state = pair_slopes(bound, by_pair.mT if self.labels_first else by_pair, state)
        return (by_pair.mT if self.labels_first else by_pair) @ belongs, value, state


def class_slopes(scores: Tensor, belongs: Tensor) -> tuple[Tensor, Tensor]:
    """Gradient of the Donsker-Varadhan loss over all pairs of a batch by the scores of its rows with every class; the bound.

    Arguments:
        scores: Score of row i with class c, shape (..., B, K).
        belongs: 1 if row i has class c and 0 if not, shape (..., B, K).

    Example:
        >>> slopes, value = class_slopes(torch.zeros(2, 2), torch.eye(2))
        >>> slopes, value
        (tensor([[-0.5000,  0.5000],
                [ 0.5000, -0.5000]]), tensor(0.))
    """
    rows = scores.shape[-2]
    others = belongs.sum(-2, keepdim=True) - belongs  # rows of each class that row i is shuffled with: all but itself
    joint = (scores * belongs).sum((-2, -1)) / rows
    highest = scores.masked_fill(others == 0, -math.inf).amax((-2, -1), keepdim=True)
    weights = (scores - highest).clamp_(max=0.0).exp_().mul_(others)
    total = weights.sum((-2, -1), keepdim=True)
    partition = (total / (rows * (rows - 1))).log_().add_(highest)
    return weights.div_(total).sub_(belongs, alpha=1 / rows), joint - partition[..., 0, 0]


def classes_of(labels: Tensor) -> Tensor:
    """The different rows of the features ``labels`` (n, levels), shape (K, levels).

    Rows are told apart by one number each, so that a million rows take a tenth of a second.

    >>> classes_of(torch.tensor([[0.5], [-0.5], [0.5]])).sort(0).values
    tensor([[-0.5000],
            [ 0.5000]])
    """
    weights = torch.rand(labels.shape[1], generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    numbers, class_of_row = torch.unique(labels.cpu().double() @ weights, return_inverse=True)
    row_of_class = torch.empty(len(numbers), dtype=torch.int64)
    row_of_class[class_of_row] = torch.arange(len(labels))
    return labels[row_of_class.to(labels.device)]
