"""What z leaves of a side: nothing of a function of it, the difference of a near copy, the column itself elsewhere."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mine.conditional.leftover import Leftover, without_copies_of_z, without_regression
from mine.data.sides import as_variable


def test_columns_that_follow_from_z_are_dropped_and_near_copies_replaced() -> None:
    rng = np.random.default_rng(0)
    z, e, other = rng.normal(size=(3, 400))
    frame = pd.DataFrame({"copy": 2 * z - 1, "near": z + 1e-4 * e, "other": other, "kind": np.where(other > 0, "a", "b")})
    left = without_copies_of_z(as_variable(frame, "x"), as_variable(z, "z"))
    assert left.side.columns == ("near", "other", "kind") and not left.determined
    near, kept = left.side.flat.T
    assert abs(np.corrcoef(near, e)[0, 1]) > 0.99 and (kept == other).all()


def test_a_label_decides_a_number() -> None:
    kind = np.random.default_rng(1).choice(["a", "b", "c"], 200)
    number = np.select([kind == "a", kind == "b"], [0.1, 7.0], 30.0)
    assert without_copies_of_z(as_variable(number, "x", False), as_variable(kind, "z")).determined


def test_one_regression_keeps_near_copies_of_each_other_near() -> None:
    rng = np.random.default_rng(2)
    z, e, noise = rng.normal(size=(3, 600))
    x = np.sin(3 * z) + 0.1 * e
    sides = [Leftover(as_variable(side, name)) for side, name in ((x, "x"), (x + 1e-3 * noise, "y"))]
    left, right = (found.side.flat[:, 0] for found in without_regression(sides, as_variable(z, "z"), None, 3))
    assert np.corrcoef(left, right)[0, 1] > 0.995 and abs(np.corrcoef(left, np.sin(3 * z))[0, 1]) < 0.3


def test_a_curved_function_of_z_is_named() -> None:
    z = np.random.default_rng(3).normal(size=800)
    sides = [Leftover(as_variable(np.tanh(z), "x")), Leftover(as_variable(np.random.default_rng(4).normal(size=800), "y"))]
    x, y = without_regression(sides, as_variable(z, "z"), None, 0)
    assert x.unresolved == ("x",) and not y.unresolved
    assert without_regression(sides[1:], as_variable(z, "z"), None, 0, needed_below=0.3) == sides[1:]
