"""Excel workbooks and SQLite databases."""

from __future__ import annotations

import datetime
import os
import sqlite3
import stat
import sys
from contextlib import closing
from pathlib import Path

import pytest

from mine.data.readers import read_table
from mine.errors import InputError, MineError, UnknownNameError

from .text_tables import text_table


def database(path: Path, *statements: str) -> str:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    return str(path)


PEOPLE = (
    "CREATE TABLE people (age REAL, name TEXT, visits INTEGER, note)",
    "INSERT INTO people VALUES (31.5, 'ü', 2, 1), (NULL, '007', 3, 'n/a'), (40, NULL, 4, NULL)",
)
OTHER = ('CREATE TABLE "od""d" (a, "b, c")', 'INSERT INTO "od""d" VALUES (1, 2)')


def test_the_only_table_of_a_database(tmp_path: Path):
    for name in ("t.db", "t.sqlite", "t.SQLITE3", "a?b#c%20.db"):
        table = read_table(database(tmp_path / name, *PEOPLE))
        assert (table.columns, table.n_rows) == (("age", "name", "visits", "note"), 3)
        assert table.select(["visits", "age", "name"]).to_pydict() == {
            "visits": [2, 3, 4],
            "age": [31.5, None, 40.0],
            "name": ["ü", "007", None],
        }
        assert table.select("note").to_pydict() == {"note": ["1", "n/a", None]}  # as in a CSV file


def test_a_table_is_named_if_there_are_several(tmp_path: Path):
    file = database(tmp_path / "t.db", *PEOPLE, *OTHER, "CREATE VIEW old AS SELECT age, visits FROM people WHERE age > 35")
    with pytest.raises(InputError, match=r"has 3 tables: name one with --table, such as --table people"):
        read_table(file)
    with pytest.raises(UnknownNameError, match="Unknown table 'peeple': did you mean 'people'"):
        read_table(file, table="peeple")
    assert read_table(file, table='od"d').select(["b, c"]).to_pydict() == {"b, c": [2]}
    assert read_table(file, table="old").select("visits").to_pydict() == {"visits": [4]}


def test_databases_without_rows_or_tables(tmp_path: Path):
    with pytest.raises(InputError, match="has no tables"):
        read_table(database(tmp_path / "none.db", "CREATE TABLE a (b)", "DROP TABLE a"))
    with pytest.raises(InputError, match="has no rows in 'a'"):
        read_table(database(tmp_path / "empty.db", "CREATE TABLE a (b)"))


def test_a_database_is_never_written_to_nor_made(tmp_path: Path):
    file = Path(database(tmp_path / "t.db", *PEOPLE, "PRAGMA journal_mode = DELETE"))
    before = (file.read_bytes(), sorted(os.listdir(tmp_path)))
    file.chmod(stat.S_IRUSR)
    read_table(str(file)).select("age")
    assert (file.read_bytes(), sorted(os.listdir(tmp_path))) == before


def test_a_view_cannot_write(tmp_path: Path):
    """Functions with side effects in a file's schema are not run, and there is no way to load an extension."""
    file = database(tmp_path / "t.db", "CREATE TABLE a (b)", "CREATE VIEW v AS SELECT load_extension('evil') AS b")
    with pytest.raises(InputError, match="cannot be read as SQLite"):
        read_table(file, table="v")


def test_tables_of_other_files(tmp_path: Path):
    text_table(tmp_path, "a\n1\n")
    with pytest.raises(InputError, match="holds one table: --table is for workbooks"):
        read_table(str(tmp_path / "data.csv"), table="a")


def test_without_openpyxl_one_sentence_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(MineError, match=r'Excel files need openpyxl: pip install "torch-mine\[excel\]"'):
        text_table(tmp_path, b"PK", "t.xlsx")


class TestExcel:
    @pytest.fixture
    def book(self, tmp_path: Path) -> str:
        openpyxl = pytest.importorskip("openpyxl")
        book = openpyxl.Workbook()
        book.active.title = "one"
        day = datetime.datetime(2020, 1, 2)
        for row in (
            [None] * 4, ["a", "zip", "day", "a", None], [1, "007", day, "x"], [2.5, "12", day, 3, None], [None, "5", None, "#DIV/0!"], [],
        ):  # fmt: skip
            book.active.append(row)
        book.create_sheet("two").append(["b"])
        book["two"].append([7])
        book.create_sheet("bare").append(["b"])
        book.save(tmp_path / "t.xlsx")
        return str(tmp_path / "t.xlsx")

    def test_the_first_sheet(self, book: str):
        table = read_table(book)
        assert table.columns == ("a", "zip", "day", "a.1")
        assert table.select(list(table.columns)).to_pydict() == {
            "a": [1.0, 2.5, None],
            "zip": ["007", "12", "5"],
            "day": [datetime.datetime(2020, 1, 2)] * 2 + [None],
            "a.1": ["x", "3", None],  # as in a CSV file
        }
        assert "has 3 sheets and the first, 'one', was read" in table.notes[0] and "'a.1'" in table.notes[1]

    def test_a_sheet_by_name(self, book: str):
        table = read_table(book, table="two")
        assert table.select("b").to_pydict() == {"b": [7]} and table.notes == ()
        with pytest.raises(UnknownNameError, match="Unknown sheet 'tow': did you mean 'two'"):
            read_table(book, table="tow")
        with pytest.raises(InputError, match="has no rows below a header in the sheet 'bare'"):
            read_table(book, table="bare")

    @pytest.mark.parametrize("content", [b"abc", b"", b"PK\x03\x04abc"])
    def test_damaged_workbooks_are_one_sentence(self, content: bytes, tmp_path: Path):
        pytest.importorskip("openpyxl")
        with pytest.raises(InputError, match=r"t\.xlsx cannot be read as xlsx"):
            text_table(tmp_path, content, "t.xlsx")
