"""``mine transfer``: the same table as in Python, by the columns and the order of a file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import mine

from .commands import Run, check_refused

OPTIONS = ("--method", "gaussian", "--permutations", "19", "--seed", "0")


@pytest.fixture
def series() -> pd.DataFrame:
    """a drives b; c has nothing to do with them."""
    a, b, c = np.random.default_rng(4).normal(size=(3, 400))
    b[1:] += a[:-1]
    return pd.DataFrame({"a": a, "b": b, "c": c})


def test_the_table_of_a_file(run: Run, series: pd.DataFrame, tmp_path: Path) -> None:
    path, out, figure = tmp_path / "series.parquet", tmp_path / "out", tmp_path / "drivers.png"
    series.assign(hour=np.arange(400)).sample(frac=1.0, random_state=1).to_parquet(path)
    arguments = ("transfer", str(path), "--order", "hour", *OPTIONS, "--out", str(out))
    done = run(*arguments, "--json", "--plot", str(figure))
    table = mine.transfer_table(series, method="gaussian", n_permutations=19, random_state=0)
    found = [json.loads(line) for line in done.out.splitlines()]
    assert [(pair["source"], pair["target"]) for pair in found] == [(p["source"], p["target"]) for p in table.pairs]
    assert [pair["value"] for pair in found] == pytest.approx([pair["value"] for pair in table.pairs], abs=1e-12)
    assert figure.read_bytes().startswith(b"\x89PNG") and any(out.iterdir())
    assert "a -> b" in run(*arguments).out.splitlines()[1]  # from the folder
    chosen = run("transfer", str(path), "--order", "hour", *OPTIONS, "--columns", "a,b", "--history", "auto", "--csv")
    assert chosen.out.splitlines()[0].startswith("source,target,value") and len(chosen.out.splitlines()) == 3


def test_what_cannot_be_measured(run: Run, series: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "series.csv"
    series.to_csv(path, index=False)
    check_refused(run("transfer", str(path), "--history", "1,2"), "--history takes one whole number or 'auto'")
    check_refused(run("transfer", str(path), "--history", "some"), "--history takes whole numbers")
    check_refused(run("transfer", str(path), "--columns", "a"), "at least two columns")
    check_refused(run("transfer", str(path), "--permutations", "5"), "n_permutations must be an integer of at least 19")
