r"""Variational bounds on mutual information, as pure functions of critic scores.

Every bound takes the critic's scores on joint pairs, ``joint`` of shape ``(..., B)``, and on shuffled
(marginal) pairs, ``marginal`` of shape ``(..., B, K)``: row ``i`` holds the scores of ``x_i`` against ``K``
other ``y``. Reductions run over these last dimensions only; leading dimensions are independent critics.

Each returns ``BoundResult(loss, value, state)``, all of shape ``(...)``: minimise ``loss`` to train the critic,
read ``value`` (nats) as the estimate, hand ``state`` to the next call. Half-precision scores are computed in
float32; everything stays in the log domain, so scores up to ±1e4 give finite values and gradients in float32.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import softplus

from mine.errors import UnknownNameError

__all__ = [
    "BOUNDS",
    "Bound",
    "BoundResult",
    "donsker_varadhan",
    "get_bound",
    "infonce",
    "jensen_shannon",
    "log_mean_exp",
    "mine",
    "nwj",
    "smile",
]

#: Above this score the exponential of :func:`nwj` continues linearly: e^80 still squares to a float32.
NWJ_LINEAR_ABOVE = 80.0


class BoundResult(NamedTuple):
    """The result of a bound; every field has the scores' leading shape.

    ``loss`` is minimised by the critic, ``value`` is the estimate in nats, ``state`` goes into the next call.
    """

    loss: Tensor
    value: Tensor
    state: Tensor | None


Bound = Callable[..., BoundResult]


def log_mean_exp(scores: Tensor, dim: int | tuple[int, ...]) -> Tensor:
    """Logarithm of the mean of ``exp(scores)`` over ``dim``, without overflow.

    >>> log_mean_exp(torch.tensor([1e4, 1e4]), dim=-1)
    tensor(10000.)
    """
    dims = (dim,) if isinstance(dim, int) else dim
    count = math.prod(scores.shape[d] for d in dims)
    return torch.logsumexp(scores, dims) - math.log(count)


def _full_precision(*scores: Tensor) -> tuple[Tensor, ...]:
    """Raise half-precision scores to float32: sums of exponentials do not survive bf16."""
    return tuple(s.float() if s.dtype in (torch.float16, torch.bfloat16) else s for s in scores)


def donsker_varadhan(joint: Tensor, marginal: Tensor, state: Tensor | None = None) -> BoundResult:
    r"""Donsker-Varadhan bound: ``E[T(x, y)] - log E[exp T(x, y')]``.

    The mini-batch gradient of the logarithm is biased ('MINE, biased'); :func:`mine` corrects it.

    References:
        Donsker & Varadhan, 1983; Belghazi et al., 2018 (arXiv 1801.04062), eq. 5 and 10.

    Arguments:
        joint: Scores of joint pairs, shape ``(..., B)``.
        marginal: Scores of shuffled pairs, shape ``(..., B, K)``.
        state: Unused, passed through.

    Example:
        >>> joint, marginal = torch.tensor([1.0, 3.0]), torch.tensor([[0.0], [0.0]])
        >>> donsker_varadhan(joint, marginal).value
        tensor(2.)
    """
    joint, marginal = _full_precision(joint, marginal)
    value = joint.mean(-1) - log_mean_exp(marginal, (-2, -1))

    return BoundResult(-value, value, state)


def mine(
    joint: Tensor, marginal: Tensor, state: Tensor | None = None, *, alpha: float = 0.01, max_lag: float = math.inf
) -> BoundResult:
    r"""Donsker-Varadhan bound with the bias-corrected gradient of MINE.

    The gradient is ``E[grad T] - E[exp(T) grad T] / m`` where ``m`` is an exponential moving average of
    ``E[exp T]``. The moving average changes the gradient only: ``value`` and the number in ``loss`` are plain
    Donsker-Varadhan. The average is kept as a logarithm, so it cannot overflow.

    ``max_lag`` is for a model that moves, as in the terms of a loss, which allow 2 nats. One outlying batch can raise the
    average by tens of nats, and shuffled pairs then have no gradient for ``1 / alpha`` steps per nat. Far below a batch the
    average multiplies their gradient, up to a hundredfold at ``alpha=0.01``. So an average further from a batch starts again
    from that batch. Also ``E[exp T] / m`` then multiplies the gradient of joint and shuffled pairs alike. With the shuffled
    pairs alone weighted, all scores drift up or down together, by thousands of nats where there is much information.

    References:
        Belghazi et al., 2018 (arXiv 1801.04062), section 3.2, eq. 12.

    Arguments:
        joint: Scores of joint pairs, shape ``(..., B)``.
        marginal: Scores of shuffled pairs, shape ``(..., B, K)``.
        state: Logarithm of the moving average, shape ``(...)``; None starts it at this batch.
        alpha: Weight of the new batch in the moving average, in (0, 1].
        max_lag: Nats that the average may lie above or below this batch; infinity for no limit, as in the paper.

    Example:
        >>> joint, marginal = torch.tensor([1.0, 3.0]), torch.tensor([[0.0], [0.0]])
        >>> loss, value, state = mine(joint, marginal)
        >>> value, state
        (tensor(2.), tensor(0.))
    """
    joint, marginal = _full_precision(joint, marginal)
    log_partition = log_mean_exp(marginal, (-2, -1))
    batch = log_partition.detach()
    state = batch if state is None or alpha >= 1 else torch.logaddexp(state + math.log1p(-alpha), batch + math.log(alpha))
    limited = max_lag < math.inf
    if limited:
        state = torch.where((state - batch).abs() > max_lag, batch, state)

    # E[exp T] / m has the wanted gradient for the shuffled pairs, and is at most 1 / alpha because the average
    # contains this batch. Each part less its own number leaves its gradient: the loss is plain Donsker-Varadhan.
    ratio = torch.exp(log_partition - state)
    mean = joint.mean(-1)
    shuffled_part = ratio - ratio.detach()
    joint_part = mean - mean.detach()
    if limited:
        joint_part = joint_part * ratio.detach()
    value = (mean - log_partition).detach()

    return BoundResult(shuffled_part - joint_part - value, value, state)


def nwj(joint: Tensor, marginal: Tensor, state: Tensor | None = None) -> BoundResult:
    r"""Nguyen-Wainwright-Jordan bound: ``E[T(x, y)] - E[exp(T(x, y') - 1)]``, the 'MINE-f' of the MINE paper.

    Unbiased in mini-batches, with a variance that grows like ``exp(MI)``. Scores above 80 continue the
    exponential linearly, which keeps float32 finite; ``state`` counts them over the calls.

    References:
        Nguyen, Wainwright & Jordan, 2010, eq. 4; Belghazi et al., 2018, eq. 6.

    Arguments:
        joint: Scores of joint pairs, shape ``(..., B)``.
        marginal: Scores of shuffled pairs, shape ``(..., B, K)``.
        state: Running count of scores above 80, shape ``(...)``.

    Example:
        >>> joint, marginal = torch.tensor([1.0, 3.0]), torch.tensor([[1.0], [1.0]])
        >>> nwj(joint, marginal).value
        tensor(1.)
    """
    joint, marginal = _full_precision(joint, marginal)
    over = marginal.detach() > NWJ_LINEAR_ABOVE
    excess = torch.relu(marginal - NWJ_LINEAR_ABOVE)  # unlike clamp, no gradient at the joint: its slope counts once
    log_term = marginal.clamp(max=NWJ_LINEAR_ABOVE) - 1 + torch.log1p(excess)
    value = joint.mean(-1) - torch.exp(log_mean_exp(log_term, (-2, -1)))
    count = over.sum((-2, -1)).to(value.dtype)

    return BoundResult(-value, value, count if state is None else state + count)


def jensen_shannon(joint: Tensor, marginal: Tensor, state: Tensor | None = None) -> BoundResult:
    r"""Jensen-Shannon bound: ``log 4 - E[softplus(-T(x, y))] - E[softplus(T(x, y'))]``.

    The logistic loss of telling joint from shuffled pairs; its optimum is ``T = log p(x, y) / (p(x) p(y))``.
    ``value`` is a lower bound on *twice the Jensen-Shannon divergence* (at most log 4), **not** on mutual
    information. Train with it for stability, then put the scores into :func:`donsker_varadhan` to read MI;
    ``mine.estimate(method="jensen-shannon")`` does just that.

    References:
        Nowozin et al., 2016 (arXiv 1606.00709), table 6; Hjelm et al., 2019 (arXiv 1808.06670), eq. 4.

    Example:
        >>> jensen_shannon(torch.zeros(4), torch.zeros(4, 2)).value
        tensor(0.)
    """
    joint, marginal = _full_precision(joint, marginal)
    value = math.log(4) - softplus(-joint).mean(-1) - softplus(marginal).mean((-2, -1))

    return BoundResult(-value, value, state)


def infonce(joint: Tensor, marginal: Tensor, state: Tensor | None = None) -> BoundResult:
    r"""InfoNCE: ``E[T(x_i, y_i) - log mean_j exp T(x_i, y_j)]``, the mean over y_i and its K shuffles.

    Low variance; cannot exceed ``log(K + 1)``.

    References:
        van den Oord et al., 2018 (arXiv 1807.03748), eq. 4; Poole et al., 2019 (arXiv 1905.06922), eq. 10.

    Example:
        >>> round(infonce(torch.full((4,), 1e4), torch.zeros(4, 7)).value.exp().item(), 3)
        8.0
    """
    joint, marginal = _full_precision(joint, marginal)
    # Relative to the joint score: a difference of two scores of 1e4 would have lost its digits in float32.
    against = marginal - joint.unsqueeze(-1)
    logits = torch.cat([torch.zeros_like(against[..., :1]), against], -1)
    value = -log_mean_exp(logits, -1).mean(-1)

    return BoundResult(-value, value, state)


def smile(joint: Tensor, marginal: Tensor, state: Tensor | None = None, *, tau: float = 5.0) -> BoundResult:
    r"""SMILE: ``E[T(x, y)] - log E[clip(exp T(x, y'), e^-tau, e^tau)]``, trained by the Jensen-Shannon loss.

    Clipping trades the variance of the partition term for a bias: the value is an estimate, not a bound. As in
    its authors' experiments the critic's gradient is the gradient of :func:`jensen_shannon`, because the clipped
    objective has no gradient where it clips; the number in ``loss`` is ``-value``.

    References:
        Song & Ermon, 2020 (arXiv 1910.06222), eq. 15.

    Arguments:
        joint: Scores of joint pairs, shape ``(..., B)``.
        marginal: Scores of shuffled pairs, shape ``(..., B, K)``.
        state: Unused, passed through.
        tau: Clip of the score, positive; infinity gives the Donsker-Varadhan value.

    Example:
        >>> smile(torch.tensor([2.0, 2.0]), torch.full((2, 1), 9.0), tau=1.0).value
        tensor(1.)
    """
    joint, marginal = _full_precision(joint, marginal)
    value = (joint.mean(-1) - log_mean_exp(marginal.clamp(-tau, tau), (-2, -1))).detach()
    surrogate = jensen_shannon(joint, marginal).loss

    return BoundResult(surrogate - surrogate.detach() - value, value, state)


#: The bounds by the names that `method=` and `bound=` take.
BOUNDS: dict[str, Bound] = {
    "dv": donsker_varadhan,
    "mine": mine,
    "nwj": nwj,
    "jensen-shannon": jensen_shannon,
    "infonce": infonce,
    "smile": smile,
}

_ALIASES = {
    "donsker-varadhan": "dv",
    "donsker_varadhan": "dv",
    "mine_biased": "dv",
    "mine-biased": "dv",
    "fdiv": "nwj",
    "mine-f": "nwj",
    "jensen_shannon": "jensen-shannon",
    "js": "jensen-shannon",
    "info-nce": "infonce",
}


def get_bound(bound: str | Bound) -> Bound:
    """The bound of that name (or a callable as it is).

    Raises:
        UnknownNameError: If no bound has that name.

    >>> get_bound("fdiv") is nwj
    True
    """
    if callable(bound):
        return bound
    name = _ALIASES.get(bound, bound)
    if name not in BOUNDS:
        raise UnknownNameError("bound", bound, BOUNDS)
    return BOUNDS[name]
