"""A user's critic: copied and re-initialised, tried on two rows, and kept from the global generator."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from mine.critics.critic import Critic
from mine.critics.users import as_critic
from mine.errors import InputError
from mine.training.pairs import Pairs

__all__ = ["dry_run", "forked_rng", "fresh_critic", "is_users"]


def is_users(critic: Any) -> bool:
    """Whether ``critic=`` is a user's own, and neither left out nor the name of a built-in one."""
    return critic is not None and not isinstance(critic, str)


def fresh_critic(source: Any) -> Critic:
    """A new critic from a user's module (copied and re-initialised) or factory (called)."""
    if isinstance(source, nn.Module):
        module = copy.deepcopy(source).float()  # rows are float32; made under another default dtype, it is not
        for part in module.modules():
            reset = getattr(part, "reset_parameters", None)
            if callable(reset):
                reset()
        return as_critic(module)
    if callable(source):
        made = source()
        if not isinstance(made, nn.Module):
            raise InputError(f"The critic factory must return an nn.Module, got {type(made).__name__}.")
        return as_critic(made.float())
    raise InputError(f"critic must be an nn.Module taking (x, y), or a function making one; got {type(source).__name__}.")


def dry_run(critic: Critic, pairs: Pairs) -> None:
    """Two rows through the critic: lazy layers take their shape, and a wrong one is explained."""
    x, y = pairs.rows(torch.arange(2, device=pairs.x.device))
    critic.eval()
    try:
        with torch.no_grad():
            critic(x, y)
    except (RuntimeError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"The critic failed on x of shape {tuple(x.shape)} and y of shape {tuple(y.shape)} (a batch of two): {error}"
        ) from error
    critic.train()


@contextmanager
def forked_rng(seed: int, device: torch.device) -> Iterator[None]:
    """A user's module initialises and drops out from torch's global generator: seed it, then put it back."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
