"""What a term computes from a batch: a loss for the critic, a value for the model, a reading for the log.

Scores are gathered over the ranks, then the bound is computed in float32 at least, outside autocast.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from mine import bounds
from mine.bounds import BOUNDS, Bound, log_mean_exp
from mine.critics.critic import Critic, map_encoding
from mine.critics.pairs import pair_scores
from mine.critics.users import ModuleCritic, as_critic
from mine.errors import InputError
from mine.estimators.evaluation import REPORTED_BOUND
from mine.estimators.options import check_integers
from mine.sampling import cyclic_shifts, shifted_partners
from mine.terms.batch import Batch
from mine.terms.misfit import explained, misfit
from mine.terms.modes import outside_transforms
from mine.terms.partners import restricted_partners
from mine.terms.walk import a_number_of
from mine.training.gather import Rows, gather_rows, rows_of_all_ranks

__all__ = [
    "CriticBound",
    "Objective",
    "Outcome",
    "checked_shuffles",
    "joined_rows",
    "partners_of",
    "reading_of",
    "shifts_of",
]

#: Nats that the moving average of MINE may lie above or below a batch.
MAX_LAG = 2.0


class Outcome(NamedTuple):
    """Of one batch.

    Attributes:
        critic_loss: What the critic minimises; None where nothing is trained.
        own_value: The information (nats), with the gradient that the model should follow to raise it; None where it is minus
            the critic's loss.
        read: Function to the reading, shape (2,): mean of the joint term and logarithm of the partition term, which average
            over batches apart.
        state: What the bound hands to the next call of the critic.
    """

    critic_loss: Tensor | None
    own_value: Tensor | None
    read: Callable[[], Tensor]
    state: Tensor | None

    def model_loss(self, *, raises: bool) -> Tensor:
        """What the model minimises to raise the information, or to lower it."""
        loss, value = self.critic_loss, self.own_value
        if value is None:
            assert loss is not None
            return loss if raises else -loss
        return -value if raises else value


class Objective:
    """Base of all kinds of terms.

    Attributes:
        goes_stale: Whether the value falls when the critic gets worse, so that the critic must keep up with the model.
        takes_density: Whether y is the density that x was drawn from, and not rows.
        takes_keys: Whether the rows may have keys that restrict shuffled pairs.
    """

    goes_stale = True
    takes_density = False
    takes_keys = False
    critic: Critic

    def outcome(self, batch: Batch, state: Tensor | None, generator: torch.Generator, *, gather: bool) -> Outcome:
        """Everything about one batch; with ``gather`` of the joined batch of all ranks."""
        raise NotImplementedError

    def take(self, critic: nn.Module) -> nn.Module:
        """Use this critic from now on; the module that stands for it, which may wrap it."""
        raise InputError(f"This term has no critic, so it cannot take the {type(critic).__name__}.")


def joined_rows(n: int, device: torch.device, gather: bool, *, least: int = 2) -> Rows:
    """Where this rank's n rows lie in the batch: the joined one of all ranks with ``gather``, else this rank's own.

    Raises:
        InputError: The batch has fewer than ``least`` rows.
    """
    rows = rows_of_all_ranks(n, device) if gather else Rows([n], 0)
    if rows.total < least:
        if not rows.total:
            raise InputError("The batch is empty, it has shape (0, ...): pass rows.")
        raise InputError("A batch of one row cannot be shuffled: pass at least two rows, and drop a last batch of one.")
    return rows


def checked_shuffles(shuffles: int | None, default: int) -> int:
    """The number of shuffled partners of a row, ``default`` for None.

    Raises:
        InputError: It is not a whole number of at least 1.
    """
    check_integers({"shuffles": shuffles}, {"shuffles": 1})
    return default if shuffles is None else shuffles


def shifts_of(rows: Rows, shuffles: int, generator: torch.Generator) -> list[int]:
    """Cyclic shifts of the joined batch."""
    with outside_transforms():
        return cyclic_shifts(rows.total, shuffles, generator)


def partners_of(rows: Rows, n: int, shifts: list[int], device: torch.device) -> Tensor:
    """Rows of y in the joined batch that this rank's n rows of x meet, shape (K + 1, n): their own first."""
    return shifted_partners(torch.arange(n, device=device) + rows.start, [0, *shifts], rows.total)


def reading_of(joint: Tensor, log_partition: Tensor | None = None) -> Tensor:
    """The two parts of a logged value, shape (2,); a value that is a plain mean has no second part."""
    other = torch.zeros_like(joint) if log_partition is None else log_partition
    return torch.stack([joint, other]).detach()


def _full_precision(function: Callable[..., Any], *scores: Tensor) -> Any:
    """``function`` of the scores in float32 at least, whatever autocast would make of its operations."""
    raised = [s.float() if s.dtype.itemsize < 4 else s for s in scores]
    if not torch.is_autocast_enabled(raised[0].device.type):  # entering the context costs as much as a small layer
        return function(*raised)
    with torch.autocast(raised[0].device.type, enabled=False):
        return function(*raised)


def _log_mean_exp(marginal: Tensor) -> Tensor:
    return log_mean_exp(marginal, (-2, -1))


def _without_lag(bound: Bound) -> Bound:
    """MINE's bound with the limit on its moving average, unless the user has set one."""
    return bound if isinstance(bound, partial) and "max_lag" in bound.keywords else partial(bound, max_lag=MAX_LAG)


class CriticBound(Objective):
    """A critic's scores and a bound of :mod:`mine.bounds`."""

    takes_keys = True

    def __init__(self, critic: Critic | None, bound: str | Bound, shuffles: int | None) -> None:
        if critic is not None:  # else it is built from the first batch
            self.take(critic)
        chosen = bounds.get_bound(bound)
        base = chosen.func if isinstance(chosen, partial) else chosen
        self.bound = _without_lag(chosen) if base is bounds.mine else chosen
        name = next((name for name, function in BOUNDS.items() if function is base), None)
        #: What is read: a bound on MI, also where the training bound is not one.
        self.reported = REPORTED_BOUND.get(name, "dv") if name else "dv"
        self._gives_reported = chosen is BOUNDS[self.reported] or base is bounds.mine
        self.shuffles = checked_shuffles(shuffles, 64 if name == "infonce" else 8)

    def outcome(self, batch: Batch, state: Tensor | None, generator: torch.Generator, *, gather: bool) -> Outcome:
        x, y = batch.x, batch.y
        rows = joined_rows(len(x), x.device, gather)
        own = self.critic.module if isinstance(self.critic, ModuleCritic) else self.critic
        partners = self._partners(batch, rows, generator)
        with explained(own, x, y):
            like = a_number_of(self.critic)
            sides = self._as_critic_likes(x, like), self._as_critic_likes(y, like)
            joint, marginal = self._scores(*sides, partners, rows, generator)
        if joint.shape != (rows.total,) or marginal.shape[:-1] != (rows.total,):
            raise misfit(own, x, y, f"It gave scores of shape {tuple(joint.shape)} for {rows.total} pairs.")
        if state is not None:  # a checkpoint's may lie elsewhere, and be of another precision
            state = state.to(joint.device, torch.promote_types(joint.dtype, torch.float32))
        result = _full_precision(partial(self.bound, state=state), joint, marginal)
        read = partial(self._read, joint.detach(), marginal.detach(), result.value.detach())
        return Outcome(result.loss, None, read, None if result.state is None else result.state.detach())

    def take(self, critic: nn.Module) -> Critic:
        made = as_critic(critic, concat=None if self.takes_keys else True)
        if made.stack:
            raise InputError(
                f"A term takes one critic, got a stack of shape {made.stack}: make it without stack=, or select(k)."
            )
        self.critic = made
        return made

    def _partners(self, batch: Batch, rows: Rows, generator: torch.Generator) -> Tensor | None:
        """Rows that each row meets where keys restrict them, their own first; raises where the batch has too few."""
        if batch.keys is None:
            return None
        keys = batch.keys._replace(values=gather_rows(batch.keys.values, rows))
        own = torch.arange(rows.start, rows.start + len(batch.x), device=batch.x.device)
        return torch.cat([own.unsqueeze(0), restricted_partners(keys, self.shuffles, generator)[:, own]])

    def _scores(
        self, x: Tensor, y: Tensor, partners: Tensor | None, rows: Rows, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """As :func:`mine.critics.pair_scores` would give them for the joined batch."""
        if partners is None:
            shifts = shifts_of(rows, self.shuffles, generator)
            if len(rows.sizes) == 1:
                return pair_scores(self.critic, x, y, shifts)
            partners = partners_of(rows, len(x), shifts, x.device)
        hx = self.critic.encode_x(x)
        all_y = map_encoding(lambda h: gather_rows(h, rows), self.critic.encode_y(y))
        scores = self.critic.combine(
            map_encoding(lambda h: torch.cat([h] * len(partners)), hx),
            map_encoding(lambda h: h.index_select(0, partners.flatten()), all_y),
        )
        by_row = gather_rows(scores.unflatten(0, partners.shape).T.contiguous(), rows)
        return by_row[:, 0], by_row[:, 1:]

    def _read(self, joint: Tensor, marginal: Tensor, value: Tensor) -> Tensor:
        """The reading; the bound's own value serves where it is the one reported, as logarithms of sums take their time."""
        if self.reported == "dv":
            mean = joint.mean(dtype=value.dtype)
            log_partition = mean - value if self._gives_reported else _full_precision(_log_mean_exp, marginal)
            return reading_of(mean, log_partition)
        return reading_of(value if self._gives_reported else _full_precision(self._reported_value, joint, marginal))

    def _reported_value(self, joint: Tensor, marginal: Tensor) -> Tensor:
        return BOUNDS[self.reported](joint, marginal).value

    def _as_critic_likes(self, rows: Tensor, like: Tensor | None) -> Tensor:
        """In the critic's precision, which ``like`` has, and with a column for single numbers.

        A user's module gets whole numbers as they are: they may be indices of an embedding, which wants them long.
        """
        if isinstance(self.critic, ModuleCritic) and not (rows.is_floating_point() or rows.dtype == torch.bool):
            return rows.long() if rows.dtype.itemsize < 4 else rows
        rows = rows.unsqueeze(-1) if rows.ndim == 1 else rows
        return rows if like is None or rows.dtype == like.dtype else rows.to(like.dtype)
