"""The default: the best this library knows for the data at hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

import torch

from mine import bounds
from mine.critics import Critic
from mine.estimators.base import base_rows, fit_copulas
from mine.estimators.crossfit import CrossFit
from mine.estimators.discrete import DiscretePlugin, plugin_suits
from mine.estimators.neural import Effort, FittedNeural, Neural
from mine.estimators.strong import by_copula, by_residual
from mine.guided import GuidedCritic, SideLayout
from mine.preprocessing import Preprocess, SideEncoder
from mine.problem import Problem
from mine.result import Estimate
from mine.splits import Fold
from mine.training import Pairs

__all__ = ["Auto"]


@dataclass(frozen=True)
class Auto(Neural):
    """Ranks, a Gaussian base with a residual critic, five-fold cross-fitting in one stacked network, bias correction.

    Where shuffled pairs are saturated, or a regression alone finds more than the critics, the value is that of
    :mod:`mine.estimators.strong`. Two wholly discrete sides with enough rows a cell go to the contingency table instead.
    """

    name: str = "auto"
    bound: str | bounds.Bound = "dv"
    preprocess: Preprocess = "rank"
    gaussian_base: bool = True
    weight_decay: float = 0.1
    averaging: float = 0.15
    residual: bool = True

    _own_rate = 1.5e-2
    _efforts: ClassVar[dict[str, Effort]] = {
        "fast": Effort(pace=0.4, hidden=(64, 64, 64), batch_size=512, shuffles=2),
        "default": Effort(pace=1.6, hidden=(64, 64, 64), batch_size=256, shuffles=8),
        "thorough": Effort(pace=3.0, hidden=(128, 128, 128), batch_size=256, shuffles=16, n_folds=5),
    }

    def fit(self, problem: Problem) -> FittedNeural:
        if self.critic is None and plugin_suits(problem):
            estimate = DiscretePlugin(name=self.name).run(problem)
            return FittedNeural(estimate, [], [], "dv", problem.device)
        return super().fit(problem)

    def _critic(self, problem: Problem, pairs: Pairs, folds: list[Fold], generator: torch.Generator) -> Critic:
        x, y = problem.x, problem.y
        if not (self.gaussian_base and x.n_continuous and y.n_continuous):
            return super()._critic(problem, pairs, folds, generator)
        dx, dy = x.n_continuous, y.n_continuous
        base = fit_copulas([base_rows(pairs, fold, dx, dy) for fold in folds])
        layouts = [
            SideLayout(d, lengths := (2 if d > 1 else 0), features.shape[1] - 2 * d - lengths)
            for d, features in ((dx, pairs.x), (dy, pairs.y))
        ]
        return GuidedCritic(
            base.ratio.float(),
            base.gaussian.float(),
            base.weights.float(),
            *layouts,
            hidden=tuple(self.dial.hidden),
            activation=self.activation,
            generator=generator,
            copula=base.name,
        )

    def _refined(self, estimate: Estimate, fit: CrossFit) -> Estimate:
        """The bound from shuffled pairs, or what replaces it where they cannot resolve the information or miss much of it."""
        if self.critic is not None:
            return estimate
        if self.residual:
            found = by_residual(estimate, fit.problem, partial(_remainder, self))
            if found is not None:
                return found
        return by_copula(estimate, fit)

    def _encoder(self) -> SideEncoder:
        # Ranks alone hide distances in the tails; a user's critic was built for one number a column.
        return SideEncoder(self.preprocess, both=self.critic is None)


def _remainder(method: Auto, problem: Problem) -> Estimate:
    """What a critic finds between x and the residual, which is little: no further refinement."""
    return replace(method, residual=False).run(problem)
