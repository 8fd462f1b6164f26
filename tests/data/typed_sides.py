"""What the tests of columns share: the numbers, or the labels, that data come out as."""

from __future__ import annotations

from typing import Any

import numpy as np

from mine.data.sides import as_variable


def numbers(data: Any, **kwargs: Any) -> list[Any]:
    """The continuous coordinates of a wholly numeric side, a flat list if it has one column."""
    variable = as_variable(data, "x", **kwargs)
    assert variable.n_discrete == 0
    assert variable.continuous.dtype == np.float64
    assert type(variable.continuous) is np.ndarray
    return variable.continuous.squeeze(1).tolist() if variable.continuous.shape[1:] == (1,) else variable.continuous.tolist()


def labels(data: Any, **kwargs: Any) -> list[Any]:
    """The labels of a wholly discrete side of one column."""
    variable = as_variable(data, "x", **kwargs)
    assert variable.n_continuous == 0
    assert variable.discrete.shape == (len(variable), 1)
    (levels,) = variable.levels
    return [levels[code] for code in variable.discrete[:, 0]]
