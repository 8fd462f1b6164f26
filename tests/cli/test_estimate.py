"""``mine estimate``: the numbers it prints, from every kind of file, with a test and given a third variable."""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mine.datasets import correlated_normal, correlated_normal_mi

from .commands import FIELDS, N, Run, check_refused, program, write_csv


def test_text_says_the_number_its_error_and_the_columns(run: Run, csv: str):
    result = run("estimate", csv, "--x", "code", "--y", "kind", "--method", "discrete")
    assert (result.code, result.err) == (0, "")
    first, about, *rest = result.out.splitlines()
    assert re.fullmatch(r"Estimate: \d\.\d{3} ± \d\.\d{3} nats   95 % interval \[\d\.\d{3}, \d\.\d{3}\]", first)
    assert about == "  method discrete, n = 400"
    assert [line for line in rest if not line.startswith("  !")] == ["  x: code", "  y: kind", "  read as labels: code, kind"]


def test_number_agrees_with_the_closed_form(run: Run, tmp_path: Path):
    x, y = correlated_normal(3000, 0.6, random_state=1)
    file = str(write_csv(tmp_path / "normal.csv", x=x[:, 0], y=y[:, 0]))
    for method in ("gaussian", "ksg"):
        found = json.loads(run("estimate", file, "--x", "x", "--y", "y", "--method", method, "--seed", "0", "--json").out)
        assert found["value"] == pytest.approx(correlated_normal_mi(0.6), abs=4 * found["stderr"])
        assert 0 < found["stderr"] < 0.03


def test_json_is_one_line_with_the_fields_of_estimate(run: Run, csv: str):
    result = run("estimate", csv, "--x", "a", "--y", "c", "--method", "gaussian", "--json")
    assert (result.code, result.err) == (0, "")
    assert result.out.count("\n") == 1 and result.out.endswith("}\n")
    found = json.loads(result.out)
    assert list(found) == FIELDS
    assert (found["unit"], found["method"], found["n"]) == ("nats", "gaussian", N)
    assert found["interval"][0] < found["value"] < found["interval"][1]


def test_json_is_strict_where_numbers_are_not_finite(run: Run, csv: str, calls: list[dict[str, Any]]):
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    found = json.loads(run("estimate", csv, "--x", "a", "--y", "c", "--json").out, parse_constant=refuse)
    assert found["interval"] == [-0.25, None]
    assert (found["stderr"], found["lower_bound"], found["diagnostics"]) == (None, None, {"worst": None})


def test_bits_are_nats_over_log_2(run: Run, csv: str):
    arguments = ("estimate", csv, "--x", "a", "--y", "c", "--method", "gaussian", "--json")
    nats, bits = (json.loads(run(*arguments, "--unit", unit).out) for unit in ("nats", "bits"))
    assert bits["value"] == pytest.approx(nats["value"] / math.log(2))
    assert bits["unit"] == "bits"
    assert " bits " in run(*arguments[:-1], "--unit", "bits").out


def test_default_method_is_seeded_and_silent_in_a_pipe(run: Run, csv: str):
    arguments = ("estimate", csv, "--x", "a", "--y", "c", "--option", "steps=40", "--json", "--seed")
    first, again, other = (run(*arguments, seed) for seed in ("7", "7", "8"))
    values = [json.loads(result.out)["value"] for result in (first, again, other)]
    assert values[0] == values[1] != values[2]
    assert json.loads(first.out)["method"] == "auto"
    assert first.err == again.err == other.err == ""


def test_groups_widen_the_error_of_repeated_rows(run: Run, tmp_path: Path, data: dict[str, Any]):
    # Every row five times: the honest standard error is that of the rows without their copies, not sqrt(5) smaller.
    times = {name: np.repeat(data[name], 5) for name in ("a", "c")}
    once = str(write_csv(tmp_path / "once.csv", **{name: data[name] for name in times}))
    copies = str(write_csv(tmp_path / "copies.csv", **times, row=np.repeat(np.arange(N), 5)))
    arguments = ("--x", "a", "--y", "c", "--method", "gaussian", "--json")
    single = json.loads(run("estimate", once, *arguments).out)
    grouped = json.loads(run("estimate", copies, *arguments, "--groups", "row").out)
    assert grouped["stderr"] == pytest.approx(single["stderr"], rel=0.05)


def test_missing_values_are_left_out_on_request_and_counted(run: Run, tmp_path: Path, data: dict[str, Any]):
    holes = ["" if i in (3, 5) else value for i, value in enumerate(data["a"])]
    file = str(write_csv(tmp_path / "holes.csv", a=holes, c=data["c"]))
    arguments = ("estimate", file, "--x", "a", "--y", "c", "--method", "gaussian")
    check_refused(run(*arguments), r"Column 'a' has 2 missing value\(s\).*--drop-missing")
    result = run(*arguments, "--drop-missing")
    assert "n = 398" in result.out
    assert "  rows left out for missing or infinite values: 2\n" in result.out


def test_rows_without_a_group_are_left_out_on_request(run: Run, tmp_path: Path, data: dict[str, Any]):
    file = str(write_csv(tmp_path / "holes.csv", a=data["a"], c=data["c"], id=["" if i == 3 else i // 4 for i in range(N)]))
    arguments = ("estimate", file, "--x", "a", "--y", "c", "--groups", "id", "--method", "gaussian")
    check_refused(run(*arguments), r"Column 'id' has 1 missing value.*--drop-missing")
    assert "n = 399" in run(*arguments, "--drop-missing").out


def test_every_format_gives_the_same_number(run: Run, tmp_path: Path, csv: str, monkeypatch: pytest.MonkeyPatch):
    import pyarrow as pa
    from pyarrow import parquet

    from mine.data.readers import read_table

    table: pa.Table = read_table(csv).select("a,c")
    a, c = (table.column(name).to_numpy() for name in ("a", "c"))
    parquet.write_table(table, tmp_path / "data.parquet")
    np.savez(tmp_path / "data.npz", a=a, c=c)
    np.save(tmp_path / "data.npy", np.c_[a, c])
    (tmp_path / "data.tsv").write_text(Path(csv).read_text().replace('"d, in kg"', "d").replace(",", "\t"))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(Path(csv).read_bytes())))

    found = set()
    for file in (csv, "-", *(str(tmp_path / f"data.{kind}") for kind in ("parquet", "npz", "npy", "tsv"))):
        names = ("0", "1") if file.endswith(".npy") else ("a", "c")
        result = run("estimate", file, "--x", names[0], "--y", names[1], "--method", "gaussian", "--json")
        assert result.code == 0, result.err
        found.add(json.loads(result.out)["value"])
    assert len(found) == 1


def test_pipe_in_json_out(csv: str):
    arguments = ("estimate", "-", "--x", "a,b", "--y", "c", "--method", "gaussian", "--json")
    done = program(*arguments, stdin=Path(csv).read_bytes())
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.count(b"\n") == 1
    assert list(json.loads(done.stdout)) == FIELDS


def test_a_permutation_test_beside_the_estimate(run: Run, tmp_path: Path, data: dict[str, Any]) -> None:
    path = str(write_csv(tmp_path / "data.csv", **data))
    arguments = ("estimate", path, "--x", "a", "--y", "c", "--method", "gaussian", "--seed", "0", "--test")
    text = run(*arguments, "--permutations", "99")
    assert text.code == 0 and "test of independence: p ≤ 0.01 (99 permutations, kernels, n = 400)" in text.out
    found = json.loads(run(*arguments, "--permutations", "99", "--json").out)
    assert list(found) == [*FIELDS, "test"] and found["test"]["p_value"] == 0.01
    refused = run(*arguments, "--permutations", "3")
    assert refused.code == 2 and "at least 19" in refused.err


def test_what_is_given(run: Run, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    cause = rng.normal(size=N)
    columns = {"a": cause + 0.5 * rng.normal(size=N), "b": cause + 0.5 * rng.normal(size=N), "c": cause}
    path = str(write_csv(tmp_path / "data.csv", **columns))
    arguments = ("estimate", path, "--x", "a", "--y", "b", "--method", "gaussian", "--seed", "0", "--json")
    assert json.loads(run(*arguments).out)["interval"][0] > 0.2
    found = json.loads(run(*arguments, "--given", "c", "--test", "--permutations", "19").out)
    assert abs(found["value"]) < 0.02 and found["lower_bound"] is None and found["test"]["conditional"]
    assert "given: c" in run(*arguments[:-1], "--given", "c").out
    exchanged = ("estimate", path, "--x", "a", "--y", "b", "--given", "c", "--conditional", "shuffle", "--option", "steps=20")
    found = json.loads(run(*exchanged, "--seed", "0", "--json").out)
    assert found["method"] == "conditional shuffle" and found["interval"][0] < 0 < found["interval"][1]
    refused = run(*exchanged[:-2], "--method", "ksg")
    assert refused.code == 2 and "leave method and critic out" in refused.err
    refused = run(*arguments, "--given", "a")
    assert refused.code == 2 and "'a' is given and in --x" in refused.err


# ===  What cannot be used ===


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"a": lambda a: ["?" if i == 7 else v for i, v in enumerate(a)]},
            r"Column 'a' is mostly numeric but holds the text '\?'",
        ),
        ({"c": lambda c: ["" if i == 7 else v for i, v in enumerate(c)]}, r"Column 'c' has 1 missing value.*--drop-missing"),
        ({"a": lambda a: ["inf" if i == 7 else v for i, v in enumerate(a)]}, r"Column 'a' has 1 infinite value"),
        ({"a": lambda a: [3.5] * len(a)}, r"Column 'a' is constant.*choose a column that varies"),
        ({"a": lambda a: a[:19], "c": lambda c: c[:19]}, r"bad\.csv has 19 rows: an honest estimate needs at least 20"),
    ],
)
def test_data_that_cannot_be_used(
    change: dict[str, Callable[[Any], Any]], message: str, run: Run, tmp_path: Path, data: dict[str, Any]
):
    columns = {name: change.get(name, lambda v: v)(data[name]) for name in ("a", "c")}
    file = write_csv(tmp_path / "bad.csv", **columns)
    check_refused(run("estimate", str(file), "--x", "a", "--y", "c"), message)


def test_too_few_rows_after_dropping(run: Run, tmp_path: Path, data: dict[str, Any]):
    holes = [value if i < 15 else "" for i, value in enumerate(data["a"])]
    file = write_csv(tmp_path / "bad.csv", a=holes, c=data["c"])
    check_refused(run("estimate", str(file), "--x", "a", "--y", "c", "--drop-missing"), r"15 rows: .* at least 20")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("dat.csv", r"No file .*dat\.csv: did you mean .*data\.csv\?"),
        ("data.sav", r"data\.sav has an unknown format: use one of \.csv, "),
        ("empty.csv", r"empty\.csv is empty"),
        ("example:brest-cancer", r"Unknown example 'brest-cancer': did you mean 'breast-cancer'\?"),
    ],
)
def test_files_that_cannot_be_used(name: str, message: str, run: Run, csv: str):
    folder = Path(csv).parent
    (folder / "data.sav").touch()
    (folder / "empty.csv").touch()
    file = name if name.startswith("example:") else str(folder / name)
    check_refused(run("estimate", file, "--x", "a", "--y", "c"), message)


def test_exit_code_of_an_error(csv: str):
    done = program("estimate", csv, "--x", "a", "--y", "kin")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().splitlines() == [
        "mine: error: Unknown --y column 'kin': did you mean 'kind'? Valid: a, b, c, id, kind, code, d, in kg."
    ]
