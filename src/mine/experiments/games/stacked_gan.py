"""A DCGAN of stacked digits, with or without the mutual information between its images and its code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import softplus

from mine.datasets import Images, digits, mnist
from mine.experiments.experiment import DivergedError, Progress
from mine.experiments.games.adversarial import Adversarial
from mine.experiments.games.image_networks import ImageCode, ImageDiscriminator, ImageGenerator
from mine.experiments.training import BLOCK, Trainable, fit, ramp
from mine.terms import MaximizeMI

__all__ = ["CHANNELS", "StackedConfig", "StackedDigits", "StackedGAN", "train_stacked_gan"]

#: Digits in a stack, one a colour.
CHANNELS = 3

#: Generated images kept for the figure.
_KEPT = 64


@dataclass(frozen=True)
class StackedConfig:
    """Networks and training, the same for all arms but for ``beta`` and ``discriminator_share``.

    Attributes:
        beta: Weight of the mutual information; 0 is a plain DCGAN.
        discriminator_share: Width of the discriminator, as a share of the generator's.
        data: ``"mnist"``, or ``"digits"``, scikit-learn's 8 x 8 pixels.
        images: Stacks that are drawn once and trained on.
        steps: Steps of generator and discriminator.
        batch_size: Images a step.
        noise_dim: Length of the normal noise.
        code_dim: Length of the code, normal too, beside it.
        width: Channels of the generator's last hidden layer; twice as many in the one before.
        learning_rate: Of generator and discriminator, Adam.
        beta1: Adam's first coefficient, for all networks.
        decay_from: Share of the steps after which the learning rates fall to 0; 1 is never.
        critic_width: Channels of the critic's first layer.
        critic_hidden: Width of its layers that see image and code.
        critic_rate: Its learning rate.
        critic_steps: Its steps for each of the generator.
        bound: Of the mutual information. A continuous code and a generator without noise of its own have infinite information,
            and the bound of MINE then wanders by nats; InfoNCE ends at ``log(shuffles + 1)``.
        shuffles: Shuffled pairs a row.
        evaluated: Generated images that are measured.
    """

    beta: float = 1.0
    discriminator_share: float = 0.25
    data: str = "mnist"
    images: int = 128_000
    steps: int = 4_000
    batch_size: int = 64
    noise_dim: int = 90
    code_dim: int = 10
    width: int = 32
    learning_rate: float = 1e-3
    beta1: float = 0.5
    decay_from: float = 0.5
    critic_width: int = 16
    critic_hidden: int = 128
    critic_rate: float = 1e-3
    critic_steps: int = 1
    bound: str = "infonce"
    shuffles: int = 63
    evaluated: int = 26_000


class StackedDigits:
    """Images of three random digits each, one a colour.

    References:
        Srivastava et al., 2017 (VEEGAN, arXiv 1705.07761); Lin et al., 2018 (PacGAN, arXiv 1712.04086), section 4.1.

    Arguments:
        data: The digits; those to train on are stacked.
        n: How many stacks.
        seed: Draws them.

    Example:
        >>> from mine.datasets import digits
        >>> StackedDigits(digits(), 100, 0).batch(np.array([7, 7])).shape
        torch.Size([2, 3, 8, 8])
    """

    def __init__(self, data: Images, n: int, seed: int) -> None:
        pixels, labels = data.train
        self.pixels = torch.as_tensor(pixels)
        self.white = data.white
        self.rows = np.random.default_rng(seed).integers(len(pixels), size=(n, CHANNELS))
        self.labels = labels[self.rows]  # (n, 3)

    def __len__(self) -> int:
        return len(self.rows)

    def batch(self, chosen: np.ndarray) -> Tensor:
        """Stacks by number, brightness from -1 to 1, shape (len(chosen), 3, size, size)."""
        return self.pixels[torch.as_tensor(self.rows[chosen])].to(torch.float32) * (2 / self.white) - 1


class StackedGAN(Adversarial):
    """Generator, discriminator and, with a positive ``beta``, the term of mutual information.

    Arguments:
        config: Sizes and rates.
        size: Height and width of the images, in pixels.
        seed: Source of all randomness. Networks, noise and codes come in the same order for all arms.
    """

    def __init__(self, config: StackedConfig, size: int, seed: int) -> None:
        super().__init__()
        self.config = config
        names = ("generator", "discriminator", "critic", "noise")
        self.random = {name: torch.Generator().manual_seed(len(names) * seed + i) for i, name in enumerate(names)}
        inputs = config.noise_dim + config.code_dim
        self.generator = ImageGenerator(inputs, size, CHANNELS, config.width, self.random["generator"])
        width = max(1, round(config.width * config.discriminator_share))
        self.discriminator = ImageDiscriminator(size, CHANNELS, width, self.random["discriminator"])
        betas = (config.beta1, 0.999)
        if config.beta > 0:
            sizes = (size, CHANNELS, config.code_dim, config.critic_width, config.critic_hidden)
            self.term = MaximizeMI(
                ImageCode(*sizes, self.random["critic"]),
                config.bound,
                shuffles=config.shuffles,
                optimizer=lambda parameters: torch.optim.Adam(parameters, lr=config.critic_rate, betas=betas),
                random_state=seed,
            )
        self.optimizers = [
            torch.optim.Adam(network.parameters(), lr=config.learning_rate, betas=betas)
            for network in (self.generator, self.discriminator)
        ]

    def inputs(self, n: int) -> tuple[Tensor, Tensor]:
        """Noise and code for the generator, (n, noise + code), and the code alone, (n, code)."""
        z = torch.randn(n, self.config.noise_dim + self.config.code_dim, generator=self.random["noise"]).to(self.device)
        return z, z[:, self.config.noise_dim :]

    def training_step(self, batch: Tensor) -> None:
        """One step of the discriminator, the critic and the generator; brightness from -1 to 1."""
        config = self.config
        self.set_rates(config.learning_rate * ramp(self.step, config.decay_from * config.steps, config.steps))
        of_generator, of_discriminator = self.optimizers

        z, code = self.inputs(len(batch))
        fake = self.generator(z)
        loss_d = softplus(-self.discriminator(batch)).mean() + softplus(self.discriminator(fake.detach())).mean()
        of_discriminator.zero_grad()
        loss_d.backward()
        of_discriminator.step()

        # the same images serve the generator, as in DCGAN's published code
        loss_g = softplus(-self.discriminator(fake)).mean()
        of_generator.zero_grad()
        weights = list(self.generator.parameters())
        self.backward(loss_g, [(fake, code)], weights, beta=config.beta, critic_steps=config.critic_steps)
        of_generator.step()
        self.stepped(loss_g, loss_d)

    @torch.no_grad()
    def sample(self, n: int) -> Tensor:
        """Images of brightness 0 to 1, shape (n, 3, size, size); batches are normalised by their running averages."""
        self.eval()
        parts = [self.generator(self.inputs(min(1_000, n - start))[0]) for start in range(0, n, 1_000)]
        self.train()
        images = (torch.cat(parts).cpu() + 1) / 2
        if not bool(images.isfinite().all()):
            raise DivergedError(f"step {self.step}: generated images are not finite")
        return images


def load_digits(config: StackedConfig, progress: Progress) -> Images:
    """What ``config.data`` names."""
    if config.data == "digits":
        return digits()
    return mnist(progress=lambda done, total, message: progress(0, config.steps, message))


def train_stacked_gan(
    config: StackedConfig, seed: int, data: Images, folder: Path, progress: Progress, device: str = "cpu"
) -> tuple[Tensor, float]:
    """Train from the start or from the checkpoint in ``folder``, and sample.

    Arguments:
        config: Networks and training.
        seed: Source of all randomness.
        data: The digits to stack.
        folder: Holds the checkpoint; some images are kept there for the figure, as ``samples.npz``.
        progress: Called with steps done, steps in all and a message.
        device: Where to train.

    Returns:
        Images of brightness 0 to 1, shape (evaluated, 3, size, size), and the critic's value of I(image; code) in nats, 0
        without a critic.

    Raises:
        DivergedError: A loss or an image is not finite.
    """
    model = StackedGAN(config, data.images.shape[1], seed).to(device)
    real = StackedDigits(data, config.images, seed)

    def batches(block: int) -> Iterable[Tensor]:
        # a block of data has a seed of its own: a resumed run draws the same as one that was never stopped
        chosen = np.random.default_rng([seed, block]).integers(len(real), size=(BLOCK, config.batch_size))
        return (real.batch(rows) for rows in chosen)

    def message(_: Trainable) -> str:
        return f"I = {model.term.estimate:.2f} nats" if model.term else ""

    fit(model, batches, config.steps, folder, progress, message)
    images = model.sample(config.evaluated)
    shown = real.batch(np.arange(min(_KEPT, len(real)))).add(1).div(2)
    np.savez_compressed(folder / "samples.npz", generated=_bytes(images[:_KEPT]), real=_bytes(shown))
    return images, 0.0 if model.term is None else model.term.estimate


def _bytes(images: Tensor) -> np.ndarray:
    return (images * 255).round().to(torch.uint8).numpy()
