"""A bidirectional GAN, with or without the mutual information between what it shows and its code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from mine.critics.networks import ConcatCritic, SeparableCritic
from mine.experiments.experiment import DivergedError, Progress
from mine.experiments.games.adversarial import Adversarial
from mine.experiments.games.bigan_networks import (
    ConvDiscriminator,
    ConvEncoder,
    ConvGenerator,
    DecoderCritic,
    DenseEncoder,
    DenseGenerator,
    PairDiscriminator,
)
from mine.experiments.games.refinements import Refinements, penalised_discriminator_loss, player_loss
from mine.experiments.training import BLOCK, Trainable, fit, ramp
from mine.terms import MaximizeMI

__all__ = ["ARMS", "Bigan", "BiganConfig", "train_bigan"]

#: A bidirectional GAN against the same one with mutual information.
ARMS = {"BiGAN": {"beta": 0.0}, "BiGAN+MINE": {}}


@dataclass(frozen=True)
class BiganConfig:
    """Networks and training, the same for both arms but for ``beta``.

    Attributes:
        beta: Weight of the mutual information; 0 is a plain BiGAN.
        joint: Whose information is raised: ``"encoder"``, of x and E(x); ``"generator"``, of G(z) and z; ``"both"``, the sum of
            the two, bounded by one critic. It can be near both only where a code means the same in both, so that raising
            the sum makes E and G each other's inverse.
        z_dim: Length of the code.
        networks: ``"dense"`` or ``"conv"``, which takes 784 pixels.
        width: Of hidden layers, or channels of the first convolution.
        depth: How many hidden layers; of dense networks.
        hidden: Of the dense layers of a convolutional encoder and discriminator.
        batch_norm: Whether a dense encoder and generator are normalised by batch; convolutional ones always are.
        steps: Steps of all networks.
        batch_size: Rows of data a step, and as many codes.
        learning_rate: Of encoder, generator and discriminator, Adam; falls over the second half, or as refinements say.
        final_rate: Share of it that is left at the end.
        beta1: Adam's first coefficient for these.
        noise: Standard deviation of what is added to the x that the discriminator sees, falling to 0 over the steps.
        standard_codes: Whether an encoder's codes have mean 0 and variance 1 in every batch, as those it has to look like.
        critic: ``"concat"``, ``"separable"`` or ``"decoder"``, see :class:`~.bigan_networks.DecoderCritic`.
        critic_spread: Of a ``"decoder"``, the distance at which it tells rows apart.
        critic_width: Of the critic's two hidden layers.
        critic_rate: The critic's learning rate.
        critic_steps: Its steps on each joint for each step of the others.
        bound: Of :mod:`mine.bounds`. InfoNCE ends at ``log(shuffles + 1)`` nats. Codes that are functions of x have infinite
            information, and a bound without an end drives them to infinity: that of MINE did, on digits, within 500 steps.
        shuffles: Shuffled pairs a row.
        averaging: How E's and G's weights are averaged for samples and reconstructions. ``("moving", c)`` is a moving average
            of coefficient c, where 0 takes the last weights. ``("late", s)`` averages over about the last share s of the steps:
            if the rate does not fall to 0, the players never stop circling, and a longer average finds the middle.
        evaluated: Rows that are measured.
    """

    beta: float = 1.0
    joint: str = "both"
    z_dim: int = 2
    networks: str = "dense"
    width: int = 128
    depth: int = 3
    hidden: int = 256
    batch_norm: bool = False
    steps: int = 8_000
    batch_size: int = 128
    learning_rate: float = 1e-3
    final_rate: float = 0.0
    beta1: float = 0.5
    noise: float = 0.0
    standard_codes: bool = False
    critic: str = "separable"
    critic_spread: float = 1.0
    critic_width: int = 128
    critic_rate: float = 1e-3
    critic_steps: int = 1
    bound: str = "infonce"
    shuffles: int = 63
    averaging: tuple[str, float] = ("moving", 0.999)
    evaluated: int = 2_500


class Bigan(Adversarial):
    """Encoder, generator, discriminator and, with a positive ``beta``, the term of mutual information.

    Arguments:
        config: Sizes and rates.
        x_dim: Numbers in a row of data.
        seed: Source of all randomness. Networks and codes come in the same order for both arms.
        bounded: Whether data lie between -1 and 1, and generated rows too.
        refinements: Losses, penalties, features and schedules; a plain game without them.
    """

    player = "players"

    def __init__(
        self, config: BiganConfig, x_dim: int, seed: int, *, bounded: bool = False, refinements: Refinements | None = None
    ) -> None:
        super().__init__()
        self.config = config
        self.refinements = refined = refinements or Refinements()
        self.random = {
            name: torch.Generator().manual_seed(4 * seed + i) for i, name in enumerate(("nets", "codes", "critic", "noise"))
        }
        nets, z_dim = self.random["nets"], config.z_dim
        self.encoder: nn.Module
        self.generator: nn.Module
        self.discriminator: nn.Module
        if config.networks == "conv":
            self.encoder = ConvEncoder(z_dim, config.width, config.hidden, nets, standardised=config.standard_codes)
            self.generator = ConvGenerator(z_dim, config.width, nets)
            self.discriminator = ConvDiscriminator(z_dim, config.width, config.hidden, nets)
        else:
            hidden = [config.width] * config.depth
            self.encoder = DenseEncoder(
                x_dim,
                z_dim,
                hidden,
                nets,
                octaves=refined.octaves,
                noise_dim=refined.encoder_noise,
                batch_norm=config.batch_norm,
                standardised=config.standard_codes,
            )
            self.generator = DenseGenerator(
                x_dim, z_dim, hidden, nets, octaves=refined.code_octaves, bounded=bounded, batch_norm=config.batch_norm
            )
            self.discriminator = PairDiscriminator(x_dim, z_dim, hidden, nets, octaves=refined.octaves)
        # the players circle around where they would meet: the averages are nearer to it than the last step
        form, amount = config.averaging
        average = {"moving": get_ema_multi_avg_fn, "late": _late_average}[form](amount)
        self.average_encoder = AveragedModel(self.encoder, multi_avg_fn=average, use_buffers=True)
        self.average_generator = AveragedModel(self.generator, multi_avg_fn=average, use_buffers=True)
        if config.beta > 0:
            hidden, source = [config.critic_width] * 2, self.random["critic"]
            if config.critic == "decoder":
                critic = DecoderCritic(x_dim, z_dim, hidden, config.critic_spread, source, bounded=bounded)
            else:
                kind = {"concat": ConcatCritic, "separable": SeparableCritic}[config.critic]
                critic = kind(x_dim, z_dim, hidden, generator=source)
            self.term = MaximizeMI(
                critic,
                config.bound,
                shuffles=config.shuffles,
                optimizer=lambda weights: torch.optim.Adam(weights, lr=config.critic_rate, betas=(0.5, 0.999), fused=True),
                random_state=seed,
            )
        self.players = [*self.encoder.parameters(), *self.generator.parameters()]
        self.optimizers = [
            torch.optim.Adam(weights, lr=config.learning_rate, betas=(config.beta1, 0.999), fused=True)
            for weights in (self.players, list(self.discriminator.parameters()))
        ]

    def codes(self, n: int) -> Tensor:
        """Standard normal codes, shape (n, z_dim)."""
        return torch.randn(n, self.config.z_dim, generator=self.random["codes"]).to(self.device)

    def encode(self, x: Tensor) -> Tensor:
        """Codes of rows, with fresh noise for an encoder that takes some, shape (n, z_dim)."""
        length = self.refinements.encoder_noise
        if length == 0:
            return self.encoder(x)
        return self.encoder(x, torch.randn(len(x), length, generator=self.random["noise"]).to(x.device))

    def training_step(self, batch: Tensor) -> None:
        """One step of the discriminator, the critic, and encoder and generator together, on rows of data."""
        config, refined, x = self.config, self.refinements, batch
        share = config.final_rate + (1 - config.final_rate) * refined.rate(self.step, config.steps)
        self.set_rates(config.learning_rate * share, refined.discriminator_rate)
        of_players, of_discriminator = self.optimizers

        z = self.codes(len(x))
        encoded, generated = self.encode(x), self.generator(z)
        xs, zs = torch.cat([x, generated]), torch.cat([encoded, z])

        gamma = refined.gamma(self.step, config.steps)
        pairs = [self._noisy(xs.detach()), zs.detach()]
        loss_d = penalised_discriminator_loss(self.discriminator, pairs, paired=refined.paired, gamma=gamma)
        of_discriminator.zero_grad()
        loss_d.backward()
        of_discriminator.step()

        loss = player_loss(*self.discriminator(self._noisy(xs), zs).chunk(2), paired=refined.paired)
        of_players.zero_grad()
        joints = {"encoder": [(x, encoded)], "generator": [(generated, z)], "both": [(x, encoded), (generated, z)]}
        beta = config.beta * refined.information_weight(self.step, config.steps)
        self.backward(loss, joints[config.joint], self.players, beta=beta, critic_steps=config.critic_steps)
        of_players.step()
        self.average_encoder.update_parameters(self.encoder)
        self.average_generator.update_parameters(self.generator)
        self.stepped(loss, loss_d)

    def _noisy(self, x: Tensor) -> Tensor:
        """What the discriminator sees of x at this step."""
        std = self.config.noise * ramp(self.step, 0, self.config.steps)
        return x + std * torch.randn(x.shape, generator=self.random["noise"]).to(x.device) if std > 0 else x

    @property
    def estimate(self) -> float:
        """The critic's last value of the information in nats; 0 without a critic."""
        return 0.0 if self.term is None else self.term.estimate

    @torch.no_grad()
    def sample(self, n: int) -> Tensor:
        """Rows from fresh codes, shape (n, x_dim)."""
        return self._evaluated(self.average_generator, self.codes(n))

    @torch.no_grad()
    def reconstruct(self, x: Tensor) -> Tensor:
        """G(E(x)), shape (n, x_dim)."""
        return self._evaluated(lambda rows: self.average_generator(self.average_encoder(rows)), x)

    def _evaluated(self, function: Callable[[Tensor], Tensor], rows: Tensor) -> Tensor:
        self.eval()
        out = torch.cat([function(part.to(self.device)).cpu() for part in rows.split(500)])
        self.train()
        if not torch.isfinite(out).all():
            raise DivergedError(f"step {self.step}: what was generated is not finite")
        return out


def _late_average(share: float) -> Callable[[Sequence[Tensor], Sequence[Tensor], Any], None]:
    """An average over about the last ``share`` of all steps, however many they become: of the polynomial-decay kind.

    References:
        Shamir & Zhang, 2013 (arXiv 1212.1824), section 4.
    """

    @torch.no_grad()
    def update(averaged: Sequence[Tensor], current: Sequence[Tensor], n_averaged: Any) -> None:
        weight = 1 / (1 + share * n_averaged)  # a tensor on the model's device, which nobody has to wait for
        for average, last in zip(averaged, current, strict=True):
            if average.is_floating_point():
                average.lerp_(last, weight.to(average.dtype))
            else:
                average.copy_(last)

    return update


def train_bigan(
    config: BiganConfig,
    x_dim: int,
    seed: int,
    draw: Callable[[int, np.random.Generator], np.ndarray],
    folder: Path,
    progress: Progress,
    *,
    bounded: bool = False,
    refinements: Refinements | None = None,
    device: str = "cpu",
) -> Bigan:
    """Train from the start or from the checkpoint in ``folder``.

    Arguments:
        config: Networks and training.
        x_dim: Numbers in a row of data.
        seed: Source of all randomness.
        draw: ``(n, generator) -> rows``, the data at the networks' scale, shape (n, x_dim).
        folder: Holds the checkpoint.
        progress: Called with steps done, steps in all and a message.
        bounded: Whether data lie between -1 and 1.
        refinements: As in :class:`Bigan`.
        device: Where to train.

    Raises:
        DivergedError: A loss is not finite.
    """
    model = Bigan(config, x_dim, seed, bounded=bounded, refinements=refinements).to(device)

    def batches(block: int) -> Iterable[Tensor]:
        # a block of data has a seed of its own: a resumed run draws the same as one that was never stopped
        rows = draw(BLOCK * config.batch_size, np.random.default_rng([seed, block]))
        return torch.as_tensor(rows, dtype=torch.float32).split(config.batch_size)

    def message(_: Trainable) -> str:
        return f"I = {model.estimate:.2f} nats" if model.term else ""

    fit(model, batches, config.steps, folder, progress, message)
    return model
