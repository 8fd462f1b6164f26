"""How a term that is minimised makes sure of its critic."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from mine.errors import StaleCriticError
from mine.estimators.options import check_integers
from mine.terms.batch import Batch
from mine.terms.modes import recomputing
from mine.terms.term import Term

__all__ = ["LoweredTerm"]


class LoweredTerm(Term):
    """The common base of :class:`mine.MinimizeMI` and :class:`mine.MinimizeTC`.

    A lower bound also falls when its critic gets worse, so the critic must be trained between the model's steps.

    Arguments:
        max_stale: Calls in training mode and with gradients that are allowed between two steps of the critic.
        *arguments: As of :class:`mine.terms.Term`.
        **options: As of :class:`mine.terms.Term`.
    """

    def __init__(self, *arguments: Any, max_stale: int, **options: Any) -> None:
        check_integers({"max_stale": max_stale}, {"max_stale": 1})
        super().__init__(*arguments, **options)
        self.max_stale = max_stale

    def _lowered(self, batch: Batch) -> Tensor:
        """The value, with its gradient for the model.

        Raises:
            StaleCriticError: More than ``max_stale`` calls in training mode and with gradients since the critic's last step.
        """
        counts = self._counts_for_staleness()
        if counts and self._kept.calls_since_critic >= self.max_stale:
            raise StaleCriticError(
                f"{self._kept.calls_since_critic + 1} training calls of {type(self).__name__} since the critic's last step, "
                f"max_stale is {self.max_stale}. A critic left behind makes the loss fall with the information still there: "
                "call critic_step before each step of the model, or raise max_stale if you accumulate gradients. To evaluate, "
                "call term.eval() or use torch.no_grad()."
            )
        value = self._model_loss(batch)
        self._kept.calls_since_critic += counts
        return value

    def _counts_for_staleness(self) -> bool:
        return self._trains_the_model() and not recomputing() and self._objective.goes_stale and self._trainable()
