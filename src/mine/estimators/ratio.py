"""Critics between two samples: one network a fold that learns the log-ratio of their densities, read on held-out rows.

Rows are numbered through: those of p from 0 to n - 1, those of q from n on.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.covariance import ledoit_wolf
from torch import Tensor, nn

from mine.bounds import donsker_varadhan
from mine.critics.networks import ConcatCritic
from mine.data.splits import Fold

__all__ = ["FEWEST_EFFECTIVE", "RatioCritics", "RatioPart", "gaussian_ratio", "train_ratio"]

#: Looks at the validation rows.
LOOKS = 40
#: Peak learning rate of AdamW.
RATE = 5e-3
#: Below this many effective rows of q the partition term rests on a few of them and errs upwards.
FEWEST_EFFECTIVE = 30.0
#: Rows scored at a time.
CHUNK = 1 << 15


def gaussian_ratio(p: np.ndarray, q: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Log-ratio (nats) at ``rows`` (m, d) of the Gaussians fitted to ``p`` and ``q``, shape (m,)."""
    out = np.zeros(len(rows))
    for sample, sign in ((p, 1.0), (q, -1.0)):
        covariance, _ = ledoit_wolf(sample)
        covariance = np.atleast_2d(covariance) + 1e-6 * np.eye(sample.shape[1])
        root = np.linalg.cholesky(covariance)
        white = np.linalg.solve(root, (rows - sample.mean(0)).T)
        out += sign * (-0.5 * (white**2).sum(0) - np.log(np.diag(root)).sum())
    return out


class RatioCritics(nn.Module):
    """Scores of rows by every fold's critic: a Gaussian log-ratio times a learned factor, and a network.

    Arguments:
        read: Features of the rows ``index`` (folds, b), shape (folds, b, width).
        base: Each fold's Gaussian log-ratio at every row, shape (folds, n + m).
        width: Number of features.
        hidden: Widths of the hidden layers.
        generator: Source of the initial weights.
    """

    def __init__(
        self,
        read: Callable[[Tensor], Tensor],
        base: Tensor,
        width: int,
        hidden: tuple[int, ...],
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.read, self.base = read, base
        critics = ConcatCritic(width, 1, hidden, stack=(len(base),), zero_init=True, generator=generator)
        self.network = critics.to(base.device)
        self.factor = nn.Parameter(torch.ones(len(base), 1, device=base.device))

    def forward(self, index: Tensor) -> Tensor:
        """Scores of the rows ``index`` (folds, b), shape (folds, b)."""
        x = self.read(index)
        return self.factor * self.base.gather(1, index) + self.network(x, x.new_zeros(*index.shape, 1))

    def scores(self) -> np.ndarray:
        """Scores of all rows by every fold's critic, shape (folds, n + m) in float64."""
        folds, rows = self.base.shape
        with torch.no_grad():
            parts = torch.arange(rows, device=self.base.device).split(CHUNK)
            return torch.cat([self(part.expand(folds, -1)) for part in parts], 1).cpu().double().numpy()


def train_ratio(
    model: RatioCritics,
    folds: list[tuple[Fold, Fold]],
    n: int,
    *,
    steps: int,
    batch_size: int,
    seed: int,
    on_progress: Callable[[int, float], None] | None = None,
) -> dict[str, list[float]]:
    """Train all folds' critics at once; each ends with the weights of its best look at its validation rows.

    Arguments:
        model: The untrained critics.
        folds: The rows of p, and those of q, each counted from 0.
        n: Number of rows of p.
        steps: Optimiser steps.
        batch_size: Rows of either sample a step.
        seed: Of the batches.
        on_progress: Called at each look with (step, bound on the validation rows in nats).

    Returns:
        The history: ``step`` and ``validation``, in nats.
    """
    device = model.base.device
    shuffled = np.random.default_rng(seed).permutation
    train_p, train_q = (
        _even([shuffled(p.train) for p, _ in folds], device),
        _even([n + shuffled(q.train) for _, q in folds], device),
    )
    validation_p, validation_q = (
        _even([p.validation for p, _ in folds], device),
        _even([n + q.validation for _, q in folds], device),
    )
    generator = torch.Generator(device).manual_seed(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.1)
    best = torch.full((len(folds),), -math.inf, device=device)
    kept = {name: value.detach().clone() for name, value in model.named_parameters()}
    history: dict[str, list[float]] = {"step": [], "validation": []}
    every = max(1, steps // LOOKS)
    for step in range(steps + 1):
        if step % every == 0 or step == steps:
            with torch.no_grad():
                validation = donsker_varadhan(model(validation_p), model(validation_q).unsqueeze(-1)).value
                better = validation > best
                best = torch.where(better, validation, best)
                for name, value in model.named_parameters():
                    kept[name][better] = value.detach()[better]
            history["step"].append(float(step))
            history["validation"].append(float(validation.mean()))
            if on_progress is not None:
                on_progress(step, history["validation"][-1])
        if step == steps:
            break
        for group in optimizer.param_groups:
            group["lr"] = RATE * 0.5 * (1 + math.cos(math.pi * step / steps))
        drawn = [
            side.gather(1, torch.randint(side.shape[1], (len(folds), batch_size), generator=generator, device=device))
            for side in (train_p, train_q)
        ]
        optimizer.zero_grad()
        donsker_varadhan(model(drawn[0]), model(drawn[1]).unsqueeze(-1)).loss.sum().backward()
        optimizer.step()
    with torch.no_grad():
        for name, value in model.named_parameters():
            value.copy_(kept[name])
    return history


def _even(parts: list[np.ndarray], device: torch.device) -> Tensor:
    size = min(map(len, parts))
    return torch.as_tensor(np.stack([part[:size] for part in parts]), device=device)


@dataclass(frozen=True)
class RatioPart:
    """The bound on a part of the rows: ``rows`` of p, whose mean it is, and the weights of those of q, of mean 1."""

    rows: np.ndarray
    weights: np.ndarray

    @classmethod
    def read(cls, on_p: np.ndarray, on_q: np.ndarray) -> RatioPart:
        """From the scores of rows of p and of q."""
        highest = on_q.max()
        partition = highest + math.log(np.exp(on_q - highest).mean())
        return cls(on_p - partition, np.exp(on_q - partition))

    @property
    def effective(self) -> float:
        """Effective number of the rows of q that carry the partition term."""
        return float(self.weights.sum() ** 2 / (self.weights**2).sum())
