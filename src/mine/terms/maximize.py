"""The term that raises mutual information."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from mine.bounds import Bound
from mine.critics.users import as_critic
from mine.terms.critic_optimizer import OptimizerLike
from mine.terms.objectives import CriticBound
from mine.terms.pairs import PairTerm

__all__ = ["MaximizeMI"]


class MaximizeMI(PairTerm):
    """A loss that falls as the mutual information of x and y rises: minus a lower bound, for a model's training loop.

    In each step of the loop train the critic, then the model::

        z = encoder(a)
        term.critic_step(z, b)
        loss = task_loss + beta * term(z, b)

    The call's loss sends gradients to whatever made x and y and none to the critic; :meth:`critic_step` the other way
    round. Add the term's loss whatever its direction: the sign is in the class.

    Keep the term outside a module that you wrap in ``DistributedDataParallel``. Its calls in training mode with gradients
    gather the scores of all ranks, so every rank must make them. Under autocast the bound is computed in float32.

    References:
        Belghazi et al., 2018 (arXiv 1801.04062), section 5.1; Hjelm et al., 2019 (arXiv 1808.06670).

    Arguments:
        critic: A critic of :mod:`mine.critics` or any ``nn.Module`` taking (x, y) or their concatenation. It is not copied.
            Or the name of one that is built from the first batch: ``"mlp"``, ``"conv"`` for images, ``"sequence"`` for rows of
            shape (T, D), ``"embedding"`` for labels, whole numbers of one per row, on one side or both.
        bound: A name (dv, mine, nwj, jensen-shannon, infonce, smile) or a function like those in :mod:`mine.bounds`. The
            moving average of ``"mine"`` lies at most 2 nats from a batch, and weights joint and shuffled pairs alike; set
            ``max_lag`` in ``functools.partial(mine.bounds.mine, max_lag=...)`` for another limit.
        shuffles: Shuffled partners of a row; None is 8, for InfoNCE 64, at most the batch size less one.
        optimizer: The critic's optimizer, over all of its parameters and no others, or a function that makes one from them;
            None is Adam. The attribute ``optimizer`` gives it to a scheduler.
        learning_rate: Adam's rate.
        random_state: Seed of the shuffles.
        check_finite: Refuse a batch whose loss or gradient is not finite; it then changes nothing. Each check waits for the
            device once per step. False never waits, but a NaN in a batch then spoils the critic.

    Example:
        >>> from mine.critics import ConcatCritic
        >>> encoder = nn.Linear(4, 1)
        >>> term = MaximizeMI(ConcatCritic(1, 1, hidden=(16,)))
        >>> a, b = torch.randn(32, 4), torch.randn(32, 1)
        >>> term.critic_step(encoder(a), b, steps=2)
        >>> term(encoder(a), b).backward()
        >>> encoder.weight.grad is not None, all(p.grad is None for p in term.critic.parameters())
        (True, True)
    """

    critic: nn.Module
    _raises = True

    def __init__(
        self,
        critic: nn.Module | str,
        bound: str | Bound = "dv",
        *,
        shuffles: int | None = None,
        optimizer: OptimizerLike | None = None,
        learning_rate: float = 1e-3,
        random_state: int = 0,
        check_finite: bool = True,
    ) -> None:
        made = critic if isinstance(critic, str) else as_critic(critic)
        super().__init__(
            made,
            CriticBound(None if isinstance(made, str) else made, bound, shuffles),
            optimizer=optimizer,
            learning_rate=learning_rate,
            random_state=random_state,
            check_finite=check_finite,
        )

    def forward(self, x: Tensor, y: Tensor, *, groups: Any = None, z: Any = None) -> Tensor:
        """The model's loss, a scalar: minimise it to raise the mutual information of x and y.

        Arguments:
            x: Rows of x, shape (B,) or (B, ...).
            y: Rows of y, paired with x.
            groups: As in :meth:`critic_step`.
            z: As in :meth:`critic_step`.
        """
        return self._model_loss(self._batch(x, y, groups, z))

    def joint_loss(self, x: Tensor, y: Tensor, *, groups: Any = None, z: Any = None) -> Tensor:
        """The loss for critic and model at once: one pass through the critic where two calls need two.

        Both maximise the same bound, so one gradient serves both. The model's optimizer steps the model, and :meth:`step` the
        critic::

            z = encoder(a)
            loss = task_loss + beta * term.joint_loss(z, b)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            term.step()

        The critic's gradient is multiplied by ``beta`` too, which Adam does not notice. With a ``GradScaler`` call
        ``term.step(scaler)``. The batch counts for :attr:`estimate`
        as in :meth:`critic_step`. In evaluation mode or without gradients it is the same as the call. A critic that needs
        several steps per step of the model needs :meth:`critic_step`.

        Arguments:
            x: Rows of x, shape (B,) or (B, ...).
            y: Rows of y, paired with x.
            groups: As in :meth:`critic_step`.
            z: As in :meth:`critic_step`.

        Raises:
            InputError: As :meth:`critic_step`.
            MineError: If the loss is not finite. Nothing is changed then.
        """
        batch = self._batch(x, y, groups, z)
        return self._joint_loss(batch) if self._trains_the_model() else self._model_loss(batch)
