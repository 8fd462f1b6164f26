"""The Student copula's log-ratio as a critic: heavy tails shared by x and y, which no Gaussian shows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from scipy import special
from torch import Tensor

from mine.critics.critic import Critic
from mine.critics.gaussian import GaussianCritic, canonical_scores

__all__ = ["StudentCritic", "fit_student", "student_scores"]

#: Normal scores are mapped to Student quantiles by a table between these ends; beyond them the map goes on flat.
_REACH, _KNOTS = 7.0, 4096
#: Maximum number of steps of EM on the dispersion; it stops earlier if it has converged.
_EM_STEPS = 12


class StudentCritic(Critic):
    r"""Log-ratio ``log p(x, y) / (p(x) p(y))`` of a Student copula, read from normal scores; nothing to train.

    With ``t = T_dof^-1(Phi(score))`` of each coordinate and the squared lengths ``q`` of x, y and both under the fitted
    dispersion,

        log-ratio = c - log(det) / 2 - (dof + dx + dy) / 2 log(1 + q_xy / dof)
                    + (dof + dx) / 2 log(1 + q_x / dof) + (dof + dy) / 2 log(1 + q_y / dof)

    ``dof = inf`` is the Gaussian copula. Tails dependence (a scale that x and y share) is in the q's: with no correlation at
    all the information is not zero.

    References:
        Demarta and McNeil, 2005 ('The t copula and related copulas'); its information: Arellano-Valle et al., 2013.

    Arguments:
        dispersion: Whitening maps and canonical correlations of the dispersion of t, all directions kept:
            ``map_x`` (*stack, dx, dx), ``map_y`` (*stack, dy, dy).
        dof: Degrees of freedom, shape ``(*stack,)``.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> t = rng.standard_t(2, size=(4000, 1)) * [[1.0, 1.0]]
        >>> scores = special.ndtri(special.stdtr(2, t))
        >>> critic = StudentCritic(np.eye(1), np.eye(1), np.zeros(1), 2.0)
        >>> critic(torch.tensor(scores[:, :1]), torch.tensor(scores[:, 1:])).shape
        torch.Size([4000])
    """

    def __init__(self, map_x: Any, map_y: Any, correlations: Any, dof: Any) -> None:
        super().__init__()
        map_x, map_y = torch.as_tensor(map_x), torch.as_tensor(map_y)
        dof = torch.as_tensor(dof, dtype=torch.float64)
        self.stack = tuple(dof.shape)
        self.register_buffer("map_x", map_x)
        self.register_buffer("map_y", map_y)
        self.register_buffer("correlations", torch.as_tensor(correlations).reshape(*self.stack, 1, -1))
        self.register_buffer("dof", dof.reshape(*self.stack, 1))
        self.register_buffer("table", torch.as_tensor(_tables(dof.numpy())))
        self.register_buffer("constant", torch.as_tensor(_constant(self.dof.numpy(), map_x.shape[-1], map_y.shape[-1])))
        self.map_x: Tensor
        self.map_y: Tensor
        self.correlations: Tensor
        self.dof: Tensor
        self.table: Tensor
        self.constant: Tensor

    @classmethod
    def stacked(cls, critics: Sequence[StudentCritic]) -> StudentCritic:
        """One stacked critic out of several of equal shape."""
        map_x, map_y, r = (torch.stack([getattr(c, name) for c in critics]) for name in ("map_x", "map_y", "correlations"))
        return cls(map_x, map_y, r, torch.stack([c.dof.reshape(()) for c in critics]))

    @property
    def mutual_information(self) -> Tensor:
        """Mutual information (nats) of the fitted dispersion's Gaussian part, shape ``(*stack,)``."""
        return -0.5 * torch.log1p(-(self.correlations**2)).sum((-2, -1))

    def encode_x(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self._encode(x, self.map_x)

    def encode_y(self, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self._encode(y, self.map_y)

    def _encode(self, scores: Tensor, whiten: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Canonical coordinates (..., B, r), squared length over all directions and the side's own term, both (..., B, 1)."""
        u = self._quantiles(scores) @ whiten
        length, finite = (u**2).sum(-1, keepdim=True), self._finite().unsqueeze(-1)
        own = 0.5 * (finite + whiten.shape[-2]) * torch.log1p(length / finite)
        return u[..., : self.correlations.shape[-1]], length, own

    def _quantiles(self, scores: Tensor) -> Tensor:
        # The table holds asinh of the quantile, which is nearly straight in the score: linear interpolation is enough.
        scores = scores.expand(*self.stack, *scores.shape[-2:])  # a stack may share its rows
        place = (scores.clamp(-_REACH, _REACH) + _REACH) * ((_KNOTS - 1) / (2 * _REACH))
        low = place.floor().clamp(max=_KNOTS - 2)
        index, table = low.long().flatten(len(self.stack)), self.table.to(scores.dtype)
        left, right = (table.gather(-1, i).reshape(scores.shape) for i in (index, index + 1))
        bent = torch.sinh(torch.lerp(left, right, place - low))
        normal = torch.isinf(self.dof)
        return torch.where(normal.unsqueeze(-1), scores, bent) if normal.any() else bent

    def combine(self, hx: Any, hy: Any) -> Tensor:
        (u, length_x, own_x), (v, length_y, own_y) = hx, hy
        r = self.correlations
        # -(q_xy - q_x - q_y) / 2, in the form without cancellation when r is near 1
        shift = (r / (2 * (1 + r)) * (u**2 + v**2) - r / (2 * (1 - r**2)) * (u - v) ** 2).sum(-1, keepdim=True)
        return self._ratio(shift, length_x + length_y, own_x + own_y).squeeze(-1)

    def all_pairs(self, hx: Any, hy: Any) -> Tensor:
        """Scores of every x with every y, shape ``(*stack, B, B)``."""
        (u, length_x, own_x), (v, length_y, own_y) = hx, hy
        return self._ratio(canonical_scores(self.correlations, u, v), length_x + length_y.mT, own_x + own_y.mT)

    def _finite(self) -> Tensor:
        """The degrees of freedom, 1 in place of infinite ones, shape ``(*stack, 1)``."""
        return torch.where(torch.isinf(self.dof), torch.ones_like(self.dof), self.dof)

    def _ratio(self, shift: Tensor, lengths: Tensor, own: Tensor) -> Tensor:
        """Scores (..., B, C) from half of the squared length that x and y share, and the sums of what each has of its own."""
        level = (self.mutual_information + self.constant.squeeze(-1))[..., None, None]  # the constant is 0 for infinite dof
        normal, finite = torch.isinf(self.dof).unsqueeze(-1), self._finite().unsqueeze(-1)
        log_length = torch.sub(lengths, shift, alpha=2).clamp_(min=0).div_(finite).log1p_()  # in place: memory is the limit
        student = torch.addcmul(own, finite + self.map_x.shape[-1] + self.map_y.shape[-1], log_length, value=-0.5)
        return (torch.where(normal, shift, student) if normal.any() else student).add_(level)


def student_scores(scores: np.ndarray, dof: float) -> np.ndarray:
    """Student quantiles of normal scores, ``T_dof^-1(Phi(score))``, shape as given; by the same table as the critic's.

    >>> student_scores(np.array([[-1.0], [0.0], [1.0]]), 1.0).round(2).ravel()
    array([-1.84,  0.  ,  1.84])
    """
    if math.isinf(dof):
        return scores
    knots = np.linspace(-_REACH, _REACH, _KNOTS)
    return np.sinh(np.interp(scores, knots, _tables(np.array(dof))))


def fit_student(
    x: np.ndarray,
    y: np.ndarray,
    dof: float,
    *,
    shrinkage: float = 0.0,
    diagonal: float = 0.0,
    floor: float = 1e-7,
) -> StudentCritic:
    """Student copula of ``dof`` degrees of freedom fitted to rows of Student quantiles, by EM on the dispersion.

    The critic reads normal scores; ``shrinkage``, ``diagonal`` and ``floor`` are those of
    :meth:`mine.critics.GaussianCritic.fit`.

    >>> rng = np.random.default_rng(0)
    >>> t = rng.normal(size=(20_000, 2)) / np.sqrt(rng.chisquare(1, size=(20_000, 1)))
    >>> scores = special.ndtri(special.stdtr(1, t))
    >>> critic = fit_student(t[:, :1], t[:, 1:], 1.0)
    >>> round(critic(torch.tensor(scores[:, :1]), torch.tensor(scores[:, 1:])).mean().item(), 2)
    0.22
    """
    both = np.concatenate([x, y], 1)
    d, weight = both.shape[1], np.ones((len(both), 1))
    if math.isfinite(dof):
        dispersion = np.eye(d)
        for _ in range(_EM_STEPS):
            length = np.einsum("ij,ij->i", both @ np.linalg.inv(dispersion + 1e-9 * np.eye(d)), both)
            weight = ((dof + d) / (dof + length))[:, None]
            before, dispersion = dispersion, (both * weight).T @ both / len(both)
            if np.abs(dispersion - before).max() < 1e-3:
                break
    scaled = both * np.sqrt(weight)
    zero = np.zeros((1, d))
    dx = x.shape[1]
    gaussian = GaussianCritic.fit(
        scaled[:, :dx],
        scaled[:, dx:],
        shrinkage=shrinkage,
        diagonal=diagonal,
        floor=floor,
        complete=True,
        mean=(zero[:, :dx], zero[:, dx:]),
    )
    return StudentCritic(gaussian.map_x, gaussian.map_y, gaussian.correlations, dof)


def _tables(dof: np.ndarray) -> np.ndarray:
    """asinh of the Student quantile at each knot, shape (*stack, knots); for infinite dof of the score itself."""
    knots = np.linspace(-_REACH, _REACH, _KNOTS)
    lower = special.ndtr(-np.abs(knots))  # the lower tail keeps its digits, the upper one loses them near 1
    tables = [np.arcsinh(knots if math.isinf(f) else -np.sign(knots) * special.stdtrit(f, lower)) for f in np.atleast_1d(dof)]
    return np.stack(tables).reshape(*dof.shape, _KNOTS)


def _constant(dof: np.ndarray, dx: int, dy: int) -> np.ndarray:
    """``log [G((f + dx + dy) / 2) G(f / 2) / (G((f + dx) / 2) G((f + dy) / 2))]``; 0 in the Gaussian limit."""
    finite = np.where(np.isinf(dof), 1.0, dof)
    g = special.gammaln
    value = g((finite + dx + dy) / 2) + g(finite / 2) - g((finite + dx) / 2) - g((finite + dy) / 2)
    return np.where(np.isinf(dof), 0.0, value)
