"""Tables: what is read from files, how columns are named and chosen, and what is said where something is wrong."""

from __future__ import annotations

import datetime
import gzip
import io
import re
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from mine.data.readers import FORMATS, Table, read_table, split_names
from mine.errors import InputError, UnknownNameError


def text_table(folder: Path, content: str | bytes, name: str = "data.csv") -> Table:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(str(path))


def zipped(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)  # the time would make the names of tests differ from run to run


def npz_table(folder: Path, **arrays: Any) -> Table:
    np.savez(folder / "data.npz", **arrays)
    return read_table(str(folder / "data.npz"))


def npy_table(folder: Path, array: Any) -> Table:
    np.save(folder / "data.npy", array)
    return read_table(str(folder / "data.npy"))


# === Text ===


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
        ('"c, in kg";b\n1;2\n', {"c, in kg": [1], "b": [2]}),  # a comma in quotes separates nothing
        ('"c; in kg",b\n1,2\n', {"c; in kg": [1], "b": [2]}),
        ("height;cm,b\n1,2\n", {"height;cm": [1], "b": [2]}),
        ("a,b\n007,+1.5\n012,-2e-01\n", {"a": [7, 12], "b": [1.5, -0.2]}),
        ("a\n12345678901234567890123\n1\n", {"a": [1.2345678901234568e22, 1.0]}),
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
        ("a,b,a\n1,2,3\n", "has two columns called 'a': rename one"),
        ("a, a\n1,2\n", "has two columns called 'a': rename one"),
        ("a,b\n1,2,3\n", "cannot be read as CSV: .*Expected 2 columns, got 3"),
        ("a,b\n1\n", "cannot be read as CSV: .*Expected 2 columns, got 1"),
        ("ä,b\n1,2\n".encode("latin-1"), "is not UTF-8 text: convert it"),
        ("a,b\n1,2\n".encode("utf-16"), "is not UTF-8 text: convert it"),
    ],
)
def test_bad_csv_says_what_and_how_to_mend_it(content: str | bytes, message: str, tmp_path: Path):
    with pytest.raises(InputError, match=message) as caught:
        text_table(tmp_path, content)
    assert "data.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("number", ["1,5", "12,000", "1,200,000.25", "-1.200.000,5"])
def test_numbers_with_commas_never_pass_for_labels(number: str, tmp_path: Path):
    table = text_table(tmp_path, f'a,b\n7,1\n"{number}",2\n')
    assert table.select("b").num_rows == 2  # a column not asked for is not in the way
    with pytest.raises(
        InputError, match=rf"Column 'a' holds numbers that read as text, such as '{re.escape(number)}': write them"
    ):
        table.select("a")


def test_semicolons_come_with_decimal_commas_but_not_with_both(tmp_path: Path):
    table = text_table(tmp_path, "a;b\n1,5;1.5\n2,5;2.5\n")
    assert table.select("a").to_pydict() == {"a": [1.5, 2.5]}
    with pytest.raises(InputError, match=r"Column 'b' holds numbers that read as text, such as '1\.5'"):
        table.select("b")


def test_stray_text_among_numbers_with_commas_is_named(tmp_path: Path):
    table = text_table(tmp_path, 'a,b\n"1,234",1\n"2,345",2\nunknown,3\n')
    with pytest.raises(
        InputError, match="Column 'a' is mostly numeric but holds the text 'unknown', and numbers such as '1,234'"
    ):
        table.select("a")
    with pytest.raises(InputError, match=r"Column 'a' is mostly numeric but holds the text '\?', and numbers such as '1,5'"):
        text_table(tmp_path, "a;b\n1,5;x\n2,5;y\n?;z\n").select("a")


def test_lists_of_codes_pass_where_they_are_declared_labels(tmp_path: Path):
    table = text_table(tmp_path, 'a,b\n"1,2",1\n3,2\n"1,3",3\n')
    with pytest.raises(InputError, match=r"Column 'a' holds numbers that read as text, such as '1,2': .*--discrete"):
        table.select("a")
    assert table.select("a,b", ["a"]).to_pydict() == {"a": ["1,2", "3", "1,3"], "b": [1, 2, 3]}


# === Parquet ===


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


# === NumPy ===


def test_npy_matrix_has_numbered_columns(tmp_path: Path):
    matrix = np.arange(36.0).reshape(3, 12)
    table = npy_table(tmp_path, matrix)
    assert table.columns == tuple(map(str, range(12)))
    assert table.names("[1-3]") == ["1", "2", "3"]
    assert table.names("1?") == ["10", "11"]
    assert table.names("all") == list(table.columns)
    assert table.select("11,0").to_pydict() == {"11": [11.0, 23.0, 35.0], "0": [0.0, 12.0, 24.0]}
    with pytest.raises(UnknownNameError, match="'-1'"):
        table.names("-1")


def test_npy_of_three_dimensions_is_one_block(tmp_path: Path):
    images = np.arange(12.0).reshape(3, 2, 2)
    table = npy_table(tmp_path, images)
    assert (table.columns, table.n_rows, table.names("a*")) == ((), 3, ["all"])
    assert np.array_equal(table.select("all"), images)


def test_npy_vector_is_column_0(tmp_path: Path):
    assert npy_table(tmp_path, np.array([4, 5])).select("0").to_pydict() == {"0": [4, 5]}


def test_npz_names_vectors_matrices_and_blocks(tmp_path: Path):
    images = np.arange(24.0).reshape(3, 2, 4)
    table = npz_table(tmp_path, v=np.array([1, 2, 3]), m=np.eye(3)[:, :2], images=images, note=np.array("made in 2024"))
    assert table.columns == ("v", "m[0]", "m[1]")
    assert table.n_rows == 3
    assert table.names("m") == ["m[0]", "m[1]"]
    assert table.names("m[0]") == ["m[0]"]  # as a name: as a glob it would be 'm0'
    assert table.names("m*,v") == ["m[0]", "m[1]", "v"]
    assert np.array_equal(table.select("images"), images)
    with pytest.raises(InputError, match="'images' has three or more dimensions and must be selected alone"):
        table.select("images,v")


def test_npz_exact_array_name_wins_over_a_matrix_of_that_name(tmp_path: Path):
    with pytest.raises(InputError, match=r"two columns called 'm\[0\]'"):
        npz_table(tmp_path, **{"m": np.eye(2), "m[0]": np.zeros(2)})


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.array([1, 2], ">f8"), [1.0, 2.0]),
        (np.array([0.5, 2], np.float16), [0.5, 2.0]),
        (np.array([0.5, 2], np.longdouble), [0.5, 2.0]),
        (np.array([2**63, 1], np.uint64), [2**63, 1]),
        (np.array([True, False]), [True, False]),
        (np.array(["x", "yy"]), ["x", "yy"]),
        (np.array([b"x", b"yy"]), [b"x", b"yy"]),
        (np.array(["1970-01-03", "NaT"], "M8[D]"), [2, None]),
        (np.array(["1970-01-08", "1970-01-15"], "M8[W]"), [1, 2]),  # weeks, which arrow has not
        (np.array([1, 2], "m8[ns]"), [1, 2]),
        (np.array([3, "NaT"], ">m8[h]"), [3, None]),
    ],
)
def test_numpy_types(array: np.ndarray, expected: list[Any], tmp_path: Path):
    assert npz_table(tmp_path, a=array).select("a").to_pydict() == {"a": expected}


def test_structured_array_is_its_fields(tmp_path: Path):
    rows = np.array([(1.5, 2), (2.5, 3)], dtype=[("height", float), ("age", int)])
    assert npy_table(tmp_path, rows).select("all").to_pydict() == {"height": [1.5, 2.5], "age": [2, 3]}
    assert npz_table(tmp_path, people=rows).select("people[age]").to_pydict() == {"people[age]": [2, 3]}


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({}, "at least one: it has none"),
        ({"a": np.zeros(3), "b": np.zeros(4)}, r"one and the same number of rows.*a of shape \(3,\), b of shape \(4,\)"),
        ({"a": np.zeros(0)}, r"at least one: it has a of shape \(0,\)"),
        ({"a": np.float64(2)}, "at least one"),
        ({"a": np.array([{}, None], object)}, "is no npz file of plain arrays: save numbers or text, not Python objects"),
    ],
)
def test_bad_npz_says_what_it_holds(arrays: dict[str, Any], message: str, tmp_path: Path):
    with pytest.raises(InputError, match=message):
        npz_table(tmp_path, **arrays)


def test_values_that_are_several_numbers_are_refused_when_chosen(tmp_path: Path):
    table = npz_table(tmp_path, rows=np.zeros(3, [("p", float, (2,)), ("q", int)]))
    assert table.select("rows[q]").num_rows == 3
    with pytest.raises(InputError, match=r"Column 'rows\[p\]' has 2 values a row: save them as columns of their own"):
        table.select("rows[p]")


def test_array_without_columns_is_not_offered(tmp_path: Path):
    table = npz_table(tmp_path, none=np.zeros((3, 0)), b=np.arange(3))
    with pytest.raises(UnknownNameError, match=r"Unknown column 'none'\. Valid: b\."):
        table.names("none")


def test_complex_column_is_refused_when_it_is_chosen(tmp_path: Path):
    table = npz_table(tmp_path, a=np.zeros(3, complex), b=np.zeros(3))
    assert table.select("b").num_rows == 3
    with pytest.raises(InputError, match="Column 'a' has the unsupported type complex128"):
        table.select("a")


# === Files ===


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
    with pytest.raises(InputError, match=r"data\.xlsx has an unknown format: use one of") as caught:
        text_table(tmp_path, "a,b\n1,2\n", "data.xlsx")
    assert all(kind in str(caught.value) for kind in FORMATS)


# === Choosing columns ===


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
