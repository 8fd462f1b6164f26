"""Neural estimators: bound x critic x honest splits, for every ``method`` that trains."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mine import bounds
from mine.critics import ConcatCritic, Critic, GaussianCritic, ResidualCritic, as_critic
from mine.errors import InputError, NotEnoughDataError
from mine.preprocessing import Preprocess, SideEncoder, rank_gaussianize
from mine.problem import Problem, clustered_stderr
from mine.reporting import (
    MIN_EFFECTIVE,
    REPORTED_BOUND,
    ReportedBound,
    RowReport,
    report_rows,
    rows_of_bound,
    selection_rows,
)
from mine.result import Estimate
from mine.splits import Fold, make_folds
from mine.training import History, Pairs, TrainingOptions, evaluate_scores, train_critic
from mine.variables import Variable

__all__ = ["FittedNeural", "Neural"]

#: A bound from shuffled pairs cannot be trusted within this many nats of the log of the number of rows (McAllester &
#: Stratos, 2020), InfoNCE within this share of the log of its negatives.
SATURATION_MARGIN, INFONCE_MARGIN = 2.0, 0.8
#: Nats times rows by which few rows may hide dependence that a critic cannot learn from them, in all and for each column:
#: calibrated on benchmarks/coverage.py (sine, circle, 20 weak correlations), where the value falls short by 10 to 70 / n.
UNSEEN, UNSEEN_A_COLUMN = 30.0, 2.0
#: Above this many columns in all the Gaussian witness costs more than it tells.
WITNESS_COLUMNS = 200


@dataclass(frozen=True)
class Neural:
    """Cross-fitted variational estimator.

    Each of ``n_folds`` critics has its own train, stop and report rows, so that every row is reported on once, by a critic
    that never saw it; the built-in critics train together in one stacked network.

    Attributes:
        name: Name in the result.
        bound: The bound that trains the critics, a name or a function as in :mod:`mine.bounds`.
        critic: A user's untrained module taking ``(x, y)``, or a function making one; None for the built-in MLP.
        preprocess: ``"rank"``, ``"robust"`` or None; see :class:`mine.preprocessing.SideEncoder`.
        hidden: Widths of the built-in critic's hidden layers.
        activation: Its activation.
        gaussian_base: Start from the log-ratio of a Gaussian fitted to the training rows.
        n_folds: Number of folds; None takes 5, and 3 from 4,000 rows on, where training rows are no longer scarce.
        bias_correction: ``value`` is the mean of the bound on held-out and on training rows, whose biases cancel to first
            order in 1/n; otherwise ``value`` is ``lower_bound``.
        steps: Most optimiser steps; the best step is chosen on the stop rows. None takes 600, fewer below 4,000 rows.
        batch_size: Rows a step and critic.
        shuffles: Shuffled pairs a joint pair.
        learning_rate: Peak rate of AdamW.
        weight_decay: Of AdamW.
        patience: Looks at the stop rows (one every fortieth of ``steps``) without a better bound, after which training ends.
    """

    name: str = "mine"
    bound: str | bounds.Bound = "mine"
    critic: Any = None
    preprocess: Preprocess = "robust"
    hidden: Sequence[int] = (128, 128)
    activation: str = "relu"
    gaussian_base: bool = False
    n_folds: int | None = None
    bias_correction: bool = True
    steps: int | None = None
    batch_size: int = 512
    shuffles: int = 1
    learning_rate: float = 3e-3
    weight_decay: float = 0.01
    patience: int = 16

    def run(self, problem: Problem) -> Estimate:
        return self.fit(problem).estimate

    def fit(self, problem: Problem) -> FittedNeural:
        """Train, choose, report: the estimate and the critics behind it."""
        self._check()
        seeds = problem.seeds(4)
        kind = self._reported()
        custom = self.critic is not None
        encoders = [self._encoder().fit(v, keep_shape=custom) for v in (problem.x, problem.y)]
        problem, folds = self._split(problem, seeds[0])
        pairs = _pairs(problem, encoders)

        with _forked_rng(seeds[1], pairs.x.device) if custom else _nothing():
            critics, history = (self._train_each if custom else self._train_stack)(problem, pairs, folds, seeds)
            reports = _Reports.read(kind, critics, pairs, folds, seeds[3], self.bias_correction)
        estimate = self._assemble(problem, pairs, folds, reports, history, encoders, critics)
        estimate = self._beyond_saturation(estimate, problem, pairs, folds, critics)
        return FittedNeural(estimate, critics, encoders, reports.kind, problem.device)

    def _split(self, problem: Problem, seed: int) -> tuple[Problem, list[Fold]]:
        """The folds; copies of rows are let go where keeping them together leaves nothing to shuffle."""
        n_folds = self.n_folds or (5 if problem.n < 4000 else 3)
        share = stop_share(problem.n)
        try:
            return problem, make_folds(problem.n, n_folds, seed, problem.groups, stop_share=share)
        except NotEnoughDataError:
            if not problem.copies:
                raise
            return replace(problem, groups=None), make_folds(problem.n, n_folds, seed, stop_share=share)

    def _beyond_saturation(
        self, estimate: Estimate, problem: Problem, pairs: Pairs, folds: list[Fold], critics: list[Critic]
    ) -> Estimate:
        """What to say where shuffled pairs cannot resolve the information; here nothing more than the bound does."""
        return estimate

    # === Training ===

    def _train_stack(
        self, problem: Problem, pairs: Pairs, folds: list[Fold], seeds: list[int]
    ) -> tuple[list[Critic], list[History]]:
        """All folds at once, in one stacked network."""
        stack = (len(folds),)
        generator = torch.Generator().manual_seed(seeds[1])
        critic: Critic = ConcatCritic(
            pairs.x.shape[1],
            pairs.y.shape[1],
            self.hidden,
            activation=self.activation,
            stack=stack,
            zero_init=self.gaussian_base,
            generator=generator,
        )
        if self.gaussian_base and problem.x.n_continuous and problem.y.n_continuous:
            dx, dy = problem.x.n_continuous, problem.y.n_continuous
            x, y = pairs.x[:, :dx].cpu().double().numpy(), pairs.y[:, :dy].cpu().double().numpy()
            base = GaussianCritic.stacked([fit_base(x, y, fold) for fold in folds]).float()
            critic = ResidualCritic(base, critic, base_dx=dx, base_dy=dy)
        critic = critic.to(pairs.x.device)
        history = train_critic(
            critic,
            bounds.get_bound(self.bound),
            pairs,
            _even([f.train for f in folds], seeds[2], pairs.x.device),
            _even([f.stop for f in folds], seeds[2], pairs.x.device),
            self._options(problem.n),
            stop_rows=partial(selection_rows, self._reported()),
            seed=seeds[2],
            on_progress=_progress(problem, f"training {len(folds)} critics"),
        )
        return [critic.select(k) for k in range(len(folds))], [history]

    def _train_each(
        self, problem: Problem, pairs: Pairs, folds: list[Fold], seeds: list[int]
    ) -> tuple[list[Critic], list[History]]:
        """A user's critic, fold by fold: a stranger's module cannot be stacked."""
        critics: list[Critic] = []
        histories: list[History] = []
        for k, fold in enumerate(folds):
            critic = fresh_critic(self.critic).to(pairs.x.device)
            if critic.stack:
                raise InputError("critic must score one pair a row: pass it without stack=.")
            _dry_run(critic, pairs)
            history = train_critic(
                critic,
                bounds.get_bound(self.bound),
                pairs,
                torch.as_tensor(fold.train, device=pairs.x.device),
                torch.as_tensor(fold.stop, device=pairs.x.device),
                self._options(problem.n),
                stop_rows=partial(selection_rows, self._reported()),
                seed=seeds[2] + k,
                on_progress=_progress(problem, f"training critic {k + 1} of {len(folds)}", k, len(folds)),
            )
            critics.append(critic)
            histories.append(history)
        return critics, histories

    def _options(self, n: int) -> TrainingOptions:
        steps = self.steps or default_steps(n)
        return TrainingOptions(
            steps=steps,
            batch_size=self.batch_size,
            shuffles=self.shuffles,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            eval_every=max(1, steps // 40),
            patience=self.patience,
        )

    def _encoder(self) -> SideEncoder:
        return SideEncoder(self.preprocess)

    def _reported(self) -> ReportedBound:
        return REPORTED_BOUND.get(self.bound, "dv") if isinstance(self.bound, str) else "dv"

    def _check(self) -> None:
        bounds.get_bound(self.bound)
        for name in ("steps", "batch_size", "shuffles", "n_folds", "patience"):
            value = getattr(self, name)
            if value is None and name in ("steps", "n_folds"):
                continue
            low = 2 if name in ("n_folds", "batch_size") else 1
            if not isinstance(value, (int, np.integer)) or value < low:
                raise InputError(f"{name} must be an integer of at least {low}, got {value!r}.")
        if not self.learning_rate > 0:
            raise InputError(f"learning_rate must be positive, got {self.learning_rate!r}.")

    # === Reporting ===

    def _assemble(
        self,
        problem: Problem,
        pairs: Pairs,
        folds: list[Fold],
        reports: _Reports,
        histories: list[History],
        encoders: list[SideEncoder],
        critics: list[Critic],
    ) -> Estimate:
        n, kind = problem.n, reports.kind
        rows, influence = np.empty(n), np.empty(n)
        for fold, report in zip(folds, reports.held, strict=True):
            rows[fold.report] = report.rows.cpu().numpy()
            influence[fold.report] = report.influence.cpu().numpy()
        held = float(rows.mean())
        correction = 0.0 if reports.train_bound is None else 0.5 * (reports.train_bound - held)
        value = held + correction
        shares = np.array([len(f.report) / n for f in folds])
        noise = float(np.sqrt(np.sum((shares * [r.shuffle_noise for r in reports.held]) ** 2)))
        stderr = float(np.hypot(clustered_stderr(influence, problem.groups), noise))

        cap, saturated = reports.limit(n, value)
        half_width = interval_half_width(stderr, correction, n)
        unseen = UNSEEN + UNSEEN_A_COLUMN * sum(v.n_continuous + v.n_discrete for v in (problem.x, problem.y))
        low, high = value - half_width, math.inf if saturated else value + math.hypot(half_width, unseen / n)
        if saturated:  # SMILE's clipped partition term errs upwards there, by any amount
            low = min(low, 0.0 if kind == "smile" else held - half_width)
        # A critic can miss what it could have seen, and both halves then read low. The Gaussian copula is a witness.
        witness = self._witness(problem, pairs, folds, critics)
        missed = witness is not None and witness > high
        if witness is not None and missed:
            high = witness + half_width
        return Estimate(
            value=value,
            lower_bound=None if kind == "smile" else held,
            stderr=stderr,
            interval=(low, high),
            method=self.name,
            n=n,
            history=_history(histories),
            diagnostics={
                "basis": "variational bound from shuffled pairs",
                "trained_by": self.bound if isinstance(self.bound, str) else getattr(self.bound, "__name__", "custom"),
                "reported_bound": kind,
                "bias_correction": correction,
                "train_bound": reports.train_bound,
                "gaussian_copula_nats": witness,
                "saturated": saturated,
                "largest_resolvable_nats": cap,
                "effective_shuffles": reports.effective,
                "converged": all(h.converged for h in histories),
                "steps": max(h.step[-1] for h in histories),
                "most_steps": self.steps or default_steps(n),
                "n_folds": len(folds),
                "preprocess": self.preprocess,
                "critic": self._critic_name(),
                "device": str(pairs.x.device),
                "warnings": self._warnings(
                    n, value, correction, witness if missed else None, saturated, cap, histories, encoders
                ),
            },
            rows=None if kind == "smile" else rows,
        )

    def _witness(self, problem: Problem, pairs: Pairs, folds: list[Fold], critics: list[Critic]) -> float | None:
        """Held-out mean log-ratio (nats) of a Gaussian copula fitted to the training rows; None where there is none."""
        dx, dy = problem.x.n_continuous, problem.y.n_continuous
        if not dx or not dy or dx + dy > WITNESS_COLUMNS:
            return None
        if self.gaussian_base and self.critic is None:
            x, y = pairs.x[:, :dx], pairs.y[:, :dy]
            bases = [c.base for c in critics if isinstance(c, ResidualCritic)]
        else:
            ranks = [rank_gaussianize(v.flat) for v in (problem.x, problem.y)]
            x, y = torch.as_tensor(ranks[0]), torch.as_tensor(ranks[1])
            bases = [fit_base(ranks[0], ranks[1], fold) for fold in folds]
        with torch.no_grad():
            sums = [float(b(x[f.report], y[f.report]).sum()) for b, f in zip(bases, folds, strict=True)]
        return sum(sums) / problem.n

    def _critic_name(self) -> str:
        if self.critic is not None:
            return "user's"
        return f"{'Gaussian base + ' if self.gaussian_base else ''}MLP {tuple(self.hidden)}"

    def _warnings(
        self,
        n: int,
        value: float,
        correction: float,
        missed: float | None,
        saturated: bool,
        cap: float,
        histories: list[History],
        encoders: list[SideEncoder],
    ) -> list[str]:
        out: list[str] = []
        steps = self.steps or default_steps(n)
        if saturated:
            out.append(
                f"Saturated: so much information cannot be resolved from shuffled pairs of this many rows (limit {cap:.1f} "
                "nats); the value is a lower end, the truth may be far larger. More rows raise the limit."
            )
        if missed is not None:
            out.append(
                f"The critic misses dependence: a Gaussian copula alone gives {missed:.2f} nats on held-out rows. "
                f"Train longer (steps={2 * steps}), widen the critic, or use method 'auto'."
            )
        if abs(correction) > max(0.1, 0.25 * abs(value)):
            out.append(
                f"The bias correction is large ({correction:+.2f} nats): the critics fit the training rows far better than "
                "held-out ones. More rows, fewer columns or a smaller critic would make the number surer."
            )
        if not all(h.converged for h in histories):
            out.append(f"The bound was still rising after {steps} steps: pass steps={2 * steps}.")
        merged = {**encoders[0].merged_, **encoders[1].merged_}
        if merged:
            out.append(f"Rare levels were merged in {', '.join(merged)}, which can only lower the value.")
        return out


@dataclass(frozen=True)
class FittedNeural:
    """An estimate with the critics behind it, one a fold, on the CPU or ``device``."""

    estimate: Estimate
    critics: list[Critic]
    encoders: list[SideEncoder]
    kind: ReportedBound
    device: str

    def score(self, x: Variable, y: Variable, seed: int = 0) -> float:
        """The bound (nats) on new rows, by the mean score of the folds' critics: the bounds are concave in the critic."""
        pairs = _pairs(Problem(x, y, device=self.device), self.encoders)
        index = torch.arange(len(x), device=pairs.x.device)
        shuffles = min(len(x) - 1, 64)
        scores = [evaluate_scores(c, pairs, index, shuffles, torch.Generator().manual_seed(seed)) for c in self.critics]
        joint = torch.stack([s[0] for s in scores]).mean(0)
        marginal = torch.stack([s[1] for s in scores]).mean(0)
        return rows_of_bound(self.kind, joint, marginal, scores[0][2]).bound


@dataclass(frozen=True)
class _Reports:
    """The bound on every fold's held-out rows, and its mean on the training rows or None."""

    kind: ReportedBound
    held: list[RowReport]
    train_bound: float | None

    @classmethod
    def read(
        cls, kind: ReportedBound, critics: list[Critic], pairs: Pairs, folds: list[Fold], seed: int, train: bool
    ) -> _Reports:
        generator = torch.Generator().manual_seed(seed)

        def read(kind: ReportedBound, part: str) -> list[RowReport]:
            indices = [torch.as_tensor(getattr(f, part), device=pairs.x.device) for f in folds]
            return [report_rows(kind, c, pairs, i, generator=generator) for c, i in zip(critics, indices, strict=True)]

        held = read(kind, "report")
        if kind in ("dv", "nwj") and np.median([r.effective for r in held]) < _effective_needed(held[0]):
            # The partition term rests on a handful of pairs and errs upwards without limit; InfoNCE stays a bound.
            kind = "infonce"
            held = read(kind, "report")
        if not train:
            return cls(kind, held, None)
        bounds_on_train = [r.bound for r in read(kind, "train")]
        return cls(kind, held, float(np.average(bounds_on_train, weights=[len(f.report) for f in folds])))

    @property
    def effective(self) -> float:
        return float(np.median([r.effective for r in self.held]))

    def limit(self, n: int, value: float) -> tuple[float, bool]:
        """The most (nats) these shuffled pairs can resolve, and whether ``value`` is too near to it."""
        if self.kind == "infonce":
            cap = math.log(min(r.shuffles for r in self.held) + 1)
            return cap, value > INFONCE_MARGIN * cap
        cap = math.log(n)
        return cap, value > cap - SATURATION_MARGIN


def default_steps(n: int) -> int:
    """Steps for n rows: small data are fitted, and overfitted, in fewer.

    >>> default_steps(100), default_steps(10_000)
    (150, 600)
    """
    return int(np.clip(0.15 * n, 150, 600))


def stop_share(n: int) -> float:
    """Share of a fold's rows that choose the step: a few hundred rows are needed, 15 % suffice once there are many.

    >>> stop_share(10_000), stop_share(500)
    (0.15, 0.25)
    """
    return float(np.clip(300 / n, 0.15, 0.25))


def interval_half_width(stderr: float, correction: float, n: int) -> float:
    """Half of the 95 % interval: sampling, half of the bias correction, and a floor of misfit that falls with n."""
    return math.sqrt((1.96 * stderr) ** 2 + correction**2 + (1.0 / math.sqrt(n)) ** 2 * 0.5)


def _effective_needed(report: RowReport) -> float:
    """Effective shuffled pairs a partition term needs; a small split cannot have more than a share of what it has."""
    return min(4 * MIN_EFFECTIVE, 0.25 * report.shuffles * len(report.rows))


def fit_base(x: np.ndarray, y: np.ndarray, fold: Fold) -> GaussianCritic:
    """The Gaussian of the training rows, shrunk by as much as the stop rows' mean log-ratio asks for.

    Candidates are the sample covariance and that shrunk by the formula of Ledoit & Wolf (2004), each with less and less
    covariance between the sides. 1 - r^2 is kept above 1 / n: so few rows cannot tell a stronger relation from a
    deterministic one.
    """
    from sklearn.covariance import ledoit_wolf_shrinkage

    train, stop = fold.train, fold.stop
    both = np.concatenate([x[train], y[train]], 1)
    diagonals = [float(ledoit_wolf_shrinkage(both))]
    if len(train) > 3 * both.shape[1]:
        diagonals.append(0.0)
    critics = [
        GaussianCritic.fit(x[train], y[train], shrinkage=s, diagonal=d, floor=1 / len(train))
        for d in diagonals
        for s in (0.0, 0.03, 0.1, 0.3, 0.6, 1.0)
    ]
    tx, ty = torch.as_tensor(x[stop]), torch.as_tensor(y[stop])

    def surely(critic: GaussianCritic) -> float:
        ratio = critic(tx, ty)
        return float(ratio.mean() - 0.5 * ratio.std(correction=0) / len(stop) ** 0.5)

    return max(critics, key=surely)


def fresh_critic(source: Any) -> Critic:
    """A new critic from a user's module (copied and re-initialised) or factory (called)."""
    if isinstance(source, nn.Module):
        module = copy.deepcopy(source)
        for part in module.modules():
            reset = getattr(part, "reset_parameters", None)
            if callable(reset):
                reset()
        return as_critic(module)
    if callable(source):
        made = source()
        if not isinstance(made, nn.Module):
            raise InputError(f"The critic factory must return an nn.Module, got {type(made).__name__}.")
        return as_critic(made)
    raise InputError(f"critic must be an nn.Module taking (x, y), or a function making one; got {type(source).__name__}.")


def _dry_run(critic: Critic, pairs: Pairs) -> None:
    """Two rows through the critic: lazy layers take their shape, and a wrong one is explained."""
    x, y = pairs.rows(torch.arange(2, device=pairs.x.device))
    critic.eval()
    try:
        with torch.no_grad():
            critic(x, y)
    except (RuntimeError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"The critic failed on x of shape {tuple(x.shape)} and y of shape {tuple(y.shape)} (a batch of two): {error}"
        ) from error
    critic.train()


def _pairs(problem: Problem, encoders: list[SideEncoder]) -> Pairs:
    tensors = [
        torch.as_tensor(encoder.transform(side)).to(problem.device)
        for encoder, side in zip(encoders, (problem.x, problem.y), strict=True)
    ]
    # Groups made of copies matter to the splits; that a row meets its own copy in a shuffle is as rare as the copies are.
    grouped = problem.groups is not None and not problem.copies
    groups = torch.as_tensor(problem.groups).to(problem.device) if grouped else None
    return Pairs(tensors[0], tensors[1], groups)


def _even(parts: list[np.ndarray], seed: int, device: torch.device) -> Tensor:
    """Index parts as one tensor (M, n): the longer ones lose random rows, at most one each without groups."""
    size = min(map(len, parts))
    rng = np.random.default_rng(seed)
    rows = [p if len(p) == size else rng.permutation(p)[:size] for p in parts]
    return torch.as_tensor(np.stack(rows), device=device)


def _history(histories: list[History]) -> dict[str, list[float]]:
    """The mean over folds, as long as the shortest."""
    length = min(len(h.step) for h in histories)
    return {
        "step": [float(s) for s in histories[0].step[:length]],
        "train": [float(np.mean([h.train[i] for h in histories])) for i in range(length)],
        "stop": [float(np.mean([h.stop[i] for h in histories])) for i in range(length)],
    }


def _progress(problem: Problem, message: str, part: int = 0, parts: int = 1) -> Callable[[int, int, float], None] | None:
    callback = problem.on_progress
    if callback is None:
        return None
    return lambda step, steps, bound: callback(part * steps + step, parts * steps, f"{message}, bound {bound:.3f} nats")


@contextmanager
def _forked_rng(seed: int, device: torch.device) -> Iterator[None]:
    """A user's module initialises and drops out from torch's global generator: seed it, then put it back."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


@contextmanager
def _nothing() -> Iterator[None]:
    yield
