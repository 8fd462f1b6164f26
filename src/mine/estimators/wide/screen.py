"""Which columns of two wide sides matter: every pair of columns by cross products of functions of their ranks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from scipy.special import ndtri
from torch import Tensor

__all__ = ["Screened", "screen"]

#: Frequencies of the cosines of a column's ranks, x beside y: one is monotone, two is even, and so on. Curved on one side is
#: common, on both is rare.
FREQUENCIES = ((1, (1, 2, 3, 4, 5, 6)), (2, (1, 2, 3)), (3, (1, 2)), (4, (1,)), (5, (1,)), (6, (1,)))
#: Probability that any pair of independent columns passes.
LEVEL = 0.05
#: Multiplications of a screen, to which its rows are cut if there are more; fewest rows; columns of x that are read at once.
BUDGET, FEWEST_ROWS, CHUNK = 2e11, 1000, 512


@dataclass(frozen=True)
class Screened:
    """The largest correlation of each column with any of the other side, shapes (dx,) and (dy,).

    ``chance`` is the largest to be expected of any pair if all columns were independent.
    """

    x: Tensor
    y: Tensor
    chance: float


def screen(x: Tensor, y: Tensor) -> Screened:
    """How strongly each column depends on one column of the other side.

    Each pair's largest correlation between a cosine of the ranks of x and one of the ranks of y is compared with the largest to
    be expected if all columns were independent (Bonferroni). Cosines are bounded, so that their correlations on a thousand
    rows are normal far into the tails.

    Arguments:
        x: Normal scores of the columns of x, and other centred columns, shape (n, dx).
        y: Those of y, shape (n, dy).
    """
    rows = len(x)
    products = sum(len(other) for _, other in FREQUENCIES)
    most = max(FEWEST_ROWS, int(BUDGET / (products * x.shape[1] * y.shape[1])))
    if rows > most:
        keep = torch.linspace(0, rows - 1, most, device=x.device).long()
        x, y, rows = x[keep], y[keep], most
    waves_y = {k: _waves(y, k) for k in range(1, 7)}
    largest_x, largest_y = [], torch.zeros(y.shape[1], device=y.device)
    for start in range(0, x.shape[1], CHUNK):
        correlation = torch.zeros(len(x[0, start : start + CHUNK]), y.shape[1], device=x.device)
        for k, others in FREQUENCIES:
            wave = _waves(x[:, start : start + CHUNK], k).T / rows
            for other in others:
                correlation = torch.maximum(correlation, (wave @ waves_y[other]).abs_())
        largest_x.append(correlation.amax(1))
        largest_y = torch.maximum(largest_y, correlation.amax(0))
    chance = -float(ndtri(LEVEL / (2 * products * x.shape[1] * y.shape[1]))) / math.sqrt(rows)
    return Screened(torch.cat(largest_x), largest_y, chance)


def _waves(scores: Tensor, k: int) -> Tensor:
    """``cos(pi k u)`` of the uniform ranks u of the columns of ``scores`` (n, d), each of mean 0 and variance 1."""
    wave = torch.cos(math.pi * k * torch.special.ndtr(scores))
    wave -= wave.mean(0)
    return wave / wave.square().mean(0).sqrt().clamp(min=1e-3)
