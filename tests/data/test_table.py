"""How the columns of a table are named and chosen."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mine.data.readers import Table, read_table, split_names
from mine.errors import InputError, UnknownNameError


def text_table(folder: Path, content: str | bytes, name: str = "data.csv") -> Table:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(str(path))


def npz_table(folder: Path, **arrays: Any) -> Table:
    np.savez(folder / "data.npz", **arrays)
    return read_table(str(folder / "data.npz"))


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return text_table(tmp_path, 'mean a,mean b,worst a,"c, in kg","x*",xy,[ab],a,A\n1,2,3,4,5,6,7,8,9\n')


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("a", ["a"]),
        (" a , worst a ", ["a", "worst a"]),
        ("worst a,mean a", ["worst a", "mean a"]),  # the order of the list
        ("mean *", ["mean a", "mean b"]),
        ("*a", ["mean a", "worst a", "a"]),
        ("mean b,mean *,mean a", ["mean b", "mean a"]),  # each once
        ("x*", ["x*"]),  # an exact name wins
        ("x?", ["x*", "xy"]),
        ("[ab]", ["[ab]"]),
        ("[a-c]", ["a"]),
        ('"c, in kg"', ["c, in kg"]),
        ('a,"c, in kg"', ["a", "c, in kg"]),
        ('a, "c, *"', ["a", "c, in kg"]),
        ("A", ["A"]),
        ("a,,", ["a"]),
    ],
)
def test_names_and_globs(spec: str, expected: list[str], table: Table):
    assert table.names(spec) == expected
    assert table.select(spec).column_names == expected


def test_wrong_column_names_the_nearest(table: Table):
    with pytest.raises(UnknownNameError, match=r"Unknown column 'mean c': did you mean 'mean [ab]'"):
        table.names("a,mean c")
    with pytest.raises(UnknownNameError, match=r"Unknown column 'best \*'"):
        table.names("best *")


def test_many_columns_are_chosen_in_no_time(tmp_path: Path):
    columns = 40_000  # gene expression: comparing each with each would take a minute
    table = npz_table(tmp_path, g=np.zeros((1, columns), np.int8))
    started = time.process_time()
    assert len(table.names("g[[]*,g")) == columns
    assert time.process_time() - started < 2


@pytest.mark.parametrize("spec", ["", " ", ",", " , "])
def test_empty_list_is_an_error(spec: str, table: Table):
    with pytest.raises(InputError, match="No column was named"):
        table.names(spec)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("a,b", ["a", "b"]),
        ('"a,b",c', ["a,b", "c"]),
        ('"say ""a"""', ['say "a"']),
        ('say "a",5" pipe', ['say "a"', '5" pipe']),
        ("two\nlines,b", ["two\nlines", "b"]),
        ('" a ", b ', [" a ", "b"]),
        ('"a', ['"a']),
        ("", []),
    ],
)
def test_split_names(spec: str, expected: list[str]):
    assert split_names(spec) == expected
