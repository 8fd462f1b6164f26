"""How the gradient of one batch is computed: by autograd, written out by hand, or shared by several processes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from mine.bounds import Bound, donsker_varadhan
from mine.critics.critic import Critic
from mine.critics.label import LabelCritic
from mine.critics.metric import off_diagonal
from mine.critics.pairs import pair_scores, score_matrix_of
from mine.training.fused import FusedPairs, matrix_slopes
from mine.training.fused_distance import FusedDistance
from mine.training.fused_labels import FusedLabels, classes_of
from mine.training.options import TrainingOptions
from mine.training.pairs import Pairs
from mine.training.processes import ProcessGroup, SharedStep

__all__ = ["AutogradStep", "GradientStep", "gradient_step"]


class GradientStep(Protocol):
    """Computes the gradient of one batch."""

    def step(
        self, bound: Bound, x: Tensor, y: Tensor, shifts: Sequence[int], state: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """Put the gradient of ``bound``'s loss into every parameter's ``grad``.

        Arguments:
            bound: The bound whose loss is minimised.
            x: Rows of x, shape ``(*stack, B, ...)``.
            y: Rows of y, likewise.
            shifts: K shifts; shift s pairs row i with y of row i + s.
            state: The bound's state after the last step.

        Returns:
            The bound on the batch (nats), shape ``(*stack,)``, and the bound's new state.
        """
        ...


def gradient_step(critic: Critic, pairs: Pairs, options: TrainingOptions, processes: ProcessGroup | None) -> GradientStep:
    """The fastest way to compute the gradient that the critic, the data and the options allow."""
    all_pairs = options.all_pairs and pairs.groups is None and score_matrix_of(critic) is not None
    if processes is not None:
        return SharedStep(critic, processes, all_pairs=all_pairs, bf16=options.bf16)
    read_as = pairs.x.dtype if isinstance(pairs.x, Tensor) else torch.float32
    kept_as = next((p.dtype for p in critic.parameters() if p.requires_grad), None)
    fused = None if options.bf16 or read_as != kept_as else _fused_step(critic, pairs, options.batch_size, all_pairs=all_pairs)
    return fused or AutogradStep(critic, all_pairs=all_pairs, bf16=options.bf16)


def _fused_step(critic: Critic, pairs: Pairs, batch_size: int, *, all_pairs: bool) -> GradientStep | None:
    """The step written out by hand for this critic, or None."""
    if not all_pairs:
        return FusedPairs(critic) if FusedPairs.supports(critic) else None
    if FusedDistance.supports(critic):
        return FusedDistance(critic)
    if isinstance(critic, LabelCritic) and FusedLabels.supports(critic):
        labels = pairs.x if critic.labels == "x" else pairs.y
        classes = classes_of(labels) if isinstance(labels, Tensor) else None
        if classes is not None and len(classes) < batch_size:
            return FusedLabels(critic, classes)
    return None


class AutogradStep:
    """The gradient by autograd, for any critic and bound.

    Arguments:
        critic: The critic.
        all_pairs: Score every pair of the batch, for a critic that has ``all_pairs``; the shifts are then ignored.
        bf16: Score under bfloat16 autocast; the bound stays in float32.
    """

    def __init__(self, critic: Critic, *, all_pairs: bool = False, bf16: bool = False) -> None:
        self.critic, self.bf16 = critic, bf16
        self.score_matrix = score_matrix_of(critic) if all_pairs else None
        self.trainable = [p for p in critic.parameters() if p.requires_grad]

    def step(
        self, bound: Bound, x: Tensor, y: Tensor, shifts: Sequence[int], state: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """As :meth:`GradientStep.step`."""
        for p in self.trainable:
            p.grad = None
        if self.score_matrix is not None and bound is donsker_varadhan:
            with self._autocast(x):
                scores = self._all_scores(x, y)
            slopes, value = matrix_slopes(_wide(scores))
            scores.backward(slopes.to(scores.dtype))
            return value, state
        with self._autocast(x):
            joint, marginal = self._joint_and_marginal(x, y, shifts)
        loss, value, state = bound(_wide(joint), _wide(marginal), state)
        loss.sum().backward()
        return value, state

    def _autocast(self, x: Tensor) -> torch.autocast:
        return torch.autocast(x.device.type, torch.bfloat16, enabled=self.bf16)

    def _all_scores(self, x: Tensor, y: Tensor) -> Tensor:
        assert self.score_matrix is not None
        return self.score_matrix(self.critic.encode_x(x), self.critic.encode_y(y))

    def _joint_and_marginal(self, x: Tensor, y: Tensor, shifts: Sequence[int]) -> tuple[Tensor, Tensor]:
        if self.score_matrix is None:
            return pair_scores(self.critic, x, y, shifts)
        scores = self._all_scores(x, y)
        return scores.diagonal(dim1=-2, dim2=-1), off_diagonal(scores)


def _wide(scores: Tensor) -> Tensor:
    """Scores under autocast in float32; others as they are."""
    return scores.float() if scores.dtype in (torch.bfloat16, torch.float16) else scores
