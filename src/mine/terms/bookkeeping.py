"""Everything that a term keeps besides its critic, in one tensor of numbers.

A ``state_dict`` with nothing but tensors can be stored by safetensors, cloned, and averaged. The layout depends only on the
critic and on the kind of optimizer, not on how far training has come: states of any two steps have equal shapes, and the
mean of two of them is again a usable state. Nothing in it is pickled.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from mine.bounds import log_mean_exp
from mine.errors import InputError
from mine.terms.critic_optimizer import CriticOptimizer

__all__ = ["WINDOW", "Bookkeeping", "pack", "unpack"]

#: Batches behind a term's `estimate`.
WINDOW = 20


@dataclass
class Bookkeeping:
    """What a term counts and averages.

    Attributes:
        draws: Calls that drew shuffles.
        calls_since_critic: The model's calls since the critic's last step.
        bound_state: What the bound handed on, None before the first batch.
        gradient_length: Average length of the critic's gradient, None before the first step.
        readings: The last readings, shape (2,) each.
    """

    draws: int = 0
    calls_since_critic: int = 0
    bound_state: Tensor | None = None
    gradient_length: Tensor | float | None = None
    readings: list[Tensor] = field(default_factory=list)

    def add(self, reading: Tensor) -> None:
        """Keep a reading, and forget those that are out of the window."""
        self.readings = [*self.readings[1 - WINDOW :], reading]

    def average(self) -> float:
        """Of the readings, NaN without any: partition terms are averaged before the logarithm."""
        if not self.readings:
            return math.nan
        readings = [reading.cpu().double() for reading in self.readings]  # they may differ in device and precision
        joint, log_partition = torch.stack(readings).unbind(-1)
        return float(joint.mean() - log_mean_exp(log_partition, -1))


def pack(kept: Bookkeeping, training: CriticOptimizer | None) -> Tensor:
    """All numbers, and those of the critic's optimizer, in one float64 tensor on the CPU."""
    state_size = 1 if kept.bound_state is None else kept.bound_state.numel()
    parts = [_numbers(kept.draws, kept.calls_since_critic, state_size)]
    parts += [_optional(kept.bound_state, 1), _optional(kept.gradient_length, 1)]
    parts += [_optional(None, 2)] * (WINDOW - len(kept.readings))
    parts += [_optional(reading, 2) for reading in kept.readings]
    return torch.cat([*parts, *_optimizer_numbers(training)])


def unpack(packed: Tensor, training: CriticOptimizer | None) -> Bookkeeping:
    """What :func:`pack` stored; the optimizer's numbers go into the optimizer.

    Raises:
        InputError: The tensor belongs to a term with another critic or another kind of optimizer.
    """
    source = _Source(packed)
    kept = Bookkeeping(round(source.number()), round(source.number()))
    kept.bound_state = source.optional(round(source.number()))
    kept.gradient_length = source.optional(1)
    kept.readings = [reading for _ in range(WINDOW) if (reading := source.optional(2)) is not None]
    wanted = sum(part.numel() for part in _optimizer_numbers(training))
    if source.left() != wanted:
        raise InputError(
            f"The checkpoint holds {source.left()} numbers of the critic's optimizer, this term has {wanted}: load it into a "
            "term with the same critic and the same kind of optimizer."
        )
    _fill_optimizer(training, source)
    return kept


def _numbers(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64, device="cpu")


def _optional(value: Tensor | float | None, size: int) -> Tensor:
    """1 and the numbers, or 0 and as many zeros."""
    if value is None:
        return torch.zeros(1 + size, dtype=torch.float64, device="cpu")
    if not isinstance(value, Tensor):
        return _numbers(1, value)
    return torch.cat([_numbers(1), value.detach().flatten().to("cpu", torch.float64)])


class _Source:
    """Reads packed numbers one after the other."""

    def __init__(self, packed: Tensor) -> None:
        if not isinstance(packed, Tensor):
            raise InputError(f"The term's bookkeeping in this state_dict must be a tensor, got {type(packed).__name__}.")
        self._packed, self._at = packed.detach().flatten().to("cpu", torch.float64), 0
        if not torch.isfinite(self._packed).all():
            raise InputError("The term's bookkeeping in this state_dict is not finite: was it stored in half precision?")

    def take(self, size: int) -> Tensor:
        if size < 0 or self.left() < size:
            raise InputError("The term's bookkeeping in this state_dict is too short: it belongs to another kind of term.")
        self._at += size
        return self._packed[self._at - size : self._at]

    def number(self) -> float:
        return float(self.take(1))

    def optional(self, size: int) -> Tensor | None:
        present, values = self.number(), self.take(size)
        return (values[0] if size == 1 else values).clone() if present >= 0.5 else None

    def left(self) -> int:
        return len(self._packed) - self._at


# === the optimizer's numbers ===


def _optimizer_numbers(training: CriticOptimizer | None) -> list[Tensor]:
    """Rates and the like of each group, then the state of each parameter after a flag that says whether it has one."""
    if training is None:
        return []
    optimizer, parts = training.optimizer, []
    for group in optimizer.param_groups:
        parts += [_vector(group[name]) for name in _options(optimizer)]
    for parameter, template in _states_after_a_step(training).items():
        state = optimizer.state.get(parameter, {})
        present = all(name in state for name in template)
        parts.append(_numbers(present))
        parts += [
            _vector(state[name]) if present else torch.zeros(_size(like), dtype=torch.float64, device="cpu")
            for name, like in template.items()
        ]
    return parts


def _fill_optimizer(training: CriticOptimizer | None, source: _Source) -> None:
    if training is None:
        return
    optimizer = training.optimizer
    for group in optimizer.param_groups:
        for name in _options(optimizer):
            group[name] = _like(group[name], source)
    for parameter, template in _states_after_a_step(training).items():
        present = source.number() >= 0.5
        state = {name: _like(like, source) for name, like in template.items()}
        if present:
            optimizer.state[parameter] = state
        else:
            optimizer.state.pop(parameter, None)


def _options(optimizer: torch.optim.Optimizer) -> list[str]:
    """Names of a group's numbers, such as the rate; switches and what a scheduler adds are not among them."""
    return [name for name, value in sorted(optimizer.defaults.items()) if _is_numeric(value)]


def _is_numeric(value: object) -> bool:
    if isinstance(value, tuple):
        return all(map(_is_numeric, value))
    return isinstance(value, (int, float, Tensor)) and not isinstance(value, bool)


def _vector(value: object) -> Tensor:
    if isinstance(value, Tensor):
        return value.detach().flatten().to("cpu", torch.float64)
    return _numbers(*value) if isinstance(value, tuple) else torch.tensor([value], dtype=torch.float64, device="cpu")


def _size(value: object) -> int:
    return value.numel() if isinstance(value, Tensor) else len(value) if isinstance(value, tuple) else 1


def _like(value: object, source: _Source) -> object:
    """The next numbers of the source, in the form of ``value``."""
    if isinstance(value, Tensor):
        numbers = source.take(value.numel()).reshape(value.shape)
        return numbers.to("cpu" if value.is_meta else value.device, value.dtype)
    if isinstance(value, tuple):
        return tuple(_like(part, source) for part in value)
    number = source.number()
    return round(number) if isinstance(value, int) and number == math.floor(number) else number


def _states_after_a_step(training: CriticOptimizer) -> dict[Tensor, dict[str, object]]:
    """For each parameter the numeric entries of the optimizer's state, tried on a copy where it has made no step yet.

    Empty for an optimizer that steps only with a closure, such as ``torch.optim.LBFGS``: it starts anew.
    """
    optimizer = training.optimizer
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    if not training.ready() or isinstance(optimizer, torch.optim.LBFGS):
        return {}
    states = [optimizer.state.get(p, {}) for p in parameters]
    if not all(states):
        twin = copy.deepcopy(optimizer)
        copies = [p for group in twin.param_groups for p in group["params"]]
        for parameter in copies:
            parameter.grad = torch.zeros_like(parameter)
        try:
            type(twin).step(twin)  # of the class: a scheduler replaces the method of the instance
        except TypeError:
            return {}
        states = [twin.state.get(p, {}) for p in copies]
    return {
        parameter: {name: value for name, value in sorted(state.items()) if _is_numeric(value)}
        for parameter, state in zip(parameters, states, strict=True)
    }
