"""Whether a fitted copula fits: the mean of its exponential over shuffled pairs is 1 if it does."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from mine.bounds import log_mean_exp
from mine.critics.gaussian import GaussianCritic
from mine.critics.student import StudentCritic
from mine.estimators.evaluation import effective_pairs, selection_rows
from mine.training.evaluation import evaluate_scores
from mine.training.pairs import Pairs

__all__ = ["CHECKED_ROWS", "Partition", "bound_rows", "log_partition", "shrunk"]

Copula = TypeVar("Copula", bound=GaussianCritic | StudentCritic)

#: Shares taken off the correlations. Each copula among them has mean 1 over shuffled pairs if the full one is right, and the
#: weaker ones can be checked even if so few pairs do not resolve the full one.
CHECKED = (0.0, 0.1, 0.3, 0.6)
#: Log-partition (nats) beyond its noise up to which a copula fits. Fitted to normals (300 to 4,000 rows of 6 to 100 columns) it
#: was at most .07, fitted to curves of one or two numbers about .5 to 40.
MOST_EXCESS = 0.5
#: Noise (nats) of a log-partition that rests on one shuffled pair, and its decrease with the effective number of pairs. A mean
#: of exponentials with expectation 1 exceeds e^7 less than once in a thousand times (Markov); 30 pairs leave .5 nats.
NOISE, NOISE_POWER = 6.9, 0.75
#: Rows that a copula is checked on, shuffles per row, and the number of shuffled pairs that few rows get too.
CHECKED_ROWS, SHUFFLES, CHECKED_PAIRS = 4000, 12, 1 << 15


@dataclass(frozen=True)
class Partition:
    """Logarithms (nats) of a copula's mean over shuffled pairs, which are 0 for a copula that fits.

    Attributes:
        full: That of the copula itself.
        worst: The largest of its own and of weaker copulas', each less its noise.
    """

    full: float
    worst: float

    @property
    def fits(self) -> bool:
        return self.worst <= MOST_EXCESS

    @property
    def excess(self) -> float:
        """Nats to take off the copula's mean log-ratio, which is then a lower bound (Donsker & Varadhan, 1983)."""
        return max(0.0, self.full)


def log_partition(copula: GaussianCritic | StudentCritic, x: Tensor, y: Tensor, groups: Tensor | None = None) -> Partition:
    """The log-partition of ``copula`` over shuffled pairs of rows that did not fit it, at most 4,000 of them.

    The model's log-ratio has a mean exponential of 1 over independent pairs if each side is as the copula assumes. Sides that
    lie on a curve do not: their canonical coordinates depend on each other, and each is counted as new information.

    Arguments:
        copula: The copula, without a stack.
        x: Rows of normal scores, shape (m, dx).
        y: Rows of normal scores, shape (m, dy).
        groups: Group of each row, shape (m,), or None.
    """
    shuffles = max(SHUFFLES, CHECKED_PAIRS // len(x))
    logs, beyond_noise = [], []
    for share in CHECKED:
        marginal = _scores(shrunk(copula, share), x, y, groups, shuffles)[1].double()
        logs.append(float(log_mean_exp(marginal, (0, 1))))
        beyond_noise.append(logs[-1] - NOISE / float(effective_pairs(marginal, (0, 1))) ** NOISE_POWER)
    return Partition(logs[0], max(beyond_noise))


def shrunk(copula: Copula, share: float) -> Copula:
    """The copula with ``share`` in [0, 1] taken off its canonical correlations."""
    if not share:
        return copula
    weaker = copy.deepcopy(copula)
    weaker.correlations = weaker.correlations * (1 - share)
    return weaker


def bound_rows(copula: GaussianCritic | StudentCritic, x: Tensor, y: Tensor, groups: Tensor | None = None) -> Tensor:
    """Contributions (nats) of rows to a lower bound, even if ``copula`` does not fit; arguments as above, shape (m,)."""
    return selection_rows("dv", *_scores(copula, x, y, groups, SHUFFLES))


def _scores(
    copula: GaussianCritic | StudentCritic, x: Tensor, y: Tensor, groups: Tensor | None, shuffles: int
) -> tuple[Tensor, Tensor]:
    """Joint (m,) and shuffled (m, K) scores; the same shuffles each time."""
    pairs = Pairs(x[:CHECKED_ROWS], y[:CHECKED_ROWS], None if groups is None else groups[:CHECKED_ROWS])
    index = torch.arange(min(len(x), CHECKED_ROWS), device=x.device)
    generator = torch.Generator().manual_seed(0)
    joint, marginal, _ = evaluate_scores(copula, pairs, index, min(shuffles, len(index) - 1), generator)
    return joint, marginal
