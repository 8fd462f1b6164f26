"""What the games of generator and discriminator share: the player's step with its information, and the check of the losses."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mine.errors import MineError
from mine.experiments.experiment import DivergedError
from mine.experiments.training import BLOCK, Trainable
from mine.terms import MaximizeMI, clipped_backward

__all__ = ["Adversarial"]


class Adversarial(Trainable):
    """A game against a discriminator, with or without a term of mutual information for the other player.

    Attributes:
        player: What the losses call the discriminator's opponent.
        term: Raises the information; None in an arm without it.
        losses: The player's and the discriminator's at the last fiftieth step.
    """

    player = "generator"

    def __init__(self) -> None:
        super().__init__()
        self.losses = (math.nan, math.nan)
        self.term: MaximizeMI | None = None

    def set_rates(self, rate: float, discriminator: float = 1.0) -> None:
        """Set the learning rate of the player, and that of the discriminator to a multiple of it."""
        for optimizer, multiple in zip(self.optimizers, (1.0, discriminator), strict=True):
            for group in optimizer.param_groups:
                group["lr"] = multiple * rate

    def backward(
        self,
        loss: Tensor,
        joints: Sequence[tuple[Tensor, Tensor]],
        parameters: Sequence[nn.Parameter],
        *,
        beta: float,
        critic_steps: int,
    ) -> None:
        """The player's gradients: of ``loss``, and clipped to it those of ``beta`` times the information of ``joints``.

        The critic is trained first, on each of the joints. With a ``beta`` of 0 neither it nor the information counts.

        Raises:
            DivergedError: The critic's scores are not finite.
        """
        if self.term is None or beta == 0:
            loss.backward(inputs=list(parameters))
            return
        try:
            for pair in joints:
                self.term.critic_step(*pair, steps=critic_steps)
        except MineError as error:
            raise DivergedError(f"step {self.step}: {error}") from error
        information = torch.stack([self.term(*pair) for pair in joints]).sum()
        clipped_backward(loss, beta * information, parameters)

    def stepped(self, loss: Tensor, discriminator: Tensor) -> None:
        """Count the step, and check its losses where a block ends.

        Raises:
            DivergedError: One of them is not finite.
        """
        self.step += 1
        if self.step % BLOCK == 0:
            self.losses = loss.item(), discriminator.item()
            if not all(map(math.isfinite, self.losses)):
                raise DivergedError(
                    f"step {self.step}: loss of the {self.player} {self.losses[0]}, of the discriminator {self.losses[1]}"
                )

    def metrics(self) -> dict[str, float]:
        """Losses of the last fiftieth step, and the critic's reading."""
        numbers = {f"{self.player}_loss": self.losses[0], "discriminator_loss": self.losses[1]}
        return numbers if self.term is None else numbers | {"information_nats": self.term.estimate}
