"""Feather, Arrow, ORC and JSON lines: the columns that were written."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import feather, orc

from mine.data.readers import read_table
from mine.data.sides import as_variable
from mine.data.sources import named_columns
from mine.errors import InputError

from .text_tables import text_table, zipped

DAYS = [datetime.datetime(2020, 1, 1 + i) for i in range(3)]
COLUMNS = {"a": [1.5, None, 2.5], "k": [1, 2, 3], "größe": ["x", "007", None], "day": DAYS}


def stream(table: pa.Table, path: str) -> None:
    with pa.OSFile(path, "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)


@pytest.mark.parametrize(
    ("name", "write"),
    [("t.feather", feather.write_feather), ("t.arrow", feather.write_feather), ("T.ARROW", stream), ("t.orc", orc.write_table)],
)
def test_columns_come_back(name: str, write: Callable[..., Any], tmp_path: Path):
    table = pa.table(COLUMNS)
    write(table, str(tmp_path / name))
    read = read_table(str(tmp_path / name))
    assert (read.columns, read.n_rows, read.notes) == (tuple(COLUMNS), 3, ())
    chosen = ["k", "größe", "a"]
    assert read.select(chosen).to_pydict() == {column: COLUMNS[column] for column in chosen}
    days = as_variable(read.select(["day"]), "x").flat[:, 0]
    unit = 86_400_000_000_000 if name == "t.orc" else 86_400_000_000  # ORC has nanoseconds
    assert (days - days[0]).tolist() == [0, unit, 2 * unit]


@pytest.mark.parametrize(("name", "write"), [("t.feather", feather.write_feather), ("t.orc", orc.write_table)])
def test_no_rows(name: str, write: Callable[..., Any], tmp_path: Path):
    write(pa.table({"a": pa.array([], pa.float64())}), str(tmp_path / name))
    with pytest.raises(InputError, match="has no rows"):
        read_table(str(tmp_path / name))


def test_json_lines(tmp_path: Path):
    rows = [{"a": 1.5, "größe": "007"}, {"a": None, "größe": "x", "more": True}, {"größe": "y", "a": 2}]
    content = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()
    expected = {"a": [1.5, None, 2.0], "größe": ["007", "x", "y"], "more": [None, True, None]}
    for name, data in {
        "t.jsonl": content,
        "t.ndjson": b"\xef\xbb\xbf" + content + b"\n",
        "t.jsonl.gz": zipped(content),
    }.items():
        table = text_table(tmp_path, data, name)
        assert table.select(list(table.columns)).to_pydict() == expected
    table = text_table(tmp_path, content.decode().encode("latin-1"), "t.jsonl")
    assert table.select(list(table.columns)).to_pydict() == expected and "Latin-1" in table.notes[0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[{"a": 1}]', "is one JSON array: write one object per line"),
        ('{"a": 1}\n{"a": "x"}\n', r"cannot be read as JSON lines: .*a"),
        ("a,b\n1,2\n", "cannot be read as JSON lines"),
        ("\n\n", "is empty"),
    ],
)
def test_bad_json_lines_say_what_is_wrong(content: str, message: str, tmp_path: Path):
    with pytest.raises(InputError, match=message) as caught:
        text_table(tmp_path, content, "t.jsonl")
    assert "\n" not in str(caught.value) and "t.jsonl" in str(caught.value)


def test_nested_json_is_refused_by_column(tmp_path: Path):
    table = text_table(tmp_path, '{"a": {"b": 1}, "c": 1}\n' * 30, "t.jsonl")
    with pytest.raises(InputError, match="Column 'a' holds dict values"):
        as_variable(table.select("a"), "x")


def test_integers_beyond_64_bits_stay_apart_in_json_lines(tmp_path: Path):
    file = tmp_path / "ids.jsonl"
    file.write_text("".join(f'{{"v": {i}.5, "id": {10**20 + i // 4}}}\n' for i in range(80)))
    table = read_table(str(file))
    assert len(set(named_columns(table.select(["id"]), "id")["id"])) == 20
    file.write_text("".join(f'{{"v": {i}.5, "id": {i}e30}}\n' for i in range(80)))  # numbers, not identifiers
    assert named_columns(read_table(str(file)).select(["id"]), "id")["id"].dtype.kind == "f"
