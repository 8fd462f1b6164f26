r"""Upper bounds on mutual information, as pure functions of log densities ``log p(y_i | x_j)``."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.distributions import Distribution

from mine.bounds import log_mean_exp
from mine.errors import InputError

__all__ = ["club", "leave_one_out", "log_density_matrix"]


def leave_one_out(joint: Tensor, marginal: Tensor) -> Tensor:
    """Leave-one-out upper bound: ``E[log p(y_i | x_i) - log mean_{j != i} p(y_i | x_j)]``.

    An upper bound in expectation for every batch size, tighter with larger batches. The mixture over the other rows stands in
    for p(y), so the density must be exact.

    References:
        Poole et al., 2019 (arXiv 1905.06922), section 2.1, the leave-one-out bound.

    Arguments:
        joint: ``log p(y_i | x_i)``, shape ``(..., B)``.
        marginal: ``log p(y_i | x_j)`` for the other j, shape ``(..., B, B - 1)``.

    Returns:
        The bound (nats), shape ``(...)``.

    Example:
        >>> leave_one_out(torch.tensor([2.0, 2.0]), torch.tensor([[0.5], [1.5]]))
        tensor(1.)
    """
    return (joint - log_mean_exp(marginal, -1)).mean(-1)


def club(joint: Tensor, marginal: Tensor) -> Tensor:
    """CLUB: ``E[log q(y | x)] - E[log q(y' | x)]``, y' from another row.

    An upper bound where q is exactly p(y | x). With a learned q it is an estimate, not a bound, and can lie on either side.

    References:
        Cheng et al., 2020 (arXiv 2006.12013), section 3.1 (q exact) and 3.2 (q learned).

    Arguments:
        joint: ``log q(y_i | x_i)``, shape ``(..., B)``.
        marginal: ``log q`` of unpaired rows, shape ``(..., B, K)``.

    Returns:
        The value (nats), shape ``(...)``.

    Example:
        >>> club(torch.tensor([2.0, 2.0]), torch.tensor([[0.5], [1.5]]))
        tensor(1.)
    """
    return joint.mean(-1) - marginal.mean((-2, -1))


def sum_coordinates(log_prob: Tensor, rows: int) -> Tensor:
    """Log densities of whole rows: what a distribution keeps apart beyond the first ``rows`` dimensions adds up."""
    return log_prob if log_prob.ndim <= rows else log_prob.flatten(rows).sum(-1)


def log_density_matrix(y: Tensor, density: Any) -> Tensor:
    """``log p(y_i | x_j)`` of every pair, shape (N, B), for N rows of y and a distribution with one component a row of x.

    Arguments:
        y: Rows, shape (N, ...).
        density: ``torch.distributions.Distribution`` whose batch has B rows, as the encoder gives it. Coordinates may be
            part of the event or of the batch.

    Example:
        >>> log_density_matrix(torch.zeros(3, 2), torch.distributions.Normal(torch.zeros(4, 2), 1.0)).shape
        torch.Size([3, 4])
    """
    if not isinstance(density, Distribution):
        raise InputError(
            "This upper bound needs the encoder's density: pass the torch.distributions.Distribution that the first argument "
            f"was drawn from (with rsample), got {type(density).__name__}."
        )
    shape = density.batch_shape + density.event_shape
    if not density.batch_shape or y.shape[1:] != shape[1:]:
        raise InputError(
            f"The first argument has rows of shape {tuple(y.shape[1:])}, the density {tuple(shape[1:])} in a batch of "
            f"{tuple(density.batch_shape)}: pass what density.rsample() gave, one row for each row of the batch."
        )
    return sum_coordinates(density.log_prob(y.unsqueeze(1)).to(torch.promote_types(y.dtype, torch.float32)), 2)
