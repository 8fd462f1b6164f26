"""Conditional information by one critic: joint rows against rows whose y comes from a row with nearly the same z."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch

from mine.conditional.exchange import exchange_partners
from mine.data.preprocessing import SideEncoder, rank_gaussianize
from mine.data.problem import Problem, clustered_stderr
from mine.data.splits import Fold
from mine.data.variable import Variable
from mine.errors import InputError, UnknownNameError
from mine.estimators import EFFORTS
from mine.estimators.crossfit import (
    MISFIT,
    SATURATION_MARGIN,
    interval_half_width,
    not_far_below_nothing,
    upper_half_width,
)
from mine.estimators.folds import split
from mine.estimators.options import check_integers, check_widths
from mine.estimators.ratio import FEWEST_EFFECTIVE, RatioCritics, RatioPart, gaussian_ratio, told_in_steps, train_ratio
from mine.result import Estimate

__all__ = ["LocalShuffle"]

#: Optimiser steps a value of ``effort``.
STEPS: dict[str, int] = dict(zip(EFFORTS, (300, 600, 1500), strict=True))
#: Numbers that the rows and their exchanged copies may fill.
MOST_NUMBERS = 1 << 26
#: Columns of a side up to which trees are boosted in addition to the smooth regression on z: each takes seconds.
MOST_BOOSTED = 8
#: Share of rows without a partner, and nats by which exchanged rows may differ from real ones, that call for a warning.
ALONE, TELLING = 0.05, 0.01
#: How far the truth may lie from the value, in units of what (y, z) alone tell of the exchange: the critic of (y, z) sees but
#: a part of what is left to see (the common causes in docs/how-to/conditional.md).
UNTOLD = 3.0


@dataclass(frozen=True)
class LocalShuffle:
    r"""``I(X; Y | Z) = KL(p(x, y, z) || p(x|z) p(y|z) p(z))`` by a critic ``T(x, y, z)``, cross-fitted.

    The product is sampled by exchanging y among rows with nearly the same z: those of the same labels and, for numbers, the
    nearest ones, each within its part of the fold. What a regression on z predicts (smooth, or by boosted trees) is taken out
    of the numbers of x and y beforehand: that leaves the information as it is, and does not shift when neighbours differ in z.

    With numbers in z the exchanged y is not quite distributed as p(y|z), and the critic sees that too: by
    ``E KL(p(y|z) || q(y|z))``, q the law of what neighbours lend. A second critic on (y, z) alone estimates just this, and it
    is subtracted; what is left has no bound, hence no ``lower_bound``. Labels alone are exact: there the bound is one.

    References:
        Mukherjee, Asnani & Kannan, 2020, 'CCMI' (arXiv 1906.01824); Molavipour, Bassi & Skoglund, 2021, 'Neural estimators for
        conditional mutual information using nearest neighbors sampling' (arXiv 2006.07225).

    Attributes:
        effort: ``"fast"``, ``"default"`` or ``"thorough"``: the number of steps, where it is not given.
        n_neighbors: Rows that lend each row their y.
        steps: Optimiser steps; the best is chosen on the validation rows.
        batch_size: Rows of either kind a step.
        hidden: Widths of the critic's hidden layers.
        n_folds: Critics; None takes 5, and 3 from 4,000 rows on.
    """

    name: ClassVar[str] = "conditional shuffle"
    effort: str = "default"
    n_neighbors: int = 5
    steps: int | None = None
    batch_size: int = 512
    hidden: Sequence[int] = (64, 64)
    n_folds: int | None = None

    @classmethod
    def with_options(cls, method: Any, options: dict[str, Any]) -> LocalShuffle:
        """From the arguments of :func:`mine.estimate`.

        Raises:
            InputError: Another method, or a value that cannot be used.
            UnknownNameError: An option or effort that does not exist.
        """
        if method != "auto" or "critic" in options:
            raise InputError("conditional='shuffle' trains a critic of its own: leave method and critic out, or take 'chain'.")
        names = [field.name for field in dataclasses.fields(cls)]
        for option in options:
            if option not in names:
                raise UnknownNameError("option of conditional='shuffle'", option, names)
        out = cls(**options)
        if out.effort not in STEPS:
            raise UnknownNameError("effort", out.effort, STEPS)
        for name in ("n_neighbors", "batch_size", "hidden"):
            if getattr(out, name) is None:
                raise InputError(f"{name} has no automatic value with conditional='shuffle': leave it out, or pass a number.")
        check_integers(vars(out), {"n_neighbors": 1, "steps": 1, "batch_size": 2, "n_folds": 2})
        check_widths(out.hidden)
        return out

    def run(self, problem: Problem, third: Variable) -> Estimate:
        """The estimate in nats, z being ``third``."""
        seeds = problem.seeds(6)
        n = problem.n
        problem, folds = split(problem, self.n_folds, seeds[0])
        groups = problem.groups
        x, y = problem.x, problem.y
        if x.n_continuous and not y.n_continuous:
            x, y = y, x  # the information is symmetric, and regression takes the drift out of numbers only
        left, given, right = (_Side.of(side) for side in (x, third, y))
        width = sum(side.plain.shape[1] for side in (left, given, right))
        count = int(np.clip(MOST_NUMBERS // (n * width) - 1, 1, self.n_neighbors))

        near = rank_gaussianize(third.flat)
        labels = replace(third, columns=third.discrete_columns, continuous=np.empty((n, 0))).row_ids()
        rng = np.random.default_rng(seeds[3])
        partners = np.empty((len(folds), n, count), np.int64)
        for k, fold in enumerate(folds):
            for part in _parts(fold):
                found = exchange_partners(near[part], labels[part], count, rng, None if groups is None else groups[part])
                partners[k, part] = part[found]

        read = [self._read(problem, [left, given], right, partners, folds, seeds[4], (0, 2 if third.n_continuous else 1))]
        if third.n_continuous:
            read.append(self._read(problem, [given], right, partners, folds, seeds[5], (1, 2)))
        alone = float((partners == np.arange(n)[:, None]).all(2).mean())
        return _assembled(problem, third, read, groups, alone, count)

    def _read(
        self,
        problem: Problem,
        kept: list[_Side],
        lent: _Side,
        partners: np.ndarray,
        folds: list[Fold],
        seed: int,
        part: tuple[int, int],
    ) -> _Divergence:
        """The divergence of the joint rows of ``kept`` and ``lent`` from those with ``lent`` exchanged."""
        n, count = partners.shape[1:]
        device = torch.device(problem.device)
        whole, whose = np.arange(n), partners.transpose(0, 2, 1).reshape(len(folds), -1)
        plain = np.concatenate([side.plain for side in kept], 1)
        exchanged = [Fold(*(np.concatenate([k * n + rows for k in range(count)]) for rows in _parts(fold))) for fold in folds]
        base = []
        for fold, other, lender in zip(folds, exchanged, whose, strict=True):
            rows = np.concatenate([np.tile(plain, (1 + count, 1)), lent.plain[np.concatenate([whole, lender])]], 1)
            base.append(gaussian_ratio(rows[fold.train], rows[n:][other.train], rows))
        fixed = torch.as_tensor(np.concatenate([side.seen for side in kept], 1), device=device)
        moved = torch.as_tensor(lent.seen, device=device)
        lender = torch.as_tensor(np.concatenate([np.broadcast_to(whole, (len(folds), n)), whose], 1), device=device)
        model = RatioCritics(
            lambda index: torch.cat([fixed[index % n], moved[lender.gather(1, index)]], -1),
            torch.as_tensor(np.stack(base).astype(np.float32), device=device),
            fixed.shape[1] + moved.shape[1],
            tuple(self.hidden),
            torch.Generator().manual_seed(seed),
        )
        steps = self.steps or STEPS[self.effort]
        pairs = list(zip(folds, exchanged, strict=True))
        history = train_ratio(
            model,
            pairs,
            n,
            steps=steps,
            batch_size=self.batch_size,
            seed=seed,
            on_progress=told_in_steps(problem.on_progress, *part),
        )
        return _Divergence.read(model.scores(), pairs, partners, history)


@dataclass(frozen=True)
class _Side:
    """A side as the network sees it, ``seen``, and as the Gaussians it starts from do, ``plain``."""

    seen: np.ndarray
    plain: np.ndarray

    @classmethod
    def of(cls, side: Variable) -> _Side:
        seen, plain = (encoder.fit(side).transform(side) for encoder in (SideEncoder("rank", both=True), SideEncoder("robust")))
        return cls(seen, plain.astype(np.float64))


@dataclass(frozen=True)
class _Divergence:
    """The bound on held-out rows (nats): each row's share of it, each row's influence on it, and its correction."""

    rows: np.ndarray
    influence: np.ndarray
    noise: float
    correction: float
    effective: float
    history: dict[str, list[float]]

    @classmethod
    def read(
        cls, scores: np.ndarray, folds: list[tuple[Fold, Fold]], partners: np.ndarray, history: dict[str, list[float]]
    ) -> _Divergence:
        n, count = partners.shape[1:]
        rows, influence = np.empty(n), np.empty(n)
        on_train, effective, noise = [], [], 0.0
        for k, (fold, exchanged) in enumerate(folds):
            held = RatioPart.read(scores[k, fold.evaluation], scores[k, n + exchanged.evaluation])
            excess = held.weights.reshape(count, -1) - 1
            # A row moves the partition term where it keeps its own x and z, and where it lends its y.
            own = fold.evaluation
            lends = np.bincount(partners[k, own].T.ravel(), weights=excess.ravel(), minlength=n)[own] / count
            rows[fold.evaluation] = held.rows
            influence[fold.evaluation] = held.rows - excess.mean(0) - lends
            noise += (len(fold.evaluation) / n) ** 2 * float((excess - excess.mean(0)).var()) / excess.size
            effective.append(held.effective)
            on_train.append(float(RatioPart.read(scores[k, fold.train], scores[k, n + exchanged.train]).rows.mean()))
        correction = 0.5 * (float(np.mean(on_train)) - float(rows.mean()))
        return cls(rows, influence, math.sqrt(noise), correction, float(np.median(effective)), history)

    @property
    def value(self) -> float:
        return float(self.rows.mean()) + self.correction


def _assembled(
    problem: Problem, third: Variable, read: list[_Divergence], groups: np.ndarray | None, alone: float, count: int
) -> Estimate:
    """The first divergence less the second, if there is one: what tells exchanged rows from real ones by (y, z) alone."""
    n, whole = problem.n, read[0]
    telling = read[1].value if len(read) > 1 else 0.0
    value = whole.value - telling
    correction = whole.correction - sum(other.correction for other in read[1:])
    influence = whole.influence - sum(other.influence for other in read[1:])
    stderr = math.hypot(clustered_stderr(influence, groups), *(one.noise for one in read))
    half_width = interval_half_width(stderr, correction, n)
    columns = sum(v.n_continuous + v.n_discrete for v in (problem.x, problem.y, third))
    untold = UNTOLD * max(0.0, telling)
    missable = math.hypot(upper_half_width(half_width, columns, n), MISFIT * max(0.0, whole.correction), untold)
    few = whole.effective < min(FEWEST_EFFECTIVE, 0.25 * n / 5)
    saturated = few or value > math.log(n) - SATURATION_MARGIN
    warnings = []
    if saturated:
        warnings.append("Saturated: exchanged rows hardly ever look like real ones; the value is a lower end.")
    if telling > max(TELLING, 0.1 * value):
        warnings.append(
            f"Neighbours in z are far apart: what they lend differs from a row's own y by {telling:.3f} nats, which were "
            "subtracted. Compare conditional='chain'; more rows or fewer columns of z bring neighbours nearer."
        )
    if alone > ALONE:
        warnings.append(
            f"{alone:.0%} of the rows have no other with the labels of their z: they count as 0. Merge rare labels of z."
        )
    exact = not third.n_continuous
    found = Estimate(
        value=value,
        lower_bound=float(whole.rows.mean()) if exact else None,
        stderr=stderr,
        interval=(value - math.hypot(half_width, untold), math.inf if saturated else value + missable),
        method=LocalShuffle.name,
        n=n,
        history=whole.history,
        diagnostics={
            "basis": "variational bound, y exchanged among rows of "
            + ("the same z: exact" if exact else "nearly the same z: approximate"),
            "n_neighbors": count,
            "bias_correction": correction,
            "neighbourhood_nats": telling,
            "rows_without_partner": alone,
            "effective_shuffles": whole.effective,
            "saturated": saturated,
            "warnings": warnings,
        },
        pointwise_values=whole.rows if exact else None,
    )
    return not_far_below_nothing(found)


def _parts(fold: Fold) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return fold.train, fold.validation, fold.evaluation
