"""The log-ratio of a fitted Gaussian as a critic: nothing to train."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from mine.critics.critic import Critic

__all__ = ["GaussianCritic", "canonical_scores"]


class GaussianCritic(Critic):
    r"""Log-ratio ``log p(x, y) / (p(x) p(y))`` of a Gaussian fitted in closed form; nothing to train.

    In canonical coordinates u, v with correlations r the log-ratio is
    ``sum -log(1 - r^2) / 2 - r (u - v)^2 / (2 (1 - r^2)) + r (u^2 + v^2) / (2 (1 + r))``, a form without
    cancellation when r is near 1.

    References:
        Kay, 1992; the canonical correlations of Hotelling, 1936.

    Arguments:
        mean_x: Mean of x, shape ``(*stack, 1, dx)``; ``mean_y`` likewise.
        mean_y: Mean of y.
        map_x: Projection to the canonical coordinates, shape ``(*stack, dx, r)``; ``map_y`` likewise.
        map_y: Projection of y.
        correlations: Canonical correlations in [0, 1), shape ``(*stack, 1, r)``.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> x = rng.normal(size=(5000, 1)); y = 0.8 * x + 0.6 * rng.normal(size=(5000, 1))
        >>> critic = GaussianCritic.fit(x, y)
        >>> round(critic.mutual_information.item(), 2), round(critic(torch.tensor(x), torch.tensor(y)).mean().item(), 2)
        (0.51, 0.51)
    """

    def __init__(self, mean_x: Tensor, mean_y: Tensor, map_x: Tensor, map_y: Tensor, correlations: Tensor) -> None:
        super().__init__()
        self.stack = tuple(correlations.shape[:-2])
        for name, tensor in zip(
            ("mean_x", "mean_y", "map_x", "map_y", "correlations"),
            (mean_x, mean_y, map_x, map_y, correlations),
            strict=True,
        ):
            self.register_buffer(name, tensor)
        self.mean_x: Tensor
        self.mean_y: Tensor
        self.map_x: Tensor
        self.map_y: Tensor
        self.correlations: Tensor

    @classmethod
    def fit(
        cls,
        x: np.ndarray,
        y: np.ndarray,
        *,
        shrinkage: float = 0.0,
        diagonal: float = 0.0,
        floor: float = 1e-7,
        complete: bool = False,
        mean: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> GaussianCritic:
        """Fit to rows ``x`` (n, dx) and ``y`` (n, dy), in float64.

        Arguments:
            x: Rows of x, shape (n, dx).
            y: Rows of y, shape (n, dy).
            shrinkage: Share in [0, 1] taken off the covariance between x and y; 1 means independence.
            diagonal: Weight in [0, 1] of a diagonal target in the whole covariance matrix; needed where n is not well above
                dx + dy. Where a side's own coordinates correlate, much of it makes the mean log-ratio too large.
            floor: Smallest 1 - r^2, so that a deterministic relation stays finite.
            complete: Keep the directions of the wider side that have no partner, after the others, in its map.
            mean: Known means of x and y, shapes (1, dx) and (1, dy).
        """
        mean_x, mean_y = mean or (x.mean(0, keepdims=True), y.mean(0, keepdims=True))
        white_x, white_y = _whitener(x - mean_x, diagonal), _whitener(y - mean_y, diagonal)
        cross = (1 - shrinkage) * (1 - diagonal) * ((x - mean_x) @ white_x).T @ ((y - mean_y) @ white_y) / len(x)
        left, r, right = np.linalg.svd(cross, full_matrices=complete)
        r = np.clip(r, 0.0, math.sqrt(1 - floor))
        arrays = (mean_x, mean_y, white_x @ left, white_y @ right.T, r[None])
        return cls(*(torch.as_tensor(a) for a in arrays))

    @classmethod
    def stacked(cls, critics: Sequence[GaussianCritic]) -> GaussianCritic:
        """One stacked critic out of several of equal shape."""
        names = ("mean_x", "mean_y", "map_x", "map_y", "correlations")
        return cls(*(torch.stack([getattr(c, name) for c in critics]) for name in names))

    @property
    def mutual_information(self) -> Tensor:
        """Mutual information (nats) of the fitted Gaussian, shape ``(*stack,)``."""
        return -0.5 * torch.log1p(-(self.correlations**2)).sum((-2, -1))

    def encode_x(self, x: Tensor) -> Tensor:
        return (x - self.mean_x) @ self.map_x

    def encode_y(self, y: Tensor) -> Tensor:
        return (y - self.mean_y) @ self.map_y

    def combine(self, hx: Tensor, hy: Tensor) -> Tensor:
        r = self.correlations
        pull = r / (2 * (1 - r**2))
        level = r / (2 * (1 + r))
        terms = level * (hx**2 + hy**2) - pull * (hx - hy) ** 2
        return terms.sum(-1) + self.mutual_information.unsqueeze(-1)

    def all_pairs(self, hx: Tensor, hy: Tensor) -> Tensor:
        """Scores of every x with every y, shape ``(*stack, B, B)``."""
        return canonical_scores(self.correlations, hx, hy) + self.mutual_information[..., None, None]


def canonical_scores(r: Tensor, u: Tensor, v: Tensor) -> Tensor:
    """``sum r (u^2 + v^2) / (2 (1 + r)) - r (u - v)^2 / (2 (1 - r^2))`` of every u with every v: (..., B, B), by a product."""
    pull = r / (1 - r**2)
    own = r / (2 * (1 + r)) - 0.5 * pull
    of_x, of_y = (own * u**2).sum(-1, keepdim=True), (own * v**2).sum(-1, keepdim=True)
    # The terms of one side as two more columns of the product: adding them takes as long as multiplying.
    return torch.cat([u * pull, of_x, torch.ones_like(of_x)], -1) @ torch.cat([v, torch.ones_like(of_y), of_y], -1).mT


def _whitener(centred: np.ndarray, shrinkage: float) -> np.ndarray:
    """W with W' S W = I for the (shrunk) covariance S; directions without variance are dropped to zero."""
    covariance = centred.T @ centred / len(centred)
    if shrinkage:
        covariance = (1 - shrinkage) * covariance + shrinkage * np.diag(np.diag(covariance))
    values, vectors = np.linalg.eigh(covariance)
    keep = values > max(values[-1], 0.0) * 1e-10
    scale = np.zeros_like(values)
    scale[keep] = values[keep] ** -0.5
    return vectors * scale
