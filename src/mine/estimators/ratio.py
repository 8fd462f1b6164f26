"""Critics between two samples: one network a fold that learns the log-ratio of their densities, read on held-out rows.

Rows are numbered through: those of p from 0 to n - 1, those of q from n on.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from mine.bounds import log_mean_exp
from mine.critics.networks import ConcatCritic
from mine.data.splits import Fold
from mine.estimators.evaluation import effective_pairs
from mine.training.loop import run_training
from mine.training.options import TrainingOptions

__all__ = ["FEWEST_EFFECTIVE", "RatioCritics", "RatioPart", "gaussian_ratio", "told_in_steps", "train_ratio"]

#: Validations per training.
VALIDATIONS = 40
#: Peak learning rate of AdamW.
RATE = 5e-3
#: Below this many effective rows of q the partition term rests on a few of them and errs upwards.
FEWEST_EFFECTIVE = 30.0
#: Rows scored at a time.
CHUNK = 1 << 15


def gaussian_ratio(p: np.ndarray, q: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Log-ratio (nats) at ``rows`` (m, d) of the Gaussians fitted to ``p`` and ``q``, shape (m,)."""
    from sklearn.covariance import ledoit_wolf

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


def told_in_steps(
    on_progress: Callable[[int, int, str], None] | None, part: int = 0, parts: int = 1
) -> Callable[[int, int, float], None] | None:
    """What :func:`train_ratio` calls at each validation to tell ``on_progress`` of one of several trainings in a row."""
    if on_progress is None:
        return None
    return lambda step, steps, bound: on_progress(part * steps + step, parts * steps, f"training, bound {bound:.3f} nats")


def train_ratio(
    model: RatioCritics,
    folds: list[tuple[Fold, Fold]],
    n: int,
    *,
    steps: int,
    batch_size: int,
    seed: int,
    on_progress: Callable[[int, int, float], None] | None = None,
) -> dict[str, list[float]]:
    """Train the critics of all folds at once; each ends with the weights of its best validation.

    They maximise the multi-sample bound of InfoNCE, which has the same optimum. Donsker-Varadhan has no upper limit at a
    training row of p without a row of q near it: on few rows the critic rises there without end, and a held-out row of q that
    falls there then decides the partition term.

    Arguments:
        model: The untrained critics.
        folds: The rows of p, and those of q, each counted from 0.
        n: Number of rows of p.
        steps: Maximum number of optimiser steps.
        batch_size: Rows of either sample per step.
        seed: Seed of the batches.
        on_progress: Called at each validation with (step, steps, bound on the validation rows in nats).

    Returns:
        The history: ``step``, ``train`` and ``validation``, the bounds in nats.
    """
    device = model.base.device
    shuffled = np.random.default_rng(seed).permutation
    train = (
        _even([shuffled(p.train) for p, _ in folds], device),
        _even([n + shuffled(q.train) for _, q in folds], device),
    )
    validation = _even([p.validation for p, _ in folds], device), _even([n + q.validation for _, q in folds], device)
    generator = torch.Generator(device).manual_seed(seed)

    def take_step() -> Tensor:
        on_p, on_q = (
            model(side.gather(1, torch.randint(side.shape[1], (len(folds), batch_size), generator=generator, device=device)))
            for side in train
        )
        model.zero_grad()
        value = _multi_sample(on_p, on_q).mean(-1)
        (-value.sum()).backward()
        return value

    def validate() -> Tensor:
        with torch.no_grad():
            return _contributions(*(model(side) for side in validation))

    options = TrainingOptions(
        steps=steps, learning_rate=RATE, weight_decay=0.1, eval_every=max(1, steps // VALIDATIONS), patience=VALIDATIONS
    )
    history = run_training(model, options, stack=(len(folds),), take_step=take_step, validate=validate, on_progress=on_progress)
    return {"step": [float(step) for step in history.step], "train": history.train, "validation": history.validation}


def _multi_sample(on_p: Tensor, on_q: Tensor) -> Tensor:
    """``T(p_i) - log((exp T(p_i) + sum_j exp T(q_j)) / (b + 1))`` of each row of p, shape (folds, b)."""
    partition = torch.logaddexp(on_p, on_q.logsumexp(-1, keepdim=True))
    return on_p - partition + math.log(on_q.shape[-1] + 1)


def _contributions(on_p: Tensor, on_q: Tensor) -> Tensor:
    """Contributions of the rows of p, shape (folds, b), to the bound that chooses the step, from the scores of both samples.

    Donsker-Varadhan; or the multi-sample bound, if few rows of q carry the partition term. Such a term is too small, so that
    Donsker-Varadhan would choose the critic that has learned where the validation rows of q are missing.
    """
    dv = on_p - log_mean_exp(on_q, -1).unsqueeze(-1)
    nce = _multi_sample(on_p, on_q)
    needed = min(FEWEST_EFFECTIVE, 0.25 * on_q.shape[-1])
    return torch.where((effective_pairs(on_q, -1) >= needed).unsqueeze(-1), dv, nce)


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
