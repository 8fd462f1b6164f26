"""The parts and the parameters of a module, several times faster than ``modules()`` and ``parameters()``: every step asks."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

__all__ = ["a_number_of", "parameters_of", "parts_of"]


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


def a_number_of(module: nn.Module) -> Tensor | None:
    """The first parameter of a module, else its first buffer: it has the module's precision; None without either."""
    waiting, buffer = [module], None
    while waiting:
        part = waiting.pop()
        for parameter in part._parameters.values():
            if parameter is not None:
                return parameter
        if buffer is None:
            buffer = next((b for b in part._buffers.values() if b is not None), None)
        waiting.extend(reversed([child for child in part._modules.values() if child is not None]))
    return buffer
