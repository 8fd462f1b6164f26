"""The parts and the parameters of a module, several times faster than ``modules()`` and ``parameters()``: every step asks."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

__all__ = ["parameters_of", "parts_of"]


def parts_of(module: nn.Module | None) -> list[nn.Module]:
    """The module and all modules in it, each once; none for None.

    >>> [type(part).__name__ for part in parts_of(nn.Sequential(nn.Linear(1, 1), nn.ReLU()))]
    ['Sequential', 'Linear', 'ReLU']
    """
    found: dict[int, nn.Module] = {}
    waiting = [module]
    while waiting:
        part = waiting.pop()
        if part is not None and id(part) not in found:
            found[id(part)] = part
            waiting.extend(reversed(part._modules.values()))
    return list(found.values())


def parameters_of(parts: Sequence[nn.Module]) -> list[nn.Parameter]:
    """The parameters of modules, each once, in the order of ``parameters()``."""
    found = {id(p): p for part in parts for p in part._parameters.values() if p is not None}
    return list(found.values())
