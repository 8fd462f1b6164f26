"""The variational information bottleneck as a Lightning model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from torch.distributions import Distribution, Independent, Normal
from torch.nn.functional import cross_entropy, mse_loss, softplus

from mine.errors import InputError
from mine.lightning.base import Optimizer, TermModule, pair_of
from mine.terms import MinimizeMI

__all__ = ["VariationalBottleneck"]

#: Standard deviation of the code at least: without noise its information on a continuous input is infinite.
_LEAST_STD = 0.01


class VariationalBottleneck(TermModule):
    """Predicts y from a noisy code z of x that has little information on x: task loss + ``beta`` * I(z; x).

    The bound on I(z; x) is the divergence of the code's density from a prior, in nats
    (:class:`mine.MinimizeMI` with ``upper_bound="vib"``). Batches are (x, y). It logs ``train_loss``, ``train_task`` and
    ``train_information`` in each epoch, the same with ``val_``, and ``val_accuracy`` where y are labels.

    References:
        Alemi et al., 2017 (arXiv 1612.00410), eq. 17.

    Arguments:
        encoder: Maps x, shape (B, ...), to 2 D columns: the means of a code of D columns, and raw standard deviations, of
            which the softplus is taken. Or to a ``torch.distributions.Distribution`` with ``rsample`` and ``mean``.
        head: Maps a code, shape (B, D), to a prediction: logits of classes, or numbers in the shape of y.
        beta: Weight of the information.
        prior: Module that gives the code's prior, such as :class:`mine.terms.LearnedPrior`; None is a standard normal.
        task: Function from (prediction, y) to a scalar loss; None is the cross-entropy for whole-number labels and half of
            the mean squared error for numbers, which are both in nats.
        learning_rate: Adam's rate, of encoder and head.
        optimizer: Function that makes the optimizer of encoder and head from their parameters; None is Adam.
        random_state: Seed of the term.

    Raises:
        InputError: At the first batch, where the encoder gives neither of the two, or a batch is not (x, y).

    Example:
        >>> model = VariationalBottleneck(nn.Linear(3, 4), nn.Linear(2, 5), beta=0.01)
        >>> model.encode(torch.randn(8, 3)).mean.shape, model(torch.randn(8, 3)).shape
        (torch.Size([8, 2]), torch.Size([8, 5]))
    """

    term: MinimizeMI

    def __init__(
        self,
        encoder: nn.Module,
        head: nn.Module,
        *,
        beta: float = 1e-3,
        prior: nn.Module | None = None,
        task: Callable[[Tensor, Tensor], Tensor] | None = None,
        learning_rate: float = 1e-3,
        optimizer: Optimizer = None,
        random_state: int = 0,
    ) -> None:
        super().__init__(learning_rate, optimizer)
        if not beta >= 0:
            raise InputError(f"beta must be at least 0, got {beta}.")
        self.encoder, self.head, self.beta, self._task = encoder, head, beta, task
        self.term = MinimizeMI(prior, upper_bound="vib", random_state=random_state)

    def encode(self, x: Tensor) -> Distribution:
        """The density of the code, of rows of shape (B, D)."""
        out = self.encoder(x)
        if isinstance(out, Distribution):
            return out
        if not isinstance(out, Tensor) or out.ndim != 2 or out.shape[1] % 2:
            got = f"a tensor of shape {tuple(out.shape)}" if isinstance(out, Tensor) else f"a {type(out).__name__}"
            raise InputError(
                f"The encoder gives {got}: it must give 2 D columns, means and raw standard deviations, or a Distribution."
            )
        mean, raw = out.chunk(2, 1)
        return Independent(Normal(mean, softplus(raw) + _LEAST_STD), 1)

    def forward(self, x: Tensor) -> Tensor:
        """The prediction from the mean of the code."""
        return self.head(self.encode(x).mean)

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        x, y = pair_of(batch)
        density = self.encode(x)
        z = density.rsample()
        if self.term.critic is not None:
            self.term.critic_step(z, density)
        task, information = self._task_loss(self.head(z), y), self.term(z, density)
        loss = task + self.beta * information
        self._tell("train", len(x), loss=loss, task=task, information=information)
        return loss

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        x, y = pair_of(batch)
        density = self.encode(x)
        prediction, information = self.head(density.mean), self.term.evaluate(density.sample(), density)
        task = self._task_loss(prediction, y)
        self._tell("val", len(x), loss=task + self.beta * information, task=task, information=information)
        if _are_labels(y) and prediction.ndim == 2:
            self._tell("val", len(x), accuracy=(prediction.argmax(1) == y.flatten()).float().mean())

    def _task_loss(self, prediction: Tensor, y: Tensor) -> Tensor:
        if self._task is not None:
            return self._task(prediction, y)
        if _are_labels(y):
            return cross_entropy(prediction, y.flatten().long())
        if prediction.shape != y.shape and prediction.numel() != y.numel():
            raise InputError(
                f"The head gives shape {tuple(prediction.shape)}, y has {tuple(y.shape)}: for a loss of your own pass task=."
            )
        return 0.5 * mse_loss(prediction, y.reshape(prediction.shape).to(prediction.dtype))


def _are_labels(y: Tensor) -> bool:
    return not (y.is_floating_point() or y.is_complex())
