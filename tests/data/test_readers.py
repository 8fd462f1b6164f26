"""Which reader a file gets, and files that cannot be read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyarrow import feather

from mine.data.readers import FORMATS, read_table
from mine.errors import InputError

from .text_tables import text_table, zipped


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("data.parquet", b"abc"),
        ("data.npy", b"abc"),
        ("data.npz", b"PK\x03\x04abc"),
        ("data.csv.gz", b"a,b\n1,2\n"),
        ("data.csv.gz", zipped(b"a,b\n1,2\n" * 1000)[:-20]),
        ("data.parquet", b""),
        ("data.npy", b""),
        ("data.npz", b""),
        ("data.feather", b"abc"),
        ("data.arrow", b""),
        ("data.orc", b"abc"),
        ("data.orc", b""),
        ("data.jsonl", b'{"a": 1}\n{"a": '),
        ("data.jsonl", b""),
        ("data.jsonl.gz", b'{"a": 1}\n'),
        ("data.sqlite", b"abc" * 500),
        ("data.db", b""),
    ],
)
def test_unreadable_file_is_one_sentence_that_names_it(name: str, content: bytes, tmp_path: Path):
    with pytest.raises(InputError, match=name) as caught:
        text_table(tmp_path, content, name)
    assert "\n" not in str(caught.value)


def test_missing_file_suggests_the_nearest_in_its_folder(tmp_path: Path):
    (tmp_path / "measurements.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"No file .*mesurements\.csv: did you mean .*measurements\.csv\?"):
        read_table(str(tmp_path / "mesurements.csv"))
    with pytest.raises(InputError, match=r"No file .*: check the path, or try 'mine examples'"):
        read_table(str(tmp_path / "nowhere" / "measurements.csv"))


def test_name_that_cannot_be_looked_up_is_one_sentence():
    with pytest.raises(InputError, match=r"^x+\.csv cannot be read: File name too long"):
        read_table("x" * 5000 + ".csv")


def test_folder_is_not_a_file(tmp_path: Path):
    with pytest.raises(InputError, match="is a folder: name a file in it"):
        read_table(str(tmp_path))
    with pytest.raises(InputError, match="The current folder is a folder: name a file in it"):
        read_table("")


def test_unknown_extension_lists_what_is_read(tmp_path: Path):
    with pytest.raises(InputError, match=r"data\.ods has an unknown format: use one of") as caught:
        text_table(tmp_path, "a,b\n1,2\n", "data.ods")
    assert all(kind in str(caught.value) for kind in FORMATS)


@pytest.mark.parametrize("ending", ["parquet", "feather"])
def test_an_index_without_a_name_is_no_column(tmp_path: Path, ending: str) -> None:
    frame = pd.DataFrame({"a": range(30), "b": range(30)}, index=np.arange(30)[::-1])
    path = tmp_path / f"frame.{ending}"
    feather.write_feather(frame, str(path)) if ending == "feather" else frame.to_parquet(path)
    table = read_table(str(path))
    assert table.columns == ("a", "b") and "index" in table.notes[-1] and table.select("a")["a"].to_pylist() == list(range(30))
    named = frame.rename_axis("id")
    named.to_parquet(tmp_path / "named.parquet")
    assert "id" in read_table(str(tmp_path / "named.parquet")).columns
