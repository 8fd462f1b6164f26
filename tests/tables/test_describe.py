"""``mine.describe``: the kinds that estimates use, reasons and remedies, and forms of the result."""

from __future__ import annotations

import csv
import datetime
import io
import json
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import mine
from mine.data.columns import settle, written_numbers
from mine.errors import InputError, UnknownNameError
from mine.tables.columns import read_columns

N = 300
RNG = np.random.default_rng(0)
GAP = np.where(np.arange(N) % 10 == 3, np.nan, RNG.normal(size=N))
COLUMNS: dict[str, tuple[Any, str, str]] = {
    "measured": (RNG.normal(size=N), "numbers", "300 distinct values"),
    "grade": (RNG.integers(1, 7, N), "labels", "6 distinct numbers, 50 rows for each on average"),
    "smoker": (RNG.random(N) < 0.3, "labels", "booleans"),
    "city": (RNG.choice(["Lyon", "Nice"], N), "labels", "text"),
    "shape": (pd.Categorical(RNG.choice(["1", "2"], N)), "labels", "categories"),
    "zip": ([f"0{v}" for v in range(1000, 1000 + N)], "identifier", "a different value in (nearly) every row"),
    "record": (np.arange(N), "numbers", "counts the rows"),
    "keys": (2**60 + np.arange(N), "identifier", "so long that float64 cannot tell them apart"),
    "day": (pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(N), "D"), "dates", "dates or times"),
    "born": ([datetime.date(1990, 1, 1) + datetime.timedelta(int(v)) for v in RNG.integers(0, 99, N)], "dates", "dates"),
    "one": (np.full(N, 7), "constant", "one value in all rows"),
    "gap": (GAP, "numbers", "270 distinct values"),
    "nothing": ([None] * N, "empty", "no value in any row"),
    "paid": ([f"${v:,.2f}" for v in np.exp(RNG.normal(8, 1, N))], "refused", "holds money written as text"),
    "stray": ([*map(str, RNG.normal(size=N - 1)), "n/a"], "refused", "is mostly numeric but holds the text 'n/a'"),
    "nested": ([[1, 2]] * N, "refused", "holds list values"),
}


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return pd.DataFrame({name: values for name, (values, _, _) in COLUMNS.items()})


@pytest.fixture(scope="module")
def described(table: pd.DataFrame) -> dict[str, Any]:
    return {column.name: column for column in mine.describe(table).columns}


@pytest.mark.parametrize("name", COLUMNS)
def test_kind_and_reason(described: dict[str, Any], name: str):
    _, kind, why = COLUMNS[name]
    assert described[name].kind == kind and why in described[name].why


@pytest.mark.parametrize("name", COLUMNS)
def test_the_kind_is_the_one_of_tables(described: dict[str, Any], table: pd.DataFrame, name: str):
    kind = described[name].kind
    if kind == "refused":
        with pytest.raises(InputError):
            read_columns(table[[name]], "x", None, drop_missing=True)
        return
    (column,) = read_columns(table[[name]], "x", None, drop_missing=True).values()
    assert int(column.present.sum()) == N - described[name].missing
    if kind == "empty":
        return
    assert {"dates": "number", "numbers": "number", "labels": "label", "identifier": "label"}.get(kind, kind) == column.kind
    if kind in ("labels", "identifier"):
        assert described[name].distinct == len(column.levels)


@pytest.mark.parametrize("kind", ["numbers", "labels", "text"])
def test_long_columns_are_read_as_short_ones_are(kind: str):
    n = 120_000
    values = {
        "numbers": np.random.default_rng(1).normal(size=n),
        "labels": np.arange(n) % 7,
        "text": [f"u{v}" for v in range(n)],
    }[kind]
    (column,) = mine.describe(pd.DataFrame({"a": values})).columns
    (typed,) = read_columns(pd.DataFrame({"a": values}), "x", None, drop_missing=False).values()
    assert column.kind == {"numbers": "numbers", "labels": "labels", "text": "identifier"}[kind]
    assert typed.kind == ("number" if kind == "numbers" else "label")
    assert column.distinct == {"numbers": None, "labels": 7, "text": n}[kind]


def test_a_long_column_of_text_that_is_refused_is_refused_from_a_sample():
    (column,) = mine.describe(pd.DataFrame({"a": [f"{v} EUR" for v in range(120_000)]})).columns
    assert column.kind == "refused" and "parse=True" in column.remedy
    mostly = [str(v / 7) for v in range(119_999)]
    (column,) = mine.describe(pd.DataFrame({"a": [*mostly, "lost"]})).columns
    assert column.kind == "refused"


def test_many_texts_are_asked_for_numbers_only_if_some_are_some():
    names = np.array([f"n{v:07d}" for v in range(20_000)], object)
    half = np.array([f"{v}.5 kg" if v % 5 < 3 else f"n{v}" for v in range(20_000)], object)
    assert written_numbers(names) is None
    found = written_numbers(half)
    assert found is not None and len(found.values) == 12_000
    assert settle(names, "a").tolist() == names.tolist()


def test_declared_and_parsed_columns(table: pd.DataFrame):
    found = {c.name: c for c in mine.describe(table, discrete={"grade": False, "measured": True}, parse=True).columns}
    assert (found["grade"].kind, found["measured"].kind) == ("numbers", "identifier")
    assert found["paid"].kind == "numbers" and found["paid"].why.startswith("read from money")
    assert (found["stray"].kind, found["stray"].missing) == ("numbers", 1)
    with pytest.raises(UnknownNameError, match="column in discrete 'gradd': did you mean 'grade'"):
        mine.describe(table, discrete=["gradd"])


def test_missing_and_infinite_values_are_counted_and_answered():
    values = np.array([np.nan, np.inf, -np.inf, *np.arange(37)])
    (column,) = mine.describe(pd.DataFrame({"a": values})).columns
    assert (column.kind, column.missing, column.infinite, column.n, column.distinct) == ("numbers", 1, 2, 40, 37)
    assert "drop_missing=True (--drop-missing)" in column.remedy and "2 infinite values" in mine.describe(values).to_text(150)


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table], ids=["pandas", "polars", "arrow"])
def test_frames_of_every_library_give_their_own(make: Any):
    data = make({"a": list(range(40)), "day": [datetime.datetime(2020, 1, 1 + i % 9) for i in range(40)]})
    found = mine.describe(data)
    assert [column.kind for column in found.columns] == ["numbers", "dates"]
    assert found.columns[1].examples[0] == "2020-01-01"
    assert type(found.to_frame()) is type(data)


def test_arrays_and_few_rows():
    found = mine.describe(RNG.normal(size=(12, 2)))
    assert [column.name for column in found.columns] == ["x[0]", "x[1]"]
    assert found.notes == ("The table has 12 rows: an estimate needs at least 20.",)
    assert found.to_text().endswith(found.notes[0]) and list(found.to_frame().columns)[:2] == ["column", "kind"]


def test_forms_of_the_result(table: pd.DataFrame):
    found = mine.describe(table)
    lines = [json.loads(line) for line in found.to_json().splitlines()]
    assert [line["column"] for line in lines] == list(COLUMNS) and lines == found.to_dict()["columns"]
    rows = list(csv.DictReader(io.StringIO(found.to_csv())))
    assert [row["kind"] for row in rows] == [kind for _, kind, _ in COLUMNS.values()]
    text = found.to_text(90)
    assert max(map(len, text.splitlines())) <= 90 and "300 rows, 16 columns" in text


def test_names_of_columns_are_no_markup_and_no_formula():
    found = mine.describe(pd.DataFrame({"<b>[red]=1\x1b[31m": range(40), "=1+1": range(40)}))
    assert "<b>" not in found._repr_html_() and "&lt;b&gt;" in found._repr_html_()
    assert "\x1b" not in repr(found) and "[red]" in repr(found)
    assert "'=1+1," in found.to_csv()


def test_dates_read_from_text_are_shown_as_dates():
    written = [f"{1 + i % 12:02d}/{1 + i % 28:02d}/2024" for i in range(N)]
    (column,) = mine.describe(pd.DataFrame({"joined": written}), parse=True).columns
    assert (column.kind, column.why) == ("dates", "read from dates, month first")
    assert column.examples == ("2024-01-01", "2024-02-02", "2024-03-03")
