"""Windows of a series: a view, of every kind of data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch

import mine
from mine.errors import InputError, NotEnoughDataError

X = np.arange(20.0)
TABLE = np.arange(60.0).reshape(20, 3)


@pytest.mark.parametrize(("length", "step"), [(1, 1), (4, 1), (4, 3), (7, 5), (20, 1)])
def test_a_window_is_a_slice_of_the_rows(length: int, step: int) -> None:
    for data in (X, TABLE, TABLE.reshape(20, 3, 1)):
        found = mine.windows(data, length, step)
        assert found.shape == ((20 - length) // step + 1, length, *data.shape[1:])
        for i, window in enumerate(found):
            assert (window == data[i * step : i * step + length]).all()


def test_it_is_a_view_that_cannot_be_written_to() -> None:
    series = X.copy()
    found = mine.windows(series, 5)
    assert np.shares_memory(found, series)
    series[3] = -1
    assert found[0, 3] == found[3, 0] == -1
    with pytest.raises(ValueError, match="read-only"):
        found[0, 0] = 1


def test_tensors_keep_their_kind_their_memory_and_their_gradient() -> None:
    x = torch.arange(20.0, requires_grad=True)
    found = mine.windows(x, 4, 2)
    assert found.shape == (9, 4) and found.data_ptr() == x.data_ptr()
    found.sum().backward()
    assert x.grad is not None and x.grad[2] == 2 and x.grad[0] == 1
    assert torch.equal(mine.windows(torch.as_tensor(TABLE), 4), torch.as_tensor(np.array(mine.windows(TABLE, 4))))


def test_frames_and_columns() -> None:
    for frame in (pd.DataFrame(TABLE, columns=list("abc")), pl.DataFrame(TABLE, schema=list("abc"))):
        assert (mine.windows(frame, 6) == mine.windows(TABLE, 6)).all()
        assert (mine.windows(frame["b"], 6) == mine.windows(TABLE[:, 1], 6)).all()
    assert mine.windows(list(range(5)), 2).shape == (4, 2)


def test_what_it_refuses() -> None:
    lengths: list[Any] = [0, 1.5, True, "3"]
    for length in lengths:
        with pytest.raises(InputError, match="length must be an integer of at least 1"):
            mine.windows(X, length)
    with pytest.raises(InputError, match="step must"):
        mine.windows(X, 3, step=0)
    with pytest.raises(NotEnoughDataError, match="does not fit into 20 rows"):
        mine.windows(X, 21)
    with pytest.raises(InputError, match="needs numbers"):
        mine.windows(["a", "b"], 1)
    with pytest.raises(InputError, match="single value"):
        mine.windows(3.0, 1)
    with pytest.raises(InputError, match="cannot read this"):
        mine.windows([[1, 2], [3]], 1)
    with pytest.raises(InputError, match="at least one column"):
        mine.windows(pd.DataFrame(index=range(20)), 3)


def test_hidden_values_stay_hidden() -> None:
    hidden = np.ma.masked_array([1.0, 1e9, 2.0], [False, True, False])
    with pytest.raises(InputError, match="masked entries"):
        mine.windows(hidden, 2)
    for tensor in (torch.zeros(5).to_sparse(), torch.zeros(5, device="meta")):
        with pytest.raises(InputError, match=r"sparse|no values"):
            mine.windows(tensor, 2)
