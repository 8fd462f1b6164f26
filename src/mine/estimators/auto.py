"""The default: the best this library knows for the data at hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from mine import bounds
from mine.critics import Critic
from mine.estimators.base import fit_copulas
from mine.estimators.crossfit import CrossFit, base_ratio
from mine.estimators.discrete import DiscretePlugin, plugin_suits
from mine.estimators.neural import FittedNeural, Neural
from mine.guided import GuidedCritic, SideLayout
from mine.preprocessing import Preprocess, SideEncoder
from mine.problem import Problem, clustered_stderr
from mine.result import Estimate
from mine.splits import Fold
from mine.training import Pairs

__all__ = ["Auto"]


@dataclass(frozen=True)
class Auto(Neural):
    """Ranks, a Gaussian base with a residual critic, five-fold cross-fitting in one stacked network, bias correction.

    Two wholly discrete sides with enough rows a cell go to the contingency table instead.
    """

    name: str = "auto"
    bound: str | bounds.Bound = "dv"
    preprocess: Preprocess = "rank"
    hidden: Sequence[int] = (64, 64, 64)
    gaussian_base: bool = True
    batch_size: int = 512
    shuffles: int = 2
    weight_decay: float = 0.1
    averaging: float = 0.15

    _own_rate = 1.5e-2

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
        u, v = pairs.x[:, :dx].cpu().double().numpy(), pairs.y[:, :dy].cpu().double().numpy()
        base = fit_copulas(u, v, folds)
        layouts = [
            SideLayout(d, lengths := (2 if d > 1 else 0), features.shape[1] - 2 * d - lengths)
            for d, features in ((dx, pairs.x), (dy, pairs.y))
        ]
        return GuidedCritic(
            base.ratio.float(),
            base.gaussian.float(),
            base.weights.float(),
            *layouts,
            hidden=tuple(self.hidden),
            activation=self.activation,
            generator=generator,
        )

    def _beyond_saturation(self, estimate: Estimate, fit: CrossFit) -> Estimate:
        """Where shuffled pairs are saturated: the mean log-ratio of the fitted Gaussian copula, if it exceeds the bound.

        The Gaussian's partition function is known (1), so its log-ratio needs joint rows only and has no limit. It is a
        model, though: the interval stays open above, and below it ends where the bound does.
        """
        found = base_ratio(fit)
        if not estimate.diagnostics["saturated"] or found is None:
            return estimate
        ratio, on_train = found
        held = float(ratio.mean())
        correction = 0.5 * (on_train - held)
        if held + correction <= estimate.value:
            return estimate
        limit = estimate.diagnostics["largest_resolvable_nats"]
        warning = (
            f"Shuffled pairs of {estimate.n:,} rows resolve at most {limit:.1f} nats. "
            "The value is that of a fitted Gaussian copula, right only if the dependence is of that form; the interval "
            "holds what the data alone support."
        )
        diagnostics = {
            **estimate.diagnostics,
            "basis": "model-based: Gaussian copula",
            "bias_correction": correction,
            "warnings": [warning, *(w for w in estimate.warnings if not w.startswith(("Saturated", "The bias")))],
        }
        stderr = clustered_stderr(ratio, fit.problem.groups)
        return replace(estimate, value=held + correction, stderr=stderr, diagnostics=diagnostics)

    def _encoder(self) -> SideEncoder:
        # Ranks alone hide distances in the tails; a user's critic was built for one number a column.
        return SideEncoder(self.preprocess, both=self.critic is None)
