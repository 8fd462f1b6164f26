"""What has to be known of a batch before it is taken in, by one question to the device."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mine.terms.batch import Batch
from mine.terms.objectives import Outcome
from mine.terms.untouched import BorrowedBuffers

__all__ = ["Facts", "facts_of"]


class Facts(NamedTuple):
    """Everything that has to be known of a batch before anything is changed.

    Attributes:
        finite: Whether the loss or the gradient, and the buffers of the critic, are finite.
        readable: Whether the reading is finite.
        repeated: Whether the batch is the last one again.
        length: The loss, or the length of the gradient; a tensor where the device is not asked.
        reading: The reading.
    """

    finite: bool
    readable: bool
    repeated: bool
    length: Tensor | float
    reading: Tensor


def facts_of(term: Any, outcome: Outcome, whole: Tensor, buffers: BorrowedBuffers, batch: Batch) -> Facts:
    """One question to the device, not several: each would wait for a GPU.

    Arguments:
        term: The :class:`mine.terms.Term` that is called.
        outcome: Of the batch.
        whole: The loss, or the length of the gradient: a number that is finite only if all that it is made of is.
        buffers: Copies of the critic's buffers.
        batch: The batch.
    """
    last, reading = term._last_batch, outcome.read()
    if not term._check_finite:
        return Facts(True, True, last is not None and last.is_surely(batch.x, batch.y), whole.detach(), reading)
    repeated = last is not None and last.equals(batch.x, batch.y)
    others = [] if isinstance(repeated, bool) else [repeated]
    asked = torch.stack([whole.detach(), *reading.unbind(), *buffers.are_finite(), *others])
    length, joint, log_partition, *flags = asked.tolist()
    if others:
        repeated = bool(flags.pop())
    readable = math.isfinite(joint) and math.isfinite(log_partition)
    return Facts(math.isfinite(length) and all(flags), readable, bool(repeated), length, reading)
