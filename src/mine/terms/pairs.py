"""A term of two sides, x and y: what a user calls."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from mine.errors import InputError
from mine.estimators.options import check_integers
from mine.terms.batch import Batch, check_batch
from mine.terms.partners import checked_keys
from mine.terms.term import Term

__all__ = ["PairTerm"]


class PairTerm(Term):
    """The common base of :class:`mine.MaximizeMI` and :class:`mine.MinimizeMI`."""

    def critic_step(self, x: Tensor, y: Any, steps: int = 1, *, groups: Any = None, z: Any = None) -> None:
        """Train the critic on a batch, by its own optimizer. The model gets no gradient, whatever x and y hang on.

        The batch is read for :attr:`estimate` before the critic trains on it. The gradient is shortened to ten times the
        average length of recent ones: one wild batch would else stall Adam. In the running averages of batch
        normalisation a batch counts with ten standard deviations at most. Under ``torch.distributed`` every rank takes the
        same step, on the joined batch.

        Arguments:
            x: Rows of x, shape (B,) or (B, ...).
            y: Rows of y, paired with x; the density of x for a term that takes one.
            steps: Steps on this batch, each with fresh shuffles.
            groups: One number per row, (B,): shuffled pairs are of different groups, as for patches of images.
            z: A label per row, (B,): shuffled pairs have the same label. The value is then a lower bound on I(x; y | label),
                a tighter one if the critic sees the label too, for example as a column of x.

        Raises:
            InputError: If the critic has nothing to train, ``steps`` is below 1, lengths differ, or the optimizer does not
                train the critic's parameters.
            MineError: If the critic's loss or its gradient is not finite. Nothing is changed then.
        """
        check_integers({"steps": steps}, {"steps": 1})
        self._train(self._batch(x, y, groups, z), steps)

    def critic_loss(self, x: Tensor, y: Any, *, groups: Any = None, z: Any = None) -> Tensor:
        """The critic's loss on a batch, a scalar, for an optimizer of your own; the model gets no gradient from it.

        Counts as the critic's step: call it once for each step that you take. Reads :attr:`estimate` like
        :meth:`critic_step`. Clip the gradient yourself where batches can be wild. Under ``torch.distributed`` average the
        critic's gradients over the ranks before your step. The arguments are those of :meth:`critic_step`.

        Raises:
            InputError: As :meth:`critic_step`.
            MineError: If the loss is not finite. Nothing is changed then.
        """
        return self._loss(self._batch(x, y, groups, z))

    def evaluate(self, x: Tensor, y: Any, *, groups: Any = None, z: Any = None) -> float:
        """The present critic's value (nats) on the rows given, in evaluation mode; changes nothing, and gathers nothing.

        Arguments:
            x: Rows of x that the critic was not trained on.
            y: Rows of y, paired with x; the density, where the term takes one.
            groups: As in :meth:`critic_step`.
            z: As in :meth:`critic_step`.
        """
        return self._read_off(self._batch(x, y, groups, z))

    def _batch(self, x: Tensor, y: Any, groups: Any, z: Any) -> Batch:
        """The batch, if it is one, else an error; a critic that was named is built from the first one."""
        check_batch(x, y, takes_density=self._objective.takes_density)
        keys = checked_keys(groups, z, x)
        if keys is not None and not self._objective.takes_keys:
            raise InputError("groups and z need a critic that scores pairs: leave them out with an upper bound.")
        self._named_critic_from(x, y)
        return Batch(x, y, keys)
