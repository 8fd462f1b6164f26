"""``--parse``: numbers written as text in files, by every command that reads one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import mine
from mine.datasets import correlated_normal

from .commands import Run, check_refused, write_csv

X, Y = (side[:, 0] for side in correlated_normal(300, 0.8, random_state=0))
INCOME = np.exp(8 + X).round(2)


@pytest.fixture
def file(tmp_path: Path) -> str:
    return str(
        write_csv(tmp_path / "data.csv", income=[f'"${v:,.2f}"' for v in INCOME], y=Y, zip=[f"{i:05d}" for i in range(300)])
    )


COMMANDS = {
    "estimate": ("--x", "income", "--y", "y", "--method", "gaussian", "--test", "--permutations", "19", "--seed", "0"),
    "pairwise": ("--columns", "income,y", "--method", "gaussian", "--seed", "0"),
    "report": ("--columns", "income,y", "--no-test"),
}


def arguments(command: str, file: str, tmp_path: Path) -> list[str]:
    page = ["-o", str(tmp_path / "page.html")] if command == "report" else []
    return [command, file, *COMMANDS[command], *page]


@pytest.mark.parametrize("command", COMMANDS)
def test_without_it_the_refusal_names_the_option(command: str, run: Run, file: str, tmp_path: Path) -> None:
    refused = run(*arguments(command, file, tmp_path))
    check_refused(
        refused, r"Column 'income' holds money written as text, such as '\$[\d,.]+': .*, or pass --parse to read them as"
    )
    assert "parse=True" not in refused.err


@pytest.mark.parametrize("command", COMMANDS)
def test_with_it_the_result_says_what_was_read(command: str, run: Run, file: str, tmp_path: Path) -> None:
    done = run(*arguments(command, file, tmp_path), "--parse")
    assert done.code == 0, done.err
    text = done.out + ((tmp_path / "page.html").read_text(encoding="utf-8") if command == "report" else "")
    sentence = "300 values of column 'income' were written as money; read as numbers."
    if command == "report":
        assert sentence.replace("'", "&#x27;") in text
    else:
        assert text.count(sentence) == 1


@pytest.mark.parametrize("command", ["estimate", "pairwise"])
def test_the_numbers_are_those_of_python(command: str, run: Run, file: str, tmp_path: Path) -> None:
    found = json.loads(run(*arguments(command, file, tmp_path), "--parse", "--json").out)
    wanted = mine.estimate(INCOME, Y, method="gaussian")
    assert found["value"] == pytest.approx(wanted.value, abs=1e-12)
    if command == "estimate":
        assert found["diagnostics"]["read_as_numbers"] == ["income"]
        assert found["test"]["p_value"] == 0.05


def test_a_german_file_with_units(run: Run, tmp_path: Path) -> None:
    rows = [f"{v:.2f} €;{y:.6f}".replace(".", ",") for v, y in zip(INCOME, Y, strict=True)]
    path = tmp_path / "daten.csv"
    path.write_text("\n".join(["income;y", *rows]), encoding="utf-8")
    found = json.loads(run("estimate", str(path), "--x", "income", "--y", "y", "--method", "gaussian", "--parse", "--json").out)
    assert found["value"] == pytest.approx(mine.estimate(INCOME, Y.round(6), method="gaussian").value, abs=1e-12)


def test_zip_codes_are_labels_in_a_file(run: Run, file: str) -> None:
    done = run("estimate", file, "--x", "zip", "--y", "y", "--seed", "0", "--parse")
    assert done.code == 0 and "read as labels: zip" in done.out and "were written as" not in done.out
