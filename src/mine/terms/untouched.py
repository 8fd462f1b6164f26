"""Use a critic without changing it: no gradient into its parameters, no trace in its buffers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from mine.terms.modes import NO_HOOKS, saved_tensor_hooks, transforming
from mine.terms.objectives import Outcome
from mine.terms.randomness import random_states, set_random_states
from mine.terms.running_averages import limited_running_averages
from mine.terms.walk import parts_of

__all__ = ["BorrowedBuffers", "ForTheModel", "evaluating", "frozen"]

_ENGINE: Any = torch._C


class BorrowedBuffers:
    """Within, modules compute with copies of their buffers: their own stay as they are, unless :meth:`keep` is called.

    Batch normalisation would else take in a batch that is refused afterwards.
    """

    def __init__(self, parts: Sequence[nn.Module]) -> None:
        self._parts = parts
        self._own: list[tuple[nn.Module, str, Tensor]] = []
        self._kept = False

    def __enter__(self) -> Self:
        for part in self._parts:
            for name, buffer in part._buffers.items():
                if buffer is not None and not is_lazy(buffer):
                    self._own.append((part, name, buffer))
                    part._buffers[name] = buffer.detach().clone()
        return self

    def are_finite(self) -> list[Tensor]:
        """For each copy of numbers, whether all of them are finite: a boolean on its device."""
        copies = [part._buffers[name] for part, name, _ in self._own]
        return [torch.isfinite(copy).all() for copy in copies if copy is not None and copy.is_floating_point()]

    def keep(self) -> None:
        """The modules' own buffers take the values of the copies on leaving."""
        self._kept = True

    def __exit__(self, *exception: object) -> None:
        limited = self._limited() if self._kept else {}
        with torch.no_grad():
            for part, name, own in self._own:
                copy = part._buffers[name]
                part._buffers[name] = own
                if self._kept and copy is not None:
                    own.copy_(limited.get((id(part), name), copy))

    def _limited(self) -> dict[tuple[int, str], Tensor]:
        owners = {id(part): part for part, _, _ in self._own}
        return {
            (key, name): value
            for key, part in owners.items()
            for name, value in limited_running_averages(
                part, {name: own for owner, name, own in self._own if owner is part}
            ).items()
        }


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Within, a module and all its parts are in evaluation mode."""
    modes = [(part, part.training) for part in parts_of(module)]
    module.eval()
    try:
        yield
    finally:
        for part, training in modes:
            part.training = training


@contextmanager
def frozen(parts: Sequence[Any]) -> Iterator[None]:
    """Within, what is computed sends no gradient into the modules' parameters, but through them to their input.

    Parameters stop asking for a gradient for the time being. Transforms of :mod:`torch.func` forbid this, so within them
    detached parameters stand in.
    """
    asking = [(part, name, p) for part in parts for name, p in part._parameters.items() if p is not None and p.requires_grad]
    swap = transforming()
    with BorrowedBuffers(parts):
        for part, name, parameter in asking:
            if swap:
                part._parameters[name] = parameter.detach()
            else:
                parameter.requires_grad = False
        try:
            yield
        finally:
            for part, name, parameter in asking:
                if swap:
                    part._parameters[name] = parameter
                else:
                    parameter.requires_grad = True


class _Straight(torch.autograd.Function):
    """A loss as it is. Only a gradient that is itself to be differentiated takes another way, with the critic frozen.

    The nodes of the graph keep the parameters themselves, which ask for a gradient again by then.
    """

    @staticmethod
    def forward(ctx: Any, again: _Again, loss: Tensor, x: Tensor, y: Tensor) -> Tensor:
        ctx.again = again
        ctx.save_for_backward(x, y)
        return loss.clone()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        if not torch.is_grad_enabled():
            return None, grads[0], None, None
        with frozen(ctx.again.parts):
            return None, None, *_differentiable_gradients(ctx.again, ctx.saved_tensors, grads[0])


class _Nested(torch.autograd.Function):
    """A loss that was computed from leaves in the place of x and y; the backward pass goes back to x and y.

    The pass through the critic happens within the backward of this function, where the critic is frozen as it was in the
    forward pass. A critic that recomputes its activations (gradient checkpointing) then finds the same parameters again.
    """

    @staticmethod
    def forward(ctx: Any, again: _Again, inner: list[Tensor], leaves: tuple[Tensor, Tensor], x: Tensor, y: Tensor) -> Tensor:
        ctx.again, ctx.inner, ctx.leaves = again, inner[0], leaves  # in a list, so that no gradient is asked for
        ctx.save_for_backward(x, y)
        return inner[0].detach().clone()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (outer,) = grads
        with frozen(ctx.again.parts):
            if torch.is_grad_enabled():  # the gradient itself is to be differentiated: create_graph=True
                return None, None, None, *_differentiable_gradients(ctx.again, ctx.saved_tensors, outer)
            for leaf in ctx.leaves:
                leaf.grad = None
            ctx.inner.backward(outer, retain_graph=_ENGINE._autograd._get_current_graph_task_keep_graph())
        return None, None, None, *(leaf.grad for leaf in ctx.leaves)


class _Again(NamedTuple):
    """How to compute a value once more."""

    parts: Sequence[nn.Module]
    compute: Callable[[Tensor, Any], Outcome]
    raises: bool

    def loss(self, x: Tensor, y: Any) -> tuple[Tensor, Outcome]:
        outcome = self.compute(x, y)
        return outcome.model_loss(raises=self.raises), outcome


def _differentiable_gradients(again: _Again, sides: Sequence[Tensor], outer: Tensor) -> list[Tensor | None]:
    asking = [side for side in sides if side.requires_grad]
    loss, _ = again.loss(*sides)
    found = iter(torch.autograd.grad(loss, asking, outer, create_graph=True, allow_unused=True))
    return [next(found) if side.requires_grad else None for side in sides]


class ForTheModel:
    """Losses whose gradient reaches what made x and y, and no parameter of the critic.

    A critic whose backward pass computes parts of it once more, as gradient checkpointing does, has to be frozen in that
    pass too, which takes a second, nested one. Others are spared this.
    """

    def __init__(self) -> None:
        self._has_hooks: bool | None = None  # of saved tensors, once it is known

    def loss(
        self,
        compute: Callable[[Tensor, Any], Outcome],
        critic: nn.Module | None,
        x: Tensor,
        y: Any,
        *,
        raises: bool,
        recomputes: bool,
    ) -> tuple[Tensor, Outcome]:
        """The loss, and the outcome that it is from.

        Arguments:
            compute: Function from (x, y) to an outcome, the same at every call.
            critic: The critic that it uses, if any.
            x: Rows of x.
            y: Rows of y, or a density.
            raises: Whether the information is to be raised.
            recomputes: Whether the critic may have checkpoints of the reentrant kind.
        """
        again = _Again(parts_of(critic), compute, raises)
        if critic is None or transforming() or not isinstance(y, Tensor) or not (x.requires_grad or y.requires_grad):
            with frozen(again.parts):
                return again.loss(x, y)
        if not recomputes and not self._has_hooks and not saved_tensor_hooks():
            found = self._without_hooks(again, x, y)
            if found is not None:
                return _Straight.apply(again, found[0], x, y), found[1]
        leaves = tuple(side.detach().requires_grad_(side.requires_grad) for side in (x, y))
        with frozen(again.parts):
            inner, outcome = again.loss(*leaves)
        return _Nested.apply(again, [inner], leaves, x, y), outcome

    def _without_hooks(self, again: _Again, x: Tensor, y: Tensor) -> tuple[Tensor, Outcome] | None:
        """The loss and the outcome; None where the critic saves its tensors by hooks, as checkpoints of the other kind do."""
        random = random_states(x.device) if self._has_hooks is None else None
        try:
            with frozen(again.parts), torch.autograd.graph.disable_saved_tensors_hooks(NO_HOOKS):
                found = again.loss(x, y)
        except RuntimeError as error:
            if NO_HOOKS not in str(error):
                raise
            self._has_hooks = True
            if random is not None:
                set_random_states(random, x.device)
            return None
        self._has_hooks = False
        return found
