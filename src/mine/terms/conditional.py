"""A learned conditional density q(y | x), for the CLUB estimate."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Independent, Normal

from mine.errors import InputError

__all__ = ["GaussianConditional"]

#: Log standard deviations stay within this distance of 0: a density must not collapse onto a row.
_LOG_STD_WITHIN = 6.0


class GaussianConditional(nn.Module):
    """q(y | x): a normal distribution whose mean and standard deviations are an MLP of x.

    Train it with ``mine.MinimizeMI(GaussianConditional(dx, dy), upper_bound="club")``. Any module that maps x to a
    ``torch.distributions.Distribution`` over y can stand in its place.

    Arguments:
        dx: Number of coordinates of x.
        dy: Number of coordinates of y.
        hidden: Widths of the hidden layers.

    Example:
        >>> GaussianConditional(2, 3)(torch.randn(8, 2)).log_prob(torch.randn(8, 3)).shape
        torch.Size([8])
    """

    def __init__(self, dx: int, dy: int, hidden: Sequence[int] = (64, 64)) -> None:
        super().__init__()
        if not hidden:
            raise InputError("hidden needs at least one layer, for example (64, 64).")
        layers: list[nn.Module] = []
        for a, b in itertools.pairwise((dx, *hidden)):
            layers += [nn.Linear(a, b), nn.ReLU()]
        self.network: Any = nn.Sequential(*layers, nn.Linear(hidden[-1], 2 * dy))

    def forward(self, x: Tensor) -> Independent:
        x = x.unsqueeze(-1) if x.ndim == 1 else x
        mean, raw = self.network(x.to(self.network[0].weight.dtype)).chunk(2, -1)
        log_std = _LOG_STD_WITHIN * torch.tanh(raw / _LOG_STD_WITHIN)
        return Independent(Normal(mean, log_std.exp()), 1)
