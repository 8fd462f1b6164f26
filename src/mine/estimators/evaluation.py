"""From scores on rows that no critic saw to a bound, its rows, and its standard error."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from mine import bounds
from mine.critics.critic import Critic
from mine.critics.two_towers import ROWS, Meeting, TowerCritic
from mine.training.evaluation import evaluate_scores
from mine.training.pairs import Pairs

__all__ = [
    "REPORTED_BOUND",
    "ReportedBound",
    "RowReport",
    "effective_pairs",
    "report_rows",
    "rows_of_bound",
    "selection_rows",
]

ReportedBound: TypeAlias = Literal["dv", "nwj", "infonce", "smile"]

#: The bound that is read on held-out rows, by the bound that trained the critic. The Jensen-Shannon value is not MI.
REPORTED_BOUND: dict[str, ReportedBound] = {
    "dv": "dv",
    "mine": "dv",
    "jensen-shannon": "dv",
    "nwj": "nwj",
    "infonce": "infonce",
    "smile": "smile",
}


#: Shuffled pairs a report; and shuffles that many rows get too, as long as these make no more pairs than the larger budget:
#: with one the standard error is nearly twice that with eight, and each costs as much as the joint pairs do.
BUDGET, FEWEST_SHUFFLES, LARGE_BUDGET = 1 << 19, 8, 1 << 22
#: Effective shuffled pairs below which the partition term of a split is noise that errs upwards.
MIN_EFFECTIVE = 30.0
#: Largest variance that the choice of the shuffles may add to a bound, as a share of its sampling variance; and of the bound
#: on training rows, which only corrects the value, by half.
SHUFFLE_NOISE, SHUFFLE_NOISE_LIGHT = 0.1, 0.2
#: Shuffled pairs that a report starts with, and fewest shuffles; a light one with less.
FIRST_PAIRS, FIRST_SHUFFLES = 1 << 16, 16
FIRST_PAIRS_LIGHT, FIRST_SHUFFLES_LIGHT = 1 << 14, 4


@dataclass(frozen=True)
class RowReport:
    """A bound read on m rows.

    Attributes:
        rows: Contribution of each row, shape (m,); their mean is the bound.
        influence: First-order influence of each row on the bound, shape (m,): its spread is the sampling error, that of
            the partition term over x and over y included.
        effective: Effective number of shuffled pairs behind the partition term, ``(sum w)^2 / sum w^2``.
        shuffle_noise: Standard deviation of the bound from the finite number of shuffles alone.
        shuffles: K.
    """

    rows: Tensor
    influence: Tensor
    effective: float
    shuffle_noise: float
    shuffles: int

    @property
    def bound(self) -> float:
        return float(self.rows.mean())


def rows_of_bound(kind: ReportedBound, joint: Tensor, marginal: Tensor, shifts: list[int]) -> RowReport:
    """Read the bound ``kind`` row by row, in float64.

    Arguments:
        kind: Which bound.
        joint: Scores of the joint pairs, shape (m,).
        marginal: Scores of the shuffled pairs, shape (m, K).
        shifts: The K cyclic shifts: ``marginal[i, k]`` is ``T(x_i, y_{(i + shifts[k]) mod m})``.
    """
    joint, marginal = joint.cpu().double(), marginal.cpu().double()  # Apple's GPUs have no float64
    m, k = marginal.shape
    if kind == "infonce":
        log_partition = bounds.log_mean_exp(torch.cat([joint.unsqueeze(-1), marginal], -1), -1)
        rows = joint - log_partition
        weight = torch.exp(marginal - log_partition.unsqueeze(-1)) * (k / (k + 1))
        scale = torch.ones((), dtype=joint.dtype)
        row_term = torch.zeros_like(rows)  # a row's own denominator is in `rows` already
    else:
        if kind == "smile":
            marginal = marginal.clamp(-5.0, 5.0)
        elif kind == "nwj":  # exponential up to 80, linear above, as in the bound
            excess = (marginal - bounds.NWJ_LINEAR_ABOVE).clamp(min=0)
            marginal = marginal.clamp(max=bounds.NWJ_LINEAR_ABOVE) - 1 + torch.log1p(excess)
        log_partition = bounds.log_mean_exp(marginal, (-2, -1))
        weight = torch.exp(marginal - log_partition)  # mean 1
        scale = log_partition.exp() if kind == "nwj" else torch.ones((), dtype=joint.dtype)
        rows = joint - (scale if kind == "nwj" else log_partition)
        row_term = weight.mean(1) - 1

    column_term = torch.stack([weight[:, j].roll(s) for j, s in enumerate(shifts)], -1).mean(-1) - 1
    influence = rows - scale * (row_term + column_term)

    # What is left of the weights without their row and column effects is noise that more shuffles would average out.
    residual = weight - 1 - (row_term.unsqueeze(-1) if kind != "infonce" else 0)
    noise = scale * residual.std(correction=0) / (m * k) ** 0.5 if m * k > 1 else scale * 0
    return RowReport(rows, influence, float(effective_pairs(marginal, (-2, -1))), float(noise), k)


def _lacking(report: RowReport, noise: float) -> float:
    """By what factor the shuffles of ``report`` are too few, at most 1 if they are enough.

    They are to add no more than the share ``noise`` to the sampling variance, and to be worth enough effective pairs.
    """
    m = len(report.rows)
    allowed = noise * float(report.influence.var()) / m if m > 1 else 0.0
    if not allowed:
        return math.inf if report.shuffle_noise else 4 * MIN_EFFECTIVE / report.effective
    return max(report.shuffle_noise**2 / allowed, 4 * MIN_EFFECTIVE / report.effective)


def effective_pairs(log_weights: Tensor, dim: int | tuple[int, ...]) -> Tensor:
    """Effective number of terms in the sum of ``exp(log_weights)``: ``(sum w)^2 / sum w^2``.

    >>> round(effective_pairs(torch.zeros(3, 5), (-2, -1)).item(), 3)
    15.0
    """
    return torch.exp(2 * torch.logsumexp(log_weights, dim) - torch.logsumexp(2 * log_weights, dim))


def selection_rows(kind: ReportedBound, joint: Tensor, marginal: Tensor) -> Tensor:
    """Contributions of the validation rows, shape (..., B), whose mean is the bound to pick a step by.

    That is ``kind``, or InfoNCE where few shuffled pairs carry the partition term: an empirical partition term that rests on
    a handful of pairs is too small, so that Donsker-Varadhan would pick the critic that breaks it most.
    """
    nce = joint - bounds.log_mean_exp(torch.cat([joint.unsqueeze(-1), marginal], -1), -1)
    if kind == "infonce":
        return nce
    value = bounds.BOUNDS[kind](joint, marginal).value
    rows = joint + (value - joint.mean(-1)).unsqueeze(-1)
    if kind == "smile":
        return rows
    trusted = effective_pairs(marginal, (-2, -1)) >= MIN_EFFECTIVE
    return torch.where(trusted.unsqueeze(-1), rows, nce)


def report_rows(
    kind: ReportedBound,
    critic: Critic,
    pairs: Pairs,
    index: Tensor,
    *,
    generator: torch.Generator,
    budget: int | None = None,
    light: bool = False,
) -> RowReport:
    """Read the bound on ``index``, with as many shuffles as make their noise under a tenth of the sampling variance.

    A ``light`` report allows twice that noise, and starts with a quarter of the shuffles.

    ``budget`` caps the number of shuffled pairs: ``BUDGET``, and up to ``LARGE_BUDGET`` where there are so many rows that it
    would leave fewer than ``FEWEST_SHUFFLES``. InfoNCE takes all it can: its limit is the log of their number.
    """
    m = index.shape[-1]
    budget = max(BUDGET, min(FEWEST_SHUFFLES * m, LARGE_BUDGET)) if budget is None else budget
    order: Tensor | None = None
    if pairs.groups is not None:  # shifts run over rows sorted by group, and so must whoever follows a column along them
        order = pairs.groups[index].argsort(stable=True)
        index = index[order]
    if isinstance(critic, TowerCritic):
        critic, pairs, index = _encoded(critic, pairs, index)
    most = max(1, min(m - 1, budget // m))
    fewest, first_pairs = (FIRST_SHUFFLES_LIGHT, FIRST_PAIRS_LIGHT) if light else (FIRST_SHUFFLES, FIRST_PAIRS)
    shuffles = most if kind == "infonce" else min(most, max(fewest, min(64, first_pairs // m)))
    while True:
        joint, marginal, shifts = evaluate_scores(critic, pairs, index, shuffles, generator)
        report = rows_of_bound(kind, joint, marginal, shifts)
        lacking = _lacking(report, SHUFFLE_NOISE_LIGHT if light else SHUFFLE_NOISE)
        if lacking <= 1 or len(shifts) < shuffles or shuffles >= most:
            break
        growth = min(4.0, max(1.25, 1.2 * lacking)) if math.isfinite(lacking) else 4.0
        shuffles = min(most, math.ceil(growth * shuffles))
    if order is None:
        return report
    back = order.argsort().cpu()
    return replace(report, rows=report.rows[back], influence=report.influence[back])


def _encoded(critic: TowerCritic, pairs: Pairs, index: Tensor) -> tuple[Critic, Pairs, Tensor]:
    """Rows ``index`` encoded once, however many shuffles they are read with, as pairs of their own with a critic for them."""
    codes_x, codes_y = [], []
    with torch.no_grad():
        for part in index.split(ROWS):  # rows that are read from a file are not held together
            x, y = pairs.rows(part)
            codes_x.append(critic.encode_x(x))
            codes_y.append(critic.encode_y(y))
    groups = None if pairs.groups is None else pairs.groups[index]
    return Meeting(), Pairs(torch.cat(codes_x), torch.cat(codes_y), groups), torch.arange(len(index), device=index.device)
