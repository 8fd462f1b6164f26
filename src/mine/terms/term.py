"""A mutual information in somebody else's training loop: who is trained by what, and what is logged."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mine.data.problem import problem_seed
from mine.errors import InputError, MineError
from mine.terms.batch import Batch, LastBatch, check_finite
from mine.terms.bookkeeping import Bookkeeping, pack, unpack
from mine.terms.critic_optimizer import CriticOptimizer, OptimizerLike, length_of, shorten, shortening
from mine.terms.eager import run_eagerly
from mine.terms.facts import Facts, facts_of
from mine.terms.misfit import not_finite, value_not_finite
from mine.terms.modes import (
    may_be_recomputed,
    recomputing,
    rehearsing,
    transforming,
    without_saved_tensor_hooks,
)
from mine.terms.named import Unbuilt
from mine.terms.objectives import Objective, Outcome
from mine.terms.recomputed import Calls
from mine.terms.refusals import taken_back_if_refused
from mine.terms.untouched import BorrowedBuffers, ForTheModel, evaluating, frozen
from mine.terms.walk import parameters_of, parts_of
from mine.training.gather import average_over_ranks, copy_from_first_rank

__all__ = ["Term"]


class Term(nn.Module):
    """The common base of :class:`mine.MaximizeMI`, :class:`mine.MinimizeMI` and :class:`mine.MinimizeTC`.

    Everything random in it comes from ``random_state`` and a count of the calls. The count is in its ``state_dict``, together
    with the critic, its optimizer and the moving average: a term made by the same arguments resumes as if it had not stopped.
    The ``state_dict`` contains tensors only, so it can be averaged and stored by safetensors. ``torch.optim.LBFGS`` starts
    anew.

    A batch that is refused changes nothing: neither the critic with its buffers, nor the optimizer, the moving average and
    the counts. The model's calls never change the critic's buffers.

    In ``torch.compile`` a term runs eagerly between the compiled parts; ``torch.func`` transforms and gradient checkpointing,
    in the critic or around the term, work.
    """

    #: Whether the model's loss falls as the information rises.
    _raises = False

    def __init__(
        self,
        critic: nn.Module | str | None,
        objective: Objective,
        *,
        optimizer: OptimizerLike | None,
        learning_rate: float,
        random_state: int,
        check_finite: bool,
    ) -> None:
        super().__init__()
        run_eagerly(type(self))
        self.critic = None if isinstance(critic, str) else critic
        self._objective = objective
        self._random_state = problem_seed(random_state)
        self._check_finite = check_finite
        self._training: CriticOptimizer | None = None
        self._unbuilt = Unbuilt(critic, optimizer, learning_rate) if isinstance(critic, str) else None
        self._newly_built: Unbuilt | None = None
        if self._unbuilt is not None:
            self.register_buffer("_events", self._unbuilt.no_events())
            self.register_load_state_dict_pre_hook(_before_loading)
        elif self.critic is not None and next(self.critic.parameters(), None) is not None:
            self._training = CriticOptimizer(self.critic, optimizer, learning_rate)
        elif optimizer is not None:
            raise InputError(f"{type(self).__name__} has no critic with parameters to train: leave optimizer out.")
        self._kept = Bookkeeping()
        self._calls, self._for_the_model = Calls(), ForTheModel()
        self._in_step_with_ranks = False
        self._last_batch: LastBatch | None = None
        self._unread_state: Tensor | None = None
        self.register_load_state_dict_post_hook(_after_loading)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "critic" and isinstance(value, nn.Module) and "_objective" in vars(self):
            value = self._objective.take(value)  # another one, or the same in a wrapper such as that of torch.compile
            if self._training is not None:
                self._training.take(value)
        super().__setattr__(name, value)

    @property
    def optimizer(self) -> torch.optim.Optimizer | None:
        """The critic's optimizer, for a learning-rate scheduler or for its own settings; None without a critic."""
        return None if self._training is None else self._training.optimizer

    # === for the critic ===

    def _train(self, batch: Batch, steps: int) -> None:
        if recomputing():  # a checkpoint repeats the forward pass, after which the critic has had its step
            return
        training, parts = self._require_training("critic_step")
        parameters = parameters_of(parts)
        training.follow(parameters)
        self._join_ranks(training)
        with torch.inference_mode(False), torch.enable_grad(), without_saved_tensor_hooks():
            batch = batch.cut_off()
            if self._shape_lazy_layers(batch):
                parts = parts_of(self.critic)
                parameters = parameters_of(parts)
            trained = [p for p in parameters if p.requires_grad]
            for step in range(steps):
                self._one_step(training, parts, trained, batch, read=step == 0)
        self._kept.calls_since_critic = 0

    def _loss(self, batch: Batch) -> Tensor:
        _, parts = self._require_training("critic_loss")
        batch = batch.cut_off()
        self._shape_lazy_layers(batch)
        return self._accepted_loss(batch, parts)

    def _joint_loss(self, batch: Batch) -> Tensor:
        """The critic's loss with the gradient for critic and model; see :meth:`mine.MaximizeMI.joint_loss`."""
        training, parts = self._require_training("joint_loss")
        self._join_ranks(training)
        training.follow()
        self._shape_lazy_layers(batch)
        return self._accepted_loss(batch, parts)

    def _accepted_loss(self, batch: Batch, parts: Sequence[nn.Module]) -> Tensor:
        if recomputing():
            call = self._calls.repeated(batch)
            with BorrowedBuffers(parts):
                loss = self._critic_outcome(batch, call.draw, call.state).critic_loss
            assert loss is not None
            return loss
        draw, state = self._kept.draws + 1, self._kept.bound_state
        with taken_back_if_refused(self, batch.x.device), BorrowedBuffers(parts) as buffers:
            outcome = self._critic_outcome(batch, draw, state)
            loss = outcome.critic_loss
            assert loss is not None
            facts = facts_of(self, outcome, loss, buffers, batch)
            if not facts.finite:
                raise not_finite(self.critic, loss)
            buffers.keep()
        if may_be_recomputed():
            self._calls.note(batch, draw, state)
        self._commit(outcome, facts, draw, batch, read=True)
        self._kept.calls_since_critic = 0
        return loss.detach() if rehearsing() else loss

    def step(self, scaler: torch.amp.GradScaler | None = None) -> None:
        """Step the critic's optimizer on the gradients that ``backward`` left in the critic, and clear them.

        It belongs to :meth:`mine.MaximizeMI.joint_loss`. The gradient is shortened as in ``critic_step``, which steps itself.

        Arguments:
            scaler: The loss's scaler: the gradient is unscaled, or left out if not finite. Call before ``scaler.update()``.

        Raises:
            InputError: If there is no gradient, or the optimizer needs a closure, as ``torch.optim.LBFGS`` does.
            MineError: If the gradient is not finite, without a scaler. It is cleared, and nothing else is changed.
        """
        training, parts = self._require_training("step")
        parameters = [p for p in parameters_of(parts) if p.requires_grad]
        training.follow()
        found = [p.grad for p in parameters]
        if all(gradient is None for gradient in found):
            raise InputError("The critic has no gradient: call joint_loss(x, y) and backward() before step().")
        if isinstance(training.optimizer, torch.optim.LBFGS):
            raise InputError("torch.optim.LBFGS computes the loss several times per step: call critic_step(x, y) instead.")
        if scaler is not None:
            scaler.unscale_(training.optimizer)
        average_over_ranks(found)
        length = length_of(found)
        if self._check_finite or scaler is not None:
            length = length.item()
            if not math.isfinite(length):
                training.clear()
                if scaler is not None:
                    return
                raise MineError(f"The length of the critic's gradient is {length}. This step changed nothing.")
        shorter = shortening(length, self._kept.gradient_length)
        shorten(found, shorter)
        training.optimizer.step()
        training.clear()
        self._kept.gradient_length = shorter.average

    def _join_ranks(self, training: CriticOptimizer) -> None:
        if not self._in_step_with_ranks:
            copy_from_first_rank(training.critic)
            self._in_step_with_ranks = True

    def _one_step(
        self,
        training: CriticOptimizer,
        parts: Sequence[nn.Module],
        parameters: Sequence[nn.Parameter],
        batch: Batch,
        *,
        read: bool,
    ) -> None:
        draw = self._kept.draws + 1
        computed: list[Outcome] = []
        first = True

        def compute() -> Tensor:
            computed[:] = [self._critic_outcome(batch, draw, self._kept.bound_state)]
            loss = computed[0].critic_loss
            assert loss is not None
            return loss

        def gradients() -> tuple[Tensor, list[Tensor | None]]:
            nonlocal first
            with BorrowedBuffers(parts) as buffers:
                found = training.gradients_of(compute, parameters)
                outcome = computed[-1]
                loss = outcome.critic_loss
                assert loss is not None
                average_over_ranks(found)
                length = length_of(found, exact=not self._check_finite)
                facts = facts_of(self, outcome, length, buffers, batch)
                if not facts.finite:  # perhaps only the square of an entry is not
                    facts = facts_of(self, outcome, length_of(found), buffers, batch)
                if not facts.finite:
                    raise not_finite(self.critic, loss, facts.length)
                buffers.keep()
            shorter = shortening(facts.length, self._kept.gradient_length)
            shorten(found, shorter)
            if first:  # LBFGS asks again, at other parameters
                self._kept.gradient_length = shorter.average
                self._commit(outcome, facts, draw, batch, read=read)
                first = False
            return loss.detach(), found

        with taken_back_if_refused(self, batch.x.device):
            training.step(gradients, parameters)

    def _critic_outcome(self, batch: Batch, draw: int, state: Tensor | None) -> Outcome:
        with torch.enable_grad():
            return self._objective.outcome(batch, state, self._generator(draw), gather=True)

    def _commit(self, outcome: Outcome, facts: Facts, draw: int, batch: Batch, *, read: bool) -> None:
        """Take in a batch that was accepted; ``read`` adds it to the readings of :attr:`estimate`."""
        self._kept.draws = draw
        if facts.readable:
            self._kept.bound_state = outcome.state
            if read and not facts.repeated:
                self._kept.add(facts.reading)
        self._last_batch = LastBatch(batch.x, batch.y)

    def _trainable(self) -> bool:
        return any(p.requires_grad for p in self.critic.parameters()) if self.critic is not None else False

    def _require_training(self, method: str) -> tuple[CriticOptimizer, list[nn.Module]]:
        """The critic's optimizer and its parts."""
        parts = parts_of(self.critic)
        if self._training is None or not any(p.requires_grad for p in parameters_of(parts)):
            raise InputError(f"{type(self).__name__} has no critic with parameters to train: leave {method} out.")
        return self._training, parts

    # === for the model ===

    def _model_loss(self, batch: Batch) -> Tensor:
        """The information (nats), or minus it, with its gradient for the model alone; evaluation leaves no trace."""
        self._shape_lazy_layers(batch)
        if not self._trains_the_model():
            with frozen(parts_of(self.critic)):
                return self._evaluated(batch).model_loss(raises=self._raises)
        again, draw, state = recomputing(), self._kept.draws + 1, self._kept.bound_state
        if transforming():  # where no value can be read
            draw -= again
        elif again:
            call = self._calls.repeated(batch)
            draw, state = call.draw, call.state

        def compute(x: Tensor, y: Any) -> Outcome:
            return self._objective.outcome(Batch(x, y, batch.keys), state, self._generator(draw), gather=True)

        with taken_back_if_refused(self, batch.x.device):
            recomputes = self._training is None or self._training.recomputes
            loss, outcome = self._for_the_model.loss(
                compute, self.critic, batch.x, batch.y, raises=self._raises, recomputes=recomputes
            )
            if not (again or transforming()):
                self._refuse_what_isnot_finite(loss, batch.x, batch.y)
        if not (again or transforming()) and outcome.critic_loss is None:
            self._kept.add(outcome.read())  # no critic that could have seen the batch
        if not again:
            self._kept.draws = draw
            if not transforming() and may_be_recomputed():
                self._calls.note(batch, draw, state)
        return loss

    def _trains_the_model(self) -> bool:
        """Whether a call is one of training: in training mode, and with gradients now or in the backward pass."""
        return self.training and (torch.is_grad_enabled() or rehearsing())

    def _refuse_what_isnot_finite(self, loss: Tensor, x: Tensor, y: Any) -> None:
        """Raise MineError; the device is not asked about a batch on which the critic has just trained."""
        accepted = self._last_batch is not None and self._last_batch.is_surely(x, y)
        if self._check_finite and not accepted and not torch.isfinite(loss.detach()):
            check_finite(x, y)
            raise value_not_finite(-loss if self._raises else loss, self._objective.takes_density)

    def _evaluated(self, batch: Batch) -> Outcome:
        """Always with the same shuffles, and on this rank alone: others may not be evaluating."""
        return self._objective.outcome(batch, self._kept.bound_state, self._generator(0), gather=False)

    # === for the log ===

    @property
    def estimate(self) -> float:
        """The information (nats) for logging, NaN before the first batch.

        It is the mean over the last 20 batches that the critic was trained on. Each batch is evaluated before the critic
        trains on it, and the partition terms are averaged before the logarithm. A batch passed twice in a row counts once. In
        later epochs the critic has already been trained on the same rows. For a figure to report use ``evaluate``, or better
        ``mine.estimate``, on held-out rows.
        """
        return self._kept.average()

    @torch.no_grad()
    def _read_off(self, batch: Batch) -> float:
        """The critic's value in evaluation mode."""
        with taken_back_if_refused(self, batch.x.device):
            with evaluating(self), BorrowedBuffers(parts_of(self.critic)):  # a critic may count its calls
                reading = self._evaluated(batch).read()
            value = float(reading[0] - reading[1])
            if not math.isfinite(value):
                check_finite(batch.x, batch.y)
        return value

    # === in common ===

    def _generator(self, draw: int) -> torch.Generator:
        """On the CPU and the same on every rank, whose shuffles have to agree."""
        return torch.Generator("cpu").manual_seed((self._random_state * 1_000_003 + draw) % 2**63)

    def _build(self, events: Tensor, device: torch.device) -> None:
        assert self._unbuilt is not None
        self.critic = self._unbuilt.critic(events.tolist(), self._generator(0)).to(device)
        self._newly_built = self._unbuilt
        self._training, self._events, self._unbuilt = self._unbuilt.training(self.critic), events, None

    def _unbuild(self) -> None:
        """Forget the critic that was built from a batch that is refused: the next batch may have other shapes."""
        if self._newly_built is not None:
            self._unbuilt, self._newly_built = self._newly_built, None
            self.critic, self._training, self._events = None, None, self._unbuilt.no_events().to(self._events.device)

    def _named_critic_from(self, x: Tensor, y: Tensor) -> None:
        """A critic that was named is built from the first batch."""
        if self._unbuilt is not None:
            with torch.inference_mode(False):  # a first batch may come from a validation, but the critic is to be trained
                self._build(torch.tensor(self._unbuilt.events(x, y), device="cpu"), x.device)

    def _shape_lazy_layers(self, batch: Batch) -> bool:
        """Layers without a shape yet take it from a first batch, which trains nothing; whether there were any."""
        if self._training is None or self._training.ready():
            return False
        with torch.no_grad(), evaluating(self):
            self._evaluated(batch)
        return True

    def get_extra_state(self) -> Tensor:
        """Everything that a checkpoint needs in addition to the critic's weights, as one tensor."""
        return pack(self._kept, self._training)

    def set_extra_state(self, state: Tensor) -> None:
        """Resume from a checkpoint.

        Raises:
            InputError: The checkpoint is of a term with another critic or another kind of optimizer.
        """
        if self._training is not None and not self._training.ready():
            self._unread_state = state  # lazy layers get their shapes only now
        else:
            self._kept = unpack(state, self._training)


def _before_loading(term: Term, state: dict[str, Any], prefix: str, *_: object) -> None:
    """A critic that was named is built for the shapes of the checkpoint."""
    events = state.get(f"{prefix}_events")
    if term._unbuilt is not None and isinstance(events, Tensor) and term._unbuilt.are_known(events):
        term._build(events.cpu(), term._events.device)
        term._newly_built = None  # a checkpoint's is here to stay


def _after_loading(term: Term, _: object) -> None:
    """``assign=True`` has replaced the critic's parameters, and lazy layers have got their shapes."""
    if term._training is not None:
        term._training.follow()
    if term._unread_state is not None:
        state, term._unread_state = term._unread_state, None
        term.set_extra_state(state)
