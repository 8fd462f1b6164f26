"""The term that makes the columns of a representation independent of each other."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from mine.bounds import Bound
from mine.critics.users import as_critic
from mine.errors import InputError, UnknownNameError
from mine.estimators.options import check_integers
from mine.terms.batch import Batch, check_batch
from mine.terms.critic_optimizer import OptimizerLike
from mine.terms.lowered import LoweredTerm
from mine.terms.modes import outside_transforms
from mine.terms.objectives import CriticBound
from mine.training.gather import Rows, gather_rows

__all__ = ["MinimizeTC"]

#: The critics of columns that have a name.
_NAMES = ("mlp",)


class MinimizeTC(LoweredTerm):
    r"""A loss that falls as the total correlation of the columns of x falls: the loss of FactorVAE, with any bound.

    The total correlation is the divergence of the joint distribution of the D columns from the product of their marginals:
    0 nats where all columns are independent. The critic tells rows from *shuffled rows*, in which every column comes from
    another row. As in :class:`mine.MinimizeMI` the value is a lower bound, which also falls when the critic gets worse. So
    train the critic between the model's steps::

        z = encoder(a)
        term.critic_step(z)
        loss = task_loss + beta * term(z)

    References:
        Watanabe, 1960; Kim & Mnih, 2018 (arXiv 1802.05983), section 3, FactorVAE.

    Arguments:
        critic: A module taking rows of x, (B, D), to one score per row, (B,) or (B, 1); or ``"mlp"`` for one that is built from
            the first batch.
        bound: As in :class:`mine.MaximizeMI`.
        max_stale: As in :class:`mine.MinimizeMI`.
        shuffles: Shuffled rows per row; None is 8.
        optimizer: As in :class:`mine.MaximizeMI`.
        learning_rate: As in :class:`mine.MaximizeMI`.
        random_state: As in :class:`mine.MaximizeMI`.
        check_finite: As in :class:`mine.MaximizeMI`.

    Example:
        >>> term = MinimizeTC(nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 1)))
        >>> z = torch.randn(64, 3, requires_grad=True)
        >>> term.critic_step(z, steps=2)
        >>> term(z).backward()
        >>> z.grad.shape
        torch.Size([64, 3])
    """

    def __init__(
        self,
        critic: nn.Module | str,
        bound: str | Bound = "dv",
        *,
        max_stale: int = 1,
        shuffles: int | None = None,
        optimizer: OptimizerLike | None = None,
        learning_rate: float = 1e-3,
        random_state: int = 0,
        check_finite: bool = True,
    ) -> None:
        if isinstance(critic, str) and critic not in _NAMES:
            raise UnknownNameError("critic", critic, _NAMES)
        if not isinstance(critic, (nn.Module, str)):
            raise InputError(
                f"A critic of columns must be an nn.Module taking rows of shape (B, D), got {type(critic).__name__}."
            )
        made = critic if isinstance(critic, str) else as_critic(critic, concat=True)
        super().__init__(
            made,
            _ColumnsBound(None if isinstance(made, str) else made, bound, shuffles),
            max_stale=max_stale,
            optimizer=optimizer,
            learning_rate=learning_rate,
            random_state=random_state,
            check_finite=check_finite,
        )

    def forward(self, x: Tensor) -> Tensor:
        """The model's loss, a scalar: minimise it to make the columns of x independent.

        Arguments:
            x: Rows, shape (B, D) with B >= D >= 2.

        Raises:
            InputError: Another shape.
            StaleCriticError: More than ``max_stale`` calls in training mode and with gradients since the critic's last step.
        """
        return self._lowered(self._rows(x))

    def critic_step(self, x: Tensor, steps: int = 1) -> None:
        """Train the critic on a batch, by its own optimizer, as :meth:`mine.MinimizeMI.critic_step` does.

        Arguments:
            x: Rows, shape (B, D) with B >= D >= 2.
            steps: Steps on this batch, each with fresh shuffles.

        Raises:
            InputError: Another shape, ``steps`` below 1, or an optimizer that does not train the critic's parameters.
            MineError: The critic's loss or its gradient is not finite. Nothing is changed then.
        """
        check_integers({"steps": steps}, {"steps": 1})
        self._train(self._rows(x), steps)

    def critic_loss(self, x: Tensor) -> Tensor:
        """The critic's loss on a batch, a scalar, for an optimizer of your own; see :meth:`mine.MinimizeMI.critic_loss`.

        Arguments:
            x: Rows, shape (B, D) with B >= D >= 2.

        Raises:
            InputError: Another shape.
            MineError: The loss is not finite. Nothing is changed then.
        """
        return self._loss(self._rows(x))

    def evaluate(self, x: Tensor) -> float:
        """The present critic's value (nats) on the rows given, in evaluation mode; changes nothing, and gathers nothing.

        Arguments:
            x: Rows that the critic was not trained on, shape (B, D) with B >= D >= 2.

        Raises:
            InputError: Another shape.
        """
        return self._read_off(self._rows(x))

    def _rows(self, x: Any) -> Batch:
        """Rows of x, next to a side without columns; a critic that was named is built from the first ones.

        Raises:
            InputError: They are not of shape (B, D) with D >= 2.
        """
        check_batch(x, x, takes_density=False)
        if x.ndim != 2 or x.shape[1] < 2:
            raise InputError(
                f"x must have shape (B, D) with at least two columns, got {tuple(x.shape)}: flatten(1) makes columns."
            )
        batch = Batch(x, x.new_empty(len(x), 0))
        self._named_critic_from(batch.x, batch.y)
        return batch


class _ColumnsBound(CriticBound):
    """Scores of rows, and of rows whose columns come from different rows."""

    takes_keys = False

    def _partners(self, batch: Batch, rows: Rows, generator: torch.Generator) -> None:
        width = batch.x.shape[1]
        if width > rows.total:
            raise InputError(
                f"{width} columns need a batch of at least {width} rows, so that each can come from a row of its own; got "
                f"{rows.total}."
            )

    def _scores(
        self, x: Tensor, y: Tensor, partners: Tensor | None, rows: Rows, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        width = x.shape[1]
        # Columns that are shifted equally far would stay together: each has a shift of its own.
        with outside_transforms():
            drawn = [torch.randperm(rows.total, generator=generator, device="cpu")[:width] for _ in range(self.shuffles)]
            shifts = torch.stack([torch.zeros(width, dtype=torch.long, device="cpu"), *drawn]).to(x.device)
        own = torch.arange(rows.start, rows.start + len(x), device=x.device)
        source = (own.unsqueeze(-1) + shifts.unsqueeze(1)) % rows.total  # (K + 1, B, D)
        mixed = gather_rows(x, rows)[source, torch.arange(width, device=x.device)]
        scores = self.critic.combine(mixed.flatten(0, 1), y.new_empty(mixed.shape[0] * mixed.shape[1], 0))
        by_row = gather_rows(scores.unflatten(0, mixed.shape[:2]).T.contiguous(), rows)
        return by_row[:, 0], by_row[:, 1:]
