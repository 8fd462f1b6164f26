"""``mine describe``."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd

import mine

from .commands import N, Run, check_refused


def test_columns_are_said_with_what_they_are_read_as(run: Run, csv: str):
    result = run("describe", csv)
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(f"{N} rows, 7 columns\n")
    (line,) = [line for line in result.out.splitlines() if line.split()[:1] == ["code"]]
    assert line.split()[1] == "labels"


def test_json_csv_columns_and_labels(run: Run, csv: str):
    found = [
        json.loads(line) for line in run("describe", csv, "--columns", "a,code", "--discrete", "a", "--json").out.splitlines()
    ]
    assert [(line["column"], line["kind"]) for line in found] == [("a", "identifier"), ("code", "numbers")]
    assert run("describe", csv, "--csv").out.startswith(
        "column,kind,why,missing,missing_share,infinite,distinct,examples,remedy\n"
    )
    check_refused(run("describe", csv, "--columns", "aa"), r"Unknown --columns column 'aa': did you mean 'a'\?")


def test_columns_that_no_estimate_takes_are_said_not_refused(run: Run, tmp_path: Path):
    table = pd.DataFrame({"paid": [f"${v}.50" for v in range(40)], "day": pd.date_range("2020-01-01", periods=40, unit="ns")})
    table.to_csv(tmp_path / "a.csv", index=False)
    table.to_parquet(tmp_path / "a.parquet")
    for name in ("a.csv", "a.parquet"):
        plain, parsed = (
            [json.loads(line) for line in run("describe", str(tmp_path / name), "--json", *more).out.splitlines()]
            for more in ([], ["--parse"])
        )
        assert [line["kind"] for line in plain] == ["refused", "dates"] and "--parse" in plain[0]["remedy"]
        assert [line["kind"] for line in parsed] == ["numbers", "dates"]
        assert plain[1]["examples"] == ["2020-01-01", "2020-01-02", "2020-01-03"]


def test_arrays_without_columns(run: Run, tmp_path: Path):
    np.save(tmp_path / "a.npy", np.zeros((30, 2, 2)))
    check_refused(run("describe", str(tmp_path / "a.npy")), "three or more dimensions and no columns")


def test_how_a_file_was_read_is_said_on_stderr(run: Run, tmp_path: Path):
    rows = "".join(f"{i / 7},{i}\n" for i in range(40))
    (tmp_path / "twice.csv").write_bytes(("é,é\n" + rows).encode("latin-1"))
    result = run("describe", str(tmp_path / "twice.csv"), "--json")
    assert [json.loads(line)["column"] for line in result.out.splitlines()] == ["é", "é.1"]
    notes = result.err.splitlines()
    assert all(note.startswith("mine: note: ") for note in notes) and "Latin-1" in notes[0] and "'é.1'" in notes[1]


def test_a_table_of_a_database(run: Run, tmp_path: Path):
    with closing(sqlite3.connect(tmp_path / "t.db")) as connection:
        for name in ("one", "two"):
            pd.DataFrame({name: np.arange(40) / 7, "k": np.arange(40)}).to_sql(name, connection, index=False)
    check_refused(run("describe", str(tmp_path / "t.db")), "has 2 tables: name one with --table")
    assert run("describe", str(tmp_path / "t.db"), "--table", "two").out.startswith("40 rows, 2 columns")
    arguments = (
        "estimate",
        str(tmp_path / "t.db"),
        "--table",
        "two",
        "--x",
        "two",
        "--y",
        "k",
        "--method",
        "gaussian",
        "--json",
    )
    assert json.loads(run(*arguments).out)["n"] == 40


def test_nothing_heavy_is_loaded(csv: str):
    code = (
        "import sys; from mine.cli.app import app\n"
        f"try: app(['describe', {csv!r}], prog_name='mine')\n"
        "except SystemExit: print(*(m for m in ('torch', 'sklearn', 'scipy') if m in sys.modules), file=sys.stderr)"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(mine.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, timeout=60, check=True)
    assert done.stderr.split() == [] and done.stdout
