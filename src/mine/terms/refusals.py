"""A call that is refused leaves no trace: not in what the term keeps, nor in the random numbers of torch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch

from mine.errors import MineError
from mine.terms.modes import transforming
from mine.terms.randomness import random_states, set_random_states
from mine.terms.walk import parts_of

__all__ = ["taken_back_if_refused"]


@contextmanager
def taken_back_if_refused(term: Any, device: torch.device) -> Iterator[None]:
    """Within, a MineError takes back what the call has changed so far.

    A critic with dropout draws from torch's global generator. An optimizer that evaluates several times per step has counted
    its first evaluation, with the buffers after it. A critic that was named has been built from the batch.

    Arguments:
        term: The :class:`mine.terms.Term` that is called.
        device: That of the batch.
    """
    if transforming():
        yield
        return
    kept, last_batch, random = replace(term._kept), term._last_batch, random_states(device)
    several = isinstance(term.optimizer, torch.optim.LBFGS)
    buffers = (
        [(b, b.clone()) for part in parts_of(term.critic) for b in part._buffers.values() if b is not None] if several else []
    )
    try:
        yield
    except MineError:
        term._kept, term._last_batch = kept, last_batch
        set_random_states(random, device)
        with torch.no_grad():
            for buffer, before in buffers:
                buffer.copy_(before)
        term._unbuild()
        raise
    term._newly_built = None
