"""Rows of whatever users pass in: which lack nothing, and a part of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from mine.data.outofcore import NamedRows
from mine.data.variables import missing_rows
from mine.errors import InputError, NotEnoughDataError

__all__ = ["MIN_ROWS", "same_length", "select_rows", "without_missing"]

#: Below this no split leaves rows to report on.
MIN_ROWS = 20


def without_missing(x: Any, y: Any, groups: Any) -> tuple[Any, Any, Any, int]:
    """The rows that lack nothing, and the number of the others."""
    # What can be read only once, as a generator, becomes a list: it is read here and again later.
    x, y, groups = (list(data) if isinstance(data, Iterator) else data for data in (x, y, groups))
    missing = [missing_rows(x, "x"), missing_rows(y, "y")]
    same_length(len(missing[0]), len(missing[1]))
    if groups is not None:
        missing.append(missing_rows(groups, "groups"))
        same_length(len(missing[0]), len(missing[2]), "groups")
    keep = ~np.any(missing, axis=0)
    if keep.all():
        return x, y, groups, 0
    if not keep.any():
        raise InputError("Every row has a missing value: choose other columns, or fill the gaps.")
    n_dropped, n_kept = int((~keep).sum()), int(keep.sum())
    if n_kept < MIN_ROWS:
        raise NotEnoughDataError(
            f"Leaving out {n_dropped:,} rows with a missing value leaves {n_kept} rows: an honest estimate needs at least "
            f"{MIN_ROWS}. Choose columns with fewer gaps, or fill them."
        )
    return select_rows(x, keep), select_rows(y, keep), None if groups is None else select_rows(groups, keep), n_dropped


def same_length(n_x: int, n_y: int, second: str = "y") -> None:
    if n_x != n_y:
        raise InputError(f"x has {n_x} rows and {second} has {n_y}: each row of x must belong to one of {second}.")


def select_rows(data: Any, keep: np.ndarray) -> Any:
    """Rows of any accepted input by a boolean mask."""
    if isinstance(data, (list, tuple)):
        return [row for row, kept in zip(data, keep, strict=True) if kept]
    if isinstance(data, np.ndarray):
        return data[keep]
    if isinstance(data, NamedRows):
        return data.rows(keep)
    if hasattr(data, "detach"):
        import torch

        return data[torch.as_tensor(keep, device=data.device)]
    import narwhals as nw

    frame: Any = nw.from_native(data, allow_series=True, eager_only=True, pass_through=True)
    if isinstance(frame, (nw.DataFrame, nw.Series)):
        return frame.filter(keep.tolist()).to_native()
    arrow = sys.modules.get("pyarrow")
    if arrow is not None and isinstance(data, (arrow.Array, arrow.RecordBatch)):  # narwhals knows the chunked kinds
        return data.filter(arrow.array(keep))
    return [row for row, kept in zip(data, keep, strict=True) if kept]  # an index, a deque, an array.array, ...
