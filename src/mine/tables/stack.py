"""Many pairs of single columns at once: the critics of all pairs and folds are one stacked network.

A pair's critic is too small to keep a core busy; what a step costs beside its products is paid once for the whole stack.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from mine import bounds
from mine.conditional.shifts import TimeShifts
from mine.conditional.shuffles import Shuffles
from mine.critics.combined import ResidualCritic
from mine.critics.critic import Critic
from mine.critics.gaussian import GaussianCritic
from mine.critics.networks import ConcatCritic
from mine.data.order import TimeOrder
from mine.data.problem import clustered_stderr
from mine.data.splits import Fold, make_folds
from mine.data.time_folds import time_folds
from mine.errors import NotEnoughDataError
from mine.estimators.base import fit_base
from mine.estimators.crossfit import MISFIT, SATURATION_MARGIN, interval_half_width, upper_half_width
from mine.estimators.evaluation import RowReport, rows_of_bound, selection_rows
from mine.estimators.folds import validation_share
from mine.estimators.reference import at_limit, fitted_copula
from mine.independence.permutations import binned_test
from mine.training.evaluation import evaluate_scores
from mine.training.loop import train_critic
from mine.training.options import TrainingOptions
from mine.training.pairs import Pairs

__all__ = ["EFFORT_SETTINGS", "EffortSettings", "StackedPair", "estimate_stack"]

#: Shuffles behind the partition term of a report: on held-out rows, and on training rows for the correction.
REPORT_SHUFFLES = 8
#: Nats between the bound on training rows and that on held-out ones from which on their middle is no estimate.
FAR_APART = 0.5


@dataclass(frozen=True)
class EffortSettings:
    """What a value of ``effort`` stands for in a stack: folds, optimiser steps, rows a step, hidden layers."""

    n_folds: int
    steps: int
    batch_size: int
    hidden: tuple[int, ...]


EFFORT_SETTINGS = {
    "fast": EffortSettings(2, 160, 256, (64, 64)),
    "default": EffortSettings(3, 400, 256, (64, 64)),
    "thorough": EffortSettings(5, 600, 512, (64, 64, 64)),
}


@dataclass(frozen=True)
class StackedPair:
    """The estimate of one pair, in nats.

    ``high`` is infinite where the rows cannot bound the information from above; ``p_value`` and ``draws`` are None without a
    test.
    """

    value: float
    lower_bound: float
    stderr: float
    low: float
    high: float
    n: int
    p_value: float | None = None
    draws: int | None = None

    @property
    def saturated(self) -> bool:
        return math.isinf(self.high)


def estimate_stack(
    x: np.ndarray,
    y: np.ndarray,
    *,
    settings: EffortSettings,
    seed: int,
    groups: np.ndarray | None = None,
    apart: bool = True,
    orders: list[TimeOrder] | None = None,
    n_permutations: int = 0,
) -> list[StackedPair]:
    """Estimate P pairs from n rows each.

    Arguments:
        x: Features of the first columns, shape (P, n, f): normal scores first.
        y: Features of the second columns, likewise.
        settings: How much to train.
        seed: Of everything random.
        groups: Integer label of the unit of each row, shape (n,), or None.
        apart: Whether rows of one group must not be shuffled with each other; copies of a row need only share a fold.
        orders: Of each pair, where its rows stand in time, or None where their order means nothing. Folds are those of the
            pair that takes longest to forget.
        n_permutations: Permutations of the test of independence, of whole groups where there are some, or shifts in time; 0
            for none.

    Returns:
        One estimate a pair.
    """
    n_pairs, n, width = x.shape
    seeds = [int(s) for s in np.random.SeedSequence(seed).generate_state(5, np.uint32)]
    slowest = None if orders is None else max(orders, key=lambda order: order.time)
    if slowest is None or not slowest.in_stretches:
        folds = make_folds(n, settings.n_folds, seeds[0], groups, validation_share=validation_share(n))
    else:
        folds, groups, apart = time_folds(slowest, settings.n_folds, seeds[0], validation_share(n)), slowest.blocks, True
    critic = _critic(x, y, folds, settings, torch.Generator().manual_seed(seeds[1]))
    units = None if groups is None or not apart else torch.as_tensor(groups).repeat(n_pairs)
    pairs = Pairs(torch.as_tensor(x.reshape(-1, width)), torch.as_tensor(y.reshape(-1, y.shape[-1])), units)
    parts = {
        part: _index([getattr(f, part) for f in folds], n_pairs, n, seeds[2], units)
        for part in ("train", "validation", "evaluation")
    }
    train_critic(
        critic,
        bounds.donsker_varadhan,
        pairs,
        parts["train"],
        parts["validation"],
        TrainingOptions(
            steps=settings.steps, batch_size=settings.batch_size, shuffles=1, learning_rate=1.5e-2, weight_decay=0.1,
            eval_every=max(1, settings.steps // 5), averaging=0.15,
        ),
        contributions=partial(selection_rows, "dv"),
        seed=seeds[3],
    )  # fmt: skip
    generator = torch.Generator().manual_seed(seeds[4])
    held = _read(critic, pairs, parts["evaluation"], generator)
    on_train = _read(critic, pairs, parts["train"], generator)
    base = fitted_copula(critic)
    assert base is not None
    copula = _copula_rows(base, pairs, parts["evaluation"])
    strongest = at_limit(base, np.tile([len(fold.train) for fold in folds], n_pairs))

    tests: list[tuple[float, int] | None] = [None] * n_pairs
    if n_permutations:
        tests = list(_tests(critic, x, y, folds, groups, slowest, n_permutations, seeds[4]))
    out = []
    for p in range(n_pairs):
        mine = slice(p * len(folds), (p + 1) * len(folds))
        rows = (parts["evaluation"][mine] - p * n).numpy()
        order = None if orders is None else orders[p]
        out.append(
            _assembled(held[mine], on_train[mine], copula[mine], bool(strongest[mine].any()), rows, groups, order, tests[p])
        )
    return out


def _critic(x: np.ndarray, y: np.ndarray, folds: list[Fold], settings: EffortSettings, generator: torch.Generator) -> Critic:
    """The untrained critics: those of the first pair's folds, then those of the second's, ..."""
    base = [
        fit_base(left[:, :1].astype(np.float64), right[:, :1].astype(np.float64), fold)
        for left, right in zip(x, y, strict=True)
        for fold in folds
    ]
    network = ConcatCritic(
        x.shape[-1], y.shape[-1], settings.hidden, stack=(len(base),), zero_init=True, generator=generator
    )  # fmt: skip
    return ResidualCritic(GaussianCritic.stacked(base).float(), network, base_dx=1, base_dy=1)


def _index(parts: list[np.ndarray], n_pairs: int, n: int, seed: int, units: Tensor | None) -> Tensor:
    """Rows of every critic in the stacked features, shape (P folds, m); the longer parts lose random rows."""
    size = min(map(len, parts))
    rng = np.random.default_rng(seed)
    even = np.stack([part if len(part) == size else np.sort(rng.permutation(part)[:size]) for part in parts])
    if units is not None:  # shifts run over rows sorted by group, and so must whoever follows a column along them
        even = np.take_along_axis(even, units.numpy()[even].argsort(1, kind="stable"), 1)
    offsets = n * np.arange(n_pairs)[:, None, None]
    return torch.as_tensor((even + offsets).reshape(n_pairs * len(parts), size))


def _read(critic: Critic, pairs: Pairs, index: Tensor, generator: torch.Generator) -> list[RowReport]:
    joint, marginal, shifts = evaluate_scores(critic, pairs, index, REPORT_SHUFFLES, generator)
    return [rows_of_bound("dv", joint[k], marginal[k], shifts) for k in range(len(index))]


def _copula_rows(base: Critic, pairs: Pairs, index: Tensor) -> np.ndarray:
    """Log-ratio (nats) by each of the copulas ``base``, of its rows of ``index`` (M, m), shape (M, m)."""
    with torch.no_grad():
        x, y = pairs.rows(index)
        return base(x[..., :1], y[..., :1]).double().numpy()


def _assembled(
    held_out: list[RowReport],
    on_train: list[RowReport],
    copula: np.ndarray,
    strongest: bool,
    rows: np.ndarray,
    groups: np.ndarray | None,
    order: TimeOrder | None,
    test: tuple[float, int] | None,
) -> StackedPair:
    """As :func:`mine.estimators.crossfit.assemble`: held-out bound, half of its distance to the training bound, interval.

    Where shuffled pairs resolve too little, or the two bounds are too far apart for their middle to mean anything, the mean
    log-ratio of the fitted copula counts instead if it is larger. Of two single columns it is a lower bound itself: normal
    scores have normal margins, so that its partition function is 1.
    """
    bound = float(np.mean([r.bound for r in held_out]))
    correction = 0.5 * (float(np.mean([r.bound for r in on_train])) - bound)
    value, n = bound + correction, rows.size
    influence = np.concatenate([r.influence.numpy() for r in held_out])
    noise = float(np.sqrt(np.mean([r.shuffle_noise**2 for r in held_out]) / len(held_out)))
    units = groups if order is None else order.blocks
    widening, worth = (1.0, n) if order is None else (order.widening, order.independent_rows)
    plain = clustered_stderr(influence, None if units is None else units[rows.ravel()])
    stderr = float(np.hypot(widening * plain, noise))
    modelled, missable = float(copula.mean()), MISFIT * max(0.0, correction)
    beyond = math.log(worth) - SATURATION_MARGIN
    if strongest or max(value, modelled) > beyond or abs(correction) > FAR_APART / 2:
        value = bound = max(bound, modelled)
        if modelled == bound:
            plain = clustered_stderr(copula.ravel(), None if units is None else units[rows.ravel()])
            stderr, correction = float(widening * plain), 0.0
    half_width = interval_half_width(stderr, correction, worth)
    high = value + math.hypot(upper_half_width(half_width, 2, worth), missable)
    if strongest or value > beyond:
        high = math.inf
    p_value, draws = test if test is not None else (None, None)
    return StackedPair(value, bound, stderr, value - half_width, high, n, p_value, draws)


def _tests(
    critic: Critic,
    x: np.ndarray,
    y: np.ndarray,
    folds: list[Fold],
    groups: np.ndarray | None,
    order: TimeOrder | None,
    most: int,
    seed: int,
) -> list[tuple[float, int]] | list[None]:
    """Permutation p-value and draws of each pair: the first fold's critic, and the rows that it never saw.

    None where these rows are of fewer groups than can be permuted.

    To its scores comes the log-ratio of the Gaussian of its rows, without shrinkage: a critic that found nothing worth
    keeping scores 0 everywhere, and a weak correlation would go unseen.
    """
    rows, seen = folds[0].evaluation, np.concatenate([folds[0].train, folds[0].validation])
    shuffles: Shuffles | TimeShifts | None = None
    if order is not None:
        shuffles = TimeShifts.of(order.take(rows))
        rows = rows[shuffles.rows]
    elif groups is not None:
        try:
            shuffles = Shuffles.of(len(rows), groups[rows])
        except NotEnoughDataError:
            return [None] * len(x)
        rows = rows[shuffles.rows]
    (bins_x, grid_x), (bins_y, grid_y) = (_binned(side[:, rows]) for side in (x, y))
    every, cells = len(folds), grid_x.shape[1]
    u, v = (side[:, seen, 0].astype(np.float64) for side in (x, y))
    r = np.array([np.corrcoef(a, b)[0, 1] for a, b in zip(u, v, strict=True)]).clip(-0.999, 0.999)
    # the terms of one side alone are the same for every permutation
    tables = ((r / (1 - r**2))[:, None, None] * grid_x[:, :, :1] * grid_y[:, None, :, 0]).astype(np.float32)
    with torch.no_grad():  # every critic scores the grid of its pair; only the first of each pair is looked at
        hx = critic.encode_x(torch.as_tensor(grid_x.repeat(every, 0)))
        hy = critic.encode_y(torch.as_tensor(grid_y.repeat(every, 0)))
        for i in range(cells):
            tables[:, i] += critic.combine(_row(hx, i, cells), hy)[::every].numpy()
    return binned_test(tables, bins_x, bins_y, shuffles, most=most, seed=seed)


def _row(encoding: object, i: int, times: int) -> object:
    if isinstance(encoding, tuple):
        return tuple(_row(part, i, times) for part in encoding)
    assert isinstance(encoding, Tensor)
    return encoding[:, i : i + 1].expand(-1, times, -1)


#: Cells a column is cut into for the test: they depend on each column alone, so that permutations leave them as they are.
TEST_CELLS = 64


def _binned(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cells (P, m) of the rows of features (P, m, f), by the first one, and the mean features of each cell (P, cells, f)."""
    n_pairs, m, width = features.shape
    cells = min(TEST_CELLS, m)
    codes = np.empty((n_pairs, m), np.int64)
    grid = np.zeros((n_pairs, cells, width), np.float32)
    for p in range(n_pairs):
        ordered = np.sort(features[p, :, 0])
        codes[p] = np.searchsorted(ordered, features[p, :, 0]) * cells // m  # tied values share a cell
        counts = np.maximum(np.bincount(codes[p], minlength=cells), 1)
        for f in range(width):
            grid[p, :, f] = np.bincount(codes[p], weights=features[p, :, f], minlength=cells) / counts
    return codes, grid
