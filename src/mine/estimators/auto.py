"""The default: the best this library knows for the data at hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar, Literal

import torch

from mine import bounds
from mine.critics.combined import ResidualCritic
from mine.critics.copula_metric import CopulaMetricCritic, SideLayout
from mine.critics.critic import Critic
from mine.critics.label import LabelCritic
from mine.critics.networks import ConcatCritic
from mine.data.components import WideEncoder, is_wide
from mine.data.preprocessing import Preprocess, SideEncoder, n_norms
from mine.data.problem import Problem
from mine.data.splits import Fold
from mine.estimators.base import CopulaBase, base_rows, fit_copulas
from mine.estimators.blend import blend
from mine.estimators.discrete import DiscretePlugin, capped_by_entropy, counts_suit, identifier_estimate
from mine.estimators.few_rows import by_closed_form
from mine.estimators.fit import CrossFit
from mine.estimators.label_pairs import raised_by_label_pairs
from mine.estimators.levels.beside import raised_by_levels
from mine.estimators.levels.estimate import levels_estimate
from mine.estimators.neural import EffortSettings, FittedNeural, Neural, progress_of, sharing_processes
from mine.estimators.rank_ceiling import raised_by_ranks
from mine.estimators.strong import by_copula, by_heaps, by_residual, by_ross
from mine.estimators.thinned import run_in_order
from mine.estimators.users_critic import is_users
from mine.estimators.wide.left_out import allowing_for_more
from mine.estimators.wide.race import WideTraining, inputs_of
from mine.result import Estimate
from mine.training.options import History, TrainingOptions
from mine.training.pairs import Pairs

__all__ = ["Auto"]

#: Two single columns may have sharp edges, which no distance draws: there the network reads the pair itself.
PAIR_NETWORK, PAIR_RATE = (64, 64, 64), 1.5e-2
#: Rate and batch of the critic of a column of labels, which takes every pair.
LABEL_RATE, LABEL_BATCH = 1e-2, 512
#: Steps of a network on pairs beside a critic by distance, as a share of the latter's.
PAIR_PACE = 0.6
#: Rows from which half of the validations are enough.
MANY_ROWS = 4000
#: Rate and batch of the critics of wide sides.
WIDE_RATE, WIDE_BATCH = 2e-3, 512


@dataclass(frozen=True)
class Auto(Neural):
    """The default: critics on top of a fitted copula of ranks, cross-fitted in one stacked network, with bias correction.

    Where shuffled pairs are saturated, or a regression alone finds more than the critics, the value comes
    from :mod:`mine.estimators.strong`. Two columns of labels go to the contingency table instead.
    """

    name: str = "auto"
    bound: str | bounds.Bound = "dv"
    preprocess: Preprocess = "rank"
    gaussian_base: bool = True
    weight_decay: float = 0.1
    averaging: float = 0.15
    all_pairs: bool = True
    residual: bool = True

    _own_rate = 5e-3
    _efforts: ClassVar[dict[str, EffortSettings]] = {
        "fast": EffortSettings(pace=0.7, hidden=(64, 64), batch_size=256, shuffles=8, blend=False),
        "default": EffortSettings(pace=1.4, hidden=(128, 128), batch_size=256, shuffles=8),
        "thorough": EffortSettings(pace=2.0, hidden=(256, 256), batch_size=256, shuffles=8, n_folds=5, ensemble_size=4),
    }

    def fit(self, problem: Problem) -> FittedNeural:
        estimate = None if self.critic is not None else self._without_training(problem)
        if estimate is not None:
            return FittedNeural(estimate, [], [], "dv", problem.device)
        return super().fit(problem)

    def _without_training(self, problem: Problem) -> Estimate | None:
        """What counts say, where they are the better basis or where nothing can be known."""
        if counts_suit(problem):
            return run_in_order(DiscretePlugin(name=self.name), problem)
        return identifier_estimate(problem, self.name) or levels_estimate(problem, self.name)

    def _critic(self, problem: Problem, pairs: Pairs, folds: list[Fold], generator: torch.Generator) -> Critic:
        if label := _label_side(problem):
            return self._label_critic(label, problem, pairs, folds, generator)
        if not self._has_base(problem):
            return super()._critic(problem, pairs, folds, generator)
        base = self._copulas(problem, pairs, folds)
        if _one_each(problem):
            return self._pair_critic(problem, pairs, folds, base, generator)
        return self._distance_critic(problem, pairs, base, generator)

    def _copulas(self, problem: Problem, pairs: Pairs, folds: list[Fold]) -> CopulaBase:
        dx, dy = problem.x.n_continuous, problem.y.n_continuous
        return fit_copulas([base_rows(pairs, fold, dx, dy) for fold in folds], self.settings.ensemble_size)

    def _distance_critic(self, problem: Problem, pairs: Pairs, base: CopulaBase, generator: torch.Generator) -> Critic:
        dx, dy = problem.x.n_continuous, problem.y.n_continuous
        layouts = [
            SideLayout(d, norms := n_norms(d), features.shape[1] - 2 * d - norms)
            for d, features in ((dx, pairs.x), (dy, pairs.y))
        ]
        return CopulaMetricCritic(
            base.ratio.float(),
            base.gaussian.float(),
            base.weights.float(),
            *layouts,
            hidden=tuple(self.settings.hidden),
            activation=self.activation,
            generator=generator,
        )

    def _label_critic(
        self, label: Literal["x", "y"], problem: Problem, pairs: Pairs, folds: list[Fold], generator: torch.Generator
    ) -> Critic:
        """A classifier: every function of a label and the other side."""
        labels, other = (pairs.x, pairs.y) if label == "x" else (pairs.y, pairs.x)
        return LabelCritic(
            labels.shape[1],
            other.shape[1],
            self._label_network(problem),
            labels=label,
            activation=self.activation,
            stack=(len(folds) * self.settings.ensemble_size,),
            generator=generator,
        )

    def _label_network(self, problem: Problem) -> tuple[int, ...]:
        """Deeper and narrower on one number, whose edges it must find."""
        single = sum(side.n_continuous for side in (problem.x, problem.y)) == 1
        return PAIR_NETWORK if single and self.hidden is None else tuple(self.settings.hidden)

    def _pair_critic(
        self, problem: Problem, pairs: Pairs, folds: list[Fold], base: CopulaBase, generator: torch.Generator
    ) -> Critic:
        """A copula, and a network that reads the pair itself: it draws sharp edges, which no distance does."""
        network = ConcatCritic(
            pairs.x.shape[1],
            pairs.y.shape[1],
            PAIR_NETWORK,
            activation=self.activation,
            stack=(len(folds) * self.settings.ensemble_size,),
            zero_init=True,
            generator=generator,
        )
        return ResidualCritic(base.ratio.float(), network, base_dx=problem.x.n_continuous, base_dy=problem.y.n_continuous)

    def _train_stack(
        self, problem: Problem, pairs: Pairs, folds: list[Fold], seeds: list[int]
    ) -> tuple[list[Critic], list[History]]:
        """The critics by distance, and beside them networks on pairs: what either is blind to the other may see."""
        if self._is_wide(problem):
            return self._train_wide(problem, pairs, folds, seeds[2])
        if not self._blends(problem):
            return super()._train_stack(problem, pairs, folds, seeds)
        base = self._copulas(problem, pairs, folds)  # both read it, and neither changes it
        by_distance = self._distance_critic(problem, pairs, base, torch.Generator().manual_seed(seeds[1]))
        first, history = self._train_folds(by_distance, self._options(problem), problem, pairs, folds, seeds[2], (0, 2))
        on_pairs = self._pair_critic(problem, pairs, folds, base, torch.Generator().manual_seed(seeds[1] + 1))
        second, _ = self._train_folds(on_pairs, self._pair_options(problem), problem, pairs, folds, seeds[2], (1, 2))
        kind = self._reported()
        stops = [torch.as_tensor(fold.validation, device=pairs.x.device) for fold in folds]
        blended = [blend(a, b, pairs, rows, kind, seeds[2]) for a, b, rows in zip(first, second, stops, strict=True)]
        return blended, [history]

    def _train_wide(self, problem: Problem, pairs: Pairs, folds: list[Fold], seed: int) -> tuple[list[Critic], list[History]]:
        """Critics of what each fold's views of the many columns tell best."""
        options = super()._options(problem)
        training = WideTraining(
            bounds.get_bound(self.bound),
            self._reported(),
            self._wide_hidden(),
            self.activation,
            replace(
                options,
                batch_size=self.batch_size or WIDE_BATCH,
                learning_rate=self.learning_rate or WIDE_RATE,
            ),
            seed,
            lambda part, parts: progress_of(problem, "training critics of wide sides", part, parts),
            _label_side(problem),
            sharing_processes(problem),
        )
        assert pairs.layouts is not None
        return training.run(pairs, pairs.layouts, folds)

    def _wide_hidden(self) -> tuple[int, ...]:
        """Dropout leaves out a part of the hidden units: twice the usual ones."""
        return tuple(self.settings.hidden) if self.hidden else tuple(2 * width for width in self.settings.hidden)

    def _is_wide(self, problem: Problem) -> bool:
        """Whether a side has so many columns of numbers that a few must be made of them; only where the features fit."""
        return not self._fold_by_fold(problem) and self.gaussian_base and is_wide(problem.x, problem.y)

    def _encoders(self, problem: Problem) -> list[SideEncoder]:
        if self._is_wide(problem):
            return [WideEncoder().fit(v) for v in (problem.x, problem.y)]
        return super()._encoders(problem)

    def _blends(self, problem: Problem) -> bool:
        return self.settings.blend and self.critic is None and self._has_base(problem) and not _one_each(problem)

    def _words(self, problem: Problem) -> str:
        if self._is_wide(problem):
            return f"MLPs {self._wide_hidden()} on the inputs named"
        if _label_side(problem):
            return f"a score a label, MLP {self._label_network(problem)}"
        if not self._has_base(problem):
            return super()._words(problem)
        if _one_each(problem):
            return f"copula + MLP {PAIR_NETWORK}"
        ensemble_size = "" if self.settings.ensemble_size == 1 else f", mean of {self.settings.ensemble_size}"
        beside = f", blended with MLPs {PAIR_NETWORK} on pairs" if self._blends(problem) else ""
        return f"copula + distance between MLPs {tuple(self.settings.hidden)}{ensemble_size}{beside}"

    def _options(self, problem: Problem) -> TrainingOptions:
        if self._fold_by_fold(problem):
            return super()._options(problem)
        if _one_each(problem):
            return self._pair_options(problem)
        options = _validated_less(super()._options(problem), problem.n)
        if _label_side(problem):
            single = self._label_network(problem) == PAIR_NETWORK
            return replace(
                options,
                learning_rate=self.learning_rate or (PAIR_RATE if single else LABEL_RATE),
                batch_size=self.batch_size or LABEL_BATCH,
            )
        return options

    def _pair_options(self, problem: Problem) -> TrainingOptions:
        options = super()._options(problem)
        rate = PAIR_RATE if self.learning_rate is None else self.learning_rate
        steps = options.steps if _one_each(problem) else max(1, round(PAIR_PACE * options.steps))
        options = replace(
            options,
            steps=steps,
            eval_every=max(1, steps // 40),
            learning_rate=rate,
            all_pairs=False,
            batch_size=self.batch_size or 512,
            shuffles=self.shuffles or 2,
        )
        return _validated_less(options, problem.n)

    def _refined(self, estimate: Estimate, fit: CrossFit) -> Estimate:
        """The bound from shuffled pairs, or what replaces it where they cannot resolve the information or miss much of it."""
        if self._fold_by_fold(fit.problem):  # what follows was made for flat columns
            return estimate if is_users(self.critic) else capped_by_entropy(estimate, fit.problem)
        if self._is_wide(fit.problem):
            estimate = replace(estimate, diagnostics={**estimate.diagnostics, "inputs": inputs_of(fit.critics)})
            estimate = allowing_for_more(estimate, fit)
        best = raised_by_label_pairs(self._best_of(estimate, fit), fit.problem)
        return capped_by_entropy(raised_by_levels(best, fit.problem), fit.problem)

    def _best_of(self, estimate: Estimate, fit: CrossFit) -> Estimate:
        if not self.residual:
            return by_closed_form(by_copula(estimate, fit), fit.problem)
        taken_over = (
            by_heaps(estimate, fit.problem)
            or by_residual(estimate, fit.problem, partial(_remainder, self))
            or by_ross(estimate, fit.problem)
            or by_closed_form(by_copula(estimate, fit), fit.problem)
        )
        return raised_by_ranks(taken_over, fit.problem)

    def _encoder(self) -> SideEncoder:
        # Ranks alone hide distances in the tails; a user's critic was built for one number a column.
        return SideEncoder(self.preprocess, both=not is_users(self.critic))


def _one_each(problem: Problem) -> bool:
    """Whether each side is one column of numbers."""
    return all(side.n_continuous == 1 and not side.n_discrete for side in (problem.x, problem.y))


def _label_side(problem: Problem) -> Literal["x", "y", ""]:
    """The side that is one column of labels, if either is."""
    if problem.x.is_label:
        return "x"
    return "y" if problem.y.is_label else ""


def _validated_less(options: TrainingOptions, n: int) -> TrainingOptions:
    """With half of the validations from ``MANY_ROWS`` on, which take a large part of the time and are less often needed."""
    if n < MANY_ROWS:
        return options
    return replace(options, eval_every=2 * options.eval_every, patience=max(1, options.patience // 2))


def _remainder(method: Auto, problem: Problem) -> Estimate:
    """What a critic finds between x and the residual, which is little: no further refinement, and half of the steps on a pair.

    On more columns ``"fast"`` would leave out the second critic: that cost .02 nats on heavy tails of 5 + 5 columns.
    """
    effort = "fast" if method.effort == "default" and _one_each(problem) else method.effort
    return replace(method, residual=False, effort=effort).run(problem)
