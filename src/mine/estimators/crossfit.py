"""From cross-fitted critics to an estimate: the bound on held-out rows, its correction, its error bar, its warnings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from mine import outofcore
from mine.critics import Critic, GaussianCritic, MeanCritic, ResidualCritic
from mine.estimators.base import base_train, copula_name, fit_base
from mine.guided import GuidedCritic
from mine.preprocessing import SideEncoder, rank_gaussianize
from mine.problem import Problem, clustered_stderr
from mine.reporting import MIN_EFFECTIVE, ReportedBound, RowReport, report_rows
from mine.result import Estimate
from mine.splits import Fold, subsampled
from mine.student import StudentCritic
from mine.training import History, Pairs

__all__ = ["CrossFit", "Reports", "assemble", "base_ratio", "interval_half_width"]

#: A bound from shuffled pairs cannot be trusted within this many nats of the log of the number of rows (McAllester &
#: Stratos, 2020), InfoNCE above this share of the log of its negatives.
SATURATION_MARGIN, INFONCE_SHARE = 2.0, 0.8
#: Nats times rows by which few rows may hide dependence that a critic cannot learn from them, in all and for each column:
#: calibrated on benchmarks/coverage.py (sine, circle, 20 weak correlations), where the value falls short by 10 to 70 / n.
UNSEEN, UNSEEN_A_COLUMN = 30.0, 2.0
#: Above this many columns in all the Gaussian witness costs more than it tells.
WITNESS_COLUMNS = 200


@dataclass(frozen=True)
class CrossFit:
    """Trained critics, one a fold, with the data they were trained on.

    ``steps`` is the most steps they could take, ``about`` goes into the diagnostics.
    """

    problem: Problem
    encoders: list[SideEncoder]
    pairs: Pairs
    folds: list[Fold]
    critics: list[Critic]
    histories: list[History]
    steps: int
    about: dict[str, Any]


@dataclass(frozen=True)
class Reports:
    """The bound on every fold's held-out rows, and its mean on the training rows or None."""

    kind: ReportedBound
    held: list[RowReport]
    train_bound: float | None

    @classmethod
    def read(cls, kind: ReportedBound, fit: CrossFit, seed: int, *, train: bool) -> Reports:
        """Read the bound ``kind``, or InfoNCE where its partition term rests on too few shuffled pairs."""
        generator = torch.Generator().manual_seed(seed)

        def read(kind: ReportedBound, part: str) -> list[RowReport]:
            indices = [torch.as_tensor(getattr(f, part), device=fit.pairs.x.device) for f in fit.folds]
            return [
                report_rows(kind, critic, fit.pairs, index, generator=generator)
                for critic, index in zip(fit.critics, indices, strict=True)
            ]

        held = read(kind, "report")
        if kind in ("dv", "nwj") and np.median([r.effective for r in held]) < _effective_needed(held[0]):
            # Such a partition term errs upwards without limit; InfoNCE stays a bound on any number of pairs.
            kind = "infonce"
            held = read(kind, "report")
        if not train:
            return cls(kind, held, None)
        on_train = [r.bound for r in read(kind, "train")]
        return cls(kind, held, float(np.average(on_train, weights=[len(f.report) for f in fit.folds])))

    @property
    def effective(self) -> float:
        return float(np.median([r.effective for r in self.held]))

    def limit(self, n: int, value: float) -> tuple[float, bool]:
        """The most (nats) these shuffled pairs can resolve, and whether ``value`` is too near to it."""
        if self.kind == "infonce":
            cap = math.log(min(r.shuffles for r in self.held) + 1)
            return cap, value > INFONCE_SHARE * cap
        cap = math.log(n)
        return cap, value > cap - SATURATION_MARGIN


def assemble(name: str, fit: CrossFit, reports: Reports) -> Estimate:
    """The estimate in nats: held-out bound, half of its distance to the training bound, 95 % interval, diagnostics."""
    problem, n, kind = fit.problem, fit.problem.n, reports.kind
    rows, influence = np.empty(n), np.empty(n)
    for fold, report in zip(fit.folds, reports.held, strict=True):
        rows[fold.report] = report.rows.numpy()
        influence[fold.report] = report.influence.numpy()
    held = float(rows.mean())
    correction = 0.0 if reports.train_bound is None else 0.5 * (reports.train_bound - held)
    value = held + correction
    shares = np.array([len(f.report) / n for f in fit.folds])
    noise = float(np.sqrt(np.sum((shares * [r.shuffle_noise for r in reports.held]) ** 2)))
    stderr = float(np.hypot(clustered_stderr(influence, problem.groups), noise))

    cap, saturated = reports.limit(n, value)
    witness, strongest = _witness(fit)
    saturated = saturated or strongest or (witness is not None and witness > math.log(n) - SATURATION_MARGIN)
    half_width = interval_half_width(stderr, correction, n)
    unseen = UNSEEN + UNSEEN_A_COLUMN * sum(v.n_continuous + v.n_discrete for v in (problem.x, problem.y))
    low, high = value - half_width, math.inf if saturated else value + math.hypot(half_width, unseen / n)
    if saturated:  # SMILE's clipped partition term errs upwards there, by any amount
        low = min(low, 0.0 if kind == "smile" else held - half_width)
    # A critic can miss what it could have seen, and both halves then read low. The Gaussian copula is a witness.
    missed = witness is not None and witness > high
    if witness is not None and missed:
        high = witness + half_width

    return Estimate(
        value=value,
        lower_bound=None if kind == "smile" else held,
        stderr=stderr,
        interval=(low, high),
        method=name,
        n=n,
        history=_mean_history(fit.histories),
        diagnostics={
            "basis": "variational bound from shuffled pairs",
            "reported_bound": kind,
            "bias_correction": correction,
            "train_bound": reports.train_bound,
            "copula": _copula_name(fit),
            "copula_nats": witness,
            "saturated": saturated,
            "largest_resolvable_nats": cap,
            "effective_shuffles": reports.effective,
            "converged": all(h.converged for h in fit.histories),
            "steps": max(h.step[-1] for h in fit.histories),
            "most_steps": fit.steps,
            "n_folds": len(fit.folds),
            "device": str(fit.pairs.x.device),
            **fit.about,
            "warnings": _warnings(fit, value, correction, cap if saturated else None, witness if missed else None),
        },
        rows=None if kind == "smile" else rows,
    )


def interval_half_width(stderr: float, correction: float, n: int) -> float:
    """Half of the 95 % interval (nats): sampling, the bias correction, and a floor of misfit of 0.7 / sqrt(n)."""
    return math.sqrt((1.96 * stderr) ** 2 + correction**2 + 0.5 / n)


def base_ratio(fit: CrossFit, most: int | None = None) -> tuple[np.ndarray, float] | None:
    """Log-ratio (nats) of the folds' Gaussian bases: on each row held out (n,), and its mean on training rows.

    With ``most``, of each fold at most so many random rows are looked at, and the others are NaN.

    None where the critics have no such base.
    """
    bases = [copula for c in fit.critics if (copula := fitted_copula(c)) is not None]
    if not bases:
        return None
    dx, dy = fit.problem.x.n_continuous, fit.problem.y.n_continuous
    ratio, on_train = np.full(fit.problem.n, np.nan), []
    rng = np.random.default_rng(0)
    for base, fold in zip(bases, fit.folds, strict=True):
        few = most is not None and len(fold.report) > most
        looked_at = np.sort(rng.choice(fold.report, most, replace=False)) if few else fold.report
        ratio[looked_at] = _base_scores(base, fit.pairs, looked_at, dx, dy)
        on_train.append(float(_base_scores(base, fit.pairs, fold.train, dx, dy).mean()))
    return ratio, float(np.mean(on_train))


def _base_scores(base: Critic, pairs: Pairs, rows: np.ndarray, dx: int, dy: int) -> np.ndarray:
    """Log-ratios (nats) of ``rows`` (m,) by a base that reads the first ``dx`` and ``dy`` features, shape (m,)."""
    parts = []
    with torch.no_grad():
        for part in outofcore.chunks(len(rows), dx + dy):
            x, y = pairs.rows(torch.as_tensor(rows[part], device=pairs.x.device))
            parts.append(base(x[..., :dx], y[..., :dy]).cpu().double().numpy())
    return np.concatenate(parts)


def _witness(fit: CrossFit) -> tuple[float | None, bool]:
    """Held-out mean log-ratio (nats) of a Gaussian copula fitted to the training rows; None where there is none.

    And whether a correlation is as strong as so many rows can tell from a deterministic relation, of infinite information.
    """
    x, y = fit.problem.x, fit.problem.y
    if not x.n_continuous or not y.n_continuous or x.n_continuous + y.n_continuous > WITNESS_COLUMNS:
        return None, False
    found = base_ratio(fit, most=outofcore.FIT_ROWS)
    if found is not None:
        bases = [copula for c in fit.critics if (copula := fitted_copula(c)) is not None]
        rows = [base_train(fold, x.n_continuous + y.n_continuous) for fold in fit.folds]
        return float(np.nanmean(found[0])), any(map(_strongest, bases, map(len, rows)))
    folds, rows = subsampled(fit.folds, outofcore.FIT_ROWS)
    if rows is not None:
        x, y = x.take(rows), y.take(rows)
    u, v = rank_gaussianize(x.flat), rank_gaussianize(y.flat)
    bases = [fit_base(u, v, fold) for fold in folds]
    total = sum(
        float(base(torch.as_tensor(u[fold.report]), torch.as_tensor(v[fold.report])).sum())
        for base, fold in zip(bases, folds, strict=True)
    )
    return total / len(u), any(map(_strongest, bases, (len(fold.train) for fold in folds)))


def _copula_name(fit: CrossFit) -> str:
    """The copula that ``copula_nats`` is the held-out mean log-ratio of."""
    copulas = [fitted_copula(c) for c in fit.critics]
    degrees = [float(c.dof) for c in copulas if isinstance(c, StudentCritic) and math.isfinite(float(c.dof))]
    return copula_name(degrees, len(copulas))


def fitted_copula(critic: Critic) -> GaussianCritic | StudentCritic | None:
    """The copula that a critic was built on, through what was trained on top of it."""
    while isinstance(critic, ResidualCritic | GuidedCritic | MeanCritic):
        critic = critic.members[0] if isinstance(critic, MeanCritic) else critic.base
    return critic if isinstance(critic, GaussianCritic | StudentCritic) else None


def _strongest(base: Critic, n: int) -> bool:
    """Whether ``fit_base`` has met its limit on ``n`` training rows, 1 - r^2 = 1 / n (with room for float32)."""
    return isinstance(base, GaussianCritic | StudentCritic) and float((1 - base.correlations**2).min()) < 1.02 / n


def _effective_needed(report: RowReport) -> float:
    """Effective shuffled pairs a partition term needs; a small split cannot have more than a share of what it has."""
    return min(4 * MIN_EFFECTIVE, 0.25 * report.shuffles * len(report.rows))


def _mean_history(histories: list[History]) -> dict[str, list[float]]:
    """The mean over folds, as long as the shortest."""
    length = min(len(h.step) for h in histories)
    return {
        "step": [float(s) for s in histories[0].step[:length]],
        "train": [float(np.mean([h.train[i] for h in histories])) for i in range(length)],
        "stop": [float(np.mean([h.stop[i] for h in histories])) for i in range(length)],
    }


def _warnings(fit: CrossFit, value: float, correction: float, cap: float | None, missed: float | None) -> list[str]:
    """Sentences to read before quoting the number; ``cap`` where it is saturated, ``missed`` what the witness saw."""
    out: list[str] = []
    if cap is not None:
        out.append(
            f"Saturated: so much information cannot be resolved from shuffled pairs of this many rows (limit {cap:.1f} "
            "nats); the value is a lower end, the truth may be far larger. More rows raise the limit."
        )
    if missed is not None:
        out.append(
            f"The critic misses dependence: a fitted copula alone gives {missed:.2f} nats on held-out rows. "
            f"Train longer (steps={2 * fit.steps}), widen the critic, or use method 'auto'."
        )
    if abs(correction) > max(0.1, 0.25 * abs(value)):
        out.append(
            f"The bias correction is large ({correction:+.2f} nats): the critics fit the training rows far better than "
            "held-out ones. More rows, fewer columns or a smaller critic would make the number surer."
        )
    if not all(h.converged for h in fit.histories):
        out.append(f"The bound was still rising after {fit.steps} steps: pass steps={2 * fit.steps}.")
    merged = {**fit.encoders[0].merged_, **fit.encoders[1].merged_}
    if merged:
        out.append(f"Rare levels were merged in {', '.join(merged)}, which can only lower the value.")
    return out
