"""From where a term is called: a transform of ``torch.func``, gradient checkpointing, or a backward pass that recomputes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

__all__ = [
    "NO_HOOKS",
    "may_be_recomputed",
    "outside_transforms",
    "recomputing",
    "region",
    "rehearsing",
    "saved_tensor_hooks",
    "transforming",
    "without_saved_tensor_hooks",
]

_C: Any = torch._C
#: The error of a critic that sets hooks of saved tensors where they are forbidden to find out whether it does.
NO_HOOKS = "mine: no hooks of saved tensors here"


def transforming() -> bool:
    """Whether this call happens inside ``torch.func.grad``, ``vmap`` or another transform of :mod:`torch.func`."""
    return torch._C._are_functorch_transforms_active()


def outside_transforms() -> Any:
    """A context in which random numbers can be drawn: ``torch.func.vmap`` refuses that, also on a generator of its own."""
    return _C._DisableFuncTorch()


def recomputing() -> bool:
    """Whether this call happens inside a backward pass: gradient checkpointing repeats a call of the forward pass there."""
    return torch._C._current_graph_task_id() != -1


def rehearsing() -> bool:
    """Whether this call happens inside the forward pass of a reentrant checkpoint.

    That pass computes without gradients what the backward pass computes again with them. Only the stack tells it from a call
    under ``torch.no_grad``.
    """
    checkpoint: Any = sys.modules.get("torch.utils.checkpoint")
    if torch.is_grad_enabled() or checkpoint is None:
        return False
    code, frame = checkpoint.CheckpointFunction.forward.__code__, sys._getframe()
    while frame is not None:
        if frame.f_code is code:
            return True
        frame = frame.f_back
    return False


def region() -> Any:
    """The checkpoint in which this call happens, the same object in the forward pass and when the backward pass repeats it.

    It is the context of a reentrant checkpoint, the frame of another one, and None where torch keeps neither as expected.
    """
    checkpoint: Any = sys.modules.get("torch.utils.checkpoint")
    if checkpoint is None:
        return None
    kind = getattr(checkpoint, "_CheckpointFrame", ())
    hooks = _C._autograd._top_saved_tensors_default_hooks(False)
    for cell in getattr(hooks[0], "__closure__", None) or () if hooks else ():
        if isinstance(cell.cell_contents, kind):
            return cell.cell_contents
    codes = [checkpoint.CheckpointFunction.forward.__code__, checkpoint.CheckpointFunction.backward.__code__]
    frame = sys._getframe()
    while frame is not None:
        if frame.f_code in codes:
            return frame.f_locals.get("ctx")
        if frame.f_code.co_name == "unpack_hook" and isinstance(frame.f_locals.get("frame"), kind):
            return frame.f_locals["frame"]
        frame = frame.f_back
    return None


def may_be_recomputed() -> bool:
    """Whether a backward pass may repeat this call: it happens inside a checkpoint, or inside other hooks of saved tensors."""
    return saved_tensor_hooks() or rehearsing()


@contextmanager
def without_saved_tensor_hooks() -> Iterator[None]:
    """Within, a gradient that is taken at once keeps its tensors: a checkpoint around it would recompute all it contains."""
    if not saved_tensor_hooks():
        yield
        return
    with torch.autograd.graph.saved_tensors_hooks(_as_it_is, _as_it_is):
        yield


def saved_tensor_hooks() -> bool:
    """Whether hooks of saved tensors are in force, as inside a checkpoint."""
    return _C._autograd._top_saved_tensors_default_hooks(False) is not None


def _as_it_is(tensor: Tensor) -> Tensor:
    return tensor
