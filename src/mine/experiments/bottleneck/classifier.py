"""A classifier with a noisy code between encoder and output, and ways to keep it from overfitting."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Normal
from torch.nn.functional import cross_entropy, elu, linear, relu, softplus

from mine import bounds
from mine.experiments.checkpoint import Checkpoint
from mine.experiments.experiment import DivergedError, Progress
from mine.terms import MinimizeMI
from mine.terms.densities import log_density_matrix

__all__ = ["BottleneckConfig", "Classifier", "train_classifier"]

_REPORT_EVERY = 50


@dataclass(frozen=True)
class BottleneckConfig:
    """Networks and training, the same for all arms but for ``regulariser``, ``encoder`` and ``weight``.

    Attributes:
        regulariser: ``"none"``, ``"dropout"``, ``"confidence"``, ``"smoothing"``, ``"vib"`` or ``"mine"``.
        encoder: ``"plain"``; ``"gaussian"``, whose mean and deviation depend on x; ``"additive"``, unit noise on the code;
            ``"propagated"``, unit noise next to the input, carried through all layers.
        weight: Of the regulariser: of the information in nats, the entropy, the share of uniform labels, or of units dropped.
        data: ``"mnist"`` or ``"digits"``.
        epochs: Of training.
        batch_size: Rows per step.
        width: Of the encoder's two hidden layers.
        code: Length of the code.
        learning_rate: Of encoder and classifier, Adam with betas (0.5, 0.999).
        decay: Factor of the rate every two epochs.
        averaging: Of the weights that are tested: a step's weight is 1 less this.
        samples: Codes a test row, their probabilities averaged.
        critic_width: Of the critic's two hidden layers.
        critic_rate: Of the critic, Adam.
        critic_alpha: Weight of a batch in its moving average.
        critic_steps: Of the critic for each of the encoder.
    """

    regulariser: str = "none"
    encoder: str = "plain"
    weight: float = 0.0
    data: str = "mnist"
    epochs: int = 6
    batch_size: int = 100
    width: int = 1024
    code: int = 256
    learning_rate: float = 5e-4
    decay: float = 0.5
    averaging: float = 0.999
    samples: int = 12
    critic_width: int = 512
    critic_rate: float = 2e-4
    critic_alpha: float = 0.006
    critic_steps: int = 1


def _linear(n_in: int, n_out: int, generator: torch.Generator) -> nn.Linear:
    layer: Any = nn.utils.skip_init(nn.Linear, n_in, n_out)  # its own values would come from the global generator
    with torch.no_grad():
        layer.weight.uniform_(-math.sqrt(6 / (n_in + n_out)), math.sqrt(6 / (n_in + n_out)), generator=generator)
        layer.bias.zero_()
    return layer


def _normal(shape: torch.Size, source: torch.Generator) -> Tensor:
    return torch.randn(shape, generator=source, device=source.device)


class _NoisyCritic(nn.Module):
    """Noise on the pair and on the hidden layers while it trains, which keeps the scores of exact copies finite."""

    def __init__(self, dx: int, dz: int, width: int, generator: torch.Generator, noise: torch.Generator) -> None:
        super().__init__()
        # the first layer in two: the model's gradient then passes through the columns of z alone
        limit = math.sqrt(6 / (dx + dz + width))
        first = torch.empty(width, dx + dz).uniform_(-limit, limit, generator=generator)
        self.of_x, self.of_z = (nn.Parameter(columns.clone()) for columns in first.split((dx, dz), 1))
        self.bias = nn.Parameter(torch.zeros(width))
        self.layers: Any = nn.ModuleList(_linear(a, b, generator) for a, b in pairwise((width, width, 1)))
        self.noise = noise

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        h = linear(self._noisy(x, 0.3), self.of_x, self.bias)
        h = elu(torch.addmm(h, self._noisy(z, 0.3), self.of_z.T))
        h = elu(self.layers[0](self._noisy(h, 0.5)))
        return self.layers[1](self._noisy(h, 0.5)).squeeze(1)

    def _noisy(self, h: Tensor, scale: float) -> Tensor:
        return h + scale * _normal(h.shape, self.noise) if self.training else h


def _generators(seed: int, device: str) -> dict[str, torch.Generator]:
    return {name: torch.Generator(device).manual_seed(8 * seed + i) for i, name in enumerate(("nets", "noise", "critic"))}


class Classifier:
    """Encoder, classifier, regulariser, optimisers and generators: all that a checkpoint has to hold.

    Arguments:
        config: Sizes and rates.
        n_inputs: Of a row.
        n_classes: How many labels.
        seed: Of all randomness; arms of one seed share initial weights where their shapes agree, and batches.
        device: Of networks, data and noise; the first weights are the same on all.
    """

    def __init__(self, config: BottleneckConfig, n_inputs: int, n_classes: int, seed: int, device: str = "cpu") -> None:
        self.config, self.seed, self.device = config, seed, device
        weights = _generators(seed, "cpu")  # the same on all devices; the noise is too much to be drawn on another one
        self.random = weights if device == "cpu" else _generators(seed, device)
        source = weights["nets"]
        n_noise = n_inputs if config.encoder == "propagated" else 0
        n_code = config.code * (2 if config.encoder == "gaussian" else 1)
        sizes = (n_inputs + n_noise, config.width, config.width, n_code)
        self.layers: Any = nn.ModuleList(
            [*(_linear(a, b, source) for a, b in pairwise(sizes)), _linear(config.code, n_classes, source)]
        ).to(device)
        self.optimizer = torch.optim.Adam(self.layers.parameters(), lr=config.learning_rate, betas=(0.5, 0.999), fused=True)
        self.average = [p.detach().clone() for p in self.layers.parameters()]
        self.term: MinimizeMI | None = None
        if config.regulariser == "mine":
            critic = _NoisyCritic(n_inputs, config.code, config.critic_width, weights["critic"], self.random["critic"]).to(
                device
            )
            bound = partial(bounds.mine, alpha=config.critic_alpha)
            optimizer = partial(torch.optim.Adam, lr=config.critic_rate, fused=True)
            self.term = MinimizeMI(critic, bound, shuffles=1, optimizer=optimizer, random_state=seed)
        self.step = 0

    def encode(self, x: Tensor, *, training: bool) -> tuple[Tensor, Normal | None]:
        """Codes of a batch, (B, code), and their density given x where it is normal."""
        config, source = self.config, self.random["noise"]
        h = torch.cat([x, _normal(x.shape, source)], 1) if config.encoder == "propagated" else x
        for layer in self.layers[:2]:
            h = relu(layer(h))
            if training and config.regulariser == "dropout":
                kept = torch.rand(h.shape, generator=source, device=source.device) >= config.weight
                h = h * kept / (1 - config.weight)
        mean = self.layers[2](h)
        if config.encoder in ("plain", "propagated"):
            return mean, None
        scale: Any = torch.ones((), device=x.device)
        if config.encoder == "gaussian":
            mean, raw = mean.chunk(2, 1)
            scale = softplus(raw - 5)
        code = mean + scale * _normal(mean.shape, source)
        return code, Normal(mean, scale.expand_as(mean), validate_args=False)

    def loss(self, x: Tensor, y: Tensor) -> Tensor:
        """Cross-entropy plus the regulariser; trains the critic first, where there is one."""
        config = self.config
        code, density = self.encode(x, training=True)
        logits = self.layers[3](code)
        fit = cross_entropy(logits, y, label_smoothing=config.weight if config.regulariser == "smoothing" else 0.0)
        if config.regulariser == "confidence":
            log_p = logits.log_softmax(1)
            return fit + config.weight * (log_p.exp() * log_p).sum(1).mean()
        if config.regulariser == "vib":
            assert density is not None
            variance = density.variance
            return fit + config.weight * 0.5 * (density.mean**2 + variance - variance.log() - 1).sum(1).mean()
        if self.term is not None:
            self.term.critic_step(x, code, steps=config.critic_steps)
            return fit + config.weight * self.term(x, code)  # plus: the information on the input is to fall
        return fit

    def train_step(self, x: Tensor, y: Tensor) -> float:
        """One step of everything; the value of the loss."""
        loss = self.loss(x, y)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.step += 1
        share = max(1 - self.config.averaging, 1 / self.step)
        with torch.no_grad():
            for mean, parameter in zip(self.average, self.layers.parameters(), strict=True):
                mean.lerp_(parameter, share)
        return loss.item()

    @torch.no_grad()
    def evaluate(self, x: Tensor, y: Tensor) -> dict[str, float]:
        """Share of wrong rows, cross-entropy and, where the code has a density, a bound on I(X; Z), by the averaged weights."""
        for parameter, mean in zip(self.layers.parameters(), self.average, strict=True):
            parameter.data, mean.data = mean.data, parameter.data
        wrong, fit, information = 0, 0.0, []
        samples = self.config.samples if self.config.encoder != "plain" else 1
        x, y = x.to(self.device), y.to(self.device)
        for rows, labels in zip(x.split(1_000), y.split(1_000), strict=True):
            codes = [self.encode(rows, training=False) for _ in range(samples)]
            p = torch.stack([self.layers[3](code).softmax(1) for code, _ in codes]).mean(0)
            wrong += int((p.argmax(1) != labels).sum())
            fit -= float(p.clamp_min(1e-12).log().gather(1, labels[:, None]).sum())
            code, density = codes[0]
            if density is not None:
                information.append(_information(code, density))
        for parameter, mean in zip(self.layers.parameters(), self.average, strict=True):
            parameter.data, mean.data = mean.data, parameter.data
        numbers = {"error": wrong / len(x), "cross_entropy": fit / len(x)}
        return numbers | ({"information": sum(information) / len(information)} if information else {})

    def state(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "layers": self.layers.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average,
            "random": {name: source.get_state() for name, source in self.random.items()},
            "device": torch.device(self.device).type,
            "term": None if self.term is None else self.term.state_dict(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        self.step = state["step"]
        self.layers.load_state_dict(state["layers"])
        self.optimizer.load_state_dict(state["optimizer"])
        for mean, saved in zip(self.average, state["average"], strict=True):
            mean.copy_(saved)
        for i, (name, source) in enumerate(self.random.items()):
            if state["device"] == source.device.type:
                source.set_state(state["random"][name])
            else:  # the other device's state means nothing here: numbers that no run from the start has drawn
                source.manual_seed(8 * self.seed + i + 1_000_003 * (self.step + 1))
        if self.term is not None:
            self.term.load_state_dict(state["term"])


def _information(code: Tensor, density: Normal) -> float:
    """Lower bound on I(X; Z) in nats from the code's density given x: InfoNCE with the best critic, at most log n."""
    matrix = torch.cat([log_density_matrix(part, density) for part in code.split(100)])  # (n, n): log p(z_i | x_j)
    return float((matrix.diagonal() - bounds.log_mean_exp(matrix, -1)).mean())


def _batches(n: int, config: BottleneckConfig, seed: int, start: int, device: str) -> Iterator[tuple[int, Tensor]]:
    """Epoch and rows of each step from ``start`` on; an epoch has an order of its own."""
    per_epoch = n // config.batch_size
    for epoch in range(start // per_epoch, config.epochs):
        order = torch.randperm(n, generator=torch.Generator().manual_seed(1_000_003 * (seed + 1) + epoch)).to(device)
        for batch in range(start % per_epoch if epoch == start // per_epoch else 0, per_epoch):
            yield epoch, order[batch * config.batch_size : (batch + 1) * config.batch_size]


def train_classifier(
    config: BottleneckConfig,
    seed: int,
    train: tuple[Tensor, Tensor],
    folder: Path,
    progress: Progress,
    device: str = "cpu",
) -> Classifier:
    """Train from the start or from the checkpoint in ``folder``.

    Arguments:
        config: Networks and training.
        seed: Source of all randomness.
        train: Rows in [-1, 1], shape (n, d), and labels, shape (n,).
        folder: Holds the checkpoint.
        progress: Called with steps done, steps in all and a message.
        device: Where to train.

    Raises:
        DivergedError: The loss is not finite.
    """
    x, y = (part.to(device) for part in train)
    model = Classifier(config, x.shape[1], int(y.max()) + 1, seed, device)
    checkpoint = Checkpoint(folder / "checkpoint.pt")
    saved = checkpoint.load()
    if saved is not None:
        model.load_state(saved)
    total = config.epochs * (len(x) // config.batch_size)
    for epoch, rows in _batches(len(x), config, seed, model.step, device):
        model.optimizer.param_groups[0]["lr"] = config.learning_rate * config.decay ** (epoch // 2)
        loss = model.train_step(x[rows], y[rows])
        if not math.isfinite(loss):
            raise DivergedError(f"step {model.step}: loss {loss}")
        if model.step % _REPORT_EVERY == 0:
            progress(model.step, total, f"loss {loss:.3f}" + (f", I = {model.term.estimate:.1f} nats" if model.term else ""))
        if checkpoint.due():
            checkpoint.save(model.state())
    return model
