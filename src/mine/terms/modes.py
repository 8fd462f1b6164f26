"""From where a term is called: a transform of ``torch.func``, or a backward pass that recomputes."""

from __future__ import annotations

import torch

__all__ = ["recomputing", "transforming"]


def transforming() -> bool:
    """Whether this call happens inside ``torch.func.grad``, ``vmap`` or another transform of :mod:`torch.func`."""
    return torch._C._are_functorch_transforms_active()


def recomputing() -> bool:
    """Whether this call happens inside a backward pass: gradient checkpointing repeats a call of the forward pass there."""
    return torch._C._current_graph_task_id() != -1
