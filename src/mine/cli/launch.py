"""One command, several processes: Lightning Fabric starts them, each calls :func:`mine.estimate`, the first one reports."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from mine.api import choose_estimator
from mine.cli.output import load_figures
from mine.errors import InputError, MineError
from mine.estimators import check_data_parallel
from mine.result import Estimate

if TYPE_CHECKING:
    from lightning.fabric import Fabric

__all__ = ["estimate_on_processes"]


def estimate_on_processes(
    data: Sequence[Any],
    settings: dict[str, Any],
    options: dict[str, Any],
    *,
    devices: str | None,
    strategy: str | None,
    device: str = "auto",
) -> Estimate | None:
    """``mine.estimate(*data, **settings, **options)`` by the processes of a Fabric made here.

    Strategies such as ``ddp`` run the command again, once per process; ``ddp_spawn`` and ``ddp_fork`` start a function instead.

    Arguments:
        data: x, y, and z or None.
        settings: The other arguments, except ``device`` and ``fabric``; ``method``, ``effort`` and ``conditional`` among them.
        options: Options of the method.
        devices: Number of processes, or a word that Fabric takes for it; None lets Fabric choose.
        strategy: Fabric's name for how they are started and connected; None lets Fabric choose.
        device: As for :func:`mine.estimate`.

    Returns:
        The estimate; None in a process that has nothing to report.

    Raises:
        InputError: The processes could not share the method, found before any of them starts; Lightning is not installed, or
            has no such devices or strategy; and as :func:`mine.estimate`.
    """
    asked = "--strategy" if devices is None else "--devices"
    method, effort, conditional = (settings[name] for name in ("method", "effort", "conditional"))
    given = data[2] is not None
    check_data_parallel(choose_estimator(method, options, effort=effort, conditional=conditional, given=given), asked)

    fabric = _fabric(devices or "auto", strategy or "auto", device)
    try:
        result = fabric.launch(partial(_estimate, data=data, settings={**settings, **options})).result
    except KeyboardInterrupt:
        if fabric.global_rank:
            return None  # the first one says so
        raise
    if fabric.global_rank:
        return None
    if isinstance(result, MineError):
        raise result
    return result


def _fabric(devices: str, strategy: str, device: str) -> Fabric:
    """A Lightning Fabric; it starts no process yet."""
    load_figures()  # torchmetrics imports matplotlib
    try:
        from lightning.fabric import Fabric
    except ImportError as missing:
        raise InputError('--devices and --strategy need Lightning: pip install "torch-mine[lightning]".') from missing
    for name in ("lightning.fabric", "lightning.pytorch"):
        logging.getLogger(name).setLevel(logging.WARNING)  # who joined, and that all did
    accelerator = {"cuda": "gpu"}.get(kind := device.partition(":")[0], kind)
    try:
        return Fabric(accelerator=accelerator, devices=devices, strategy=strategy)
    except Exception as error:  # Lightning has a class of its own for most of them, and none for others
        raise InputError(f"Lightning cannot start --devices {devices} with --strategy {strategy}: {error}") from error


def _estimate(fabric: Fabric, data: Sequence[Any], settings: dict[str, Any]) -> SimpleNamespace:
    """In each process: the ``result``, or an error that the user can mend, which the first process alone will tell.

    A namespace around it, because Lightning moves whatever has a method ``to`` to the CPU, and an estimate has one for units.
    """
    import torch

    from mine.api import estimate

    try:
        return SimpleNamespace(result=estimate(*data, fabric=fabric, **settings))
    except MineError as error:
        return SimpleNamespace(result=error)
    finally:
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()  # else its threads may abort the process when Python ends
