"""Run a method eagerly inside ``torch.compile``."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import torch

__all__ = ["eager"]

P = ParamSpec("P")
R = TypeVar("R")


def eager(method: Callable[P, R]) -> Callable[P, R]:
    """``method``, which a compiled caller calls as it is: one break in the graph, and no graph for each count of its calls.

    Unlike ``torch.compiler.disable`` as a decorator, this loads the compiler only when something is compiled.
    """

    @wraps(method)
    def inner(*arguments: P.args, **options: P.kwargs) -> R:
        if torch.compiler.is_compiling():
            return torch.compiler.disable(method)(*arguments, **options)
        return method(*arguments, **options)

    return inner
