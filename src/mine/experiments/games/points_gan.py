"""A GAN that makes points in the plane, with or without the mutual information between its points and its code."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, one_hot, relu, softplus
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from mine.critics.networks import ConcatCritic
from mine.experiments.experiment import DivergedError, Progress
from mine.experiments.games.adversarial import Adversarial
from mine.experiments.games.refinements import Refinements, penalised_discriminator_loss, player_loss, waves
from mine.experiments.training import BLOCK, Trainable, fit
from mine.terms import MaximizeMI

__all__ = ["ARMS", "Generated", "GeneratorDiscriminator", "PointsConfig", "train_points_gan"]

#: Generated points kept for the figure.
_KEPT = 2_500

#: A game without refinements.
_PLAIN = Refinements()

#: A GAN against the same GAN with mutual information, with a label as code and with a continuous one.
ARMS = {
    "GAN": {"beta": 0.0},
    "GAN+MINE": {},
    "GAN, normal code": {"beta": 0.0, "code": "normal"},
    "GAN+MINE, normal code": {"code": "normal"},
}


@dataclass(frozen=True)
class PointsConfig:
    """Networks and training, the same for all arms but for ``beta`` and ``code``.

    Attributes:
        beta: Weight of the mutual information; 0 is a plain GAN.
        code: ``"label"``, one of ``n_codes`` at random, one-hot; or ``"normal"``, ``code_dim`` normal numbers.
        n_codes: How many labels.
        code_dim: Length of a normal code.
        noise_dim: Length of the noise next to the code.
        steps: Steps of generator and discriminator.
        batch_size: Points a step.
        width: Of the generator's and the discriminator's hidden layers.
        depth: How many hidden layers each.
        learning_rate: Of generator and discriminator, Adam; falls to 0 over the second half, or as refinements say.
        beta1: Adam's first coefficient for both.
        averaging: The points come from a moving average of the generator's weights with this coefficient; 0 takes the last.
        critic_width: Of the critic's two hidden layers.
        critic_rate: The critic's learning rate.
        critic_steps: Its steps for each of the generator.
        shuffles: Shuffled pairs a row.
        spread: Standard deviation of the data, which the networks see divided by it.
        evaluated: Generated points that are measured.
        refinements: Of the game. Labels are easiest to distinguish with gaps between their points, which a GAN closes once the
            information no longer counts, by ``fade``; by then each label has a place of its own.
    """

    beta: float = 1.0
    code: str = "label"
    n_codes: int = 25
    code_dim: int = 2
    noise_dim: int = 2
    steps: int = 10_000
    batch_size: int = 256
    width: int = 128
    depth: int = 3
    learning_rate: float = 1e-3
    beta1: float = 0.5
    averaging: float = 0.999
    critic_width: int = 128
    critic_rate: float = 1e-3
    critic_steps: int = 1
    shuffles: int = 4
    spread: float = 1.0
    evaluated: int = 2_500
    refinements: Refinements = _PLAIN


@dataclass(frozen=True)
class Generated:
    """What a trained generator makes.

    Attributes:
        points: Shape (n, 2).
        codes: Labels, shape (n,), or normal codes, shape (n, d).
        estimate: The critic's last value of I(points; code) in nats; 0 without a critic.
    """

    points: np.ndarray
    codes: np.ndarray
    estimate: float


class _Network(nn.Module):
    """Hidden layers, and a linear last one; all weights from ``generator``."""

    def __init__(self, sizes: list[int], activation: Callable[[Tensor], Tensor], generator: torch.Generator) -> None:
        super().__init__()
        self.activation = activation
        self.layers = nn.ModuleList()
        for n_in, n_out in pairwise(sizes):
            layer: Any = nn.utils.skip_init(nn.Linear, n_in, n_out)  # its own values would come from the global generator
            limit = math.sqrt(3 / n_in)  # variance 1 / n_in
            with torch.no_grad():
                layer.weight.uniform_(-limit, limit, generator=generator)
                layer.bias.zero_()
            self.layers.append(layer)

    def forward(self, h: Tensor) -> Tensor:
        *hidden, last = self.layers
        for layer in hidden:
            h = self.activation(layer(h))
        return last(h)


class _Discriminator(nn.Module):
    """Scores of points, which it sees with their waves."""

    def __init__(self, octaves: int, hidden: list[int], generator: torch.Generator) -> None:
        super().__init__()
        self.octaves = octaves
        self.network = _Network([2 * (1 + 2 * octaves), *hidden, 1], lambda h: leaky_relu(h, 0.2), generator)

    def forward(self, points: Tensor) -> Tensor:
        return self.network(waves(points, self.octaves)).squeeze(1)


class GeneratorDiscriminator(Adversarial):
    """Generator, discriminator and, with a positive ``beta``, the term of mutual information.

    Arguments:
        config: Sizes and rates.
        seed: Source of all randomness. Networks, noise and codes come in the same order for all arms.
    """

    def __init__(self, config: PointsConfig, seed: int) -> None:
        super().__init__()
        self.config = config
        self.random = {name: torch.Generator().manual_seed(4 * seed + i) for i, name in enumerate(("nets", "noise", "critic"))}
        code = config.n_codes if config.code == "label" else config.code_dim
        hidden = [config.width] * config.depth
        self.generator = _Network([config.noise_dim + code, *hidden, 2], relu, self.random["nets"])
        self.discriminator = _Discriminator(config.refinements.octaves, hidden, self.random["nets"])
        # generator and discriminator circle around where they would meet: the average is nearer to it than the last step
        self.average = AveragedModel(self.generator, multi_avg_fn=get_ema_multi_avg_fn(config.averaging))
        if config.beta > 0:
            critic = ConcatCritic(2, code, [config.critic_width] * 2, generator=self.random["critic"])
            self.term = MaximizeMI(
                critic,
                "mine",  # the bound of the paper
                shuffles=config.shuffles,
                optimizer=lambda parameters: torch.optim.Adam(parameters, lr=config.critic_rate, betas=(0.5, 0.999)),
                random_state=seed,
            )
        betas = (config.beta1, 0.999)
        self.optimizers = [
            torch.optim.Adam(network.parameters(), lr=config.learning_rate, betas=betas, fused=True)
            for network in (self.generator, self.discriminator)
        ]

    @property
    def beta(self) -> float:
        """Weight of the information at this step: the config's, which falls to 0 between the two shares of ``fade``."""
        return self.config.beta * self.config.refinements.information_weight(self.step, self.config.steps)

    def inputs(self, n: int) -> tuple[Tensor, Tensor, Tensor]:
        """Noise and code for the generator, (n, noise + code); the code as the critic sees it, (n, code); the label or code."""
        config, source = self.config, self.random["noise"]
        noise = torch.randn(n, config.noise_dim, generator=source)
        if config.code == "label":
            label = torch.randint(config.n_codes, (n,), generator=source)
            code = one_hot(label, config.n_codes).to(noise.dtype)
        else:
            label = code = torch.randn(n, config.code_dim, generator=source)
        noise, code = noise.to(self.device), code.to(self.device)
        return torch.cat([noise, code], 1), code, label

    def training_step(self, batch: Tensor) -> None:
        """One step of the discriminator, the critic and the generator; the points are divided by the spread already."""
        config, refined = self.config, self.config.refinements
        self.set_rates(config.learning_rate * refined.rate(self.step, config.steps), refined.discriminator_rate)
        of_generator, of_discriminator = self.optimizers

        z, _, _ = self.inputs(len(batch))
        points = torch.cat([batch, self.generator(z).detach()])
        gamma = refined.gamma(self.step, config.steps)
        loss_d = penalised_discriminator_loss(self.discriminator, [points], paired=refined.paired, gamma=gamma)
        of_discriminator.zero_grad()
        loss_d.backward()
        of_discriminator.step()

        z, code, _ = self.inputs(len(batch))
        fake = self.generator(z)
        if refined.paired:
            loss_g = player_loss(*self.discriminator(torch.cat([batch, fake])).chunk(2), paired=True)
        else:
            loss_g = softplus(-self.discriminator(fake)).mean()
        of_generator.zero_grad()
        weights = list(self.generator.parameters())
        self.backward(
            loss_g,
            [(fake, code)],
            weights,
            beta=self.beta,
            critic_steps=config.critic_steps,
        )
        of_generator.step()
        self.average.update_parameters(self.generator)
        self.stepped(loss_g, loss_d)

    @torch.no_grad()
    def sample(self, n: int) -> Generated:
        """Points at the data's scale, with their codes."""
        z, _, label = self.inputs(n)
        points = self.average(z).cpu().double().numpy() * self.config.spread
        if not np.isfinite(points).all():
            raise DivergedError(f"step {self.step}: generated points are not finite")
        return Generated(points, label.numpy(), 0.0 if self.term is None else self.term.estimate)


def train_points_gan(
    config: PointsConfig,
    seed: int,
    draw: Callable[[int, Any], tuple[np.ndarray, Any]],
    folder: Path,
    progress: Progress,
    device: str = "cpu",
) -> Generated:
    """Train from the start or from the checkpoint in ``folder``, and sample.

    Arguments:
        config: Networks and training.
        seed: Source of all randomness.
        draw: ``(n, generator) -> (points, labels)``, the data.
        folder: Holds the checkpoint; some points are kept there for the figure, as ``samples.npz``.
        progress: Called with steps done, steps in all and a message.
        device: Where to train.

    Raises:
        DivergedError: A loss or a point is not finite.
    """
    model = GeneratorDiscriminator(config, seed).to(device)

    def batches(block: int) -> Iterable[Tensor]:
        # a block of data has a seed of its own: a resumed run draws the same as one that was never stopped
        points, _ = draw(BLOCK * config.batch_size, np.random.default_rng([seed, block]))
        return torch.as_tensor(points / config.spread, dtype=torch.float32).split(config.batch_size)

    def message(_: Trainable) -> str:
        return f"I = {model.term.estimate:.2f} nats" if model.term else ""

    fit(model, batches, config.steps, folder, progress, message)
    sample = model.sample(config.evaluated)
    kept = slice(_KEPT)
    np.savez_compressed(folder / "samples.npz", points=sample.points[kept].astype(np.float32), codes=sample.codes[kept])
    return sample
