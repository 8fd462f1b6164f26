"""The information plane of a network on MNIST, read by the Lightning callback while it trains."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from mine.experiments.experiment import DivergedError, Experiment, Metric, Progress
from mine.experiments.store import Record
from mine.experiments.targets import Values
from mine.reporting.figures import new_figure, write_figure

__all__ = ["EXPERIMENT", "Config", "plot", "run"]


@dataclass(frozen=True)
class Config:
    """Network and callback.

    Attributes:
        activation: Of the hidden layers, ``"tanh"`` or ``"relu"``.
        widths: Of the hidden layers; ten outputs follow.
        data: ``"mnist"`` or ``"digits"``.
        n_train: Images to train on.
        epochs: Of training.
        every: Epochs between two readings.
        rows: Test images that the callback reads.
        noise: Standard deviation of the noise as a share of a layer's.
        effort: Of the default method.
        steps: Maximum steps of its critics; None is the method's own number.
        batch_size: Images a step.
        learning_rate: Of Adam.
    """

    activation: str = "tanh"
    widths: tuple[int, ...] = (1024, 20, 20, 20)
    data: str = "mnist"
    n_train: int = 10_000
    epochs: int = 9
    every: int = 4
    rows: int = 2_000
    noise: float = 0.1
    effort: str = "fast"
    steps: int | None = None
    batch_size: int = 128
    learning_rate: float = 1e-3


def run(config: Config, seed: int, out: Path, progress: Progress, device: str = "cpu") -> dict[str, float]:
    """Train with the callback on all layers but the first, too wide for so many rows; a run cut short starts again."""
    import lightning.pytorch as pl
    import torch
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset

    from mine.datasets import digits, mnist
    from mine.lightning import MutualInformationCallback

    dataset = mnist() if config.data == "mnist" else digits()

    def data(part: tuple[Any, Any], most: int) -> TensorDataset:
        images, labels = part[0][:most], part[1][:most]
        x = torch.as_tensor(images.reshape(len(images), -1), dtype=torch.float32) / dataset.white
        return TensorDataset(x, torch.as_tensor(labels, dtype=torch.int64))

    train, test = data(dataset.train, config.n_train), data(dataset.test, config.rows)
    sizes = (train.tensors[0].shape[1], *config.widths, 10)
    source = torch.Generator().manual_seed(seed)

    class Network(pl.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.layers: Any = nn.ModuleList(
                nn.Sequential(_linear(a, b, source), {"tanh": nn.Tanh, "relu": nn.ReLU}[config.activation]())
                for a, b in pairwise(sizes[:-1])
            )
            self.layers.append(nn.Sequential(_linear(sizes[-2], sizes[-1], source), nn.Softmax(1)))
            self.right = 0.0

        def forward(self, x: Any) -> Any:
            for layer in self.layers:
                x = layer(x)
            return x

        def training_step(self, batch: Any, index: int) -> Any:
            p = self(batch[0]).clamp_min(1e-12)
            return nn.functional.nll_loss(p.log(), batch[1])

        def on_train_epoch_end(self) -> None:
            progress(self.current_epoch + 1, config.epochs, f"accuracy {self.right:.3f}")

        def validation_step(self, batch: Any, index: int) -> None:
            self.right = float((self(batch[0]).argmax(1) == batch[1]).float().mean())

        def configure_optimizers(self) -> Any:
            return torch.optim.Adam(self.parameters(), lr=config.learning_rate)

    options: dict[str, Any] = {"effort": config.effort} | ({} if config.steps is None else {"steps": config.steps})
    layers = [f"layers.{i}" for i in range(1, len(sizes) - 1)]
    callback = MutualInformationCallback(
        layers, every_n_epochs=config.every, max_rows=config.rows, noise=config.noise, random_state=seed, **options
    )
    network = Network()
    batches = torch.Generator().manual_seed(seed)
    loaders = DataLoader(train, config.batch_size, shuffle=True, generator=batches), DataLoader(test, len(test))
    kind, _, index = device.partition(":")
    with _quiet(), torch.random.fork_rng(devices=[]):  # Lightning and its loaders draw from torch's global generator
        trainer = pl.Trainer(
            accelerator="gpu" if kind == "cuda" else kind, devices=[int(index or 0)] if kind == "cuda" else 1,
            callbacks=[callback], max_epochs=config.epochs, num_sanity_val_steps=0, default_root_dir=out,
            logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        )  # fmt: skip
        trainer.fit(network, *loaders)
    epochs = sorted({entry.epoch for entry in callback.history})
    planes = np.array([
        [[entry.value for entry in callback.history if (entry.epoch, entry.layer) == (epoch, layer)] for layer in layers]
        for epoch in epochs
    ])  # fmt: skip
    if not np.isfinite(planes).all():
        raise DivergedError(next(entry.flag or "not finite" for entry in callback.history if not math.isfinite(entry.value)))
    np.savez_compressed(out / "planes.npz", epochs=epochs, planes=planes)
    of_x, of_y = planes[..., 0], planes[..., 1]
    return {
        "accuracy": network.right,
        "compression": float((of_x.max(0) - of_x[-1]).mean()),
        "last_x": float(of_x[-1, -1]),
        "last_y": float(of_y[-1, -1]),
    }


@contextmanager
def _quiet() -> Iterator[None]:
    """Lightning says nothing about hardware and add-ons that are not there."""
    logger = logging.getLogger("lightning.pytorch")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _linear(n_in: int, n_out: int, generator: Any) -> Any:
    import torch
    from torch import nn

    layer: Any = nn.utils.skip_init(nn.Linear, n_in, n_out)  # its own values would come from the global generator
    with torch.no_grad():
        layer.weight.uniform_(-math.sqrt(6 / (n_in + n_out)), math.sqrt(6 / (n_in + n_out)), generator=generator)
        layer.bias.zero_()
    return layer


def plot(results: Sequence[tuple[Record, Path]], out: Path) -> list[Path]:
    """Write ``figure.png``: a plane an arm, of its first seed."""
    first: dict[str, Path] = {}
    for record, folder in results:
        first.setdefault(record.arm, folder)
    figure, axes = new_figure(1, len(first), (4.2 * len(first) + 0.8, 3.8))
    shown: Any = None
    for axis, (arm, folder) in zip(axes[0], first.items(), strict=True):
        with np.load(folder / "planes.npz") as stored:
            epochs, planes = stored["epochs"], stored["planes"]
        for layer in range(planes.shape[1]):
            path = planes[:, layer]
            axis.plot(*path.T, color="#cccccc", lw=0.8, zorder=1)
            shown = axis.scatter(*path.T, c=epochs, cmap="viridis", s=16, lw=0, zorder=2)
            axis.annotate(str(layer + 2), path[-1], xytext=(3, -9), textcoords="offset points", fontsize=8)
        axis.axhline(math.log(10), color="#888888", lw=0.8, ls="--")
        axis.set_title(f"{arm}; numbers: layers, dashed: log 10", loc="left")
        axis.set_xlabel("I(X; T) (nats)")
    axes[0][0].set_ylabel("I(T; Y) (nats)")
    figure.colorbar(shown, ax=axes, shrink=0.8, label="epoch")
    target = out / "figure.png"
    write_figure(figure, target, dpi=150)
    return [target]


_SMOKE = Config(data="digits", widths=(32, 8), n_train=500, epochs=2, every=1, rows=100, steps=5)
_PAPER = Config(n_train=60_000, epochs=100, every=5, rows=10_000, effort="default")


def _seen(of: Values) -> str:
    return (
        f"I(X; T) ends {of('tanh', 'compression').mean:.2f} nats below its highest value with tanh and "
        f"{of('ReLU', 'compression').mean:.2f} with ReLU, on average over the layers."
    )


EXPERIMENT = Experiment(
    name="information-plane-mnist",
    shows="What the layers of a network 784-1024-20-20-20-10 on MNIST hold on image and label, by the Lightning callback.",
    source="The setting of Saxe et al., 2018, figures without numbers; layers with noise of a tenth of their deviation",
    arms={"tanh": {}, "ReLU": {"activation": "relu"}},
    scales={"smoke": _SMOKE, "default": Config(), "paper": _PAPER},
    minutes={"smoke": 0.05, "default": 5, "paper": 600},
    metrics=(
        Metric("accuracy", "test accuracy (%)", 1, 100),
        Metric("compression", "compression, layers' mean (nats)", 2),
        Metric("last_x", "I(X; outputs) (nats)", 2),
        Metric("last_y", "I(outputs; Y), at most 2.30 (nats)", 2),
    ),
    seen=_seen,
    limits=(
        "The first layer is left out, and no exact values exist to compare with. "
        "The default scale trains for a few epochs on part of the images."
    ),
    run=run,
    plot=plot,
    drawn_from="planes.npz",
)  # fmt: skip
