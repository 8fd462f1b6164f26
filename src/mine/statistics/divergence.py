"""``mine.kl_divergence``: the Donsker-Varadhan bound between two samples, by the critics and the honesty of the rest."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from sklearn.covariance import ledoit_wolf
from torch import Tensor, nn

from mine.api import MIN_ROWS, problem_device, problem_seed
from mine.bounds import donsker_varadhan
from mine.critics import ConcatCritic
from mine.errors import InputError, UnknownNameError
from mine.estimators.crossfit import interval_half_width
from mine.preprocessing import RankGaussianizer, RobustLogScaler
from mine.result import UNITS, Estimate
from mine.splits import Fold, make_folds
from mine.variables import as_variable

__all__ = ["kl_divergence"]

#: Below this many effective rows of q the partition term rests on a few of them and errs upwards.
FEWEST_EFFECTIVE = 30.0
#: Looks at the stop rows.
LOOKS = 40


def kl_divergence(
    samples_p: Any,
    samples_q: Any,
    *,
    steps: int = 600,
    batch_size: int = 512,
    hidden: tuple[int, ...] = (64, 64),
    n_folds: int = 5,
    device: str = "auto",
    unit: str = "nats",
    random_state: int | np.random.Generator | np.random.RandomState | None = None,
) -> Estimate:
    r"""How far the law p of one sample is from the law q of another: ``KL(p || q) = E_p[log p / q]``.

    A critic T starts from the log-ratio of two fitted Gaussians and is trained by ``E_p[T] - log E_q[exp T]``; ``lower_bound``
    reads this on rows that no critic saw, ``value`` adds half of its distance to that on the training rows. Rows of q must
    reach wherever p has mass: where they do not, the divergence is infinite or cannot be told from it, which a warning says.

    References:
        Donsker & Varadhan, 1983; Belghazi et al., 2018 (arXiv 1801.04062), theorem 1.

    Arguments:
        samples_p: Rows drawn from p: shape (n,) or (n, d), numbers.
        samples_q: Rows drawn from q, independent of them: shape (m,) or (m, d).
        steps: Optimiser steps; the best is chosen on the stop rows.
        batch_size: Rows of either sample a step.
        hidden: Widths of the critic's hidden layers.
        n_folds: Critics, each reporting on its own part of both samples.
        device: Where to train.
        unit: ``"nats"`` or ``"bits"``.
        random_state: Seed or generator.

    Returns:
        An :class:`~mine.Estimate` whose ``pointwise()`` belongs to the rows of p, and whose ``n`` is their number.

    Raises:
        InputError: Labels, samples of different width, or data that cannot be used.
        NotEnoughDataError: Fewer than 20 rows of either.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> found = kl_divergence(rng.normal(1, 1, 2000), rng.normal(0, 1, 2000), steps=50, random_state=0)
        >>> abs(found.value - 0.5) < 0.1  # (1 - 0)^2 / 2
        True
    """
    if unit not in UNITS:
        raise UnknownNameError("unit", unit, UNITS)
    for name, number in (("steps", steps), ("batch_size", batch_size)):
        if not isinstance(number, (int, np.integer)) or number < 1:
            raise InputError(f"{name} must be a positive integer, got {number!r}.")
    p, q = (
        as_variable(data, name, False, allow_constant=True, min_rows=MIN_ROWS).flat
        for data, name in ((samples_p, "samples_p"), (samples_q, "samples_q"))
    )
    if p.shape[1] != q.shape[1] or not p.shape[1]:
        raise InputError(f"samples_p has {p.shape[1]} columns of numbers and samples_q {q.shape[1]}: both need the same.")
    seeds = [int(s) for s in np.random.SeedSequence(problem_seed(random_state)).generate_state(3, np.uint32)]
    where = torch.device(problem_device(device))

    # One map for both samples leaves the divergence as it is; it is fitted without knowing which row is whose.
    both = np.concatenate([p, q])
    mapped = RobustLogScaler().fit_transform(both)
    seen = np.concatenate([mapped, RankGaussianizer(4096).fit_transform(both)], 1).astype(np.float32)
    folds = list(zip(make_folds(len(p), n_folds, seeds[0]), make_folds(len(q), n_folds, seeds[0] + 1), strict=True))
    base = np.stack([_gaussian_ratio(mapped[: len(p)], mapped[len(p) :], mapped, fp, fq) for fp, fq in folds])
    model = _Ratio(
        torch.as_tensor(seen, device=where),
        torch.as_tensor(base.astype(np.float32), device=where),
        hidden,
        torch.Generator().manual_seed(seeds[1]),
    )
    history = _train(model, folds, len(p), steps, batch_size, seeds[2])
    return _report(model, folds, len(p), len(q), history).to(unit)


def _gaussian_ratio(p: np.ndarray, q: np.ndarray, rows: np.ndarray, fold_p: Fold, fold_q: Fold) -> np.ndarray:
    """Log-ratio (nats) at ``rows`` of two Gaussians fitted to the training rows, shape (n + m,)."""
    out = np.zeros(len(rows))
    for sample, fold, sign in ((p, fold_p, 1.0), (q, fold_q, -1.0)):
        train = sample[fold.train]
        covariance, _ = ledoit_wolf(train)
        covariance = np.atleast_2d(covariance) + 1e-6 * np.eye(train.shape[1])
        root = np.linalg.cholesky(covariance)
        white = np.linalg.solve(root, (rows - train.mean(0)).T)
        out += sign * (-0.5 * (white**2).sum(0) - np.log(np.diag(root)).sum())
    return out


class _Ratio(nn.Module):
    """Scores of all rows by every fold's critic: a Gaussian log-ratio times a learned factor, and a network."""

    def __init__(self, rows: Tensor, base: Tensor, hidden: tuple[int, ...], generator: torch.Generator) -> None:
        super().__init__()
        self.rows, self.base = rows, base
        critics = ConcatCritic(rows.shape[1], 1, hidden, stack=(len(base),), zero_init=True, generator=generator)
        self.network = critics.to(rows.device)
        self.factor = nn.Parameter(torch.ones(len(base), 1, device=rows.device))

    def forward(self, index: Tensor) -> Tensor:
        """Scores of the rows ``index`` (folds, b), shape (folds, b)."""
        x = self.rows[index]
        return self.factor * self.base.gather(1, index) + self.network(x, x.new_zeros(*index.shape, 1))


def _even(parts: list[np.ndarray], device: torch.device) -> Tensor:
    size = min(map(len, parts))
    return torch.as_tensor(np.stack([part[:size] for part in parts]), device=device)


def _train(
    model: _Ratio, folds: list[tuple[Fold, Fold]], n: int, steps: int, batch_size: int, seed: int
) -> dict[str, list[float]]:
    """Train all folds' critics at once; each ends with the weights of its best look at its stop rows."""
    device = model.rows.device
    shuffled = np.random.default_rng(seed).permutation
    train_p, train_q = (
        _even([shuffled(p.train) for p, _ in folds], device),
        _even([n + shuffled(q.train) for _, q in folds], device),
    )
    stop_p, stop_q = _even([p.stop for p, _ in folds], device), _even([n + q.stop for _, q in folds], device)
    generator = torch.Generator(device).manual_seed(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=0.1)
    best = torch.full((len(folds),), -math.inf, device=device)
    kept = {name: value.detach().clone() for name, value in model.named_parameters()}
    history: dict[str, list[float]] = {"step": [], "stop": []}
    every = max(1, steps // LOOKS)
    for step in range(steps + 1):
        if step % every == 0 or step == steps:
            with torch.no_grad():
                stop = donsker_varadhan(model(stop_p), model(stop_q).unsqueeze(-1)).value
                better = stop > best
                best = torch.where(better, stop, best)
                for name, value in model.named_parameters():
                    kept[name][better] = value.detach()[better]
            history["step"].append(float(step))
            history["stop"].append(float(stop.mean()))
        if step == steps:
            break
        for group in optimizer.param_groups:
            group["lr"] = 5e-3 * 0.5 * (1 + math.cos(math.pi * step / steps))
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


@dataclass(frozen=True)
class _Part:
    rows: np.ndarray
    weights: np.ndarray

    @classmethod
    def read(cls, on_p: np.ndarray, on_q: np.ndarray) -> _Part:
        """Contributions of the rows of p, whose mean is the bound, and the weights of those of q, of mean 1."""
        highest = on_q.max()
        partition = highest + math.log(np.exp(on_q - highest).mean())
        return cls(on_p - partition, np.exp(on_q - partition))


def _report(model: _Ratio, folds: list[tuple[Fold, Fold]], n: int, m: int, history: dict[str, list[float]]) -> Estimate:
    """Bound on held-out rows, half of its distance to that on the training rows, and the error of both samples."""
    with torch.no_grad():
        parts = torch.arange(n + m, device=model.rows.device).split(1 << 15)
        scores = torch.cat([model(part.expand(len(folds), -1)) for part in parts], 1).cpu().double().numpy()
    rows, weights = np.empty(n), np.empty(m)
    on_train, effective = [], []
    for k, (fold_p, fold_q) in enumerate(folds):
        held = _Part.read(scores[k, fold_p.report], scores[k, n + fold_q.report])
        rows[fold_p.report], weights[fold_q.report] = held.rows, held.weights
        effective.append(held.weights.sum() ** 2 / (held.weights**2).sum())
        on_train.append(float(_Part.read(scores[k, fold_p.train], scores[k, n + fold_q.train]).rows.mean()))
    held_bound = float(rows.mean())
    correction = 0.5 * (float(np.mean(on_train)) - held_bound)
    stderr = math.sqrt(rows.var() / n + weights.var() / m)
    half_width = interval_half_width(stderr, correction, min(n, m))
    few = float(np.median(effective)) < min(FEWEST_EFFECTIVE, 0.25 * m / len(folds))
    warnings = []
    if few:
        warnings.append(
            f"Only about {np.median(effective):.0f} rows of q a fold lie where p has its mass: the value is a lower end, "
            "the divergence may be far larger or infinite."
        )
    value = held_bound + correction
    return Estimate(
        value=value,
        lower_bound=held_bound,
        stderr=stderr,
        interval=(value - half_width, math.inf if few else value + half_width),
        method="kl divergence",
        n=n,
        history=history,
        diagnostics={
            "basis": "variational bound between two samples",
            "rows_of_q": m,
            "bias_correction": correction,
            "effective_rows_of_q": float(np.median(effective)),
            "saturated": few,
            "warnings": warnings,
        },
        rows=rows,
    )
