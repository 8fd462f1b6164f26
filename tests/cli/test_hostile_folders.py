"""Commands in a folder that somebody else filled: no file of it runs, nothing of it reaches the terminal, nothing is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from mine.cli.app import app

ENTRIES = {"module": [sys.executable, "-m", "mine"], "script": [str(Path(sys.executable).parent / "mine")]}
MODULES = (
    "json", "random", "pickle", "struct", "queue", "socket", "copyreg", "torch", "numpy", "scipy", "sklearn", "pandas", "joblib",
    "pyarrow", "narwhals", "rich", "typer", "matplotlib", "safetensors", "lightning", "sitecustomize", "usercustomize",
)  # fmt: skip
PLANTED = "open('EXECUTED', 'w').close()\n"
GAUSSIAN = ["benchmark", "--tasks", "1v1-normal-0.75", "--methods", "gaussian", "--n", "100", "--repeats", "1", "--out", "o"]


def run(folder: Path, *arguments: str, entry: str = "module") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*ENTRIES[entry], *arguments], cwd=folder, capture_output=True, check=False)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    values = np.random.default_rng(0).normal(size=(80, 3))
    values[:, 1] += values[:, 0]
    np.savetxt(tmp_path / "e.csv", values, delimiter=",", header="a\x1b[31m\x9b,=b,c", comments="")
    return tmp_path


@pytest.mark.parametrize("entry", ["module", pytest.param("script", marks=pytest.mark.slow)])
def test_no_file_of_the_folder_runs(table: Path, entry: str) -> None:
    if entry == "script" and not Path(ENTRIES["script"][0]).exists():
        pytest.skip("the command is not installed")
    plant(table)
    if entry == "script":  # for `python -m mine`, mine.py of the folder is the module that was asked for
        (table / "mine.py").write_text(PLANTED)
    for arguments in (GAUSSIAN, ["pairwise", "e.csv", "--seed", "0", "--method", "gaussian", "--jobs", "2"]):
        done = run(table, *arguments, entry=entry)
        assert done.returncode == 0, done.stderr.decode()
    assert not (table / "EXECUTED").exists()


@pytest.mark.slow
def test_no_file_of_the_folder_runs_by_any_command(table: Path) -> None:
    plant(table)
    columns = ["--x", "c", "--y", "=b"]
    for arguments in (
        ["describe", "e.csv"],
        ["methods"],
        ["examples"],
        ["estimate", "e.csv", *columns, "--seed", "0", "--option", "steps=2", "--test", "--plot", "p.png"],
        ["estimate", "e.csv", *columns, "--seed", "0", "--option", "steps=2", "--devices", "1"],
        ["pairwise", "e.csv", "--seed", "0", "--out", "pairs", "--jobs", "2", "--effort", "fast", "--plot", "p.svg"],
        ["report", "e.csv", "-o", "r.html", "--jobs", "2"],
        ["benchmark", "--list"],
        [*GAUSSIAN[:-2], "--jobs", "2", "--out", "both"],
        ["reproduce", "--list"],
        ["reproduce", "gan-25-gaussians", "--scale", "smoke", "--out", "games"],
    ):
        done = run(table, *arguments)
        assert done.returncode == 0, done.stderr.decode()
        assert not (table / "EXECUTED").exists(), arguments


def plant(folder: Path) -> None:
    """Files that a careless program would run or obey."""
    for name in MODULES:
        (folder / f"{name}.py").write_text(PLANTED)
    (folder / "matplotlibrc").write_bytes(b"text.usetex: True\nbackend: module://json\n\xff\n")


def test_an_estimator_of_the_folder_runs_when_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "rival.py").write_text("import helper\ndef f(x, y):\n    return helper.value\n")
    (tmp_path / "helper.py").write_text("value = 0.5\n")
    done = run(tmp_path, *("rival:f" if a == "gaussian" else a for a in GAUSSIAN))
    assert done.returncode == 0 and b",0.5," in (tmp_path / "o" / "table.csv").read_bytes()


def test_names_are_printed_without_control_characters(table: Path) -> None:
    file = str(table / "e.csv")
    for arguments in (["--csv"], ["--json"], []):
        done = CliRunner().invoke(app, ["pairwise", file, "--seed", "0", "--method", "gaussian", *arguments])
        assert done.exit_code == 0
        assert not {"\x1b", "\x9b"} & set(done.stdout)
    refused = CliRunner().invoke(app, ["estimate", file, "--x", "a\x1b[31m", "--y", "c"])
    assert refused.exit_code == 2 and "\x1b" not in refused.output


def test_a_page_is_not_begun_that_cannot_be_written(table: Path) -> None:
    (table / "x").write_text("a file")
    done = run(table, "report", "e.csv", "-o", "x/r.html")
    assert done.returncode == 2 and b"Traceback" not in done.stderr


@pytest.mark.parametrize("scale", [1.7e308, 1e-300, 5e-324, 1e200])
def test_the_report_survives_numbers_at_the_ends_of_float64(tmp_path: Path, scale: float) -> None:
    values = np.random.default_rng(0).normal(size=(80, 2))
    values[:, 1] += values[:, 0]
    np.savez(
        tmp_path / "s.npz", a=values[:, 0] / abs(values[:, 0]).max() * scale * (1e3 if scale < 1e-320 else 1), b=values[:, 1]
    )
    page = tmp_path / "r.html"
    done = CliRunner().invoke(app, ["report", str(tmp_path / "s.npz"), "-o", str(page), "--no-test"])
    assert done.exit_code == 0, done.output
    assert "Warning" not in done.output and b"nan" not in page.read_bytes()


def test_a_stray_member_of_an_archive_is_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "z.npz", a=np.arange(50.0))
    with zipfile.ZipFile(tmp_path / "z.npz", "a") as archive:
        archive.writestr("readme.txt", "hi")
    done = run(tmp_path, "estimate", "z.npz", "--x", "a", "--y", "a")
    assert done.returncode == 2 and b"'readme.txt', which is no array" in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files as Linux does")
def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    limited = (
        "import os, resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        f"resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300)); os.execv({sys.executable!r}, {[*ENTRIES['module'], *GAUSSIAN]!r})"
    )
    done = subprocess.run([sys.executable, "-c", limited], cwd=tmp_path, capture_output=True, check=False, text=True)
    assert done.returncode in (2, 74) and "File too large" in done.stderr and "Traceback" not in done.stderr
    assert not [name for name in os.listdir(tmp_path / "o" / "cells") if name.endswith(".tmp")]


@pytest.mark.slow
@pytest.mark.parametrize("when", ["working", "starting"])
@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_workers_end_with_their_parent(when: str, tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(300, 12))
    np.savetxt(tmp_path / "p.csv", values, delimiter=",", header=",".join("abcdefghijkl"), comments="")
    command = [*ENTRIES["module"], "pairwise", "p.csv", "--seed", "0", "--jobs", "2", "--effort", "thorough", "--out", "o"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if list((tmp_path / "o" / "cells").glob("*")) if when == "working" else len(children(process.pid)) >= 2:
                break
            time.sleep(0.05)
        workers = children(process.pid)
        process.send_signal(signal.SIGKILL)
    assert len(workers) >= 2
    deadline = time.monotonic() + 30
    while any(map(running, workers)) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert not any(map(running, workers))


def children(parent: int) -> list[int]:
    pids = [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]
    return [pid for pid in pids if (found := status(pid)) is not None and int(found[1]) == parent]


def running(pid: int) -> bool:
    found = status(pid)
    return found is not None and found[0] != "Z"


def status(pid: int) -> list[str] | None:
    """State, parent and so on of a process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
