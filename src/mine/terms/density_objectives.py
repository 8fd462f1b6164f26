"""Terms from densities: CLUB, the leave-one-out bound, and the divergence to a prior."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, kl_divergence

from mine.errors import InputError
from mine.terms.batch import Batch
from mine.terms.densities import as_density, check_rows, log_density_matrix, log_probs
from mine.terms.misfit import explained
from mine.terms.objectives import Objective, Outcome, checked_shuffles, joined_rows, partners_of, reading_of, shifts_of
from mine.terms.priors import standard_normal
from mine.terms.upper_bounds import club, leave_one_out
from mine.training.gather import Rows, gather_rows

__all__ = ["KnownClub", "LearnedClub", "LeaveOneOut", "PriorDivergence"]

#: Shuffled partners of a row in CLUB: the costs grow with the batch size, not with its square.
_SHUFFLES = 64

_KNOWN = "pass the distribution that the first argument was drawn from (with rsample), one component per row."
_LEARNED = (
    "the critic must map x to a distribution over y with one component per row, as mine.terms.GaussianConditional does, or "
    "with labels torch.distributions.Categorical(logits=network(x))."
)


@contextmanager
def _without_autocast(x: Tensor) -> Iterator[None]:
    """A log density in bfloat16 has two digits."""
    with torch.autocast(x.device.type, enabled=False):
        yield


def _full(values: Tensor) -> Tensor:
    return values.to(torch.promote_types(values.dtype, torch.float32))


def _shuffled_log_probs(density: Distribution, values: Tensor, rows: Rows, shuffles: int, generator: torch.Generator) -> Tensor:
    """Log densities of the joined batch, shape (N, K + 1): each row's own value, then those of K other rows."""
    n = density.batch_shape[0]
    partners = partners_of(rows, n, shifts_of(rows, shuffles, generator), values.device)
    own = log_probs(density, gather_rows(values, rows)[partners])
    return gather_rows(_full(own).T.contiguous(), rows)


class LearnedClub(Objective):
    """CLUB with a conditional density that is learned by maximum likelihood."""

    def __init__(self, conditional: nn.Module, shuffles: int | None) -> None:
        self.conditional = conditional
        self.shuffles = checked_shuffles(shuffles, _SHUFFLES)

    def take(self, critic: nn.Module) -> nn.Module:
        self.conditional = critic
        return critic

    def outcome(self, batch: Batch, state: Tensor | None, generator: torch.Generator, *, gather: bool) -> Outcome:
        x, y = batch.x, batch.y
        like = next(iter(self.conditional.parameters()), x)
        given = _column(x).to(like.dtype) if x.is_floating_point() else x  # labels may be indices of an embedding
        rows = joined_rows(len(x), x.device, gather)
        with _without_autocast(x):
            with explained(self.conditional, x, y):
                made = self.conditional(given)
            density = as_density(made, len(x), remedy=_LEARNED)
            log_prob = _shuffled_log_probs(density, y.to(like.dtype), rows, self.shuffles, generator)
            value = club(log_prob[:, 0], log_prob[:, 1:])
        return Outcome(-log_prob[:, 0].mean(), value, partial(reading_of, value), None)


class KnownClub(Objective):
    """CLUB with the density that the encoder itself provides: exact, with nothing to train."""

    takes_density = True

    def __init__(self, shuffles: int | None) -> None:
        self.shuffles = checked_shuffles(shuffles, _SHUFFLES)

    def outcome(self, batch: Batch, state: Tensor | None, generator: torch.Generator, *, gather: bool) -> Outcome:
        x, density = _full(batch.x), as_density(batch.y, len(batch.x), remedy=_KNOWN)
        rows = joined_rows(len(x), x.device, gather)
        with _without_autocast(x):
            log_prob = _shuffled_log_probs(density, x, rows, self.shuffles, generator)
            value = club(log_prob[:, 0], log_prob[:, 1:])
        return Outcome(None, value, partial(reading_of, value), None)


class LeaveOneOut(Objective):
    """The leave-one-out bound with the density that the encoder itself provides."""

    takes_density = True

    def outcome(self, batch: Batch, state: Tensor | None, generator: torch.Generator, *, gather: bool) -> Outcome:
        x, density = _full(batch.x), as_density(batch.y, len(batch.x), remedy=_KNOWN)
        rows = joined_rows(len(x), x.device, gather)
        with _without_autocast(x):
            own_columns = _full(log_density_matrix(gather_rows(x, rows), density))
            matrix = gather_rows(own_columns.T.contiguous(), rows).T
            off_diagonal = ~torch.eye(rows.total, dtype=torch.bool, device=x.device)
            value = leave_one_out(matrix.diagonal(), matrix[off_diagonal].unflatten(0, (rows.total, rows.total - 1)))
        return Outcome(None, value, partial(reading_of, value), None)


class PriorDivergence(Objective):
    """The mean divergence of the encoder's density from a prior: standard normal, or a module that gives one."""

    goes_stale = False  # an upper bound with every prior
    takes_density = True

    def __init__(self, prior: nn.Module | None) -> None:
        self.prior = prior

    def take(self, critic: nn.Module) -> nn.Module:
        self.prior = critic
        return critic

    def outcome(self, batch: Batch, state: Tensor | None, generator: torch.Generator, *, gather: bool) -> Outcome:
        x, density = _full(batch.x), as_density(batch.y, len(batch.x), remedy=_KNOWN)
        check_rows(x.shape[1:], density)  # a divergence in closed form would not notice
        rows = joined_rows(len(x), x.device, gather, least=1)
        with _without_autocast(x):
            if self.prior is None:
                divergence, critic_loss = _divergence(density, standard_normal(density, x), x), None
            else:
                like = next(iter(self.prior.parameters()), x)
                log_prior = _log_prior(_made(self.prior), x.to(like.dtype))
                divergence = _mean_log_prob(density, x) - _full(log_prior)
                critic_loss = -gather_rows(_full(log_prior), rows).mean()
            value = gather_rows(_full(divergence), rows).mean()
        return Outcome(critic_loss, value, partial(reading_of, value), None)


def _made(prior: nn.Module) -> Distribution:
    """The distribution over one row that a prior gives."""
    try:
        made = prior()
    except TypeError as error:
        raise InputError(
            f'upper_bound="vib" takes a prior as critic, a module whose forward() needs no argument, such as '
            f"mine.terms.LearnedPrior(dz), or none at all; a {type(prior).__name__} failed with: {error}"
        ) from error
    if not isinstance(made, Distribution):
        raise InputError(f"A prior's forward() must return a torch.distributions.Distribution, got {type(made).__name__}.")
    return made


def _divergence(density: Distribution, prior: Distribution, x: Tensor) -> Tensor:
    """Divergence of each row's density from the prior, shape (B,): in closed form, else from the sample x."""
    try:
        return _sum_coordinates(kl_divergence(density, prior))
    except NotImplementedError:
        return _mean_log_prob(density, x) - log_probs(prior, x.unsqueeze(0))[0]


def _mean_log_prob(density: Distribution, x: Tensor) -> Tensor:
    """Expectation of each row's log density, shape (B,): minus its entropy, or where that is unknown, from the sample x."""
    try:
        return -_sum_coordinates(density.entropy())
    except NotImplementedError:
        return log_probs(density, x.unsqueeze(0))[0]


def _log_prior(prior: Distribution, x: Tensor) -> Tensor:
    """Log density of each row under one distribution over rows, shape (B,)."""
    return log_probs(prior.expand((1, *prior.batch_shape)), x.unsqueeze(1))[:, 0]


def _column(rows: Tensor) -> Tensor:
    return rows.unsqueeze(-1) if rows.ndim == 1 else rows


def _sum_coordinates(by_coordinate: Tensor) -> Tensor:
    return by_coordinate if by_coordinate.ndim == 1 else by_coordinate.flatten(1).sum(-1)
