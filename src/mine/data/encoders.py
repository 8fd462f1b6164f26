"""Frozen encoders: a network or function that is applied once to the rows of a side, before anything else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from mine.data.tensors import array_of_tensor
from mine.errors import InputError

__all__ = ["Encoder", "encoded_side", "encoded_sides", "encoders_of_sides"]

#: What encodes the rows of one side: a module, a function from a batch of rows to as many rows, or None to leave them.
Encoder: TypeAlias = "nn.Module | Callable[[Any], Any] | None"

#: Rows per batch.
BATCH = 256


def encoders_of_sides(encoder: Any) -> tuple[Encoder, Encoder]:
    """The encoders of x and of y that ``encoder=`` stands for: one for both sides, or a pair.

    Raises:
        InputError: It is neither an encoder nor a pair of encoders or None.

    >>> encoders_of_sides((np.abs, None))[1] is None
    True
    """
    pair = tuple(encoder) if isinstance(encoder, (tuple, list)) else (encoder, encoder)
    if len(pair) != 2:
        raise InputError(f"encoder must be one encoder for both sides, or a pair (of x, of y); got {len(pair)} of them.")
    for one in pair:
        if one is not None and (not callable(one) or isinstance(one, type)):
            got = f"the class {one.__name__}: pass an object of it" if isinstance(one, type) else repr(one)
            raise InputError(f"encoder must be a module or a function of a batch of rows, or None to leave a side; got {got}.")
    return pair[0], pair[1]


def encoded_sides(x: Any, y: Any, encoder: Any, device: str) -> tuple[Any, Any]:
    """Both sides after ``encoder``; see :func:`encoders_of_sides` and :func:`encoded_side`."""
    of_x, of_y = encoders_of_sides(encoder)
    return encoded_side(x, of_x, "x", device), encoded_side(y, of_y, "y", device)


def encoded_side(data: Any, encoder: Encoder, name: str, device: str) -> Any:
    """The rows of one side after ``encoder``, or as they are if it is None.

    The encoder sees batches of rows, without gradient. A module is in evaluation mode and on ``device`` meanwhile, and gets
    tensors: numbers with decimals and ``uint8`` as its own kind of float, other integers as int64. A function gets rows of the
    type that was passed.

    Arguments:
        data: Rows: an array, a tensor, a list or a frame.
        encoder: The encoder.
        name: ``"x"`` or ``"y"``, for messages.
        device: Name of the torch device.

    Returns:
        An array of shape (n, ...).

    Raises:
        InputError: The encoder failed, or gave no numbers, infinite or missing ones, or another number of rows.
    """
    if encoder is None:
        return data
    rows_between, n = _sliceable(data, name)
    starts = range(0, n, BATCH)
    if isinstance(encoder, nn.Module):
        with _frozen(encoder, device) as as_input:
            parts = [_batch(encoder, as_input(rows_between(i, i + BATCH), name), name, i) for i in starts]
    else:
        with torch.no_grad():
            parts = [_batch(encoder, rows_between(i, i + BATCH), name, i) for i in starts]
    shapes = sorted({part.shape[1:] for part in parts})
    if len(shapes) > 1:
        raise InputError(f"The encoder of {name} gave rows of different shapes: {shapes}.")
    codes = np.concatenate(parts) if parts else np.empty((0, 1))
    bad = np.flatnonzero(~np.isfinite(codes).reshape(n, -1).all(1))
    if len(bad):
        raise InputError(f"The encoder of {name} gave missing or infinite numbers for {len(bad):,} rows, first row {bad[0]}.")
    return codes


def _sliceable(data: Any, name: str) -> tuple[Callable[[int, int], Any], int]:
    """A function that slices rows, and their number."""
    if isinstance(data, (list, tuple)):
        return lambda i, j: data[i:j], len(data)
    if not hasattr(data, "__len__") or not getattr(data, "shape", (0,)):
        raise InputError(f"{name} has no rows to encode: pass an array, a tensor, a list or a frame, not {data!r:.40}.")
    rows = getattr(data, "iloc", data)
    return lambda i, j: rows[i:j], len(data)


@contextmanager
def _frozen(module: nn.Module, device: str) -> Iterator[Callable[[Any, str], Tensor]]:
    """``module`` frozen on ``device``, and as it was afterwards; gives a function that makes its input of rows."""
    was_training = {part: part.training for part in module.modules()}
    first = next((t for t in (*module.parameters(), *module.buffers()) if t.is_floating_point()), None)
    came_from = None if first is None else first.device
    kind = torch.float32 if first is None else first.dtype

    def as_input(rows: Any, name: str) -> Tensor:
        try:
            tensor = rows if isinstance(rows, Tensor) else torch.as_tensor(np.ascontiguousarray(rows))
        except TypeError as error:
            raise InputError(f"{name} holds no numbers, and a module takes tensors: pass a function as its encoder.") from error
        as_float = tensor.is_floating_point() or tensor.dtype in (torch.uint8, torch.bool)
        return tensor.detach().to(device, kind if as_float else torch.int64)

    try:
        with torch.no_grad():
            module.eval().to(device)
            yield as_input
    finally:
        if came_from is not None:
            module.to(came_from)
        for part, training in was_training.items():
            part.training = training


def _batch(encoder: Callable[[Any], Any], rows: Any, name: str, start: int) -> np.ndarray:
    """The codes of one batch of rows, which begins at row ``start``, as an array of floats."""
    try:
        codes = encoder(rows)
    except (RuntimeError, TypeError, ValueError, AttributeError, IndexError) as error:
        shape = f"of shape {tuple(rows.shape)}" if hasattr(rows, "shape") else f"in a {type(rows).__name__}"
        raise InputError(f"The encoder of {name} failed on {len(rows)} rows {shape}, from row {start} on: {error}") from error
    numbers = array_of_tensor(codes, f"what the encoder of {name} gave") if isinstance(codes, Tensor) else codes
    try:
        numbers = np.asarray(numbers)
    except ValueError as error:
        raise InputError(f"The encoder of {name} gave rows that differ in shape: {error}") from error
    if numbers.dtype.kind not in "fiub":
        what = "complex numbers" if numbers.dtype.kind == "c" else type(codes).__name__
        raise InputError(f"The encoder of {name} must give a tensor or an array of real numbers, got {what}.")
    if numbers.ndim == 0 or len(numbers) != len(rows):
        came_out = "a single number" if numbers.ndim == 0 else f"{len(numbers)} rows"
        raise InputError(f"The encoder of {name} must give one row per row: {len(rows)} rows went in, {came_out} came out.")
    return numbers.astype(np.float64)
