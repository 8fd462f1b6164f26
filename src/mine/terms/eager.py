"""Run a module eagerly inside ``torch.compile``."""

from __future__ import annotations

import torch
from torch import nn

__all__ = ["run_eagerly"]

_DONE: set[type[nn.Module]] = set()


def run_eagerly(kind: type[nn.Module]) -> None:
    """Let compiled code call ``kind.forward`` as it is: one break in the graph, and no new graph for each count of its calls.

    It is called when the first module of a kind is made, not when the class is: ``torch.compiler.disable`` loads the compiler.
    """
    if kind not in _DONE:
        kind.forward = torch.compiler.disable(kind.forward)
        _DONE.add(kind)
