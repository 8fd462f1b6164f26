"""What the models that train by a term have in common: who is trained by which optimizer, and under several processes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn

from mine.errors import InputError
from mine.terms.term import Term

__all__ = ["Optimizer", "TermModule", "pair_of"]

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

    def _tell(self, stage: str, rows: int, *, shown: bool = False, **values: Tensor | float) -> None:
        """Log the means over an epoch's rows as ``stage_name``; ``shown`` puts them on the progress bar."""
        for name, value in values.items():
            self.log(
                f"{stage}_{name}",
                value,
                on_step=False,
                on_epoch=True,
                prog_bar=shown,
                batch_size=rows,
                sync_dist=stage == "val",
            )

    @property
    def _ddp_params_and_buffers_to_ignore(self) -> list[str]:
        """Names that ``DistributedDataParallel`` leaves alone: the term averages its critic's gradients over the processes."""
        return [f"term.{name}" for name, _ in chain(self.term.named_parameters(), self.term.named_buffers())]


def pair_of(batch: Any, instead: str = "") -> tuple[Tensor, Tensor]:
    """The two tensors of a batch.

    Raises:
        InputError: It has others; ``instead`` says what else the model could take.
    """
    if isinstance(batch, (tuple, list)) and len(batch) == 2 and all(isinstance(part, Tensor) for part in batch):
        return batch[0], batch[1]
    raise InputError(
        f"A batch must be (x, y), two tensors{instead}; got a {type(batch).__name__}. Give the loader a collate_fn."
    )
