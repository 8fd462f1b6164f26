"""What the models that train by a term have in common: who is trained by which optimizer, and under several processes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain

import torch
from lightning.pytorch import LightningModule
from torch import nn

from mine.errors import InputError
from mine.terms.term import Term

__all__ = ["Optimizer", "TermModule"]

#: A function that makes an optimizer from parameters; None is Adam.
Optimizer = Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer] | None


class TermModule(LightningModule):
    """A model whose loss holds a term. Lightning's optimizer trains the model, the term its critic."""

    term: Term

    def __init__(self, learning_rate: float, optimizer: Optimizer) -> None:
        super().__init__()
        if not learning_rate > 0:
            raise InputError(f"learning_rate must be above 0, got {learning_rate}.")
        self._learning_rate, self._optimizer = learning_rate, optimizer

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """The optimizer of everything but the term's critic."""
        parameters = [p for name, p in self.named_parameters() if not name.startswith("term.") and p.requires_grad]
        if not parameters:
            raise InputError("The encoder has no parameters to train.")
        if self._optimizer is None:
            return torch.optim.Adam(parameters, lr=self._learning_rate)
        return self._optimizer(parameters)

    @property
    def _ddp_params_and_buffers_to_ignore(self) -> list[str]:
        """Names that ``DistributedDataParallel`` leaves alone: the term averages its critic's gradients over the processes."""
        return [f"term.{name}" for name, _ in chain(self.term.named_parameters(), self.term.named_buffers())]
