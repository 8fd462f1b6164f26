"""An experiment's training as a ``LightningModule``; needs the extra ``lightning``."""

from __future__ import annotations

from typing import Any

from mine.experiments.training import BLOCK, Trainable

try:
    from lightning.pytorch import LightningModule
except ImportError as missing:
    raise ImportError('mine.experiments.lightning_module needs Lightning: pip install "torch-mine[lightning]".') from missing

__all__ = ["ExperimentModule"]


class ExperimentModule(LightningModule):
    """Hands batches to a :class:`mine.experiments.training.Trainable`, which steps its own optimisers (manual optimisation).

    What the model measures is logged every 50 steps. Lightning's checkpoints hold its weights; an exact one is
    ``model.state()``.

    Arguments:
        model: What is trained.
    """

    def __init__(self, model: Trainable) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.model = model

    def training_step(self, batch: Any, batch_idx: int) -> None:
        self.model.training_step(batch)
        if self.model.step % BLOCK == 0:
            self.log_dict(self.model.metrics())

    def configure_optimizers(self) -> Any:
        """The model's; what a :class:`mine.MaximizeMI` steps stays with it."""
        return list(self.model.optimizers)
