"""Arrays whose axes have names: those of xarray and of MNE, with the time axis as rows."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np

from mine.data.time_index import as_times
from mine.errors import InputError

__all__ = ["Labelled", "read_labelled"]

#: The axis that holds rows, whatever its values.
TIME = "time"


@dataclass(frozen=True)
class Labelled:
    """Rows with what their axes are called.

    Attributes:
        values: One row per time, or per epoch: shape (n, ...).
        names: Name of each column where rows are flat, else None.
        times: Time of each row, shape (n,), or None.
    """

    values: np.ndarray
    names: list[str] | None
    times: np.ndarray | None


def read_labelled(data: Any, name: str) -> Labelled | None:
    """An array of xarray or MNE as rows, None for anything else; neither package is imported.

    Arguments:
        data: A DataArray or Dataset, of which the axis called ``time``, or the first one with dates, holds the rows, else the
            first; a Raw or Evoked, whose rows are times and whose columns are channels; or Epochs, whose rows are epochs of
            shape (times, channels).
        name: What unnamed columns are called.

    Raises:
        InputError: A Dataset of which a variable lacks the axis of the rows.
    """
    xarray, mne = sys.modules.get("xarray"), sys.modules.get("mne")
    if xarray is not None and isinstance(data, xarray.DataArray):
        return _from_array(data, name)
    if xarray is not None and isinstance(data, xarray.Dataset):
        return _from_dataset(data, name)
    if mne is not None and isinstance(data, mne.BaseEpochs):
        return Labelled(np.asarray(data.get_data()).transpose(0, 2, 1), None, None)
    if mne is not None and isinstance(data, mne.Evoked):
        return Labelled(np.asarray(data.data).T, list(data.ch_names), as_times(np.asarray(data.times)))
    if mne is not None and isinstance(data, mne.io.BaseRaw):  # what is annotated as bad is missing, and leaves a gap
        values = np.asarray(data.get_data(reject_by_annotation="NaN")).T
        return Labelled(values, list(data.ch_names), as_times(np.asarray(data.times)))
    return None


def _from_array(data: Any, name: str) -> Labelled | None:
    if not data.dims:
        return None
    rows = _row_axis(data)
    data = data.transpose(rows, ...)
    return Labelled(np.asarray(data.values), _column_names(data, str(data.name or name)), _times_along(data, rows))


def _from_dataset(data: Any, name: str) -> Labelled:
    variables = dict(data.data_vars)
    if not variables:
        raise InputError(f"{name} is a Dataset without variables.")
    first = next(iter(variables.values()))
    rows = TIME if TIME in data.dims else _row_axis(first)
    columns: list[np.ndarray] = []
    names: list[str] = []
    for label, variable in variables.items():
        if rows not in variable.dims or variable.ndim > 2:
            raise InputError(
                f"Variable {label!r} of {name} is no table with rows along {rows!r}: pass {name}[[...]] without it."
            )
        variable = variable.transpose(rows, ...)
        values = np.asarray(variable.values).reshape(variable.shape[0], -1)
        own = _column_names(variable, str(label))
        names += [str(label)] if variable.ndim == 1 else [f"{label} {column}" for column in own or range(values.shape[1])]
        columns += list(values.T)
    numbers = all(column.dtype.kind in "biuf" for column in columns)
    values = np.empty((len(columns[0]), len(columns)), np.float64 if numbers else object)
    for i, column in enumerate(columns):
        values[:, i] = column
    return Labelled(values, names, _times_along(data, rows))


def _row_axis(data: Any) -> Any:
    if TIME in data.dims:
        return TIME
    dated = (axis for axis in data.dims if axis in data.coords and data.coords[axis].dtype.kind in "mM")
    return next(dated, data.dims[0])


def _column_names(data: Any, name: str) -> list[str] | None:
    """Labels of the columns of an array with rows in front; None where there are none, or rows are not flat."""
    if data.ndim == 1:
        return [name]
    axis = data.dims[1]
    if data.ndim > 2 or axis not in data.coords:
        return None
    labels = [str(label) for label in np.asarray(data.coords[axis].values).tolist()]
    return labels if len(set(labels)) == len(labels) == math.prod(data.shape[1:]) else None


def _times_along(data: Any, axis: Any) -> np.ndarray | None:
    if axis not in data.coords or data.coords[axis].ndim != 1:
        return None
    values = np.asarray(data.coords[axis].values)
    return as_times(values) if values.dtype.kind in "mM" or axis == TIME else None
