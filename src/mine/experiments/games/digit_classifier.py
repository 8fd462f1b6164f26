"""The judge of generated digits: a small convolutional network, trained once on real ones and kept."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mine.datasets import Images, mnist
from mine.errors import InputError
from mine.experiments.checkpoint import Checkpoint
from mine.experiments.experiment import Progress
from mine.storage.files import cache_folder

__all__ = ["DigitClassifier", "digit_classifier"]

#: Raised, by one, by the commit that means to change what the trained network comes to: one kept before is then trained anew.
_VERSION = 1
_BATCH = 256
_EPOCHS = 6
#: For images of fewer than 16 pixels a side, of which there are few.
_SMALL_EPOCHS = 10
_RATE = 1e-2
_CLASSES = 10


class _Network(nn.Module):
    """Three convolutions, normalised by batch, and a linear layer; all weights from ``generator``."""

    def __init__(self, size: int, generator: torch.Generator) -> None:
        super().__init__()
        small = size < 16
        self.convolutions = nn.ModuleList(
            [
                nn.utils.skip_init(nn.Conv2d, 1, 16, 5, stride=1 if small else 2, padding=2, bias=False),
                nn.utils.skip_init(nn.Conv2d, 16, 32, 3, padding=1, bias=False),
                nn.utils.skip_init(nn.Conv2d, 32, 64, 3, padding=1, bias=False),
            ]
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in (16, 32, 64))
        side = (size if small else (size + 1) // 2) // 2
        self.last: Any = nn.utils.skip_init(nn.Linear, 64 * side * side, _CLASSES)
        with torch.no_grad():
            for layer in self.convolutions:
                weight: Any = layer.weight
                nn.init.kaiming_normal_(weight, nonlinearity="relu", generator=generator)
            nn.init.normal_(self.last.weight, std=self.last.in_features**-0.5, generator=generator)
            self.last.bias.zero_()

    def forward(self, h: Tensor) -> Tensor:
        for k, (convolution, norm) in enumerate(zip(self.convolutions, self.norms, strict=True)):
            h = F.relu(norm(convolution(h)))
            if k == 1:
                h = F.max_pool2d(h, 2)
        return self.last(h.flatten(1))


@dataclass(frozen=True)
class DigitClassifier:
    """Says which digit an image shows.

    Attributes:
        network: Scores of the ten digits; takes images of brightness 0 to 1, shape (n, 1, size, size).
        size: Height and width of its images, in pixels.
        accuracy: Share of the test images that it tells right, measured after training.
        tested: How many test images these were.
    """

    network: nn.Module
    size: int
    accuracy: float
    tested: int

    @torch.no_grad()
    def predict(self, images: Tensor | np.ndarray) -> np.ndarray:
        """The digit that each image shows.

        Arguments:
            images: Brightness from 0 to 1, shape (n, 1, size, size).

        Returns:
            Labels from 0 to 9, shape (n,).

        Raises:
            InputError: Images of another shape.
        """
        rows = torch.as_tensor(images, dtype=torch.float32)
        if rows.ndim != 4 or rows.shape[1:] != (1, self.size, self.size):
            raise InputError(
                f"The classifier reads images of shape (n, 1, {self.size}, {self.size}), got {tuple(rows.shape)}: one channel "
                "a digit, brightness from 0 to 1."
            )
        self.network.eval()
        predicted = [self.network(part).argmax(1) for part in rows.split(1_000)]
        return torch.cat(predicted).numpy() if predicted else np.zeros(0, dtype=np.int64)


def digit_classifier(
    folder: Path | None = None, progress: Progress | None = None, *, data: Images | None = None, seed: int = 0
) -> DigitClassifier:
    """The classifier: read from ``folder`` where it was kept before, else trained (a minute or two on one core) and kept there.

    Arguments:
        folder: Where it is kept; None is the cache, ``~/.cache/torch-mine/digit_classifier``.
        progress: Called with steps done, steps in all and a message while it trains.
        data: Digits to train and test on; None is MNIST. ``mine.datasets.digits()`` trains in a few seconds.
        seed: Source of all randomness.
    """
    data = mnist() if data is None else data
    folder = cache_folder("digit_classifier") if folder is None else folder
    folder.mkdir(parents=True, exist_ok=True)
    store = Checkpoint(folder / f"digit_classifier_{_digest(data, seed)}.pt")
    size = data.images.shape[1]
    network = _Network(size, torch.Generator().manual_seed(seed))
    kept = store.load()
    if kept is None:
        _train(network, data, seed, progress)
        classifier = DigitClassifier(network, size, math.nan, 0)
        images, labels = data.test
        accuracy = float((classifier.predict(_brightness(images, data.white)) == labels).mean())
        kept = {"network": network.state_dict(), "accuracy": accuracy, "tested": len(labels)}
        store.save(kept)
    network.load_state_dict(kept["network"])
    return DigitClassifier(network.eval(), size, kept["accuracy"], kept["tested"])


def _digest(data: Images, seed: int) -> str:
    """Of all that decides the network."""
    digest = hashlib.sha256(f"{_VERSION} {seed} {data.n_train} {data.white} {data.images.shape}".encode())
    digest.update(np.ascontiguousarray(data.images).data)
    digest.update(np.ascontiguousarray(data.labels).data)
    return digest.hexdigest()[:12]


def _brightness(images: np.ndarray, white: int) -> Tensor:
    """From 0 to 1, with a channel: (n, 1, height, width)."""
    return torch.as_tensor(images, dtype=torch.float32).unsqueeze(1) / white


def _train(network: _Network, data: Images, seed: int, progress: Progress | None) -> None:
    """Adam under one cycle of the learning rate; every batch is moved by up to a pixel, where a pixel is small."""
    images, labels = data.train
    small = data.images.shape[1] < 16
    pixels, digits = torch.as_tensor(images), torch.as_tensor(labels, dtype=torch.int64)
    random = torch.Generator().manual_seed(seed + 1)
    epochs = _SMALL_EPOCHS if small else _EPOCHS
    batch = min(_BATCH, len(pixels))
    steps = epochs * (len(pixels) // batch)
    optimizer = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=steps, pct_start=0.2)
    network.train()
    step = 0
    for _ in range(epochs):
        order = torch.randperm(len(pixels), generator=random)
        for rows in order[: len(pixels) // batch * batch].split(batch):
            down, right = (int(shift) for shift in torch.randint(-1, 2, (2,), generator=random))
            moved = pixels[rows] if small else pixels[rows].roll((down, right), (1, 2))  # MNIST's border is black
            loss = F.cross_entropy(network(_brightness(moved.numpy(), data.white)), digits[rows], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            step += 1
            if progress is not None and step % 20 == 0:
                progress(step, steps, "training the classifier of digits")
