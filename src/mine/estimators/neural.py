"""Neural estimators: bound x critic x honest splits, for every ``method`` that trains."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from numbers import Real
from typing import Any, ClassVar, cast

import torch

from mine import bounds
from mine.critics.combined import MeanCritic, ResidualCritic
from mine.critics.critic import Critic
from mine.critics.gaussian import GaussianCritic
from mine.critics.networks import ConcatCritic
from mine.data.preprocessing import Preprocess, SideEncoder
from mine.data.problem import Problem
from mine.data.splits import Fold, trimmed
from mine.data.variable import Variable
from mine.errors import InputError, UnknownNameError
from mine.estimators.base import base_rows, fit_base
from mine.estimators.codes import opened_by_codes
from mine.estimators.crossfit import Reports, assemble
from mine.estimators.evaluation import REPORTED_BOUND, ReportedBound, rows_of_bound, selection_rows
from mine.estimators.fit import CrossFit, Trained
from mine.estimators.folds import default_steps, even_rows, pairs_of, split
from mine.estimators.options import check_integers, check_widths
from mine.estimators.towers import TOWER_FOLDS, TOWER_PACE, Towers, Trainer, shape_critics, widened_by_late_gain
from mine.estimators.users_critic import dry_run, forked_rng, fresh_critic, is_users
from mine.result import Estimate
from mine.training.evaluation import evaluate_scores
from mine.training.loop import train_critic
from mine.training.options import History, TrainingOptions
from mine.training.pairs import Pairs
from mine.training.processes import ProcessGroup

__all__ = ["EffortSettings", "FittedNeural", "Neural", "progress_of", "sharing_processes"]


@dataclass(frozen=True)
class EffortSettings:
    """The settings that one value of ``effort`` stands for; options that are given take precedence.

    ``pace`` multiplies the number of steps; ``n_folds`` None is the usual number; ``ensemble_size`` critics per fold are
    trained apart, and their mean is reported; ``blend`` trains a second kind of critic where a method has one.
    """

    pace: float = 1.0
    hidden: tuple[int, ...] = (128, 128)
    batch_size: int = 512
    shuffles: int = 1
    n_folds: int | None = None
    ensemble_size: int = 1
    blend: bool = True


@dataclass(frozen=True)
class Neural:
    """Cross-fitted variational estimator.

    Each of ``n_folds`` critics has its own training, validation and evaluation rows: every row is reported on once, by a critic
    that never saw it; the built-in critics train together in one stacked network.

    Attributes:
        name: Name in the result.
        bound: The bound that trains the critics, a name or a function as in :mod:`mine.bounds`.
        critic: A user's untrained module taking ``(x, y)``, or a function making one; ``"conv"``, ``"sequence"`` or ``"mlp"``
            for two towers of that kind; None for the built-in MLP, or two towers if a side has more than two dimensions.
        preprocess: ``"rank"``, ``"robust"`` or None; see :class:`mine.data.preprocessing.SideEncoder`.
        effort: ``"fast"``, ``"default"`` or ``"thorough"``: sets the options that are None.
        hidden: Widths of the built-in critic's hidden layers.
        activation: Its activation.
        gaussian_base: Start from the log-ratio of a Gaussian fitted to the training rows.
        n_folds: Number of folds; None takes 5, and 3 from 4,000 rows on, where training rows are no longer scarce, or for two
            towers.
        bias_correction: ``value`` is the mean of the bound on held-out and on training rows, whose biases cancel to first
            order in 1/n; otherwise ``value`` is ``lower_bound``.
        steps: Most optimiser steps; the best step is chosen on the validation rows. None takes :func:`default_steps`
            times the pace of ``effort``.
        batch_size: Rows per step and critic.
        shuffles: Shuffled pairs a joint pair.
        learning_rate: Peak rate of AdamW; None takes what suits the built-in critic, and 4e-3 for a user's.
        weight_decay: Of AdamW.
        patience: Fortieths of ``steps`` without a better bound, after which training ends. Each has its validation;
            ``"auto"`` leaves out every second one from 4,000 rows on.
        bf16: Train under bfloat16 autocast, for GPUs; what is reported is scored in float32.
        all_pairs: Take every pair of a batch where the critic can; ``shuffles`` is then not used.
        averaging: Share of ``steps`` over which weights are averaged; 0 takes them as they are.
    """

    name: str = "mine"
    bound: str | bounds.Bound = "mine"
    critic: Any = None
    preprocess: Preprocess = "robust"
    effort: str = "default"
    hidden: Sequence[int] | None = None
    activation: str = "relu"
    gaussian_base: bool = False
    n_folds: int | None = None
    bias_correction: bool = True
    steps: int | None = None
    batch_size: int | None = None
    shuffles: int | None = None
    learning_rate: float | None = None
    weight_decay: float = 0.01
    patience: int = 16
    averaging: float = 0.0
    all_pairs: bool = False
    bf16: bool = False

    #: Whether a problem's ``processes`` can share the work.
    data_parallel: ClassVar[bool] = True
    #: Peak learning rates of the built-in critic and of a user's, which nobody tuned.
    _own_rate, _users_rate = 3e-3, 4e-3
    #: Settings of each effort.
    _efforts: ClassVar[dict[str, EffortSettings]] = {
        "fast": EffortSettings(pace=0.4),
        "default": EffortSettings(),
        "thorough": EffortSettings(pace=2.0, shuffles=4, n_folds=5, ensemble_size=3),
    }

    def run(self, problem: Problem) -> Estimate:
        return self.fit(problem).estimate

    def fit(self, problem: Problem) -> FittedNeural:
        """Train, choose, report: the estimate and the critics behind it."""
        self._check()
        seeds = problem.seeds(4)
        kind = self._reported()
        n_folds = self.settings.n_folds or (TOWER_FOLDS if shape_critics(self.critic, problem) else None)
        problem, folds = split(problem, n_folds, seeds[0])
        with forked_rng(seeds[1], torch.device(problem.device)) if self._fold_by_fold(problem) else nullcontext():
            trained = self._trained(problem, folds, seeds)
            about = {**self._about(problem), **({"critic": trained.words} if trained.words else {})}
            folds, encoders, pairs = trained.folds, trained.encoders, trained.pairs
            fit = CrossFit(problem, encoders, pairs, folds, trained.critics, trained.histories, trained.steps, about)
            reports = Reports.read(kind, fit, seeds[3], train=self.bias_correction)
        estimate = widened_by_late_gain(assemble(self.name, fit, reports), fit)
        estimate = self._refined(opened_by_codes(estimate, fit), fit)
        return FittedNeural(estimate, trained.critics, encoders, reports.kind, problem.device)

    def train(self, problem: Problem, folds: list[Fold]) -> tuple[list[Critic], Pairs]:
        """The critics of ``folds``, and the pairs they read; the evaluation rows are not used."""
        self._check()
        seeds = problem.seeds(4)
        with forked_rng(seeds[1], torch.device(problem.device)) if self._fold_by_fold(problem) else nullcontext():
            trained = self._trained(problem, folds, seeds, trim=False)
        return trained.critics, trained.pairs

    def _trained(self, problem: Problem, folds: list[Fold], seeds: list[int], *, trim: bool = True) -> Trained:
        """The critics of all folds: made for the shape of the data, a user's, or flat ones in one stack."""
        if shapes := shape_critics(self.critic, problem):
            return self._towers(problem, shapes).run(problem, folds, seeds[2])
        custom = self.critic is not None
        encoders = self._encoders(problem)
        steps = self._steps(problem.n)
        if trim:
            folds = trimmed(folds, steps * self.settings.batch_size, seeds[0])
        pairs = pairs_of(problem, encoders)
        critics, histories = (self._train_each if custom else self._train_stack)(problem, pairs, folds, seeds)
        return Trained(folds, critics, histories, encoders, pairs, steps)

    def _fold_by_fold(self, problem: Problem) -> bool:
        """Whether critics draw from torch's global generator, as a user's and those with dropout do."""
        return self.critic is not None or bool(shape_critics(self.critic, problem))

    @property
    def settings(self) -> EffortSettings:
        """The settings of ``effort``, overridden by options that were passed."""
        if self.effort not in self._efforts:
            raise UnknownNameError("effort", self.effort, list(self._efforts))
        given = {name: getattr(self, name) for name in ("hidden", "batch_size", "shuffles", "n_folds")}
        return replace(self._efforts[self.effort], **{name: value for name, value in given.items() if value is not None})

    def _refined(self, estimate: Estimate, fit: CrossFit) -> Estimate:
        """What to report instead where shuffled pairs cannot resolve the information; here nothing more than the bound."""
        del fit
        return estimate

    # === Training ===

    def _train_stack(
        self, problem: Problem, pairs: Pairs, folds: list[Fold], seeds: list[int]
    ) -> tuple[list[Critic], list[History]]:
        """All folds at once, in one stacked network."""
        critic = self._critic(problem, pairs, folds, torch.Generator().manual_seed(seeds[1]))
        critics, history = self._train_folds(critic, self._options(problem), problem, pairs, folds, seeds[2])
        return critics, [history]

    def _train_folds(
        self,
        critic: Critic,
        options: TrainingOptions,
        problem: Problem,
        pairs: Pairs,
        folds: list[Fold],
        seed: int,
        part: tuple[int, int] = (0, 1),
    ) -> tuple[list[Critic], History]:
        """Train a stack of ``ensemble_size`` critics per fold; returns one critic per fold, the mean of its ensemble."""
        ensemble_size = self.settings.ensemble_size
        history = train_critic(
            critic.to(pairs.x.device),
            bounds.get_bound(self.bound),
            pairs,
            even_rows([f.train for f in folds], seed, pairs.x.device).repeat(ensemble_size, 1),
            even_rows([f.validation for f in folds], seed, pairs.x.device).repeat(ensemble_size, 1),
            options,
            contributions=partial(selection_rows, self._reported()),
            seed=seed,
            on_progress=progress_of(problem, f"training {ensemble_size * len(folds)} critics", *part),
            processes=sharing_processes(problem),
        )
        singles = [critic.select(k) for k in range(len(folds) * ensemble_size)]
        if ensemble_size == 1:
            return singles, history
        return [MeanCritic(singles[k :: len(folds)]) for k in range(len(folds))], history

    def _critic(self, problem: Problem, pairs: Pairs, folds: list[Fold], generator: torch.Generator) -> Critic:
        """The untrained critics of all folds, one stack: every fold's first member, then every fold's second."""
        ensemble_size = self.settings.ensemble_size
        critic: Critic = ConcatCritic(
            pairs.x.shape[1],
            pairs.y.shape[1],
            self.settings.hidden,
            activation=self.activation,
            stack=(len(folds) * ensemble_size,),
            zero_init=self.gaussian_base,
            generator=generator,
        )
        if self._has_base(problem):
            dx, dy = problem.x.n_continuous, problem.y.n_continuous
            fitted = [fit_base(*base_rows(pairs, fold, dx, dy)) for fold in folds]
            base = GaussianCritic.stacked(fitted * ensemble_size).float()
            critic = ResidualCritic(base, critic, base_dx=dx, base_dy=dy)
        return critic

    def _train_each(
        self, problem: Problem, pairs: Pairs, folds: list[Fold], seeds: list[int]
    ) -> tuple[list[Critic], list[History]]:
        """A user's critic, fold by fold: a stranger's module cannot be stacked."""
        critics: list[Critic] = []
        histories: list[History] = []
        for k, fold in enumerate(folds):
            critic = fresh_critic(self.critic).to(pairs.x.device)
            if critic.stack:
                raise InputError("critic must give one score per row: pass it without stack=.")
            dry_run(critic, pairs)
            train = self._trainer(problem, f"training critic {k + 1} of {len(folds)}", k, len(folds))
            histories.append(train(critic, pairs, fold, self._options(problem), seeds[2] + 3 * k))  # it draws from three seeds
            critics.append(critic)
        return critics, histories

    def _trainer(self, problem: Problem, message: str, part: int = 0, parts: int = 1) -> Trainer:
        """The function that trains one critic on one fold."""

        def train(critic: Critic, pairs: Pairs, fold: Fold, options: TrainingOptions, seed: int) -> History:
            return train_critic(
                critic,
                bounds.get_bound(self.bound),
                pairs,
                torch.as_tensor(fold.train, device=pairs.x.device),
                torch.as_tensor(fold.validation, device=pairs.x.device),
                options,
                contributions=partial(selection_rows, self._reported()),
                seed=seed,
                on_progress=progress_of(problem, message, part, parts),
                processes=sharing_processes(problem),
            )

        return train

    def _towers(self, problem: Problem, kinds: tuple[str, ...]) -> Towers:
        return Towers(
            kinds=kinds,
            train=self._trainer(problem, "training critics of two towers"),
            options=self._options(problem),
            reported=self._reported(),
            encoder=self._encoder(),
            pace=TOWER_PACE.get(self.effort, 1.0),
            steps=self.steps,
            learning_rate=self.learning_rate,
            batch_size=self.batch_size,
            hidden=self.hidden,
            activation=self.activation,
        )

    def _options(self, problem: Problem) -> TrainingOptions:
        steps = self._steps(problem.n)
        usual = self._users_rate if is_users(self.critic) else self._own_rate
        return TrainingOptions(
            steps=steps,
            batch_size=self.settings.batch_size,
            shuffles=self.settings.shuffles,
            learning_rate=usual if self.learning_rate is None else self.learning_rate,
            weight_decay=self.weight_decay,
            eval_every=max(1, steps // 40),
            patience=self.patience,
            averaging=self.averaging,
            all_pairs=self.all_pairs,
            bf16=self.bf16,
        )

    def _steps(self, n: int) -> int:
        return self.steps or max(1, round(self.settings.pace * default_steps(n)))

    def _about(self, problem: Problem) -> dict[str, Any]:
        return {
            "trained_by": self.bound if isinstance(self.bound, str) else getattr(self.bound, "__name__", "custom"),
            "preprocess": self.preprocess,
            "effort": self.effort,
            "critic": "user's" if is_users(self.critic) else self._words(problem),
        }

    def _words(self, problem: Problem) -> str:
        """The built-in critic, for the diagnostics."""
        return f"{'Gaussian base + ' if self._has_base(problem) else ''}MLP {tuple(self.settings.hidden)}"

    def _has_base(self, problem: Problem) -> bool:
        return bool(self.gaussian_base and problem.x.n_continuous and problem.y.n_continuous)

    def _encoders(self, problem: Problem) -> list[SideEncoder]:
        """The fitted encoders of x and y; for a user's critic images keep their shape."""
        return [self._encoder().fit(v, keep_shape=self.critic is not None) for v in (problem.x, problem.y)]

    def _encoder(self) -> SideEncoder:
        return SideEncoder(self.preprocess)

    def _reported(self) -> ReportedBound:
        return REPORTED_BOUND.get(self.bound, "dv") if isinstance(self.bound, str) else "dv"

    def _check(self) -> None:
        bounds.get_bound(self.bound)
        _ = self.settings
        if self.patience is None:
            raise InputError("patience must be an integer of at least 1, got None.")
        check_integers(vars(self), {"steps": 1, "batch_size": 2, "shuffles": 1, "n_folds": 2, "patience": 1})
        check_widths(self.hidden)
        rate, decay = self.learning_rate, self.weight_decay
        if rate is not None and not (isinstance(rate, Real) and 0 < rate < math.inf):
            raise InputError(f"learning_rate must be positive, got {rate!r}.")
        if not (isinstance(decay, Real) and 0 <= decay < math.inf):
            raise InputError(f"weight_decay must be zero or more, got {decay!r}.")


@dataclass(frozen=True)
class FittedNeural:
    """An estimate with the critics behind it, one per fold, on the CPU or ``device``."""

    estimate: Estimate
    critics: list[Critic]
    encoders: list[SideEncoder]
    kind: ReportedBound
    device: str

    def score(self, x: Variable, y: Variable, seed: int = 0) -> float:
        """The bound (nats) on new rows, by the mean score of the folds' critics: the bounds are concave in the critic."""
        pairs = pairs_of(Problem(x, y, device=self.device), self.encoders)
        index = torch.arange(len(x), device=pairs.x.device)
        shuffles = min(len(x) - 1, 64)
        scores = [evaluate_scores(c, pairs, index, shuffles, torch.Generator().manual_seed(seed)) for c in self.critics]
        joint = torch.stack([s[0] for s in scores]).mean(0)
        marginal = torch.stack([s[1] for s in scores]).mean(0)
        return rows_of_bound(self.kind, joint, marginal, scores[0][2]).bound


def progress_of(problem: Problem, message: str, part: int = 0, parts: int = 1) -> Callable[[int, int, float], None] | None:
    callback = problem.on_progress
    if callback is None:
        return None
    return lambda step, steps, bound: callback(part * steps + step, parts * steps, f"{message}, bound {bound:.3f} nats")


def sharing_processes(problem: Problem) -> ProcessGroup | None:
    """The processes that share the problem; below ``training`` a problem knows them by a protocol only."""
    return cast("ProcessGroup | None", problem.processes)
