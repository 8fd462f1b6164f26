r"""Upper bounds on mutual information, as pure functions of log densities ``log p(y_i | x_j)``."""

from __future__ import annotations

from torch import Tensor

from mine.bounds import log_mean_exp

__all__ = ["club", "leave_one_out"]


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
