"""What a term computes from a batch: a loss for the critic, a value for the model, a reading for the log.

Scores are gathered over the ranks, then the bound is computed in float32 at least, outside autocast.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.distributions import Distribution

from mine import bounds
from mine.bounds import BOUNDS, Bound, log_mean_exp
from mine.critics.critic import Critic, map_encoding
from mine.critics.pairs import pair_scores
from mine.critics.users import ModuleCritic
from mine.errors import InputError
from mine.estimators.evaluation import REPORTED_BOUND
from mine.sampling import cyclic_shifts, shifted_partners
from mine.terms.upper_bounds import club, leave_one_out, log_density_matrix, sum_coordinates
from mine.training.gather import Rows, gather_rows, rows_of_all_ranks

__all__ = ["CriticBound", "KnownDensity", "LearnedClub", "Objective", "Outcome"]


class Outcome(NamedTuple):
    """Of one batch.

    Attributes:
        critic_loss: What the critic minimises; None where nothing is trained.
        value: The information (nats), with the gradient that the model should follow to raise it.
        reading: Shape (2,): mean of the joint term and logarithm of the partition term, which average over batches apart.
        state: What the bound hands to the next call of the critic.
    """

    critic_loss: Tensor | None
    value: Tensor
    reading: Tensor
    state: Any


class Objective:
    """Base of the three kinds; ``shuffles`` is the number of shuffled partners a row."""

    shuffles: int

    def outcome(self, x: Tensor, y: Any, state: Any, generator: torch.Generator, *, gather: bool) -> Outcome:
        """Everything about one batch; with ``gather`` of the joined batch of all ranks."""
        raise NotImplementedError


def _local_or_all(n: int, device: torch.device, gather: bool) -> Rows:
    rows = rows_of_all_ranks(n, device) if gather else Rows([n], 0)
    if rows.total < 2:
        raise InputError("A batch of one row cannot be shuffled: pass at least two rows, and drop a last batch of one.")
    return rows


def _partners(rows: Rows, n: int, shifts: list[int], device: torch.device) -> Tensor:
    """Rows of y in the joined batch that this rank's n rows of x meet, shape (K + 1, n): their own first."""
    return shifted_partners(torch.arange(n, device=device) + rows.start, [0, *shifts], rows.total)


def _full_precision(function: Callable[..., Any], *scores: Tensor) -> Any:
    """``function`` of the scores in float32 at least, whatever autocast would make of its operations."""
    raised = [s.to(torch.promote_types(s.dtype, torch.float32)) for s in scores]
    with torch.autocast(raised[0].device.type, enabled=False):
        return function(*raised)


def _reading(joint: Tensor, log_partition: Tensor | None = None) -> Tensor:
    other = torch.zeros_like(joint) if log_partition is None else log_partition
    return torch.stack([joint, other]).detach()


class CriticBound(Objective):
    """A critic's scores and a bound of :mod:`mine.bounds`."""

    def __init__(self, critic: Critic, bound: str | Bound, shuffles: int | None) -> None:
        if critic.stack:
            raise InputError(
                f"A term takes one critic, got a stack of shape {critic.stack}: make it without stack=, or select(k)."
            )
        self.critic = critic
        self.bound = bounds.get_bound(bound)
        base = self.bound.func if isinstance(self.bound, partial) else self.bound
        name = next((name for name, function in BOUNDS.items() if function is base), None)
        #: What is read: a bound on MI, also where the training bound is not one.
        self.reported = REPORTED_BOUND.get(name, "dv") if name else "dv"
        self.shuffles = shuffles or (64 if name == "infonce" else 8)

    def outcome(self, x: Tensor, y: Tensor, state: Any, generator: torch.Generator, *, gather: bool) -> Outcome:
        x, y = self._as_critic_likes(x), self._as_critic_likes(y)
        rows = _local_or_all(len(x), x.device, gather)
        shifts = cyclic_shifts(rows.total, self.shuffles, generator)
        joint, marginal = self._scores(x, y, rows, shifts)
        state = state if state is None else state.to(joint.device)  # a checkpoint's may lie elsewhere
        result = _full_precision(partial(self.bound, state=state), joint, marginal)
        with torch.no_grad():
            reading = _full_precision(self._read, joint, marginal)
        return Outcome(result.loss, -result.loss, reading, None if result.state is None else result.state.detach())

    def _scores(self, x: Tensor, y: Tensor, rows: Rows, shifts: list[int]) -> tuple[Tensor, Tensor]:
        """As :func:`mine.critics.pair_scores` would give them for the joined batch."""
        if len(rows.sizes) == 1:
            return pair_scores(self.critic, x, y, shifts)
        hx = self.critic.encode_x(x)
        all_y = map_encoding(lambda h: gather_rows(h, rows), self.critic.encode_y(y))
        partners = _partners(rows, len(x), shifts, x.device)
        scores = self.critic.combine(
            map_encoding(lambda h: torch.cat([h] * len(partners)), hx),
            map_encoding(lambda h: h.index_select(0, partners.flatten()), all_y),
        )
        by_row = gather_rows(scores.unflatten(0, partners.shape).T.contiguous(), rows)
        return by_row[:, 0], by_row[:, 1:]

    def _read(self, joint: Tensor, marginal: Tensor) -> Tensor:
        if self.reported == "dv":
            return _reading(joint.mean(), log_mean_exp(marginal, (-2, -1)))
        return _reading(BOUNDS[self.reported](joint, marginal).value)

    def _as_critic_likes(self, rows: Tensor) -> Tensor:
        """In the critic's precision. A user's module keeps whole numbers: they may be indices of an embedding."""
        like = next(iter(self.critic.parameters()), next(iter(self.critic.buffers()), None))
        if like is None or (isinstance(self.critic, ModuleCritic) and not rows.is_floating_point()):
            return rows
        return rows.to(like.dtype)


class LearnedClub(Objective):
    """CLUB with a conditional density that is learned by maximum likelihood."""

    def __init__(self, conditional: nn.Module, shuffles: int | None) -> None:
        self.conditional = conditional
        self.shuffles = shuffles or 64

    def outcome(self, x: Tensor, y: Tensor, state: Any, generator: torch.Generator, *, gather: bool) -> Outcome:
        like = next(iter(self.conditional.parameters()), x)
        x, y = x.to(like.dtype), y.to(like.dtype)
        rows = _local_or_all(len(x), x.device, gather)
        shifts = cyclic_shifts(rows.total, self.shuffles, generator)
        partners = _partners(rows, len(x), shifts, x.device)
        all_y = gather_rows(y, rows)
        with torch.autocast(x.device.type, enabled=False):  # a log density in bf16 has two digits
            density = self.conditional(x)
            if not isinstance(density, Distribution) or density.batch_shape[:1] != x.shape[:1]:
                raise InputError(
                    "upper_bound='club' needs a module that maps x to a torch.distributions.Distribution over y, one for each "
                    f"of the {len(x)} rows, such as mine.terms.GaussianConditional; got {type(density).__name__}."
                )
            scores = sum_coordinates(density.log_prob(all_y[partners]), 2)
            by_row = gather_rows(scores.T.contiguous(), rows)
            value = club(by_row[:, 0], by_row[:, 1:])
        return Outcome(-by_row[:, 0].mean(), value, _reading(value), None)


class KnownDensity(Objective):
    """An upper bound from the density that the encoder itself provides: nothing to train."""

    def __init__(self, upper_bound: str) -> None:
        self.function = {"leave-one-out": leave_one_out, "club": club}[upper_bound]
        self.shuffles = 0

    def outcome(self, x: Tensor, y: Any, state: Any, generator: torch.Generator, *, gather: bool) -> Outcome:
        rows = _local_or_all(len(x), x.device, gather)
        x = x.to(torch.promote_types(x.dtype, torch.float32))
        with torch.autocast(x.device.type, enabled=False):
            own_columns = log_density_matrix(gather_rows(x, rows), y)
            if own_columns.shape[1] != len(x):
                raise InputError(f"{len(x)} rows, but a density of {own_columns.shape[1]}: pass the pair of one batch.")
            matrix = gather_rows(own_columns.T.contiguous(), rows).T
            off_diagonal = ~torch.eye(rows.total, dtype=torch.bool, device=x.device)
            value = self.function(matrix.diagonal(), matrix[off_diagonal].unflatten(0, (rows.total, rows.total - 1)))
        return Outcome(None, value, _reading(value), None)
