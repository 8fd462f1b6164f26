"""The training loop of the experiments: it resumes after a kill, and writes its numbers where Lightning's loggers put theirs.

The loop is a plain one, not Lightning's ``Trainer``: that takes Ctrl-C for itself, ends the process and leaves SIGINT ignored,
and a checkpoint here holds the state of every random generator, so that a killed run comes to the same numbers. Its time was
no reason: 0.1 to 0.3 ms per step. :class:`mine.experiments.lightning_module.ExperimentModule` is the same training as a
``LightningModule``, for a ``Trainer`` of your own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mine.experiments.checkpoint import Checkpoint
from mine.experiments.experiment import Progress

__all__ = ["BLOCK", "Trainable", "fit", "ramp"]

#: Steps between two reports, logs and (at most) checkpoints. A block's data have a seed of their own.
BLOCK = 50


class Trainable(nn.Module):
    """Networks, optimisers and generators of random numbers: all that a checkpoint has to hold.

    A subclass sets ``optimizers`` and ``random``, and writes ``training_step``, which adds 1 to ``step``, and ``metrics``.

    Attributes:
        step: Steps done.
        optimizers: The optimisers that no submodule keeps by itself, as :class:`mine.MaximizeMI` keeps its critic's.
        random: Every generator of random numbers, by name; on the CPU, so that all devices get the same numbers.
    """

    def __init__(self) -> None:
        super().__init__()
        self.step = 0
        self.optimizers: list[torch.optim.Optimizer] = []
        self.random: dict[str, torch.Generator] = {}

    @property
    def device(self) -> torch.device:
        """Of the networks."""
        return next(self.parameters()).device

    def training_step(self, batch: Any) -> None:
        """One step of all networks, on a batch on their device.

        Raises:
            DivergedError: Something is not finite.
        """
        raise NotImplementedError

    def metrics(self) -> dict[str, float]:
        """What is logged, with the unit in the name: ``"information_nats"``."""
        raise NotImplementedError

    def state(self) -> dict[str, Any]:
        """For a :class:`mine.experiments.Checkpoint`."""
        return {
            "step": self.step,
            "modules": self.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "random": {name: source.get_state() for name, source in self.random.items()},
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from what :meth:`state` gave."""
        self.step = state["step"]
        self.load_state_dict(state["modules"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        for name, source in self.random.items():
            source.set_state(state["random"][name])


def fit(
    model: Trainable,
    batches: Callable[[int], Iterable[Tensor]],
    steps: int,
    folder: Path,
    progress: Progress,
    message: Callable[[Trainable], str] = lambda model: "",
) -> None:
    """Train from the start, or from the checkpoint in ``folder``.

    Where Lightning is installed its CSV logger, and with TensorBoard that one's too, write :meth:`Trainable.metrics` every
    50 steps to ``folder/logs/version_K``, a new K each time that a run resumes.

    Arguments:
        model: What is trained, on its device.
        batches: Number of a block -> its batches, ``BLOCK`` of them, always the same for the same number.
        steps: How many in all.
        folder: Of the arm and seed.
        progress: Called with steps done, steps in all and a message.
        message: The message.

    Raises:
        DivergedError: Something is not finite.
    """
    checkpoint = Checkpoint(folder / "checkpoint.pt")
    saved = checkpoint.load()
    if saved is not None:
        model.load_state(saved)
    if model.step >= steps:
        return
    loggers = _loggers(folder)
    try:
        while model.step < steps:
            for batch in _first(batches(model.step // BLOCK), steps - model.step):
                model.training_step(batch.to(model.device))
            for logger in loggers:
                logger.log_metrics(model.metrics(), model.step)
            progress(model.step, steps, message(model))
            if checkpoint.due():
                for logger in loggers:
                    logger.save()
                checkpoint.save(model.state())
    finally:
        for logger in loggers:
            logger.finalize("finished")


def ramp(step: int, start: float, end: float) -> float:
    """1 up to ``start``, 0 from ``end`` on, and evenly down between.

    >>> [ramp(step, 2, 4) for step in range(6)]
    [1.0, 1.0, 1.0, 0.5, 0.0, 0.0]
    """
    return min(1.0, max(0.0, (end - step) / max(end - start, 1.0)))


def _first(batches: Iterable[Tensor], n: int) -> Iterable[Tensor]:
    for _, batch in zip(range(min(n, BLOCK)), batches, strict=False):
        yield batch


def _loggers(folder: Path) -> list[Any]:
    """Lightning's, those that are installed; they number their folders alike."""
    if find_spec("lightning") is None:
        return []
    from lightning.fabric.loggers.csv_logs import CSVLogger
    from lightning.fabric.loggers.tensorboard import TensorBoardLogger

    csv = CSVLogger(folder, name="logs", flush_logs_every_n_steps=20)
    if find_spec("tensorboard") is None:
        return [csv]
    return [csv, TensorBoardLogger(folder, name="logs", version=csv.version)]
