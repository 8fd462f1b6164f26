"""A mutual information in somebody else's training loop: who is trained by what, and what is logged."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from mine.bounds import log_mean_exp
from mine.errors import InputError, MineError
from mine.terms.objectives import Objective, Outcome
from mine.training.gather import average_over_ranks, copy_from_first_rank

__all__ = ["OptimizerLike", "Term"]

#: An optimizer of the critic's parameters, or a function that makes one from them.
OptimizerLike: TypeAlias = "torch.optim.Optimizer | Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]"

#: Batches behind `estimate`.
_WINDOW = 20


@contextmanager
def _frozen(module: nn.Module | None) -> Iterator[None]:
    """Within, what is computed sends no gradient into the module's parameters, but through them to its input."""
    parameters = [p for p in module.parameters() if p.requires_grad] if module is not None else []
    for parameter in parameters:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in parameters:
            parameter.requires_grad_(True)


class Term(nn.Module):
    """What :class:`mine.MaximizeMI` and :class:`mine.MinimizeMI` have in common.

    Everything random in it comes from ``random_state`` and a count of the calls, both in its ``state_dict`` together with
    the critic, its optimizer and the moving average: a run that was saved goes on as if it had not stopped.
    """

    def __init__(
        self,
        critic: nn.Module | None,
        objective: Objective,
        *,
        optimizer: OptimizerLike | None,
        learning_rate: float,
        random_state: int,
    ) -> None:
        super().__init__()
        self.critic = critic
        self._objective = objective
        self._random_state = random_state
        trainable = self._trainable()
        self._optimizer: torch.optim.Optimizer | None = None
        if isinstance(optimizer, torch.optim.Optimizer):
            self._optimizer = optimizer
        elif trainable:
            self._optimizer = optimizer(trainable) if optimizer else torch.optim.Adam(trainable, lr=learning_rate)
        self._bound_state: Any = None
        self._readings: deque[Tensor] = deque(maxlen=_WINDOW)
        self._draws = 0
        self._calls_since_critic = 0
        self._in_step_with_ranks = False
        self._last_batch: tuple[Tensor, Tensor] | None = None

    # === for the critic ===

    def critic_step(self, x: Tensor, y: Tensor, steps: int = 1) -> None:
        """Train the critic on a batch, by its own optimizer. The model gets no gradient, whatever x and y hang on.

        The batch is read for :attr:`estimate` before the critic trains on it. Under ``torch.distributed`` every rank takes
        the same step, on the joined batch.

        Arguments:
            x: Rows of x, shape (B,) or (B, ...).
            y: Rows of y, paired with x.
            steps: Steps on this batch, each with fresh shuffles.

        Raises:
            InputError: If the critic has nothing to train, ``steps`` is below 1, or lengths differ.
            MineError: If the critic's loss is not finite.
        """
        optimizer = self._optimizer
        if optimizer is None:
            raise InputError(f"{type(self).__name__} has no critic with parameters to train: leave critic_step out.")
        if steps < 1:
            raise InputError(f"steps must be at least 1, got {steps!r}.")
        if not self._in_step_with_ranks and self.critic is not None:
            copy_from_first_rank(self.critic)
            self._in_step_with_ranks = True
        parameters = self._trainable()
        for step in range(steps):
            loss, finite = self._critic_loss(x, y, read=step == 0)
            if not finite:
                raise MineError(
                    f"The critic's loss is {loss.item()}. Look for values in x and y that are not finite or are very large, "
                    "or lower learning_rate. The critic was not changed by this step."
                )
            # Not backward(): it would add to gradients that are not ours and set off the hooks of a wrapper around the model.
            gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
            average_over_ranks(gradients)
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.grad = gradient
            optimizer.step()
            for parameter in parameters:
                parameter.grad = None
        self._calls_since_critic = 0

    def critic_loss(self, x: Tensor, y: Tensor) -> Tensor:
        """The critic's loss on a batch, a scalar, for an optimizer of your own; the model gets no gradient from it.

        Counts as the critic's step: call it once for each step that you take. Reads :attr:`estimate` like
        :meth:`critic_step`. Under ``torch.distributed`` average the critic's gradients over the ranks before your step.
        """
        if not self._trainable():
            raise InputError(f"{type(self).__name__} has no critic with parameters to train: leave critic_loss out.")
        loss, _ = self._critic_loss(x, y, read=True)
        self._calls_since_critic = 0
        return loss

    def _critic_loss(self, x: Tensor, y: Tensor, *, read: bool) -> tuple[Tensor, bool]:
        """The critic's loss, and whether it is finite; ``read`` adds the batch to the readings of :attr:`estimate`."""
        x, y = self._pair(x, y)
        x, y = x.detach(), y.detach()
        with torch.enable_grad():
            outcome = self._training_outcome(x, y)
        loss = outcome.critic_loss
        assert loss is not None
        repeated = self._just_trained_on(x, y) if read else loss.new_ones((), dtype=torch.bool)
        # One question to the device, not three: each would wait for a GPU.
        facts = torch.stack([torch.isfinite(loss.detach()), torch.isfinite(outcome.reading).all(), repeated])
        finite, readable, repeated = facts.tolist()
        if readable:
            self._bound_state = outcome.state
            if not repeated:
                self._readings.append(outcome.reading)
        self._last_batch = (x, y)
        return loss, finite

    def _just_trained_on(self, x: Tensor, y: Tensor) -> Tensor:
        """Whether this is the batch of the last step, as a boolean on the device of ``x``."""
        last = self._last_batch
        if last is None or any(a.shape != b.shape or a.device != b.device for a, b in zip((x, y), last, strict=True)):
            return torch.zeros((), dtype=torch.bool, device=x.device)
        return torch.stack([(a == b).all() for a, b in zip((x, y), last, strict=True)]).all()

    def _trainable(self) -> list[nn.Parameter]:
        return [p for p in self.critic.parameters() if p.requires_grad] if self.critic is not None else []

    # === for the model ===

    def _value(self, x: Tensor, y: Any) -> Tensor:
        """The information (nats) with its gradient for the model alone; evaluation leaves no trace."""
        x, y = self._pair(x, y)
        with _frozen(self.critic):
            if not (self.training and torch.is_grad_enabled()):
                return self._evaluated(x, y).value
            outcome = self._training_outcome(x, y)
        if outcome.critic_loss is None:
            self._readings.append(outcome.reading)  # no critic that could have seen the batch
        return outcome.value

    def _training_outcome(self, x: Tensor, y: Any) -> Outcome:
        self._draws += 1
        return self._objective.outcome(x, y, self._bound_state, self._generator(self._draws), gather=True)

    def _evaluated(self, x: Tensor, y: Any) -> Outcome:
        """Always with the same shuffles, and on this rank alone: others may not be evaluating."""
        return self._objective.outcome(x, y, self._bound_state, self._generator(0), gather=False)

    # === for the log ===

    @property
    def estimate(self) -> float:
        """Mutual information (nats) for logging, NaN before the first batch.

        The mean over the last 20 batches that went into :meth:`critic_step`, each read before the critic trained on it, the
        partition terms averaged before the logarithm. A batch handed in twice running counts once. In later epochs the rows
        are old acquaintances: for a figure to report use :meth:`evaluate`, or better ``mine.estimate``, on rows held out.
        """
        if not self._readings:
            return math.nan
        readings = [reading.cpu() for reading in self._readings]  # a checkpoint's may lie elsewhere than the last ones
        joint, log_partition = torch.stack(readings).unbind(-1)
        return float(joint.mean() - log_mean_exp(log_partition, -1))

    @torch.no_grad()
    def evaluate(self, x: Tensor, y: Any) -> float:
        """The present critic's value (nats) on the rows given, in evaluation mode; changes nothing, and gathers nothing.

        Arguments:
            x: Rows of x that the critic was not trained on.
            y: Rows of y, paired with x; the density, where the term takes one.
        """
        modes = [(module, module.training) for module in self.modules()]
        self.eval()
        try:
            reading = self._evaluated(*self._pair(x, y)).reading
        finally:
            for module, training in modes:
                module.training = training
        return float(reading[0] - reading[1])

    # === in common ===

    def _generator(self, draw: int) -> torch.Generator:
        """On the CPU and the same on every rank, whose shuffles have to agree."""
        return torch.Generator().manual_seed((self._random_state * 1_000_003 + draw) % 2**63)

    def _pair(self, x: Tensor, y: Any) -> tuple[Tensor, Any]:
        if not isinstance(x, Tensor) or x.ndim == 0:
            got = f"shape {tuple(x.shape)}" if isinstance(x, Tensor) else type(x).__name__
            raise InputError(f"x must be a tensor with one row an example, got {got}.")
        x = x.unsqueeze(-1) if x.ndim == 1 else x
        if isinstance(y, Tensor):
            y = y.unsqueeze(-1) if y.ndim == 1 else y
            if y.ndim == 0 or len(x) != len(y):
                raise InputError(f"x and y must have equally many rows, got shapes {tuple(x.shape)} and {tuple(y.shape)}.")
        return x, y

    def get_extra_state(self) -> dict[str, Any]:
        """What a checkpoint needs beside the critic's weights."""
        return {
            "bound_state": self._bound_state,
            "readings": list(self._readings),
            "draws": self._draws,
            "calls_since_critic": self._calls_since_critic,
            "optimizer": self._optimizer.state_dict() if self._optimizer is not None else None,
        }

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self._bound_state = state["bound_state"]
        self._readings = deque(state["readings"], maxlen=_WINDOW)
        self._draws = state["draws"]
        self._calls_since_critic = state["calls_since_critic"]
        if self._optimizer is not None and state["optimizer"] is not None:
            self._optimizer.load_state_dict(state["optimizer"])
