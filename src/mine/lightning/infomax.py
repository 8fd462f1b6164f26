"""An encoder that is trained by mutual information alone, as a Lightning model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from mine.bounds import Bound
from mine.errors import InputError
from mine.lightning.base import Optimizer, TermModule, pair_of
from mine.terms import MaximizeMI

__all__ = ["InfoMax"]


class InfoMax(TermModule):
    """Trains an encoder to raise I(encoder(x); other(y)) for batches (x, y), or the information of two views of x.

    In each step the term's critic is trained, then the encoder. It logs ``train_information`` and ``val_information``, lower
    bounds in nats. Rows of validation are new to critic and encoder. For the number to report use :func:`mine.estimate` on
    codes of new rows.

    References:
        Linsker, 1988; Hjelm et al., 2019 (arXiv 1808.06670); two views: Bachman et al., 2019 (arXiv 1906.00910).

    Arguments:
        encoder: Maps x, shape (B, ...), to codes, shape (B, D).
        other: What y goes through: None leaves it as it is; ``encoder`` itself shares the weights.
        views: Function from x to a random view of x. Each step then takes two views, the first through ``encoder``, the second
            through ``other``, or through ``encoder`` where ``other`` is None; the rest of a batch (labels) is left alone.
        critic: As in :class:`mine.MaximizeMI`.
        bound: As in :class:`mine.MaximizeMI`.
        critic_steps: Steps of the critic per step of the encoder.
        shuffles: As in :class:`mine.MaximizeMI`.
        learning_rate: Adam's rate, of the encoder.
        critic_learning_rate: Adam's rate, of the critic.
        optimizer: Function that makes the encoder's optimizer from its parameters; None is Adam.
        random_state: Seed of the shuffles.

    Raises:
        InputError: At the first batch, if it is not (x, y) and there are no ``views``.

    Example:
        >>> model = InfoMax(nn.Linear(4, 1), critic="mlp")
        >>> model(torch.randn(8, 4)).shape
        torch.Size([8, 1])
    """

    term: MaximizeMI

    def __init__(
        self,
        encoder: nn.Module,
        other: nn.Module | None = None,
        *,
        views: Callable[[Tensor], Tensor] | None = None,
        critic: nn.Module | str = "mlp",
        bound: str | Bound = "dv",
        critic_steps: int = 1,
        shuffles: int | None = None,
        learning_rate: float = 1e-3,
        critic_learning_rate: float = 1e-3,
        optimizer: Optimizer = None,
        random_state: int = 0,
    ) -> None:
        super().__init__(learning_rate, optimizer)
        if critic_steps < 1:
            raise InputError(f"critic_steps must be at least 1, got {critic_steps}.")
        self.encoder = encoder
        self.other = encoder if other is None and views is not None else other
        self.views, self.critic_steps = views, critic_steps
        self.term = MaximizeMI(critic, bound, shuffles=shuffles, learning_rate=critic_learning_rate, random_state=random_state)

    def forward(self, x: Tensor) -> Tensor:
        """The codes of x."""
        return self.encoder(x)

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        one, two = self._codes(batch)
        self.term.critic_step(one, two, steps=self.critic_steps)
        self._tell("train", len(one), shown=True, information=self.term.estimate)
        return self.term(one, two)

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        if self.term.critic is None:  # not built yet: Lightning's sanity check comes before the first training batch
            return
        one, two = self._codes(batch)
        if len(one) < 2:  # a last batch of one row has no shuffle
            return
        self._tell("val", len(one), shown=True, information=self.term.evaluate(one, two))

    def _codes(self, batch: Any) -> tuple[Tensor, Tensor]:
        x, y = self._sides(batch)
        return self.encoder(x), y if self.other is None else self.other(y)

    def _sides(self, batch: Any) -> tuple[Tensor, Tensor]:
        if self.views is None:
            return pair_of(batch, "; for two views of x pass views=")
        x = batch[0] if isinstance(batch, (tuple, list)) and batch else batch
        if isinstance(x, Tensor):
            return self.views(x), self.views(x)
        raise InputError(
            f"A batch must be x, or a tuple with x first; got a {type(batch).__name__}. Give the loader a collate_fn."
        )
