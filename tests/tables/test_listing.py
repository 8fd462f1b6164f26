"""A measured table as text: what comes last, what is not drawn, and what is said of pairs that look contradictory."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from mine.reporting.matrix import found_matrix, plot_pairwise
from mine.tables.blocks import Cell
from mine.tables.columns import Column
from mine.tables.listing import as_terminal, strongest
from mine.tables.measured import Pairwise


def cell(
    x: str, y: str, value: float, low: float, p: float | None, permutations: int | None = 999, *, named: bool = False
) -> Cell:
    return Cell(x, y, value, None, 0.05, low, value + 0.1, p, permutations, "number-number", "stacked critics", 100, "", named)


@pytest.fixture
def measured() -> Pairwise:
    cells = [
        cell("a", "b", 0.3, 0.2, 0.001),
        cell("a", "c", 0.4, 0.01, 0.4),  # the largest value, and noise
        cell("a", "d", 0.05, -0.02, 0.004),
        cell("b", "c", -0.0001, -0.0004, 0.9),
        cell("b", "d", 0.9, 0.8, None, None, named=True),
    ]
    columns = {name: Column(name, "number", np.arange(100.0)) for name in "abcd"}
    return Pairwise(cells, columns, [0.004, 0.53, 0.008, 0.9, None], "nats", 0)


def test_pairs_that_are_not_found_come_after_those_that_are(measured: Pairwise):
    order = [row["x"] + row["y"] for row in strongest(measured)]
    assert order == ["ab", "ad", "ac", "bc", "bd"]
    untested = replace(measured, q=None)
    assert [row["x"] + row["y"] for row in strongest(untested)] == ["ac", "ab", "ad", "bc", "bd"]


def test_the_printed_table(measured: Pairwise):
    lines = as_terminal(measured, 20, 150).splitlines()
    rows = {"".join(line.split()[:2]): line for line in lines if len(line.split()) > 6 and len(line.split()[0]) == 1}
    assert "≤ 0.001" in rows["ab"] and "0.84" not in rows["ac"] and " - " in rows["ac"]
    assert f"{math.sqrt(1 - math.exp(-0.6)):.2f}" in rows["ab"]
    assert rows["ad"].endswith("interval contains 0: the test is more sensitive")
    assert rows["ac"].endswith("interval above 0: q is adjusted for all pairs")
    assert "[0.000, 0.100]" in rows["bc"] and "-0.000" not in "\n".join(lines)
    assert lines[-1] == "q: Benjamini-Hochberg over all 4 tested pairs; those with q > 0.05 come last, without a strength"


def test_rows_that_pairs_lack_are_said(measured: Pairwise):
    gap = np.arange(100.0)
    gap[3:10] = np.nan
    columns = {**measured.columns, "c": replace(measured.columns["c"], values=gap, infinite=2)}
    holed = replace(measured, columns=columns)
    assert [bool(note) for note in holed.records()["note"]] == [False, True, False, True, False]
    assert holed.records()["note"][1] == "7 of 100 rows left out (missing or infinite)."
    assert "Rows with missing or infinite values were left out pair by pair: c (7 rows)." in as_terminal(holed, 20, 150)


def test_the_heat_map_is_grey_for_what_is_not_found(measured: Pairwise):
    records = measured.records()
    found = found_matrix(records)
    assert found.tolist() == found.T.tolist() and [found[0, 1], found[0, 2], found[0, 3], found[1, 2]] == [
        True,
        False,
        True,
        False,
    ]
    axis = plot_pairwise(records).axes[0]
    assert "grey: q > 0.05" in axis.get_title(loc="left")
    shown, grey = (np.ma.filled(image.get_array(), np.nan) for image in axis.get_images())
    assert np.isfinite(shown).sum() == 4 and np.isfinite(grey).sum() == 4
    assert len(axis.texts) == 4  # no number for noise
    untested = {name: values for name, values in records.items() if name not in ("p", "q", "permutations")}
    assert "grey: interval contains 0" in plot_pairwise(untested).axes[0].get_title(loc="left")


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table], ids=["pandas", "polars", "arrow"])
def test_the_heat_map_of_frames_of_every_library(measured: Pairwise, make: Any):
    axis = plot_pairwise(make(measured.records())).axes[0]
    assert "grey: q > 0.05" in axis.get_title(loc="left") and len(axis.texts) == 4
