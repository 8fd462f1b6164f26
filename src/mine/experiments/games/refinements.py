"""Refinements of a game of generator and discriminator: paired losses, gradient penalties, wave features and schedules."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import softplus

from mine.experiments.training import ramp

__all__ = ["Refinements", "discriminator_loss", "player_loss", "squared_gradient", "waves"]


@dataclass(frozen=True)
class Refinements:
    """Settings that all arms of an experiment share. The defaults change nothing: a plain game with losses of its own.

    All times are shares of the steps.

    Attributes:
        octaves: Dense discriminators and encoders see x together with the sine and cosine of ``2^k pi x`` for ``k < octaves``.
            A small dense network by itself is too smooth to see a mode that is 50 times narrower than the data.
        code_octaves: The same for the codes that a dense generator of a bidirectional GAN sees. It then passes from one mode to
            the next within a narrower strip of codes, and the rows of that strip are in no mode.
        encoder_noise: Length of the noise that a dense encoder gets next to x, so that a code can spread. It is zero when
            rows are reconstructed.
        paired: Whether the discriminator scores real against generated rows in pairs, see :func:`discriminator_loss`.
        penalty: Weight gamma of the squared gradients R1 and R2 in ``gamma / 2 (R1 + R2)``.
        penalty_end: Gamma at the last step; it falls geometrically from ``penalty_held`` on.
        penalty_held: Until when gamma is constant.
        penalty_every: The penalty is added at every step of this number, multiplied by it.
        discriminator_rate: Learning rate of the discriminator as a multiple of the other side's.
        rate_held: Until when the learning rate of the players is constant; it then falls linearly to its end.
        fade: Between which times the weight of the information falls linearly to 0.

    References:
        Jolicoeur-Martineau, 2018 (arXiv 1807.00734) and Huang et al., 2024 (R3GAN, arXiv 2501.05441), for paired losses with
        both penalties; Mescheder et al., 2018 (arXiv 1801.04406), for R1 and R2; Tancik et al., 2020 (arXiv 2006.10739), for
        waves; Karras et al., 2020 (arXiv 1912.04958), for penalties at every k-th step; Heusel et al., 2017
        (arXiv 1706.08500), for two learning rates.
    """

    octaves: int = 0
    code_octaves: int = 0
    encoder_noise: int = 0
    paired: bool = False
    penalty: float = 0.0
    penalty_end: float = 0.0
    penalty_held: float = 1.0
    penalty_every: int = 1
    discriminator_rate: float = 1.0
    rate_held: float = 0.5
    fade: tuple[float, float] = (1.0, 1.0)

    def rate(self, step: int, steps: int) -> float:
        """Between 1 and 0: where the learning rate stands between its start and its end."""
        return ramp(step, self.rate_held * steps, steps)

    def information_weight(self, step: int, steps: int) -> float:
        """The share of ``beta`` that counts at this step."""
        return ramp(step, *(share * steps for share in self.fade))

    def gamma(self, step: int, steps: int) -> float:
        """Weight of the penalty at this step; 0 at the steps without one."""
        if self.penalty == 0 or step % self.penalty_every:
            return 0.0
        fallen = 1 - ramp(step, self.penalty_held * steps, steps)
        return self.penalty_every * self.penalty * (self.penalty_end / self.penalty) ** fallen


def discriminator_loss(real: Tensor, generated: Tensor, *, paired: bool) -> Tensor:
    """Loss of the discriminator, a scalar.

    Arguments:
        real: Scores of the rows that should score high, shape (n,).
        generated: Scores of the rows that should score low, shape (n,).
        paired: ``softplus(generated - real)``: the i-th real row should score higher than the i-th generated one. If False,
            each row is classified by itself: ``softplus(-real) + softplus(generated)``.
    """
    if paired:
        return softplus(generated - real).mean()
    return softplus(-real).mean() + softplus(generated).mean()


def player_loss(real: Tensor, generated: Tensor, *, paired: bool) -> Tensor:
    """Loss of the other side, that made all the rows: the same with real and generated exchanged."""
    return discriminator_loss(generated, real, paired=paired)


def squared_gradient(network: Callable[..., Tensor], inputs: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Scores of the network, shape (n,), and the mean over rows of their squared gradient with respect to all inputs.

    The mean can be differentiated further. On real rows it is called R1, on generated rows R2.

    Example:
        >>> weights = torch.tensor([3.0, 4.0])
        >>> squared_gradient(lambda x: x @ weights, [torch.zeros(5, 2)])[1]
        tensor(25.)
    """
    free = [rows.detach().requires_grad_() for rows in inputs]
    scores = network(*free)
    gradients = torch.autograd.grad(scores.sum(), free, create_graph=True)
    per_row = torch.stack([gradient.square().sum(1) for gradient in gradients]).sum(0)
    return scores, per_row.mean()


def penalised_discriminator_loss(
    network: Callable[..., Tensor], inputs: Sequence[Tensor], *, paired: bool, gamma: float
) -> Tensor:
    """Loss of the discriminator with ``gamma / 2 (R1 + R2)``, a scalar.

    Arguments:
        network: Inputs to scores, shape (2n,).
        inputs: Rows without a gradient, shape (2n, ...): real ones in the first half, generated ones in the second.
        paired: As in :func:`discriminator_loss`.
        gamma: Weight of the penalty; 0 leaves it out.
    """
    if gamma == 0:
        return discriminator_loss(*network(*inputs).chunk(2), paired=paired)
    scores, mean = squared_gradient(network, inputs)  # over both halves: (R1 + R2) / 2
    return discriminator_loss(*scores.chunk(2), paired=paired) + gamma * mean


def waves(x: Tensor, octaves: int) -> Tensor:
    """``x`` with the sine and cosine of ``2^k pi x``, k = 0, ..., octaves - 1: shape (n, d) to (n, d (1 + 2 octaves))."""
    if octaves == 0:
        return x
    frequencies = math.pi * 2.0 ** torch.arange(octaves, device=x.device, dtype=x.dtype)
    angles = (x[:, None, :] * frequencies[:, None]).flatten(1)
    return torch.cat([x, angles.sin(), angles.cos()], 1)
