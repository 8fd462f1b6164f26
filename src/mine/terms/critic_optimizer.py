"""The critic's optimizer: made or checked, kept on the critic's own parameters, and protected from one wild gradient."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from mine.errors import InputError
from mine.terms.walk import parameters_of, parts_of

__all__ = ["CriticOptimizer", "OptimizerLike", "Shortening", "length_of", "shorten", "shortening"]

#: An optimizer of the critic's parameters, or a function that makes one from them.
OptimizerLike: TypeAlias = "torch.optim.Optimizer | Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]"

#: A gradient is shortened to this many times the average length of recent ones.
_LONGEST = 10.0
#: Weight of the newest length in that average.
_NEWEST = 0.1


class CriticOptimizer:
    """An optimizer that trains all of a critic and nothing else.

    Arguments:
        critic: The critic.
        optimizer: An optimizer, or a function that makes one from the critic's parameters; None is Adam.
        learning_rate: Adam's rate.

    Raises:
        InputError: The optimizer holds parameters of something else, or lacks some of the critic's.
    """

    def __init__(self, critic: nn.Module, optimizer: OptimizerLike | None, learning_rate: float) -> None:
        self.critic = critic
        if any(not is_lazy(p) and p.is_inference() for p in critic.parameters()):
            raise InputError("The critic cannot be trained: make it outside torch.inference_mode().")
        self.optimizer = _made(critic, optimizer, learning_rate)
        self._names: list[list[str]] = []
        self._seen: list[Any] = []
        self._has_shapes = False
        self._reentrant: bool | None = None  # whether the critic has such checkpoints, once it is known
        #: Whether the critic may have them, as far as its last step showed.
        self.recomputes = True
        self.follow()

    def take(self, critic: nn.Module) -> None:
        """Train this critic from now on; :meth:`follow` points the optimizer at it, by the names of the parameters."""
        self.critic = critic
        self._has_shapes, self._reentrant, self.recomputes = False, None, True

    def follow(self, parameters: Sequence[nn.Parameter] | None = None) -> None:
        """Point the optimizer at the critic's present parameters, and give its state their precision and device.

        Loading with ``assign=True`` replaces parameters, and ``double()`` changes their precision: the optimizer would else
        train tensors that nobody uses.

        Arguments:
            parameters: All parameters of the critic, if the caller has just listed them.

        Raises:
            InputError: The optimizer does not train exactly the parameters of the critic.
        """
        if self._seen == self._present(parameters):
            return
        present = dict(self.critic.named_parameters())
        name_of = {id(parameter): name for name, parameter in present.items()}
        groups = self.optimizer.param_groups
        for index, group in enumerate(groups):
            known = self._names[index] if index < len(self._names) else []
            names = [name_of.get(id(p)) or next(iter(known[i : i + 1]), "") for i, p in enumerate(group["params"])]
            strangers = [name for name in names if name not in present]
            if strangers:
                raise InputError(
                    f"The optimizer holds {len(strangers)} parameter(s) that are not the critic's. It trains the critic alone: "
                    "make it from critic.parameters(), and give the model an optimizer of its own."
                )
            for i, name in enumerate(names):
                self._replace(group["params"], i, present[name])
            self._names[index : index + 1] = [[str(name) for name in names]]
        if isinstance(self.optimizer, torch.optim.LBFGS):  # its copies forget these
            vars(self.optimizer).update(_params=groups[0]["params"], _numel_cache=None)
        held = {id(p) for group in groups for p in group["params"]}
        missing = [name for name, p in present.items() if p.requires_grad and id(p) not in held]
        if missing:
            raise InputError(
                f"The optimizer lacks {len(missing)} of the critic's parameters, the first: {missing[0]}. Make it from all of "
                "critic.parameters(), and use requires_grad_(False) for those that are not to be trained."
            )
        self._seen = self._present(parameters)

    def _present(self, parameters: Sequence[nn.Parameter] | None) -> list[Any]:
        """Everything that :meth:`follow` depends on: as long as it is the same, there is nothing to do."""
        parameters = parameters_of(parts_of(self.critic)) if parameters is None else parameters
        critics = [(id(p), p.dtype, p.device, p.requires_grad) for p in parameters]
        return [*critics, *(id(p) for group in self.optimizer.param_groups for p in group["params"])]

    def _replace(self, parameters: list[Any], index: int, present: nn.Parameter) -> None:
        before = parameters[index]
        if before is not present:
            parameters[index] = present
            state = self.optimizer.state.pop(before, None)
            if state is not None and before.shape == present.shape:  # else another layer stands in its place
                self.optimizer.state[present] = state
        state = self.optimizer.state.get(present, {})
        for key, value in state.items():
            if key != "step":
                state[key] = _like(value, present)

    def step(self, gradients: Callable[[], tuple[Tensor, Sequence[Tensor | None]]], parameters: Sequence[nn.Parameter]) -> None:
        """One step on the gradients that ``gradients()`` returns after the loss; gradients of the user's own are put back.

        ``torch.optim.LBFGS`` asks for them several times, other optimizers once.
        """

        def closure() -> Any:  # LBFGS reads it as a number
            loss, found = gradients()
            for parameter, gradient in zip(parameters, found, strict=True):
                parameter.grad = gradient
            return loss

        with _own_gradients_put_back(parameters):
            if isinstance(self.optimizer, torch.optim.LBFGS):
                with self._all_or_nothing(parameters):
                    self.optimizer.step(closure)
            else:
                closure()
                self.optimizer.step()

    @contextmanager
    def _all_or_nothing(self, parameters: Sequence[nn.Parameter]) -> Iterator[None]:
        """Take back everything that a step of several evaluations has done, if a later one is refused."""
        values = [parameter.detach().clone() for parameter in parameters]
        state = [(parameter, copy.deepcopy(kept)) for parameter, kept in self.optimizer.state.items()]
        try:
            yield
        except Exception:
            with torch.no_grad():
                for parameter, value in zip(parameters, values, strict=True):
                    parameter.copy_(value)
            self.optimizer.state.clear()
            self.optimizer.state.update(state)
            raise

    def clear(self) -> None:
        """Drop the gradients of the critic."""
        self.optimizer.zero_grad(set_to_none=True)

    def gradients_of(self, compute: Callable[[], Tensor], parameters: Sequence[nn.Parameter]) -> list[Tensor | None]:
        """Gradients by the parameters, which keep their own ``.grad``, of the loss that ``compute()`` returns.

        Not by ``backward``: it would set off the hooks of a wrapper around the model. But ``torch.autograd.grad`` finds nothing
        behind checkpoints of the reentrant kind. So where a parameter seems unused, ``backward`` is asked once as well.
        """
        found: list[Tensor | None] | None = None
        if self._reentrant is not True:
            try:
                found = list(torch.autograd.grad(compute(), parameters, allow_unused=True))
            except RuntimeError as error:
                if "use_reentrant" not in str(error):
                    raise
            complete = found is not None and all(g is not None for g in found)
            if found is not None and (self._reentrant is False or complete):
                self.recomputes = False
                return found
        with _own_gradients_put_back(parameters):
            for parameter in parameters:
                parameter.grad = None
            compute().backward()
            by_backward = [parameter.grad for parameter in parameters]
        self._reentrant = found is None or any(a is None and b is not None for a, b in zip(found, by_backward, strict=True))
        self.recomputes = self._reentrant
        return by_backward

    def ready(self) -> bool:
        """Whether all parameters have their shape: those of lazy layers get it from the first batch."""
        self._has_shapes = self._has_shapes or not any(is_lazy(p) for p in parameters_of(parts_of(self.critic)))
        return self._has_shapes


def _made(critic: nn.Module, optimizer: OptimizerLike | None, learning_rate: float) -> torch.optim.Optimizer:
    if optimizer is None:
        if not isinstance(learning_rate, (int, float)) or not 0 <= learning_rate < math.inf:
            raise InputError(f"learning_rate must be a number of at least 0, got {learning_rate!r}.")
        return torch.optim.Adam(critic.parameters(), lr=learning_rate)
    made = optimizer
    if callable(optimizer) and not isinstance(optimizer, torch.optim.Optimizer):
        made = optimizer(list(critic.parameters()))
    if not isinstance(made, torch.optim.Optimizer):
        raise InputError(
            "optimizer must be a torch.optim.Optimizer or a function that makes one from the critic's parameters; got "
            f"{type(made).__name__}."
        )
    return made


def _like(value: Any, parameter: Tensor) -> Any:
    """Numbers of an optimizer's state in the precision and on the device of the parameter; LBFGS keeps lists of them."""
    if isinstance(value, list):
        return [_like(part, parameter) for part in value]
    if isinstance(value, Tensor) and value.is_floating_point() and (value.ndim or not parameter.ndim):
        return value.to(parameter)
    return value


@contextmanager
def _own_gradients_put_back(parameters: Sequence[nn.Parameter]) -> Iterator[None]:
    before = [parameter.grad for parameter in parameters]
    try:
        yield
    finally:
        for parameter, gradient in zip(parameters, before, strict=True):
            parameter.grad = gradient


class Shortening(NamedTuple):
    """How far a gradient is to be shortened: scalars on the device of the gradient, or numbers.

    Attributes:
        average: Average length of recent gradients, this one included as far as it counts.
        scale: Factor that shortens it to ten times the average before.
    """

    average: Tensor | float
    scale: Tensor | float


def shortening(length: Tensor | float, average: Tensor | float | None) -> Shortening:
    """How to shorten a gradient to ten times the average length of recent ones.

    One wild batch would else fill the second moment of Adam, whose steps then stay tiny for a thousand batches: with
    :func:`mine.bounds.nwj`, the exponential of an outlying score does that. An average of 0, as of a critic that saw only
    zeros, limits nothing.

    Arguments:
        length: Euclidean length of the gradient, a number or a tensor. A tensor is not read.
        average: Average length so far, None before the first step.
    """
    if isinstance(length, Tensor):
        length = length if length.device.type == "mps" else length.double()  # as numbers are
        before = torch.zeros_like(length) if average is None else torch.as_tensor(average).to(length)
        limited = torch.where(before > 0, torch.minimum(length, _LONGEST * before), length)
        scale = torch.where(length > limited, limited / length, 1.0)
        return Shortening(torch.where(before > 0, before + _NEWEST * (limited - before), length), scale)
    before = float(average or 0.0)
    if before <= 0:
        return Shortening(length, 1.0)
    limited = min(length, _LONGEST * before)
    return Shortening(before + _NEWEST * (limited - before), limited / length if length > limited else 1.0)


def shorten(gradients: Sequence[Tensor | None], how: Shortening) -> None:
    """Shorten gradients in place."""
    if not isinstance(how.scale, Tensor) and how.scale == 1.0:
        return
    for gradient in gradients:
        if gradient is not None:
            gradient *= how.scale


def length_of(gradients: Sequence[Tensor | None], *, exact: bool = True) -> Tensor:
    """Euclidean length of all gradients together, in float32 at least.

    Arguments:
        gradients: Gradients, of which one at least is there.
        exact: Whether it is right where the square of an entry overflows; else it is infinite there, and faster.
    """
    whole = torch.cat([gradient.flatten() for gradient in gradients if gradient is not None])
    dtype = torch.promote_types(whole.dtype, torch.float32)
    length = torch.linalg.vector_norm(whole, dtype=dtype)
    if not exact:
        return length
    unit = torch.linalg.vector_norm(whole, torch.inf, dtype=dtype).clamp(min=torch.finfo(dtype).tiny)
    return torch.where(torch.isfinite(length), length, unit * torch.linalg.vector_norm(whole / unit))
