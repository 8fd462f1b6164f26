"""The term that lowers mutual information."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from mine.bounds import Bound
from mine.critics.users import as_critic
from mine.errors import InputError, UnknownNameError
from mine.terms.critic_optimizer import OptimizerLike
from mine.terms.density_objectives import KnownClub, LearnedClub, LeaveOneOut, PriorDivergence
from mine.terms.lowered import LoweredTerm
from mine.terms.objectives import CriticBound, Objective
from mine.terms.pairs import PairTerm

__all__ = ["MinimizeMI"]

_UPPER_BOUNDS = ("leave-one-out", "vib", "club")


class MinimizeMI(LoweredTerm, PairTerm):
    """A loss that falls as the mutual information of x and y falls.

    With a critic alone it is a *lower* bound, which also falls when the critic gets worse. So the critic must be trained
    between the model's steps, ``critic_step(x, y, steps=5)`` say; more than ``max_stale`` calls without one are an error.
    Check the outcome by ``mine.estimate`` on rows held out.

    ``upper_bound`` chooses another way:

    - ``"leave-one-out"``: an upper bound from the encoder's own density. Call ``term(z, density)`` with the
      ``torch.distributions.Distribution`` that ``z`` was drawn from by ``rsample``; it bounds the information of z on the
      encoder's input. No critic.
      Its costs grow with the square of the batch size. Where the noise is small next to the distance between rows, it
      exceeds the information by far: use ``"vib"`` there.
    - ``"vib"``: the mean divergence of the encoder's density from a prior, which is an upper bound with every prior. Call
      ``term(z, density)`` likewise. Without a critic the prior is a standard normal; a critic such as
      :class:`mine.terms.LearnedPrior` is a prior that :meth:`critic_step`, called with the same arguments, fits to z.
    - ``"club"``: with a critic, a module that maps x to a distribution over y (:class:`mine.terms.GaussianConditional`, or
      ``Categorical(logits=network(x))`` for labels) and is trained by maximum likelihood, it is an *estimate, not a bound*.
      Without a critic, called ``term(z, density)`` with the encoder's density, q is exact and it is an upper bound.

    A distribution may keep the coordinates of a row in its batch, (B, D), or in its event, and a single number or label per
    row as (B,) or (B, 1). Labels may be integers.

    References:
        Poole et al., 2019 (arXiv 1905.06922), section 2.1; Cheng et al., 2020 (arXiv 2006.12013); Alemi et al., 2017
        (arXiv 1612.00410), eq. 14, the variational information bottleneck.

    Arguments:
        critic: As in :class:`mine.MaximizeMI`; a conditional density for ``"club"``, or None where the encoder's is known; a
            prior for ``"vib"``, or None for a standard normal.
        bound: As in :class:`mine.MaximizeMI`; not used with an upper bound.
        upper_bound: None, ``"leave-one-out"``, ``"vib"`` or ``"club"``.
        max_stale: Calls in training mode and with gradients that are allowed between two steps of the critic; raise it to
            the number of batches that you accumulate gradients over.
        shuffles: As in :class:`mine.MaximizeMI`; 64 for CLUB.
        optimizer: As in :class:`mine.MaximizeMI`.
        learning_rate: As in :class:`mine.MaximizeMI`.
        random_state: As in :class:`mine.MaximizeMI`.
        check_finite: As in :class:`mine.MaximizeMI`.

    Example:
        >>> density = torch.distributions.Normal(torch.zeros(64, 2, requires_grad=True), 1.0)  # ignores its input
        >>> round(MinimizeMI(upper_bound="leave-one-out")(density.rsample(), density).item(), 3)
        0.0
    """

    def __init__(
        self,
        critic: nn.Module | str | None = None,
        bound: str | Bound = "dv",
        *,
        upper_bound: str | None = None,
        max_stale: int = 1,
        shuffles: int | None = None,
        optimizer: OptimizerLike | None = None,
        learning_rate: float = 1e-3,
        random_state: int = 0,
        check_finite: bool = True,
    ) -> None:
        critic, objective = _choose(critic, bound, upper_bound, shuffles)
        super().__init__(
            critic,
            objective,
            max_stale=max_stale,
            optimizer=optimizer,
            learning_rate=learning_rate,
            random_state=random_state,
            check_finite=check_finite,
        )

    def forward(self, x: Tensor, y: Any, *, groups: Any = None, z: Any = None) -> Tensor:
        """The model's loss, a scalar: minimise it to lower the mutual information of x and y.

        Arguments:
            x: Rows of x, shape (B,) or (B, ...).
            y: Rows of y, paired with x; the density of x where the encoder's is used.
            groups: As in :meth:`critic_step`.
            z: As in :meth:`critic_step`.

        Raises:
            StaleCriticError: More than ``max_stale`` calls in training mode and with gradients since the critic's last step.
        """
        return self._lowered(self._batch(x, y, groups, z))


def _choose(
    critic: nn.Module | str | None, bound: str | Bound, upper_bound: str | None, shuffles: int | None
) -> tuple[nn.Module | str | None, Objective]:
    if upper_bound is None:
        if critic is None:
            raise InputError(
                'MinimizeMI needs a critic, or an upper bound with the encoder\'s density: upper_bound="leave-one-out", '
                '"vib" or "club".'
            )
        if isinstance(critic, str):
            return critic, CriticBound(None, bound, shuffles)
        made = as_critic(critic)
        return made, CriticBound(made, bound, shuffles)
    if isinstance(critic, str):
        raise InputError(f"upper_bound={upper_bound!r} takes no critic by name, got {critic!r}: pass a module.")
    if upper_bound == "leave-one-out":
        if critic is not None:
            raise InputError('upper_bound="leave-one-out" needs the encoder\'s density and no critic: leave the critic out.')
        return None, LeaveOneOut()
    if upper_bound == "vib":
        return critic, PriorDivergence(critic)
    if upper_bound == "club":
        return critic, KnownClub(shuffles) if critic is None else LearnedClub(critic, shuffles)
    raise UnknownNameError("upper bound", upper_bound, _UPPER_BOUNDS)
