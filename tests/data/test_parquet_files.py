"""Parquet: only the columns asked for, and their types."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from mine.data.readers import read_table
from mine.errors import InputError


def test_parquet_reads_only_the_columns_asked_for(tmp_path: Path):
    path = tmp_path / "data.parquet"
    columns = {"a.b": [1, 2], "a": [{"b": 3}, {"b": 4}], "kind": pa.array(["x", "y"]).dictionary_encode()}
    parquet.write_table(pa.table({**columns, "t": pa.array([1, 2], pa.time64("us"))}), path)
    table = read_table(str(path))
    assert table.columns == ("a.b", "a", "kind", "t")
    assert table.n_rows == 2
    assert table.select(["t", "a.b"]).to_pydict() == {"t": [1, 2], "a.b": [1, 2]}  # the struct's a.b stays where it is
    assert table.select("kind").to_pydict() == {"kind": ["x", "y"]}


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array([1, None, 3]), [1, None, 3]),
        (pa.array(["x", None, "x"]).dictionary_encode(), ["x", None, "x"]),
        (pa.array([5, None, 7], pa.timestamp("ns")), [5, None, 7]),  # dates count microseconds later: too coarse for these
        (pa.array([5, None, 7], pa.duration("ns")), [5, None, 7]),
        (pa.array([5, None, 7], pa.time32("ms")), [5, None, 7]),
        (pa.array([0, 1, 2], pa.date32()), [datetime.date(1970, 1, day) for day in (1, 2, 3)]),
    ],
)
def test_parquet_types(column: pa.Array, expected: list[Any], tmp_path: Path):
    parquet.write_table(pa.table({"a": column}), tmp_path / "data.parquet")
    assert read_table(str(tmp_path / "data.parquet")).select("a").to_pydict() == {"a": expected}


def test_parquet_without_rows_or_broken_is_one_sentence(tmp_path: Path):
    path = tmp_path / "data.parquet"
    parquet.write_table(pa.table({"a": pa.array([], pa.int64())}), path)
    with pytest.raises(InputError, match="has no rows"):
        read_table(str(path))

    parquet.write_table(pa.table({"a": list(range(1000))}), path)
    broken = bytearray(path.read_bytes())
    broken[4:60] = b"\xff" * 56  # the first page's header; the footer is whole
    path.write_bytes(broken)
    table = read_table(str(path))
    with pytest.raises(InputError, match=r"data\.parquet cannot be read as parquet: ") as caught:
        table.select("a")
    assert "\n" not in str(caught.value)
