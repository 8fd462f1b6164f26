"""A user's own module as a critic."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import Tensor, nn

from mine.critics.critic import Critic
from mine.errors import InputError

__all__ = ["ModuleCritic", "as_critic"]


class ModuleCritic(Critic):
    """Any ``nn.Module`` taking ``(x, y)`` (or their concatenation) and giving one score a row, as a critic.

    Inputs keep their shape, so images reach the module as ``(B, C, H, W)``.

    Arguments:
        module: The user's network; scores of shape (B,) or (B, 1).
        concat: Call ``module(torch.cat([x, y], -1))`` instead of ``module(x, y)``.

    Example:
        >>> net = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 1))
        >>> ModuleCritic(net, concat=True)(torch.randn(5, 1), torch.randn(5, 2)).shape
        torch.Size([5])
    """

    def __init__(self, module: nn.Module, *, concat: bool = False) -> None:
        super().__init__()
        self.module = module
        self.concat = concat

    def combine(self, hx: Tensor, hy: Tensor) -> Tensor:
        if self.concat:
            hx, hy = (h.unsqueeze(-1) if h.ndim == 1 else h.flatten(1) for h in (hx, hy))
            scores = self.module(torch.cat([hx, hy], -1))
        else:
            scores = self.module(hx, hy)
        if not isinstance(scores, Tensor) or scores.numel() != len(hx) or scores.ndim > 2:
            got = tuple(scores.shape) if isinstance(scores, Tensor) else type(scores).__name__
            raise InputError(
                f"The critic must give one score a pair: shape ({len(hx)},) or ({len(hx)}, 1) for {len(hx)} pairs, got {got}."
            )
        return scores.reshape(len(hx))


def as_critic(module: nn.Module, *, concat: bool | None = None) -> Critic:
    """``module`` itself where it is a :class:`Critic`, else wrapped in :class:`ModuleCritic`.

    ``concat=None`` looks at the signature of ``forward``: one required argument means the concatenation.

    >>> as_critic(nn.Linear(2, 1)).concat
    True
    """
    if isinstance(module, Critic):
        return module
    if not isinstance(module, nn.Module):
        raise InputError(f"A critic must be an nn.Module taking (x, y), got {type(module).__name__}.")
    return ModuleCritic(module, concat=_takes_one(module) if concat is None else concat)


def _takes_one(module: nn.Module) -> bool:
    parameters: Any = inspect.signature(module.forward).parameters.values()
    positional = [
        p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is inspect.Parameter.empty
    ]
    variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    wrapped = getattr(module, "_orig_mod", getattr(module, "module", None))  # of torch.compile and of averages
    if variadic and isinstance(wrapped, nn.Module):
        return _takes_one(wrapped)
    return len(positional) == 1 and not variadic
