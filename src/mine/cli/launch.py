"""One command, several processes: Lightning Fabric starts them, each calls :func:`mine.estimate`, the first one reports."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any

from mine.errors import InputError, MineError
from mine.result import Estimate

__all__ = ["estimate_on_ranks"]


def estimate_on_ranks(
    arguments: Sequence[Any], options: dict[str, Any], *, devices: str, strategy: str, device: str = "auto"
) -> Estimate | None:
    """``mine.estimate(*arguments, **options)`` by the processes of a Fabric made here.

    Strategies such as ``ddp`` run the command again, once a process; ``ddp_spawn`` and ``ddp_fork`` start a function instead.

    Arguments:
        arguments: Positional arguments, the data.
        options: The others, but for ``device`` and ``fabric``.
        devices: Number of processes, or Fabric's words for it.
        strategy: Fabric's name for how they are started and connected.
        device: As for :func:`mine.estimate`.

    Returns:
        The estimate; None in a process that has nothing to report.

    Raises:
        InputError: Lightning is not installed, or has no such devices or strategy; and as :func:`mine.estimate`.
    """
    try:
        from lightning.fabric import Fabric
    except ImportError as missing:
        raise InputError('--devices and --strategy need Lightning: pip install "torch-mine[lightning]".') from missing
    for name in ("lightning.fabric", "lightning.pytorch"):
        logging.getLogger(name).setLevel(logging.WARNING)  # who joined, and that all did
    accelerator = {"cuda": "gpu"}.get(kind := device.partition(":")[0], kind)
    try:
        fabric = Fabric(accelerator=accelerator, devices=devices, strategy=strategy)
    except Exception as error:  # Lightning has a class of its own for most of them, and none for others
        raise InputError(f"Lightning cannot start --devices {devices} with --strategy {strategy}: {error}") from error
    try:
        found = fabric.launch(partial(_estimate, arguments=arguments, options=options)).result
    except KeyboardInterrupt:
        if fabric.global_rank:
            return None  # the first one says so
        raise
    if fabric.global_rank:
        return None
    if isinstance(found, MineError):
        raise found
    return found


def _estimate(fabric: Any, arguments: Sequence[Any], options: dict[str, Any]) -> SimpleNamespace:
    """In each process: the ``result``, or an error that the user can mend, which the first process alone will tell.

    A namespace around it, because Lightning moves whatever has a method ``to`` to the CPU, and an estimate has one for units.
    """
    import torch

    from mine.api import estimate

    try:
        return SimpleNamespace(result=estimate(*arguments, fabric=fabric, **options))
    except MineError as error:
        return SimpleNamespace(result=error)
    finally:
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()  # else its threads may abort the process when Python ends
