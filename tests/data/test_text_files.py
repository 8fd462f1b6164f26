"""CSV and TSV: dialects, types, and what is said where something is wrong."""

from __future__ import annotations

import datetime
import io
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mine.data.parsing import read_texts
from mine.data.readers import read_table
from mine.data.sides import as_variable
from mine.errors import InputError, NumberTextError, UnknownNameError

from .text_tables import text_table, zipped


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a,b\n1,2.5\n3,4\n", {"a": [1, 3], "b": [2.5, 4.0]}),
        ("a,b\r\n1,2\r\n3,4", {"a": [1, 3], "b": [2, 4]}),
        ("a,b\r1,2\r3,4\r", {"a": [1, 3], "b": [2, 4]}),
        ("\n\na,b\n1,2\n\n3,4\n\n", {"a": [1, 3], "b": [2, 4]}),
        (b"\xef\xbb\xbfa,b\n1,2\n", {"a": [1], "b": [2]}),
        (' a ,"b, in kg"\n1,2\n', {"a": [1], "b, in kg": [2]}),
        ('"two\nlines",b\n1,2\n', {"two\nlines": [1], "b": [2]}),
        ('a,b\n"x\ny",2\n"say ""z""",3\n', {"a": ["x\ny", 'say "z"'], "b": [2, 3]}),
        ("a,b\n,x\n2,\nNA,NA\n", {"a": [None, 2, None], "b": ["x", None, None]}),
        ("a,b\nnan,1\n2,inf\n", {"a": [None, 2], "b": [1.0, float("inf")]}),
        ("a,b\ntrue,1\nfalse,2\n", {"a": [True, False], "b": [1, 2]}),
        ("a,b\nhigh,1\n1.5,2\n", {"a": ["high", "1.5"], "b": [1, 2]}),
        ("a\nx\ny\n", {"a": ["x", "y"]}),
        ("a;b\n1;2.5\n3;4\n", {"a": [1, 3], "b": [2.5, 4.0]}),
        ("a;b\n1,5;x\n3;y\n", {"a": [1.5, 3.0], "b": ["x", "y"]}),
        ("a,b\n01.02.2024,1.2.3\n02.02.2024,1.2.4\n", {"a": ["01.02.2024", "02.02.2024"], "b": ["1.2.3", "1.2.4"]}),
        ("a\n2024-02-01\n2024-02-02\n", {"a": [datetime.date(2024, 2, 1), datetime.date(2024, 2, 2)]}),
        ("größe,b\n1,ü\n", {"größe": [1], "b": ["ü"]}),
        (b"\xef\xbb\xbf  \n\na,b\n1,2\n", {"a": [1], "b": [2]}),  # a line of blanks is no header
        ("a\tb\n1.5\tx, y\n2.5\tz\n", {"a": [1.5, 2.5], "b": ["x, y", "z"]}),
        ("a|b\n1.5|x, y\n2.5|z; w\n", {"a": [1.5, 2.5], "b": ["x, y", "z; w"]}),
        ('"c, in kg";b\n1;2\n', {"c, in kg": [1], "b": [2]}),  # a comma in quotes separates nothing
        ('"c; in kg",b\n1,2\n', {"c; in kg": [1], "b": [2]}),
        ("height;cm,b\n1,2\n", {"height;cm": [1], "b": [2]}),
        ("a,b\n007,+1.5\n012,-2e-01\n", {"a": ["007", "012"], "b": [1.5, -0.2]}),  # a zip code is no number
        ("a,b\n 90210,0\n01234,10\n,0\n", {"a": ["90210", "01234", None], "b": [0, 10, 0]}),
        ("a\n12345678901234567890123\n1\n", {"a": [1.2345678901234568e22, 1.0]}),
        (  # float64 would make one of two
            "a,b\n9223372036854775808,1e30\n9223372036854775809,2e30\n",
            {"a": ["9223372036854775808", "9223372036854775809"], "b": [1e30, 2e30]},
        ),
        ("a,b,\n1,2,\n3,4,\n", {"a": [1, 3], "b": [2, 4], "unnamed 2": [None, None]}),
    ],
)
def test_csv_dialects(content: str | bytes, expected: dict[str, list[Any]], tmp_path: Path):
    table = text_table(tmp_path, content)
    assert table.columns == tuple(expected)
    assert table.n_rows == len(next(iter(expected.values())))
    assert table.select(list(expected)).to_pydict() == expected


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("data.tsv", b"a b\tc\n1\t2,5\n"),
        ("data.tab", b"a b\tc\n1\t2,5\n"),
        ("DATA.TSV", b"a b\tc\n1\t2,5\n"),
        ("data.tsv.gz", zipped(b"a b\tc\n1\t2,5\n")),
        ("data.csv.gz", zipped(b'a b,c\n1,"2,5"\n')),
        ("data.csv", zipped(b'a b,c\n1,"2,5"\n')),  # zipped whatever it is called
    ],
)
def test_separator_and_compression_follow_the_name(name: str, content: bytes, tmp_path: Path):
    table = text_table(tmp_path, content, name)
    assert table.columns == ("a b", "c")
    assert table.select("a b").to_pydict() == {"a b": [1]}


def test_one_tab_separated_column_may_hold_commas(tmp_path: Path):
    table = text_table(tmp_path, "a\nx, y\nz\n", "data.tsv")
    assert table.select("a").to_pydict() == {"a": ["x, y", "z"]}


def test_csv_type_is_that_of_all_rows_not_of_the_first_megabyte(tmp_path: Path):
    rows = 400_000
    table = text_table(tmp_path, "a\n" + "12\n" * rows + "x\n")
    assert table.n_rows == rows + 1
    assert table.select("a").column("a")[-1].as_py() == "x"


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", zipped(b"a,b\n1,2\n")])
def test_standard_input_is_csv(content: bytes, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert read_table("-").select("b").to_pydict() == {"b": [2]}


def test_closed_or_broken_standard_input_is_one_sentence(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(InputError, match="Standard input is closed: pipe CSV into it"):
        read_table("-")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(zipped(b"a,b\n1,2\n")[:-9])))
    with pytest.raises(InputError, match="standard input cannot be read as csv"):
        read_table("-")


def test_example_is_found_by_name():
    assert read_table("example:breast-cancer").n_rows == 569
    with pytest.raises(UnknownNameError, match="did you mean 'breast-cancer'"):
        read_table("example:brest-cancer")


def test_unnamed_columns_get_their_position_as_pandas_index_needs(tmp_path: Path):
    path = tmp_path / "data.csv"
    pd.DataFrame({"a": [1, 2]}).to_csv(path)
    table = read_table(str(path))
    assert table.columns == ("unnamed 0", "a")
    assert table.select("a").to_pydict() == {"a": [1, 2]}
    assert text_table(tmp_path, ",,a,\n1,2,3,\n").columns == ("unnamed 0", "unnamed 1", "a", "unnamed 3")


def test_times_of_day_are_numbers_as_dates_are(tmp_path: Path):
    table = text_table(tmp_path, "t\n00:01:00\n12:00:30\n")
    assert table.select("t").to_pydict() == {"t": [60, 43_230]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty: it needs a header line and rows"),
        ("\n  \n", "is empty"),
        ("a,b\n", "has no rows below its header line"),
        ("a,b", "has no rows below its header line"),
        (b"\xef\xbb\xbf", "is empty"),
        ('"a,b\n' + "1,2\n" * 40_000, "cannot be read as CSV: .* in its header; is a quote left open"),
        ("1.5,2\n3,4\n", r"has no header line \(its first line is '1.5,2'\): add the column names"),
        ("a,b\n1,2,3\n", "cannot be read as CSV: .*Expected 2 columns, got 3"),
        ("a,b\n1\n", "cannot be read as CSV: .*Expected 2 columns, got 1"),
        ("a,b\n1,2\n".encode("utf-16-le"), "is not UTF-8 text"),  # without the mark that says so
        ("a,b\n1,2\n".encode("utf-16")[:-1], "is not UTF-8 text, nor Latin-1 or UTF-16: convert it"),
        (bytes(range(256)), "is not UTF-8 text, nor Latin-1 or UTF-16: convert it"),
    ],
)
def test_bad_csv_says_what_and_how_to_mend_it(content: str | bytes, message: str, tmp_path: Path):
    with pytest.raises(InputError, match=message) as caught:
        text_table(tmp_path, content)
    assert "data.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("number", ["1,5", "12,000", "1,200,000.25", "-1.200.000,5", "$1,200", "12 kg"])
def test_numbers_with_commas_never_pass_for_labels(number: str, tmp_path: Path):
    table = text_table(tmp_path, f'a,b\n7,1\n"{number}",2\n')
    assert as_variable(table.select("b"), "x").columns == ("b",)  # a column not asked for is not in the way
    with pytest.raises(NumberTextError, match=rf"Column 'a' holds .* written as text, such as '{re.escape(number)}': clean it"):
        as_variable(table.select("a"), "x")


def test_semicolons_come_with_decimal_commas_but_not_with_both(tmp_path: Path):
    table = text_table(tmp_path, "a;b\n1,5;1.5\n2,5;2.5\n")
    assert table.select("a").to_pydict() == {"a": [1.5, 2.5]}
    with pytest.raises(NumberTextError, match=r"Column 'b' holds numbers written as text, such as '1\.5'"):
        as_variable(table.select("b"), "x")


def test_a_comma_among_labels_is_no_decimal_comma(tmp_path: Path):
    table = text_table(tmp_path, "a;b\nnone;1.5\nsome;2.5\n1,5;3.5\n")
    assert table.select("a,b").to_pydict() == {"a": ["none", "some", "1,5"], "b": [1.5, 2.5, 3.5]}


def test_stray_text_among_numbers_with_commas_is_named(tmp_path: Path):
    for content, stray in (
        ('a,b\n"1,234",1\n"2,345",2\nunknown,3\n', "'unknown' (row 2)"),
        ("a;b\n1,5;x\n2,5;y\n!;z\n", "'!' (row 2)"),
    ):
        table = text_table(tmp_path, content).select("a")
        with pytest.raises(InputError, match=re.escape(f"written as text but also {stray}: clean it")):
            read_texts(True, None, x=table)


def test_lists_of_codes_pass_where_they_are_declared_labels(tmp_path: Path):
    table = text_table(tmp_path, 'a,b\n"1,2",1\n3,2\n"1,3",3\n').select("a")
    with pytest.raises(InputError, match=r"Column 'a' holds numbers with a decimal comma written as text, such as '1,2'"):
        as_variable(table, "x")
    for data in (table, read_texts(True, ["a"], x=table)[0][0]):
        assert as_variable(data, "x", ["a"]).levels == (("1,2", "1,3", "3"),)


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "utf-32", "utf-8-sig", "utf-8"])
def test_other_encodings_are_read_and_named(encoding: str, tmp_path: Path):
    content = "größe,b\nü,1\né,2\n"
    table = text_table(tmp_path, content.encode(encoding))
    assert table.select(["größe", "b"]).to_pydict() == {"größe": ["ü", "é"], "b": [1, 2]}
    said = {"latin-1": "Latin-1", "cp1252": "Latin-1", "utf-16": "UTF-16", "utf-32": "UTF-32"}.get(encoding)
    assert len(table.notes) == (said is not None) and all(str(said) in note for note in table.notes)


@pytest.mark.parametrize("header", ["a,b,a", "a,a,a,a", "a,a,a.1", "a.1,a,a", "a,b,a,b", "a.1,a.1,a", "a, a"])
def test_columns_of_the_same_name_are_told_apart_as_pandas_does(header: str, tmp_path: Path):
    n = header.count(",") + 1
    content = f"{header}\n{','.join(map(str, range(n)))}\n"
    table = text_table(tmp_path, content)
    wanted = pd.read_csv(io.StringIO(content), skipinitialspace=True)
    assert list(table.columns) == list(wanted.columns)
    assert [table.select([name]).to_pydict()[name] for name in table.columns] == [[i] for i in range(n)]
    assert table.notes and all(note.startswith(str(tmp_path)) and "the later ones are called" in note for note in table.notes)
