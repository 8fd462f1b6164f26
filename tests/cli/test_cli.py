"""The command line: what it prints, where, and with which exit code."""

from __future__ import annotations

import inspect
import io
import json
import math
import os
import re
import select
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import mine
from mine import api
from mine.cli import app as cli
from mine.datasets import EXAMPLES, correlated_normal, correlated_normal_mi

N = 400
FIELDS = ["value", "lower_bound", "stderr", "interval", "unit", "method", "n", "diagnostics"]


class Result(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Call the command in this process."""

    def call(*arguments: str) -> Result:
        with pytest.raises(SystemExit) as stopped:
            cli.app(list(arguments), prog_name="mine")
        code = stopped.value.code
        return Result(code if isinstance(code, int) else 0 if code is None else 1, *capsys.readouterr())

    return call


def write_csv(path: Path, **columns: Sequence[object] | np.ndarray) -> Path:
    rows = [",".join(f'"{name}"' for name in columns)]
    rows += [",".join(map(str, row)) for row in zip(*columns.values(), strict=True)]
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.fixture
def data() -> dict[str, Any]:
    """Columns: a and b tell about c (each 0.29 nats), id groups ten rows, kind is text, code a numeric label."""
    x, y = correlated_normal(N, 0.6, 2, random_state=0)
    return {
        "a": x[:, 0],
        "b": x[:, 1],
        "c": y[:, 0],
        "id": [f"p{i // 10}" for i in range(N)],
        "kind": np.where(y[:, 0] > 0, "high", "low"),
        "code": np.digitize(y[:, 0], [-0.5, 0.5]),
        "d, in kg": y[:, 1],
    }


@pytest.fixture
def csv(tmp_path: Path, data: dict[str, Any]) -> str:
    return str(write_csv(tmp_path / "data.csv", **data))


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """`mine.estimate` replaced by a recorder of its arguments, whose estimate has ends that JSON cannot write."""
    seen: list[dict[str, Any]] = []

    def record(x: Any, y: Any, z: Any = None, **options: Any) -> mine.Estimate:
        given = {} if z is None else {"z": z.column_names}
        seen.append({"x": x.column_names, "y": y.column_names, **given, **options})
        return mine.Estimate(0.5, None, math.nan, (-0.25, math.inf), "auto", 40, diagnostics={"worst": math.nan})

    monkeypatch.setattr(api, "estimate", record)
    return seen


def check_refused(result: Result, message: str) -> None:
    """Exit code 2, nothing on stdout, one plain sentence on stderr."""
    assert result.code == 2
    assert result.out == ""
    assert re.fullmatch(r"mine: error: [^\n]+\n", result.err), result.err
    assert re.search(message, result.err), result.err


# === The estimate ===


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


@pytest.mark.parametrize(("delay", "more", "shown"), [(0.0, [], True), (3600.0, [], False), (0.0, ["--no-progress"], False)])
def test_progress_bar_on_a_terminal_after_a_while(
    delay: float, more: list[str], shown: bool, run: Run, csv: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("mine.progress.DELAY_SECONDS", delay)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    result = run("estimate", csv, "--x", "a", "--y", "c", "--option", "steps=40", "--json", *more)
    assert list(json.loads(result.out)) == FIELDS  # stdout holds the result alone
    assert ("training" in result.err) == shown
    assert bool(result.err) == shown


def test_progress_bar_that_was_asked_for_in_a_pipe_ends_full(run: Run, csv: str):
    arguments = ("estimate", csv, "--x", "a", "--y", "c", "--option", "steps=40", "--option", "patience=20", "--json")
    result = run(*arguments, "--progress")
    assert list(json.loads(result.out)) == FIELDS
    assert re.fullmatch(r"training 5 critics, bound \S+ nats ━+ 100% .*\n", result.err), result.err


# === Columns and options reach the estimator ===


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--x", "a,b", "--y", "c"], {"x": ["a", "b"], "y": ["c"], "groups": None, "discrete": None}),
        (["--x", "a", "--x", "b", "--y", "c"], {"x": ["a", "b"]}),
        (["--x", "[ab]", "--y", "c,k*"], {"x": ["a", "b"], "y": ["c", "kind"]}),
        (["--x", "a", "--y", '"d, in kg"'], {"y": ["d, in kg"]}),
        (["--x", "a", "--y", "c,code", "--discrete", "code"], {"discrete": ["code"]}),
        (["--x", "a", "--y", "c,code", "--discrete", "c*"], {"discrete": ["c", "code"]}),
        (["--x", "a", "--y", "code", "--discrete", "c*"], {"discrete": ["code"]}),  # c is not asked about
        (["--x", "a", "--y", "c"], {"method": "auto", "unit": "nats", "device": "auto", "random_state": None}),
        (["--x", "a", "--y", "c"], {"drop_missing": False, "progress": None}),
        (["--x", "a", "--y", "c", "--drop-missing", "--no-progress"], {"drop_missing": True, "progress": False}),
        (["--x", "a", "--y", "c", "--seed", "3", "--device", "cpu"], {"random_state": 3, "device": "cpu"}),
        (
            ["--x", "a", "--y", "c", "--option", "steps=2000", "--option", "hidden=(64, 64)", "--option", "bound=nwj"],
            {"steps": 2000, "hidden": (64, 64), "bound": "nwj"},
        ),
        (["--x", "a", "--y", "c", "--option", "preprocess=None"], {"preprocess": None}),
    ],
)
def test_arguments(arguments: list[str], expected: dict[str, Any], run: Run, csv: str, calls: list[dict[str, Any]]):
    assert run("estimate", csv, *arguments).code == 0
    assert {key: calls[0][key] for key in expected} == expected


def test_group_column_is_no_data_where_a_glob_catches_it(run: Run, csv: str, calls: list[dict[str, Any]]):
    result = run("estimate", csv, "--x", "[ab],i*", "--y", "c", "--groups", "id")
    assert calls[0]["x"] == ["a", "b"]
    assert calls[0]["groups"].column("id").to_pylist()[9:11] == ["p0", "p1"]
    assert "  groups: id\n" in result.out


def test_groups_widen_the_error_of_repeated_rows(run: Run, tmp_path: Path, data: dict[str, Any]):
    # Every row five times: the honest standard error is that of the rows without their copies, not sqrt(5) smaller.
    times = {name: np.repeat(data[name], 5) for name in ("a", "c")}
    once = str(write_csv(tmp_path / "once.csv", **{name: data[name] for name in times}))
    copies = str(write_csv(tmp_path / "copies.csv", **times, row=np.repeat(np.arange(N), 5)))
    arguments = ("--x", "a", "--y", "c", "--method", "gaussian", "--json")
    single = json.loads(run("estimate", once, *arguments).out)
    grouped = json.loads(run("estimate", copies, *arguments, "--groups", "row").out)
    assert grouped["stderr"] == pytest.approx(single["stderr"], rel=0.05)


def test_long_lists_are_cut_and_names_with_commas_quoted(run: Run, csv: str, calls: list[dict[str, Any]]):
    out = run("estimate", csv, "--x", "a,b,id,kind,code,c", "--y", '"d, in kg"').out
    assert out.endswith('  x: a, b, id, kind, code, c\n  y: "d, in kg"\n')
    out = run("estimate", "example:breast-cancer", "--x", "mean *", "--y", "diagnosis").out
    assert (
        "  x: mean radius, mean texture, mean perimeter, mean area, mean smoothness, mean compactness, ... (10 columns)" in out
    )


def test_missing_values_are_left_out_on_request_and_counted(run: Run, tmp_path: Path, data: dict[str, Any]):
    holes = ["" if i in (3, 5) else value for i, value in enumerate(data["a"])]
    file = str(write_csv(tmp_path / "holes.csv", a=holes, c=data["c"]))
    arguments = ("estimate", file, "--x", "a", "--y", "c", "--method", "gaussian")
    check_refused(run(*arguments), r"Column 'a' has 2 missing value\(s\).*--drop-missing")
    result = run(*arguments, "--drop-missing")
    assert "n = 398" in result.out
    assert "  rows left out for missing values: 2\n" in result.out


def test_rows_without_a_group_are_left_out_on_request(run: Run, tmp_path: Path, data: dict[str, Any]):
    file = str(write_csv(tmp_path / "holes.csv", a=data["a"], c=data["c"], id=["" if i == 3 else i // 4 for i in range(N)]))
    arguments = ("estimate", file, "--x", "a", "--y", "c", "--groups", "id", "--method", "gaussian")
    check_refused(run(*arguments), r"Column 'id' has 1 missing value.*--drop-missing")
    assert "n = 399" in run(*arguments, "--drop-missing").out


def test_codes_with_commas_are_labels_where_the_command_says_so(run: Run, tmp_path: Path, data: dict[str, Any]):
    codes = [('"1,2"', '"2,3"', "2")[i] for i in data["code"]]
    file = str(write_csv(tmp_path / "codes.csv", answer=codes, kind=data["kind"]))
    arguments = ("estimate", file, "--x", "answer", "--y", "kind", "--method", "discrete")
    check_refused(run(*arguments), r"Column 'answer' holds numbers that read as text, such as '\d,\d': .* --discrete")
    result = run(*arguments, "--discrete", "answer")
    assert result.code == 0
    assert "  read as labels: answer, kind\n" in result.out


def test_lines_are_folded_to_a_terminal_and_whole_in_a_pipe(
    run: Run, csv: str, calls: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "60")
    arguments = ("estimate", "example:breast-cancer", "--x", "mean *", "--y", "diagnosis")
    piped = run(*arguments).out
    assert max(map(len, piped.splitlines())) > 100
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    shown = run(*arguments).out
    assert max(map(len, shown.splitlines())) <= 60
    assert "mean area,\n    mean smoothness" in shown
    assert shown.split() == piped.split()


def test_a_name_of_two_lines_is_chosen_and_printed_in_one(run: Run, tmp_path: Path, data: dict[str, Any]):
    file = str(write_csv(tmp_path / "lines.csv", **{"two\nlines": data["a"], "c": data["c"]}))
    result = run("estimate", file, "--x", "two\nlines", "--y", "c", "--method", "gaussian")
    assert result.out.endswith("  x: two lines\n  y: c\n")


# === Files ===


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


# === What cannot be used ===


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--x", "aa", "--y", "c"], r"Unknown --x column 'aa': did you mean 'a'\?"),
        (["--x", "a", "--y", "kin"], r"Unknown --y column 'kin': did you mean 'kind'\?"),
        (["--x", "a", "--y", "z*"], r"Unknown --y column 'z\*'"),
        (["--x", "", "--y", "c"], r"No --x column was named"),
        (["--x", "[abc]", "--y", "c"], r"Column 'c' is on both sides.*leave it out of --x or --y"),
        (["--x", "*", "--y", "kind"], r"Column 'kind' is on both sides"),
        (["--x", "a", "--y", "c", "--groups", "patient"], r"Unknown --groups column 'patient'"),
        (["--x", "a", "--y", "c", "--groups", "*d*"], r"--groups takes one column, '\*d\*' is 4"),
        (["--x", "a,id", "--y", "c", "--groups", "id"], r"Column 'id' is named in --x and in --groups"),
        (["--x", "i*", "--y", "c", "--groups", "id"], r"--x matches only the --groups column 'id'"),
        (["--x", "a", "--y", "c", "--discrete", "code"], r"Unknown --discrete column 'code'.* Valid: a, c\."),
        (["--x", "a", "--y", "c", "--method", "kgs"], r"Unknown method 'kgs': did you mean 'ksg'\?"),
        (["--x", "a", "--y", "c", "--unit", "bit"], r"Unknown unit 'bit': did you mean 'bits'\?"),
        (["--x", "a", "--y", "c", "--method", "gaussian", "--device", "gpu"], r"Unknown device 'gpu'"),
        (
            ["--x", "a", "--y", "c", "--method", "gaussian", "--device", "meta"],
            r"device 'meta' cannot be used .*'cpu' or 'auto'",
        ),
        (["--x", "a", "--y", "c", "--seed", "-1"], r"--seed must be 0 or more, got -1"),
        (["--x", "a", "--y", "c", "--option", "steps"], r"--option takes KEY=VALUE.*got 'steps'"),
        (["--x", "a", "--y", "c", "--option", "1=2"], r"--option takes KEY=VALUE"),
        (["--x", "a", "--y", "c", "--option", "steps={[1]: 2}"], r"steps must be an integer of at least 1, got '\{\[1\]: 2\}'"),
        (["--x", "a", "--y", "c", "--option", "stepps=2"], r"'stepps': did you mean 'steps'\?"),
        (["--x", "a", "--y", "c", "--option", "steps=many"], r"steps must be an integer of at least 1, got 'many'"),
        (["--x", "a", "--y", "c", "--option", "method='ksg'"], r"--option cannot set method"),
        (["--x", "a", "--y", "c", "--option", "drop_missing=True"], r"--option cannot set drop_missing"),
        (["--x", "a", "--y", "c", "--option", "discrete=True"], r"--option cannot set discrete"),
        (["--x", "kind", "--y", "c", "--method", "ksg"], r"needs numbers.*kind.*Use method 'auto'"),
    ],
)
def test_arguments_that_cannot_be_used(arguments: list[str], message: str, run: Run, csv: str):
    check_refused(run("estimate", csv, *arguments), message)


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
        ("data.xlsx", r"data\.xlsx has an unknown format: use one of \.csv, "),
        ("empty.csv", r"empty\.csv is empty"),
        ("example:brest-cancer", r"Unknown example 'brest-cancer': did you mean 'breast-cancer'\?"),
    ],
)
def test_files_that_cannot_be_used(name: str, message: str, run: Run, csv: str):
    folder = Path(csv).parent
    (folder / "data.xlsx").touch()
    (folder / "empty.csv").touch()
    file = name if name.startswith("example:") else str(folder / name)
    check_refused(run("estimate", file, "--x", "a", "--y", "c"), message)


def test_message_is_one_line_even_where_a_name_has_two(run: Run, tmp_path: Path):
    file = tmp_path / "data.csv"
    file.write_text('"two\nlines",b\n' + "".join(f"1,{i}\n" for i in range(40)))
    check_refused(run("estimate", str(file), "--x", "two*", "--y", "b"), r"Column 'two\\nlines' is constant")


@pytest.mark.parametrize(
    "arguments",
    [["estimate"], ["estimate", "x.csv", "--x", "a"], ["estimat"], ["estimate", "x.csv", "--seed", "one"], ["--what"]],
)
def test_usage_errors_exit_with_2_and_plain_text(arguments: list[str], run: Run):
    result = run(*arguments)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("Usage: mine")
    assert "╭" not in result.err


def test_interrupt_is_one_line_and_130(run: Run, csv: str, monkeypatch: pytest.MonkeyPatch):
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(api, "estimate", interrupted)
    assert run("estimate", csv, "--x", "a", "--y", "c") == (130, "", "mine: interrupted\n")


# === Figures ===


@pytest.mark.parametrize(("name", "start"), [("est.png", b"\x89PNG"), ("est.PDF", b"%PDF"), ("est.svg", b"<?xml")])
def test_plot_writes_the_format_its_name_says(name: str, start: bytes, run: Run, csv: str, tmp_path: Path):
    file = tmp_path / name
    result = run("estimate", csv, "--x", "a", "--y", "c", "--method", "gaussian", "--plot", str(file))
    assert (result.code, result.err) == (0, "")
    assert file.read_bytes().startswith(start)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("est.jpg", r"--plot cannot write 'est\.jpg': end the name in \.png, \.pdf, \.svg"),
        ("est", r"--plot cannot write 'est': end the name in"),
        ("nowhere/est.png", r"--plot cannot write into .*nowhere: there is no such folder"),
        ("folder.png", r"--plot cannot write .*folder\.png: it is a folder"),
    ],
)
def test_plot_that_cannot_be_written_fails_before_the_work(
    target: str, message: str, run: Run, csv: str, tmp_path: Path, calls: list[dict[str, Any]]
):
    (tmp_path / "folder.png").mkdir()
    check_refused(run("estimate", csv, "--x", "a", "--y", "c", "--plot", str(tmp_path / target)), message)
    assert calls == []


def test_plot_without_matplotlib_fails_before_the_work(
    run: Run, csv: str, tmp_path: Path, calls: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = run("estimate", csv, "--x", "a", "--y", "c", "--plot", str(tmp_path / "est.png"))
    check_refused(result, r'pip install "torch-mine\[plot\]"')
    assert calls == []


def test_estimate_is_printed_even_where_the_disk_is_full(run: Run, csv: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", full)
    result = run("estimate", csv, "--x", "a", "--y", "c", "--method", "gaussian", "--json", "--plot", str(tmp_path / "est.png"))
    assert result.code == 2
    assert list(json.loads(result.out)) == FIELDS
    assert re.fullmatch(r"mine: error: --plot cannot write .*: No space left on device; the estimate stands\.\n", result.err)


# === Lists and help ===


def test_methods_are_listed_one_a_line_and_aligned(run: Run):
    lines = run("methods").out.splitlines()
    width = lines[0].index("the default")
    assert {line[:width].strip(): line[width:] for line in lines} == mine.methods()
    assert all(line[width - 1] == " " for line in lines)


def test_methods_are_folded_to_a_terminal(run: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    lines = run("methods").out.splitlines()
    assert max(map(len, lines)) <= 60
    text = " ".join(" ".join(lines).split())
    assert all(f"{name} {about}" in text for name, about in mine.methods().items())


def test_examples_are_listed_with_commands_that_run(run: Run):
    out = run("examples").out
    for example in EXAMPLES.values():
        assert f"example:{example.name}   {example.rows} rows x {example.columns} columns\n" in out
        assert f"  {example.source}\n" in out
        assert f"  try: {example.command}\n" in out
        program, *arguments = shlex.split(example.command)
        assert program == "mine"
        result = run(*arguments, "--json")
        assert (result.code, result.err) == (0, "")
        found = json.loads(result.out)
        assert found["n"] == example.rows
        assert found["interval"][0] > 0.05  # each shows a dependence


def test_version_and_help(run: Run):
    assert run("--version") == (0, f"mine {mine.__version__}\n", "")
    overview = run("--help").out
    assert all(command in overview for command in ("estimate", "methods", "examples", "--version"))
    about = run("estimate", "--help").out
    assert 'mine estimate example:breast-cancer --x "mean *" --y diagnosis' in about
    assert max(map(len, about.splitlines())) <= 80
    for flag in inspect.signature(cli.estimate).parameters.keys() - {"file", "as_json"} | {"json", "no-progress"}:
        assert f"--{flag.replace('_', '-')}" in about


# === As a program ===


def program(*arguments: str, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    env = {**os.environ, "PYTHONPATH": str(Path(mine.__file__).parents[1]), "OMP_NUM_THREADS": "1", **environment}
    return subprocess.run([sys.executable, "-m", "mine", *arguments], input=stdin, env=env, capture_output=True, timeout=120)


def test_pipe_in_json_out(csv: str):
    arguments = ("estimate", "-", "--x", "a,b", "--y", "c", "--method", "gaussian", "--json")
    done = program(*arguments, stdin=Path(csv).read_bytes())
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.count(b"\n") == 1
    assert list(json.loads(done.stdout)) == FIELDS


def test_exit_code_of_an_error(csv: str):
    done = program("estimate", csv, "--x", "a", "--y", "kin")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().splitlines() == [
        "mine: error: Unknown --y column 'kin': did you mean 'kind'? Valid: a, b, c, id, kind, code, d, in kg."
    ]


def test_a_console_without_the_plus_minus_sign_is_no_reason_to_fail(csv: str, monkeypatch: pytest.MonkeyPatch):
    written = io.BytesIO()
    console = io.TextIOWrapper(written, encoding="cp866", write_through=True)
    monkeypatch.setattr(sys, "stdout", console)
    monkeypatch.setattr(sys, "argv", ["mine", "estimate", csv, "--x", "a", "--y", "c", "--method", "gaussian"])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert not stopped.value.code
    assert re.match(rb"Estimate: 0\.\d+ \? 0\.\d+ nats", written.getvalue())


def test_what_estimates_nothing_does_not_import_torch(tmp_path: Path):
    code = """
import sys
from mine.cli.app import app
for arguments in (["--help"], ["--version"], ["estimate", "--help"], ["examples"], ["methods"]):
    try:
        app(arguments, prog_name="mine")
    except SystemExit as stopped:
        print(stopped.code, *(m for m in ("torch", "sklearn", "scipy", "pyarrow") if m in sys.modules), file=sys.stderr)
"""
    env = {**os.environ, "PYTHONPATH": str(Path(mine.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code], env=env, cwd=tmp_path, capture_output=True, timeout=60, check=True)
    assert done.stderr.decode().split() == ["0"] * 5


def test_a_reader_that_leaves_is_no_error():
    env = {**os.environ, "PYTHONPATH": str(Path(mine.__file__).parents[1])}
    for arguments in (["methods"], ["--help"]):
        with subprocess.Popen(
            [sys.executable, "-m", "mine", *arguments], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            assert process.stdout is not None and process.stderr is not None
            process.stdout.close()
            assert process.stderr.read() == b""
        assert process.returncode == 0


def test_output_that_cannot_be_written_is_one_sentence(run: Run, csv: str, monkeypatch: pytest.MonkeyPatch):
    def full(text: str, err: bool = False) -> None:
        if not err:
            raise OSError(28, "No space left on device")
        sys.stderr.write(f"{text}\n")

    monkeypatch.setattr("typer.echo", full)
    monkeypatch.setattr("os.dup2", lambda *_: None)
    for arguments in (["methods"], ["examples"], ["estimate", csv, "--x", "a", "--y", "c", "--method", "gaussian"]):
        check_refused(run(*arguments), r"Standard output cannot be written: No space left on device\.")


def read_until(screen: int, end: bytes, shown: bytes = b"") -> bytes:
    """What a terminal shows until ``end`` turns up, at most a minute."""
    last = time.monotonic() + 60
    while end not in shown:
        assert select.select([screen], [], [], max(0.0, last - time.monotonic()))[0], f"no {end!r} in {shown!r}"
        shown += os.read(screen, 4096)
    return shown


def test_interrupting_a_training_takes_the_bar_away(csv: str):
    import pty  # Windows has none, and the other tests run there

    screen, stderr = pty.openpty()
    env = {**os.environ, "PYTHONPATH": str(Path(mine.__file__).parents[1]), "OMP_NUM_THREADS": "1", "TERM": "xterm"}
    endless = ("--option", "steps=100000", "--option", "patience=100000", "--progress")
    arguments = ("estimate", csv, "--x", "a", "--y", "c", *endless)

    def heed_interrupts() -> None:  # a test run in a shell's background ignores them, and its children inherit that
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    command = [sys.executable, "-m", "mine", *arguments]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=stderr, preexec_fn=heed_interrupts) as process:
        try:
            shown = read_until(screen, b"training")
            process.send_signal(signal.SIGINT)
            shown = read_until(screen, b"mine: interrupted\r\n", shown)
            assert process.wait(60) == 130
            assert process.stdout is not None
            assert process.stdout.read() == b""
        finally:
            process.kill()
            os.close(screen)
            os.close(stderr)
    *_, after = shown.rpartition(b"training")
    assert b"\x1b[2K" in after  # the bar's line is erased
    assert b"\x1b[?25h" in after  # and the cursor is back
    assert b"Traceback" not in shown


def test_a_permutation_test_beside_the_estimate(run: Run, tmp_path: Path, data: dict[str, Any]) -> None:
    path = str(write_csv(tmp_path / "data.csv", **data))
    arguments = ("estimate", path, "--x", "a", "--y", "c", "--method", "gaussian", "--seed", "0", "--test")
    text = run(*arguments, "--permutations", "99")
    assert text.code == 0 and "test of independence: p = 0.01 (99 permutations, kernels, n = 400)" in text.out
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
