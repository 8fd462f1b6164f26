"""Run the methods of a term eagerly inside ``torch.compile``."""

from __future__ import annotations

from functools import partial

import torch
from torch import nn

__all__ = ["run_eagerly"]

_DONE: set[type[nn.Module]] = set()
#: What a training loop calls; a property cannot be among them.
_METHODS = ("forward", "critic_step", "critic_loss", "joint_loss", "step", "evaluate")


def run_eagerly(kind: type[nn.Module]) -> None:
    """Let compiled code call these methods as they are: one break in the graph each, and no new graph for every count of calls.

    It is called when the first module of a kind is made, not when the class is: ``torch.compiler.disable`` loads the compiler.
    """
    if kind not in _DONE:
        for name in filter(partial(hasattr, kind), _METHODS):
            setattr(kind, name, torch.compiler.disable(getattr(kind, name)))
        _DONE.add(kind)
