"""``mine pairwise``: what it prints and writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from typer.testing import CliRunner

from mine.cli.app import app

from .commands import Run, check_refused


def test_the_command(tmp_path: Path):
    run = CliRunner().invoke
    out = tmp_path / "out"
    arguments = ["pairwise", "example:diabetes", "--columns", "sex,bmi,bp", "--target", "progression", "--method", "auto"]
    done = run(app, [*arguments, "--seed", "0", "--out", str(out), "--test", "--top", "2"])
    assert done.exit_code == 0, done.output
    assert "3 pairs, the strongest 2" in done.stdout
    assert done.stdout.split("95 % interval")[1].split("\n")[0].split() == ["strength", "p", "q", "n"]
    assert "q: Benjamini-Hochberg over all 3 tested pairs" in done.stdout
    assert "strength = sqrt(1 - exp(-2 I))" in done.stdout
    assert (out / "matrix.png").read_bytes().startswith(b"\x89PNG")
    saved = pd.read_csv(out / "pairs.csv")
    lines = run(app, [*arguments, "--seed", "0", "--out", str(out), "--test", "--json"]).stdout.splitlines()
    assert [json.loads(line)["value"] for line in lines] == pytest.approx(list(saved["value"]))
    assert set(saved["x"]) == {"sex", "bmi", "bp"}
    np.testing.assert_allclose(saved["q"], stats.false_discovery_control(saved["p"]))
    grouped = run(app, [*arguments, "--groups", "bmi", "--seed", "0", "--test", "--json"])
    assert grouped.exit_code == 0, grouped.output
    assert [json.loads(line)["p"] is not None for line in grouped.stdout.splitlines()] == [True, True]
    assert run(app, [*arguments, "--out", str(out)]).exit_code == 2
    assert "--out needs --seed" in run(app, [*arguments, "--out", str(out)]).stderr


@pytest.mark.parametrize("kept", [True, False])
def test_interrupting_says_what_is_kept(kept: bool, run: Run, csv: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mine.tables.pairwise.measure", interrupted)
    out = ("--seed", "0", "--out", str(tmp_path / "out")) if kept else ()
    where = f"; finished work is kept in {tmp_path / 'out'}; rerun the command to resume" if kept else ""
    assert run("pairwise", csv, *out) == (130, "", f"mine: interrupted{where}\n")


@pytest.mark.parametrize("name", ["pairs.csv", "matrix.png"])
def test_a_folder_in_the_way_of_a_result_is_found_before_anything_is_computed(run: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / "kept" / name).mkdir(parents=True)
    done = run("pairwise", "example:breast-cancer", "--columns", "mean *", "--seed", "0", "--out", str(tmp_path / "kept"))
    check_refused(done, "it is a folder")
    assert [path.name for path in (tmp_path / "kept").iterdir()] == [name]
    (tmp_path / "file").write_text("")
    check_refused(run("pairwise", "example:breast-cancer", "--seed", "0", "--out", str(tmp_path / "file")), "it is a file")
