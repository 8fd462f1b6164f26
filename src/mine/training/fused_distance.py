"""A training step of the default critic, a copula and a distance between two networks, without autograd."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mine.bounds import Bound
from mine.critics.copula_metric import CopulaMetricCritic
from mine.critics.critic import Critic
from mine.critics.metric import MetricCritic
from mine.training.fused import pair_slopes
from mine.training.layers import FusedLayers, Gradients

__all__ = ["FusedDistance"]


class FusedDistance:
    """Training steps of one critic on every pair of a batch, in buffers used again each step.

    With ``u, a`` the outputs of the network of x and ``v, b`` those of y, a score is
    ``scale * base + gate * (a + b - |u - v|^2 / 2)``, and with ``G`` the slopes of the B x B scores

        du = G v - u * (row sums of G),  da = row sums of G,  likewise for v and b with the transpose of G

    Gradients are written over, never added to: a step needs no ``zero_grad``.

    Arguments:
        critic: A :class:`CopulaMetricCritic` with ReLU. See :meth:`supports`.

    Raises:
        TypeError: For any other critic.
    """

    def __init__(self, critic: Critic) -> None:
        if not self.supports(critic):
            raise TypeError(f"No fused step for this {type(critic).__name__}: ask FusedDistance.supports(critic) first.")
        self.critic: Any = critic
        self.gradients = Gradients(critic)
        network: Any = self.critic.network
        self.towers = tuple(FusedLayers(tower, self.gradients) for tower in (network.tower_x, network.tower_y))
        self.scale_slope = self.gradients.of(self.critic.scale)

    @staticmethod
    def supports(critic: Critic) -> bool:
        """Whether ``critic`` has this step: the default critic with ReLU, on the CPU, stacked once or not at all."""
        if type(critic) is not CopulaMetricCritic or type(critic.network) is not MetricCritic or len(critic.stack) > 1:
            return False
        needed = [*critic.network.parameters(), critic.scale]
        trained = {id(p) for p in critic.parameters() if p.requires_grad}
        on_cpu = all(p.device.type == "cpu" for p in needed)
        return on_cpu and trained == set(map(id, needed)) and critic.network.tower_x.activation == "relu"

    def step(
        self, bound: Bound, x: Tensor, y: Tensor, shifts: Sequence[int], state: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """As :meth:`mine.training.steps.GradientStep.step`; every pair of the batch is scored, and ``shifts`` are not used."""
        del shifts
        critic, network = self.critic, self.critic.network
        self.gradients.attach()
        with torch.no_grad():
            (base_x, inputs_x), (base_y, inputs_y) = critic.fixed_x(x), critic.fixed_y(y)
            hx, hy = (self._encoded(tower, inputs) for tower, inputs in zip(self.towers, (inputs_x, inputs_y), strict=True))
            base, gate, scale = critic.base.all_pairs(base_x, base_y), critic.gate.unsqueeze(-1), critic.scale.unsqueeze(-1)
            scores = network.all_pairs(hx, hy).mul_(gate).addcmul_(base, scale)
            slopes, value, state = pair_slopes(bound, scores, state)
            self.scale_slope.copy_(base.mul_(slopes).sum((-2, -1)).unsqueeze(-1))
            for tower, own, other, by_score in zip(self.towers, (hx, hy), (hy, hx), (slopes, slopes.mT), strict=True):
                tower.backward(_distance_slopes(by_score, own, other).mul_(gate))
        return value, state

    @staticmethod
    def _encoded(tower: FusedLayers, inputs: Tensor) -> Tensor:
        tower.prepare(inputs.shape[-2])
        return tower.forward(inputs)


def _distance_slopes(slopes: Tensor, own: Tensor, other: Tensor) -> Tensor:
    """Slopes of one side's encodings ``own`` (..., B, embed + 1), given those of the scores, own rows first."""
    u, v = own[..., :-1], other[..., :-1]
    out = slopes @ torch.cat([v, torch.ones_like(other[..., -1:])], -1)  # the last column holds the row sums
    out[..., :-1].addcmul_(out[..., -1:], u, value=-1)
    return out
