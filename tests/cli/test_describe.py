"""``mine describe``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

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
