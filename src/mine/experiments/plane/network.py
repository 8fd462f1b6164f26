"""The small network of the information plane, and its layers' outputs on all patterns while it trains."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, relu

from mine.experiments.checkpoint import Checkpoint
from mine.experiments.experiment import DivergedError, Progress

__all__ = ["log_grid", "train_and_watch"]


def log_grid(last: int, count: int) -> list[int]:
    """About ``count`` different whole numbers from 0 to ``last``, evenly spaced in their logarithm.

    >>> log_grid(100, 6)
    [0, 1, 3, 10, 32, 100]
    """
    steps = {round(last ** (i / (count - 2))) for i in range(count - 1)}
    return sorted({0} | steps)


def train_and_watch(
    x: Tensor,
    y: Tensor,
    widths: Sequence[int],
    activation: str,
    epochs: Sequence[int],
    *,
    batch_size: int,
    learning_rate: float,
    seed: int,
    folder: Path,
    progress: Progress,
) -> tuple[list[list[Tensor]], list[float]]:
    """Train on four rows of five, and look at the layers after the epochs asked for.

    Arguments:
        x: Inputs in float32, shape (n, d).
        y: Labels, shape (n,).
        widths: Of the hidden layers; two outputs follow.
        activation: Of the hidden layers, ``"tanh"`` or ``"relu"``.
        epochs: Rising; the last one ends the training.
        batch_size: Rows per step.
        learning_rate: Of Adam.
        seed: Of the weights (truncated normal, 1/sqrt(n)), the split and the batches.
        folder: Holds the checkpoint.
        progress: Called with epochs done, epochs in all and the accuracy on the rows left out.

    Returns:
        Outputs of every layer on all rows, shape (n, width) each, for every epoch: the last layer's are probabilities. And the
        accuracy on the rows left out.
    """
    generator = torch.Generator().manual_seed(seed)
    parameters = _initial([x.shape[1], *widths, 2], generator)
    order = torch.randperm(len(x), generator=generator)
    train, test = order[: len(x) * 4 // 5], order[len(x) * 4 // 5 :]
    optimizer = torch.optim.Adam(parameters, lr=learning_rate, fused=True)
    function = {"tanh": torch.tanh, "relu": relu}[activation]

    checkpoint = Checkpoint(folder / "network.pt")
    saved: dict[str, Any] = checkpoint.load() or {"epoch": 0, "layers": [], "accuracy": []}
    if saved["epoch"]:
        optimizer.load_state_dict(saved["optimizer"])
        generator.set_state(saved["random"])
        with torch.no_grad():
            for parameter, value in zip(parameters, saved["parameters"], strict=True):
                parameter.copy_(value)
    layers, accuracy = saved["layers"], saved["accuracy"]

    epoch = saved["epoch"]
    while True:
        if epoch in epochs[len(layers) :]:
            with torch.no_grad():
                outputs = _layers(x, parameters, function)
            if not torch.isfinite(outputs[-1]).all():
                raise DivergedError(f"epoch {epoch}: outputs are not finite")
            layers.append([*outputs[:-1], outputs[-1].softmax(-1)])
            accuracy.append(float((outputs[-1][test].argmax(1) == y[test]).float().mean()))
            progress(epoch, epochs[-1], f"accuracy {accuracy[-1]:.3f}")
        if epoch == epochs[-1]:
            break
        for rows in train[torch.randperm(len(train), generator=generator)].split(batch_size):
            optimizer.zero_grad()
            cross_entropy(_layers(x[rows], parameters, function)[-1], y[rows]).backward()
            optimizer.step()
        epoch += 1
        if checkpoint.due() or epoch == epochs[-1]:
            checkpoint.save({
                "epoch": epoch, "layers": layers, "accuracy": accuracy, "optimizer": optimizer.state_dict(),
                "random": generator.get_state(), "parameters": [p.detach() for p in parameters],
            })  # fmt: skip
    return layers, accuracy


def _initial(sizes: Sequence[int], generator: torch.Generator) -> list[Tensor]:
    out: list[Tensor] = []
    for n_in, n_out in pairwise(sizes):
        weight = torch.empty(n_in, n_out)
        torch.nn.init.trunc_normal_(weight, std=n_in**-0.5, a=-2 / math.sqrt(n_in), b=2 / math.sqrt(n_in), generator=generator)
        out += [weight, torch.zeros(n_out)]
    return [p.requires_grad_() for p in out]


def _layers(h: Tensor, parameters: Sequence[Tensor], function: Any) -> list[Tensor]:
    out = []
    for i in range(0, len(parameters), 2):
        h = torch.addmm(parameters[i + 1], h, parameters[i])
        h = h if i == len(parameters) - 2 else function(h)
        out.append(h)
    return out
