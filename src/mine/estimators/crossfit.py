"""From cross-fitted critics to an estimate: the bound on held-out rows, its correction, its error bar, its warnings."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch

from mine.critics.builders import EMBED
from mine.critics.two_towers import TowerCritic
from mine.critics.wide import ViewCritic
from mine.estimators.copula_check import copula_describes
from mine.estimators.evaluation import MIN_EFFECTIVE, ReportedBound, RowReport, report_rows
from mine.estimators.fit import CrossFit
from mine.estimators.manifold import manifold_neighbours
from mine.estimators.noiseless import STRONG_ENOUGH, Regression, noiseless_regression
from mine.estimators.reference import copula_reference, copula_tells, name_of_copula, neighbour_reference
from mine.result import Estimate
from mine.training.options import History

__all__ = ["FALLS_SHORT", "Reports", "assemble", "interval_half_width", "not_far_below_nothing", "upper_half_width"]

#: A bound from shuffled pairs cannot be trusted within this many nats of the log of the number of rows (McAllester &
#: Stratos, 2020), InfoNCE above this share of the log of its negatives.
SATURATION_MARGIN, INFONCE_SHARE = 2.0, 0.8
#: Nats times rows by which few rows may hide dependence that a critic cannot learn from them, in all and for each column:
#: calibrated on benchmarks/coverage.py (sine, circle, 20 weak correlations), where the value falls short by 10 to 70 / n.
UNSEEN, UNSEEN_A_COLUMN = 30.0, 2.0
#: Rows for each column up to which critics were seen to stop at nearly nothing where there was much, and the interval to end
#: below the truth: dependence of radii, signs and mixtures (suite "shapes").
FEW_ROWS_A_COLUMN = 250
#: How far the truth may lie above the value, in units of the bias correction: what few rows let critics learn too well they
#: also let them miss, and a sharp or many-sided dependence is learnt last (benchmarks/coverage.py, tasks of suite "shapes").
MISFIT = 3.0
#: The same where hundreds of columns are compressed before they are compared (suite "structured").
MISFIT_COMPRESSED = 2.5
#: Share of the information found that critics of images and sequences miss without any sign of it: of 30,000 pairs of digits
#: they find 2.18 nats out of 2.30 on training and on held-out rows alike. The same where tables of labels are compressed (1.53
#: of 1.61 nats, 1.82 of 1.96), and tables of counts that are mostly 0: rare words are in no component (.96 of 1.30 nats).
MISSED_BY_TOWERS, MISSED_OF_LABELS, MISSED_OF_OCCURRENCES = 0.05, 0.1, 0.4

#: Nats below the most that shuffled pairs resolve where critics begin to fall short: the bound rises less and less from there,
#: by about half of what is added to the information.
FALLS_SHORT = 4.0
#: How much more (nats) there may be than the regression of a single column on a few hundred rows finds.
REGRESSION_MISFIT = 0.25

#: Training rows from which a light report on them is enough. With fewer the noise of the shuffles cost coverage.
LIGHT_ROWS = 2000
#: Nats by which the bound on training rows may lie below the held-out bound. Farther below, a few shuffled pairs dominate its
#: partition term, and the mean of the two is no estimate. As far above it, the mean is uncertain.
MOST_APART = 0.5

_REFERENCES = {
    "copula": "on held-out rows a fitted copula",
    "neighbours": "a nearest-neighbour estimate (method 'ksg')",
    "regression": "the error of a regression",
}


@dataclass(frozen=True)
class Reports:
    """The bound on every fold's held-out rows, and its mean on the training rows or None."""

    kind: ReportedBound
    held_out: list[RowReport]
    train_bound: float | None

    @classmethod
    def read(cls, kind: ReportedBound, fit: CrossFit, seed: int, *, train: bool) -> Reports:
        """Read the bound ``kind``, or InfoNCE where its partition term rests on too few shuffled pairs."""
        generator = torch.Generator().manual_seed(seed)

        def read(kind: ReportedBound, part: str) -> list[RowReport]:
            indices = [torch.as_tensor(getattr(f, part), device=fit.pairs.x.device) for f in fit.folds]
            light = [part == "train" and len(index) >= LIGHT_ROWS for index in indices]
            return [
                report_rows(kind, critic, fit.pairs, index, generator=generator, light=few)
                for critic, index, few in zip(fit.critics, indices, light, strict=True)
            ]

        held = read(kind, "evaluation")
        if kind in ("dv", "nwj") and np.median([r.effective for r in held]) < _effective_needed(held[0]):
            # Such a partition term errs upwards without limit; InfoNCE stays a bound on any number of pairs.
            kind = "infonce"
            held = read(kind, "evaluation")
        if not train:
            return cls(kind, held, None)
        on_train = [r.bound for r in read(kind, "train")]
        return cls(kind, held, float(np.average(on_train, weights=[len(f.evaluation) for f in fit.folds])))

    @property
    def effective(self) -> float:
        return float(np.median([r.effective for r in self.held_out]))

    def limit(self, n: int, value: float) -> tuple[float, bool]:
        """The most (nats) these shuffled pairs can resolve, and whether ``value`` is too near to it."""
        if self.kind == "infonce":
            cap = math.log(min(r.shuffles for r in self.held_out) + 1)
            return cap, value > INFONCE_SHARE * cap
        cap = math.log(n)
        return cap, value > cap - SATURATION_MARGIN


def _unseen_share(fit: CrossFit) -> float:
    """The share of the information found that may be missing without any sign of it."""
    layouts = fit.pairs.layouts or ()
    if any(layout.occurrences for layout in layouts):
        return MISSED_OF_OCCURRENCES
    if any(layout.of_labels for layout in layouts):
        return MISSED_OF_LABELS
    return MISSED_BY_TOWERS if isinstance(fit.critics[0], TowerCritic) else 0.0


def assemble(name: str, fit: CrossFit, reports: Reports) -> Estimate:
    """The estimate in nats: held-out bound, half of its distance to the training bound, 95 % interval, diagnostics."""
    problem, n, kind = fit.problem, fit.problem.n, reports.kind
    rows, influence = np.empty(n), np.empty(n)
    for fold, report in zip(fit.folds, reports.held_out, strict=True):
        rows[fold.evaluation] = report.rows.numpy()
        influence[fold.evaluation] = report.influence.numpy()
    held = float(rows.mean())
    correction, doubt = _correction(reports.train_bound, held)
    value = held + correction
    shares = np.array([len(f.evaluation) / n for f in fit.folds])
    noise = float(np.sqrt(np.sum((shares * [r.shuffle_noise for r in reports.held_out]) ** 2)))
    stderr = float(np.hypot(problem.stderr(influence), noise))

    worth = problem.independent_rows
    cap, saturated = reports.limit(worth, value)
    reference, strongest = copula_reference(fit)
    saturated = saturated or strongest or (reference is not None and reference > math.log(worth) - SATURATION_MARGIN)
    if reference is not None and not copula_tells(problem):
        reference = None
    half_width = interval_half_width(stderr, correction, worth)
    columns = sum(v.n_continuous + v.n_discrete for v in (problem.x, problem.y))
    towers = isinstance(fit.critics[0], TowerCritic)
    compared = min(columns, 2 * EMBED) if towers else columns  # pixels are no columns in which something hides by itself
    misfit = MISFIT_COMPRESSED if towers or isinstance(fit.critics[0], ViewCritic) else MISFIT
    unseen = _unseen_share(fit) * max(0.0, value)
    short = max(0.0, value - min(cap, math.log(worth)) + FALLS_SHORT)
    if short and reference is not None and reference > value - 2 * stderr and copula_describes(problem):
        # A copula is fitted to joint rows and has no such limit: critics that find no more have found what it describes.
        short = 0.0
    unseen = math.hypot(unseen, short)
    missable = math.hypot(upper_half_width(half_width, compared, worth), misfit * max(0.0, correction), doubt, unseen)
    low, high = value - half_width, math.inf if saturated else value + missable
    if saturated:  # SMILE's clipped partition term errs upwards there, by any amount
        low = min(low, 0.0 if kind == "smile" else held - half_width)
    # A critic can miss what it could have seen, and both halves then read low: three references that need no training.
    on_manifold = manifold_neighbours(problem)
    neighbours = neighbour_reference(problem) if on_manifold is None else on_manifold.nats
    few_rows = worth <= FEW_ROWS_A_COLUMN * columns
    strong = max(value, reference or 0.0, neighbours or 0.0) > STRONG_ENOUGH
    # So few rows may not show that much, and a function of one column out of several is hidden from all of these.
    regression = noiseless_regression(problem) if strong or (few_rows and columns > 3) else Regression()
    surely = None if regression.nats is None else regression.nats - 2 * regression.stderr
    references = {"copula": reference, "neighbours": neighbours, "regression": surely}
    missed = {name: nats for name, nats in references.items() if nats is not None and nats > high}
    seen = (*missed.values(), neighbours)
    high = max([high, *(nats + half_width for nats in seen if nats is not None)])
    if regression.nats is not None:
        high = max(high, regression.nats + math.hypot(2 * regression.stderr, REGRESSION_MISFIT))
    if on_manifold is not None and on_manifold.nats + half_width > value:
        high = max(high, on_manifold.nats + on_manifold.doubt + half_width)
    if regression.determined is not None:
        high = math.inf

    estimate = Estimate(
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
            "copula": name_of_copula(fit),
            "copula_nats": reference,
            "neighbours_nats": neighbours,
            "regression_nats": regression.nats,
            "determined": regression.determined,
            "saturated": saturated,
            "few_rows": few_rows,
            "largest_resolvable_nats": cap,
            "effective_shuffles": reports.effective,
            "converged": all(h.converged for h in fit.histories),
            "steps": max(h.step[-1] for h in fit.histories),
            "most_steps": fit.steps,
            "n_folds": len(fit.folds),
            "device": str(fit.pairs.x.device),
            **fit.about,
            "warnings": [*regression.warnings, *_warnings(name, fit, value, correction, cap if saturated else None, missed)],
        },
        pointwise_values=None if kind == "smile" else rows,
    )
    return not_far_below_nothing(estimate)


def not_far_below_nothing(estimate: Estimate) -> Estimate:
    """``estimate``, or 0 with all of its doubt above where its bound is so far below 0 that the critics cannot be right."""
    low, high = estimate.interval
    if high >= 0 and estimate.value >= -MOST_APART:
        return estimate
    warning = (
        f"The bound on held-out rows is {estimate.value:.2f} nats, far below what information can be: the critics went astray "
        "on rows that they had not seen. Nothing is known but that it is no less than 0. More rows or fewer columns would help."
    )
    diagnostics = {**estimate.diagnostics, "warnings": [warning, *estimate.warnings]}
    return replace(estimate, value=0.0, interval=(0.0, max(high, -low)), diagnostics=diagnostics)


def _correction(train_bound: float | None, held_out: float) -> tuple[float, float]:
    """Half of the distance between the two bounds (nats); and the distance itself if it is too large to correct anything."""
    apart = 0.0 if train_bound is None else train_bound - held_out
    return (0.0, -apart) if apart < -MOST_APART else (0.5 * apart, 0.0)


def interval_half_width(stderr: float, correction: float, n: int) -> float:
    """Half of the 95 % interval (nats): sampling, the bias correction, and a floor of misfit of 0.7 / sqrt(n)."""
    return math.sqrt((1.96 * stderr) ** 2 + correction**2 + 0.5 / n)


def upper_half_width(half_width: float, columns: int, n: int) -> float:
    """``half_width`` (nats) with what so few rows may hide in so many columns."""
    return math.hypot(half_width, (UNSEEN + UNSEEN_A_COLUMN * columns) / n)


def _effective_needed(report: RowReport) -> float:
    """Effective shuffled pairs a partition term needs; a small split cannot have more than a share of what it has."""
    return min(4 * MIN_EFFECTIVE, 0.25 * report.shuffles * len(report.rows))


def _mean_history(histories: list[History]) -> dict[str, list[float]]:
    """The mean over folds, as long as the shortest."""
    length = min(len(h.step) for h in histories)
    return {
        "step": [float(s) for s in histories[0].step[:length]],
        "train": [float(np.mean([h.train[i] for h in histories])) for i in range(length)],
        "validation": [float(np.mean([h.validation[i] for h in histories])) for i in range(length)],
    }


def _warnings(
    name: str, fit: CrossFit, value: float, correction: float, cap: float | None, missed: dict[str, float]
) -> list[str]:
    """Sentences to read before quoting the number; ``cap`` where it is saturated, ``missed`` what a reference saw."""
    out: list[str] = []
    if cap is not None:
        out.append(
            f"Saturated: so much information cannot be resolved from shuffled pairs of this many rows (limit {cap:.1f} "
            "nats); the value is a lower end, the truth may be far larger. More rows raise the limit."
        )
    if missed:
        seen = max(missed, key=missed.__getitem__)
        instead = "" if name == "auto" else ", or use method 'auto'"
        out.append(
            f"The critic misses dependence: {_REFERENCES[seen]} alone gives {missed[seen]:.2f} nats. "
            f"Train longer (steps={2 * fit.steps}) or widen the critic{instead}."
        )
    if abs(correction) > max(0.1, 0.25 * abs(value)):
        out.append(
            f"The bias correction is large ({correction:+.2f} nats): the critics fit the training rows far better than "
            "held-out ones. More rows, fewer columns or a smaller critic would make the number surer."
        )
    elif 2 * correction > MOST_APART:
        out.append(
            f"The bound is {value - correction:.2f} nats on held-out rows but {value + correction:.2f} on training rows. The "
            "value, their midpoint, is uncertain, and the interval is wide because of that. More rows would help."
        )
    if not all(h.converged for h in fit.histories):
        out.append(f"The bound was still rising after {fit.steps} steps: pass steps={2 * fit.steps}.")
    merged = {**fit.encoders[0].merged_, **fit.encoders[1].merged_}
    if merged:
        out.append(f"Rare levels were merged in {', '.join(merged)}, which can only lower the value.")
    return out
