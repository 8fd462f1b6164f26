"""``mine.windows``: the overlapping windows of a series, as a view of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from mine.data.sources import plain_array
from mine.data.tensors import check_tensor
from mine.data.unreadable import foreign
from mine.errors import InputError, NotEnoughDataError
from mine.information.without_gaps import refuse_gaps

__all__ = ["windows"]


def windows(x: Any, length: int, step: int = 1) -> Any:
    """Windows of ``length`` rows of a series, one every ``step`` rows: a view that copies nothing.

    Window i holds rows ``i * step`` to ``i * step + length - 1``; rows at the end that fill no window are left out.
    Neighbouring windows share rows: pass ``order="time"`` with them to :func:`mine.estimate`.

    Arguments:
        x: Rows in the order of time: a numpy array or a tensor of shape (n,), (n, d) or more axes, or a column or frame of
            numbers. A tensor gives a tensor on its device, with its gradient; anything else an array.
        length: Rows of a window.
        step: Rows from the start of one window to the start of the next.

    Returns:
        Shape (n_windows, length), or (n_windows, length, d). An array is read-only, for its elements share memory. A frame
        whose columns do not lie side by side in memory is copied once, before it is cut.

    Raises:
        InputError: Lengths that are no positive integers, or data that are no numbers.
        NotEnoughDataError: Fewer rows than one window has.

    Example:
        >>> import mine
        >>> mine.windows(np.arange(6), 3, step=2)
        array([[0, 1, 2],
               [2, 3, 4]])
        >>> mine.windows(np.zeros((100, 4)), 10).shape
        (91, 10, 4)
    """
    for name, value in (("length", length), ("step", step)):
        if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 1:
            raise InputError(f"{name} must be an integer of at least 1, got {value!r}.")
    from torch import Tensor

    if isinstance(x, Tensor):
        check_tensor(x, "x")
    with foreign("x"):
        refuse_gaps(x)
        rows = x if isinstance(x, Tensor) else _array(x)
    if rows.ndim == 0:
        raise InputError("windows() needs rows in the order of time, and got a single value.")
    if 0 in rows.shape[1:]:
        raise InputError("windows() needs at least one column, and got none.")
    if len(rows) < length:
        raise NotEnoughDataError(f"A window of {length} rows does not fit into {len(rows)} rows: pass a smaller length.")
    if isinstance(rows, Tensor):
        return rows.unfold(0, int(length), int(step)).movedim(-1, 1)
    view = np.lib.stride_tricks.sliding_window_view(rows, int(length), axis=0)[:: int(step)]
    return np.moveaxis(view, -1, 1)


def _array(x: Any) -> np.ndarray:
    """The rows as an array, without a copy if they lie in memory as one."""
    native = x.to_numpy() if hasattr(x, "to_numpy") else x
    if np.ma.is_masked(native):
        raise InputError("windows() would show masked entries: pass x.filled(np.nan), in which they are missing.")
    try:
        sequence = hasattr(native, "__iter__") and not isinstance(native, np.ndarray)
        rows = plain_array(native, "x") if sequence else np.asarray(native)
    except (TypeError, ValueError) as error:
        raise InputError(f"windows() cannot read this as rows of numbers: {str(error).rstrip('.')}.") from error
    if rows.dtype.kind not in "biufcMm":
        raise InputError(
            f"windows() needs numbers, and got values of the kind {rows.dtype}: choose columns of numbers, or pass codes."
        )
    return rows
