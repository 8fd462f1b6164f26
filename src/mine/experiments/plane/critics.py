"""Critics of all layers and snapshots in one stacked network, trained and read on fresh draws of input and noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from mine.critics.networks import MLP, Linear
from mine.experiments.checkpoint import Checkpoint
from mine.experiments.experiment import Progress

__all__ = ["CriticTraining", "estimate_plane"]


@dataclass(frozen=True)
class CriticTraining:
    """How the critics are trained.

    Attributes:
        steps: Optimiser steps.
        batch_size: Rows per step and critic.
        hidden: Widths of the hidden layers of both towers.
        embed: Length of the embeddings.
        learning_rate: Peak rate of Adam, decayed by a cosine.
        reported: Fresh rows to report on.
    """

    steps: int = 1_000
    batch_size: int = 256
    hidden: tuple[int, ...] = (64, 64)
    embed: int = 24
    learning_rate: float = 1.5e-2
    reported: int = 4_096

    def rate(self, step: int) -> float:
        """Rises over a twentieth of the steps, then falls to 0 by a cosine."""
        share = (step + 1) / self.steps
        return self.learning_rate * min(20 * share, 0.5 * (1 + math.cos(math.pi * share)))


class _Towers(nn.Module):
    """``T(x, t) = f(x) . g(t)`` and a score of each label: for normal noise the log-ratio has this form."""

    def __init__(self, dx: int, dt: int, training: CriticTraining, stack: tuple[int, ...], generator: torch.Generator) -> None:
        super().__init__()
        made: Any = {"activate_first": False, "generator": generator}
        self.x = MLP((dx, *training.hidden, training.embed), stack, "relu", **made)
        self.t = MLP((dt, *training.hidden, training.embed + 2), stack, "relu", **made)
        self.straight = Linear(dt, training.embed + 2, stack, bias=False, generator=generator)

    def forward(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """Embeddings (*stack, B, embed) and scores of the labels (*stack, B, 2) of layers' outputs."""
        out = self.t(t) + self.straight(t)
        return out[..., :-2], out[..., -2:]


def estimate_plane(
    x: Tensor,
    y: Tensor,
    layers: Sequence[Tensor],
    sigmas: Sequence[float],
    training: CriticTraining,
    seed: int,
    checkpoint: Checkpoint,
    progress: Progress,
) -> list[tuple[float, float]]:
    """I(X; T) and I(T; Y) in nats for ``T = layer(X) + sigma * noise``, X uniform on the rows of ``x``.

    The critics learn from samples alone, by InfoNCE: every row of a batch against every other. As X is uniform on known rows,
    the bound is then read with all of them as negatives, so that it has no ceiling below log n; and with both labels for Y.
    Each batch, and what is reported on, is a fresh draw of rows and of noise.

    References:
        van den Oord et al., 2018 (arXiv 1807.03748), eq. 4.

    Arguments:
        x: Every input, shape (n, dx).
        y: Their labels, 0 or 1, shape (n,).
        layers: Outputs of layers on every input, shapes (n, d).
        sigmas: Standard deviation of the noise of each.
        training: Of the critics.
        seed: Source of all randomness.
        checkpoint: The file that training resumes from.
        progress: Called with steps done, steps in all and the mean bound on the batches.
    """
    generator = torch.Generator().manual_seed(seed)
    width, stack = max(h.shape[1] for h in layers), (len(layers),)
    padded = torch.zeros(*stack, len(x), width)
    noise = torch.zeros(*stack, 1, width)
    for i, (h, sigma) in enumerate(zip(layers, sigmas, strict=True)):
        scale = (h.var(0).mean() + sigma**2).sqrt()
        padded[i, :, : h.shape[1]] = (h - h.mean(0)) / scale
        noise[i, :, : h.shape[1]] = sigma / scale
    one_x = (x.float() - x.float().mean(0)) / x.float().std(0)
    share = torch.bincount(y, minlength=2) / len(y)

    towers = _Towers(x.shape[1], width, training, stack, generator)
    optimizer = torch.optim.Adam(towers.parameters(), lr=training.learning_rate, fused=True)

    def draw(count: int) -> tuple[Tensor, Tensor]:
        rows = torch.randint(len(x), (count,), generator=generator)
        return rows, padded[:, rows] + noise * torch.randn(*stack, count, width, generator=generator)

    saved = checkpoint.load()
    if saved is not None:
        towers.load_state_dict(saved["towers"])
        optimizer.load_state_dict(saved["optimizer"])
        generator.set_state(saved["random"])
    for step in range(0 if saved is None else saved["step"], training.steps):
        rows, t = draw(training.batch_size)
        embedded, label = towers(t)
        table = embedded @ towers.x(one_x[rows].expand(*stack, -1, -1)).mT  # (critic, t, x)
        with_x = table.diagonal(dim1=-2, dim2=-1) - table.logsumexp(-1)
        with_y = _picked(label, y[rows]) - (label + share.log()).logsumexp(-1)
        optimizer.param_groups[0]["lr"] = training.rate(step)
        optimizer.zero_grad()
        (-(with_x + with_y).mean(-1).sum()).backward()
        optimizer.step()
        if step % 10 == 9:
            mean = float(with_x.detach().mean()) + math.log(training.batch_size)
            progress(step + 1, training.steps, f"mean bound {mean:.2f} nats")
        if checkpoint.due():
            checkpoint.save({
                "step": step + 1, "towers": towers.state_dict(), "optimizer": optimizer.state_dict(),
                "random": generator.get_state(),
            })  # fmt: skip

    with torch.no_grad():
        of_x = towers.x(one_x.expand(*stack, -1, -1))
        totals = torch.zeros(*stack, 2, dtype=torch.float64)
        for start in range(0, training.reported, 256):
            rows, t = draw(min(256, training.reported - start))
            embedded, label = towers(t)
            joint = (embedded * of_x[:, rows]).sum(-1)
            for i in range(len(layers)):  # one critic at a time: its table of scores stays in cache
                totals[i, 0] += (joint[i] - (embedded[i] @ of_x[i].T).logsumexp(-1) + math.log(len(x))).sum()
            totals[:, 1] += (_picked(label, y[rows]) - (label + share.log()).logsumexp(-1)).sum(-1)
    return [(float(a), float(b)) for a, b in totals / training.reported]


def _picked(label: Tensor, y: Tensor) -> Tensor:
    """The score of each row's own label: (*stack, B, 2) and (B,) -> (*stack, B)."""
    return torch.where(y == 1, label[..., 1], label[..., 0])
