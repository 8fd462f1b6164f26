"""A variable: equal rows, and parts of it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from mine.data.sides import as_variable

FRAME = pd.DataFrame(
    {"few": np.arange(100) % 3, "many": np.arange(100.0), "flag": np.arange(100) % 2 == 0, "name": ["p", "q"] * 50}
)


@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, -0.0, 1.5, 2.5]), st.sampled_from("uv"), st.sampled_from([1, 2])),
        min_size=2,
        max_size=12,
    )
)
def test_row_ids_are_equal_for_equal_rows_only(rows: list[tuple[float, str, int]]):
    frame = pd.DataFrame(rows, columns=["a", "b", "c"])
    ids = as_variable(frame, "x", {"a": False, "c": True}, allow_constant=True).row_ids()
    assert sorted(set(ids.tolist())) == list(range(len(set(rows))))
    for i, first in enumerate(rows):
        for j, second in enumerate(rows):
            assert (ids[i] == ids[j]) == (first == second)


def test_row_ids_of_images():
    images = np.zeros((4, 1, 2, 2))
    images[1, 0, 1, 1] = images[3, 0, 1, 1] = 1e-300
    ids = as_variable(images, "x").row_ids()
    assert ids[0] == ids[2] != ids[1] == ids[3]


def test_take_keeps_numbers_and_labels_together():
    taken = as_variable(FRAME, "x").take(np.array([7, 2]))
    assert taken.flat[:, 0].tolist() == [7.0, 2.0]
    texts = [[levels[code] for levels, code in zip(taken.levels, row, strict=True)] for row in taken.discrete]
    assert texts == [["1.0", "False", "q"], ["2.0", "True", "p"]]
