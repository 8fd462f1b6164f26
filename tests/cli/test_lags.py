"""``mine lags``: the same scan as in Python, by the columns and the order of a file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import mine

from .commands import Run, check_refused

N = 400


@pytest.fixture
def series() -> pd.DataFrame:
    """The load leads the price by three rows; days are no order of the alphabet."""
    load, noise = np.random.default_rng(5).normal(size=(2, N))
    price = np.roll(load, 3) + noise
    days = pd.date_range("2021-02-01", periods=N).strftime("%d/%m/%Y")
    return pd.DataFrame({"day": days, "load": load, "price": price, "high": np.where(price > 0, "yes", "no")})


@pytest.fixture
def file(series: pd.DataFrame, tmp_path: Path) -> str:
    """The rows in another order than that of time."""
    path = tmp_path / "series.csv"
    series.sample(frac=1.0, random_state=0).to_csv(path, index=False)
    return str(path)


def test_rows_are_sorted_by_a_column(run: Run, file: str, series: pd.DataFrame, tmp_path: Path) -> None:
    figure = tmp_path / "lags.png"
    chosen = ("--x", "load", "--y", "price", "--order", "day", "--method", "gaussian", "--lags", "4")
    lines = [json.loads(line) for line in run("lags", file, *chosen, "--json", "--plot", str(figure)).out.splitlines()]
    scan = mine.lag_scan(series["load"], series["price"], 4, method="gaussian")
    assert [line["lag"] for line in lines] == scan.lags.tolist()
    assert [line["value"] for line in lines] == pytest.approx(scan.values, abs=1e-12)
    assert [line["p"] for line in lines] == pytest.approx(scan.p_values, abs=1e-12) and scan.best == 3
    assert figure.read_bytes().startswith(b"\x89PNG")
    text = run("lags", file, *chosen).out
    assert text.startswith("Information at 9 lags from -4 to 4") and "x leads by 3" in text and text.endswith("  y: price\n")


def test_csv_labels_and_lags_one_by_one(run: Run, file: str) -> None:
    done = run("lags", file, "--x", "load", "--y", "high", "--order", "day", "--lags", "0,3", "--csv", "--seed", "0")
    head, *rows = done.out.splitlines()
    assert head == "lag,value,low,high,p,unit" and [row.split(",")[0] for row in rows] == ["0", "3"]
    assert float(rows[1].split(",")[1]) > 0.1 > float(rows[0].split(",")[1])


def test_what_cannot_be_scanned(run: Run, file: str, tmp_path: Path) -> None:
    sides = ("--x", "load", "--y", "price")
    check_refused(run("lags", file, *sides, "--lags", "few"), "--lags takes whole numbers")
    check_refused(run("lags", file, *sides, "--lags", "300"), "400 rows are too few for a lag of 300")
    check_refused(run("lags", file, *sides, "--lags", "3", "--order", "dday"), "did you mean 'day'")
    check_refused(run("lags", file, *sides, "--lags", "3", "--out", str(tmp_path / "out")), "--out needs --seed")
    check_refused(
        run("lags", file, "--x", "day", "--y", "price", "--lags", "3", "--order", "day"), "named in --x and in --order"
    )


def test_rows_of_groups_are_series_of_their_own(run: Run, series: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "groups.csv"
    grouped = series.assign(who=np.repeat(["a", "b", "c", "d"], N // 4))
    grouped.sample(frac=1.0, random_state=0).to_csv(path, index=False)
    chosen = ("--x", "load", "--y", "price", "--order", "day", "--method", "gaussian", "--lags", "4", "--seed", "0")
    lines = [json.loads(line) for line in run("lags", str(path), *chosen, "--groups", "who", "--json").out.splitlines()]
    scan = mine.lag_scan(series["load"], series["price"], 4, groups=grouped["who"], method="gaussian", random_state=0)
    assert [line["value"] for line in lines] == pytest.approx(scan.values, abs=1e-12) and scan.best == 3
    assert [line["p"] for line in lines] == pytest.approx(scan.p_values, abs=1e-12)
    check_refused(run("lags", str(path), *chosen, "--groups", "day"), "--groups and in --order")
    table = run("transfer", str(path), "--columns", "load,price", "--groups", "who", "--order", "day", "--lag", "3", "--csv",
                "--method", "gaussian", "--seed", "0").out.splitlines()  # fmt: skip
    assert len(table) == 3 and table[1].startswith("load,price") and float(table[1].split(",")[2]) > 0.2
