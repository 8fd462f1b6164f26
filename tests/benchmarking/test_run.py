"""The run: workers, what is kept, what is taken over, what a failure leaves, and the command."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import mine
from mine import tasks as registry
from mine.benchmarking.grid import derived_seed
from mine.benchmarking.store import Record, Store
from mine.benchmarking.summary import as_csv
from mine.cli.app import app
from mine.errors import InputError, UnknownNameError
from mine.storage import versions
from mine.tasks import Task


def normal(rho: float) -> Task:
    """Correlated normals, made of closures: a worker process can import nothing of this file."""

    def draw(n: int, rng: Any) -> tuple[Any, Any]:
        x = rng.normal(size=(n, 1))
        return x, rho * x + (1 - rho**2) ** 0.5 * rng.normal(size=(n, 1))

    def ratio(x: Any, y: Any) -> Any:
        quadratic = (rho**2 * (x**2 + y**2) - 2 * rho * x * y) / (2 * (1 - rho**2))
        return -0.5 * np.log(1 - rho**2) - quadratic.sum(1)

    truth = -0.5 * float(np.log(1 - rho**2))
    return Task(f"normal-{rho}", 1, 1, truth, "two correlated normals", "closed form", "published", draw, ratio)


def mean_of_x() -> Any:
    def mean_of_x(x: Any, y: Any) -> float:
        return float(x.mean())

    return mean_of_x


def numbers(result: Any) -> dict[tuple[str, str, int, int], tuple[Any, ...]]:
    return {r.place: (r.value, r.stderr, r.low, r.high, r.oracle) for r in result.records}


def test_rows_are_shared_and_nothing_depends_on_jobs_or_on_what_is_finished(tmp_path: Path) -> None:
    tasks, methods = [normal(0.3), normal(0.8)], ["ksg", mean_of_x()]
    part = mine.benchmark(tasks[:1], methods[:1], n=[100], n_repeats=[1], out=tmp_path)
    seen: list[tuple[int, int]] = []
    whole = mine.benchmark(
        tasks,
        methods,
        n=[100, 200],
        n_repeats=2,
        n_jobs=2,
        out=tmp_path,
        progress=lambda done, total, _: seen.append((done, total)),
    )
    assert seen == [(i, 15) for i in range(1, 16)]  # one of the sixteen was there
    assert numbers(whole) == numbers(mine.benchmark(tasks, methods, n=[100, 200], n_repeats=2))
    assert numbers(part).items() <= numbers(whole).items()

    for record in whole.records:  # the same rows, drawn here: the seed is one of task and draw alone
        if record.method == "mean_of_x":
            task = next(t for t in tasks if t.name == record.task)
            x, y = task.sample(record.n, derived_seed("sample", record.task, record.seed))
            assert record.value == pytest.approx(x.mean(), abs=1e-12)
            assert record.oracle == pytest.approx(task.log_ratio(x, y).mean(), abs=1e-12)


def test_failures_are_cells_with_a_message(tmp_path: Path) -> None:
    def raises(x: Any, y: Any) -> float:
        raise ValueError("cannot do\nthat")

    def leaves(x: Any, y: Any) -> float:
        raise SystemExit(3)

    def dies(x: Any, y: Any) -> float:
        import os
        import sys

        sys.stderr.write("last words\n")
        sys.stderr.flush()
        os.kill(os.getpid(), 9)
        return 0.0

    def prints(x: Any, y: Any) -> float:
        import sys

        sys.stdout.write("chatter on standard output\n")
        return 0.5

    methods = {"raises": raises, "leaves": leaves, "dies": dies, "prints": prints, "infinite": lambda x, y: float("inf")}
    result = mine.benchmark(normal(0.5), methods, n=50, n_repeats=1, out=tmp_path)
    errors = {record.method: record.error for record in result.records}
    assert errors == {
        "raises": "ValueError: cannot do that",
        "leaves": "SystemExit: 3",
        "dies": "the worker process died (killed by signal 9): last words",
        "prints": None,
        "infinite": "InputError: infinite gave inf, which is no estimate.",
    }
    assert [(line.method, line.failed) for line in result.lines if not line.failed] == [("prints", 0)]
    assert "Failed: raises, 1 cell, first on normal-0.5, n = 50, seed 0: ValueError: cannot do that" in str(result)

    # a failed cell is finished; only --retry-failed measures it again
    fixed = {"raises": raises}
    calls: list[str] = []
    mine.benchmark(normal(0.5), fixed, n=50, n_repeats=1, out=tmp_path, progress=lambda *a: calls.append(a[2]))
    assert calls == []
    mine.benchmark(
        normal(0.5), fixed, n=50, n_repeats=1, out=tmp_path, retry_failed=True, progress=lambda *a: calls.append(a[2])
    )
    assert calls == ["normal-0.5, raises, n = 50"]


def test_a_worker_computes_with_one_thread_and_the_caller_keeps_its_own() -> None:
    def threads(x: Any, y: Any) -> float:
        import os

        import torch

        return torch.get_num_threads() + 10.0 * float(os.environ["OMP_NUM_THREADS"])

    before = os.environ.get("OPENBLAS_NUM_THREADS")
    (record,) = mine.benchmark(normal(0.5), [threads], n=50, n_repeats=1).records
    assert record.value == 11.0
    assert os.environ.get("OPENBLAS_NUM_THREADS") == before


def test_seconds_are_those_of_the_estimate_after_a_warm_up() -> None:
    def slow_at_first(x: Any, y: Any) -> float:
        import time

        time.sleep(0.2 if hasattr(time, "warmed") else 1.5)
        vars(time)["warmed"] = True
        return 0.0

    (record,) = mine.benchmark(normal(0.5), [slow_at_first], n=50, n_repeats=1).records
    assert record.seconds is not None and 0.2 <= record.seconds < 1.2


# === Resuming ===

SCRIPT = """
import sys, time
import numpy as np
import mine
from mine.tasks import Task

def wait(x, y):
    time.sleep(0.3)
    return float(x.mean())

task = Task("t", 1, 1, 0.0, "", "", "mine", lambda n, rng: (rng.normal(size=(n, 1)), rng.normal(size=(n, 1))))
found = mine.benchmark(task, [wait], n=[50, 60], n_repeats=6, n_jobs=2, out=sys.argv[1])
print(*sorted(r.value for r in found.records))
"""


def start(script: Path, out: Path) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": str(Path(mine.__file__).parents[1])}
    return subprocess.Popen([sys.executable, str(script), str(out)], env=env, stdout=subprocess.PIPE, text=True)


def cells(out: Path) -> list[Path]:
    return sorted((out / "cells").glob("*.json")) if out.is_dir() else []


def children(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(found) for found in listed.stdout.split()]


def wait_until(condition: Any, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="kill -9, and /proc to see the workers end")
def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(SCRIPT)
    killed = start(script, tmp_path / "killed")
    wait_until(lambda: len(cells(tmp_path / "killed")) >= 3)
    workers = children(killed.pid)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    kept = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in cells(tmp_path / "killed")}
    assert 3 <= len(kept) < 12
    assert all(json.loads(content)["method"] == "wait" for content, _ in kept.values())  # each file is whole
    assert workers
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), 10)  # nothing goes on computing

    again, _ = start(script, tmp_path / "killed").communicate(timeout=120)
    after = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in cells(tmp_path / "killed")}
    assert len(after) == 12 and kept.items() <= after.items()  # taken over, not measured again
    fresh, _ = start(script, tmp_path / "fresh").communicate(timeout=120)
    assert again == fresh and len(again.split()) == 12


def test_cells_of_other_code_are_left_out_and_reported(tmp_path: Path) -> None:
    task = normal(0.5)
    (record,) = mine.benchmark(task, "gaussian", n=50, n_repeats=1, out=tmp_path).records
    (path,) = cells(tmp_path)
    path.unlink()
    store = Store(tmp_path)
    assert record.numerics is not None
    for value, other in enumerate((record.numerics - 1, record.numerics + 1)):
        store.write(replace(record, numerics=other, value=99.0 + value))
    store.write(replace(record, task_version="other", value=77.0))
    (store.folder / "torn.json").write_text('{"task": "normal-0.5", "me')
    result = mine.benchmark(task, "gaussian", n=50, n_repeats=1, out=tmp_path)
    assert result.records[0].value == record.value
    for other in (record.numerics - 1, record.numerics + 1):
        code = f"numerics {other}, torch-mine {mine.__version__}"
        assert f"Left out: 1 stored cells of gaussian that other code ({code}) gave" in str(result)
    assert "could not be read: torn.json" in str(result)
    assert len(cells(tmp_path)) == 5


def test_another_release_with_the_same_numbers_is_gone_on_from_and_told(tmp_path: Path) -> None:
    (record,) = mine.benchmark(normal(0.5), "gaussian", n=50, n_repeats=1).records
    Store(tmp_path).write(replace(record, method_version="0.0.1", value=99.0))
    result = mine.benchmark(normal(0.5), "gaussian", n=50, n_repeats=1, out=tmp_path)
    assert result.records[0].value == 99.0
    assert f"Code: numerics {record.numerics}, torch-mine 0.0.1 for gaussian." in str(result)
    assert "Left out" not in str(result)


def old_cell(tmp_path: Path, **entries: Any) -> Path:
    """A cell's file as commit 721daf8 wrote it, with a value that nobody would measure."""
    (record,) = mine.benchmark(normal(0.5), "gaussian", n=50, n_repeats=1).records
    content = {
        "task": "normal-0.5", "method": "gaussian", "n": 50, "seed": 0, "task_version": record.task_version,
        "method_version": "0.1.0+f028364a", "truth": record.truth, "value": 99.0, "lower_bound": None, "stderr": 0.1,
        "low": 0.0, "high": 0.3, "has_interval": True, "seconds": 0.01, "oracle": 0.14, "error": None,
        "environment": "Python 3.11.7", "diagnostics": {}, **entries,
    }  # fmt: skip
    path = tmp_path / "cells" / "normal-0.5_gaussian_n50_seed0_0123456789.json"
    path.parent.mkdir()
    path.write_text(json.dumps(content))
    return path


def test_a_cell_from_before_numerics_counts_as_1_if_its_digest_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "NUMERICS", 1)
    old_cell(tmp_path)
    result = mine.benchmark(normal(0.5), "gaussian", n=50, n_repeats=1, out=tmp_path)
    assert result.records[0].value == 99.0 and len(cells(tmp_path)) == 1
    assert "Code: numerics 1, torch-mine 0.1.0+f028364a for gaussian." in str(result)
    row = next(csv.DictReader(as_csv(result.records).splitlines()))
    assert (row["numerics"], row["method_version"]) == ("1", "0.1.0+f028364a")
    # it is a cell of NUMERICS 1 and of no other
    monkeypatch.setattr(versions, "NUMERICS", versions.NUMERICS + 9)
    assert mine.benchmark(normal(0.5), "gaussian", n=50, n_repeats=1, out=tmp_path).records[0].value != 99.0


def test_a_cell_from_before_numerics_with_another_digest_does_not_count(tmp_path: Path) -> None:
    old_cell(tmp_path, method_version="0.1.0+0badc0de")
    result = mine.benchmark(normal(0.5), "gaussian", n=50, n_repeats=1, out=tmp_path)
    assert result.records[0].value != 99.0 and len(cells(tmp_path)) == 2
    assert "Left out: 1 stored cells of gaussian that other code (0.1.0+0badc0de) gave" in str(result)


def test_an_old_cell_that_failed_is_replaced_when_it_is_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "NUMERICS", 1)
    path = old_cell(tmp_path, value=None, error="ValueError: no")
    (kept,) = mine.benchmark(normal(0.5), "gaussian", n=50, n_repeats=1, out=tmp_path).records
    (again,) = mine.benchmark(normal(0.5), "gaussian", n=50, n_repeats=1, out=tmp_path, retry_failed=True).records
    assert kept.error == "ValueError: no" and again.error is None
    assert cells(tmp_path) == [path] and Store(tmp_path).read() == {again.key: again}


def test_other_peoples_cells_from_before_numerics_still_count(tmp_path: Path) -> None:
    rival = mean_of_x()
    (record,) = mine.benchmark(normal(0.5), [rival], n=50, n_repeats=1).records
    assert record.numerics is None
    old_cell(tmp_path, method="mean_of_x", method_version=record.method_version)
    assert mine.benchmark(normal(0.5), [rival], n=50, n_repeats=1, out=tmp_path).records[0].value == 99.0


def test_no_source_file_decides_whether_a_cell_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (record,) = mine.benchmark(normal(0.5), "gaussian", n=50, n_repeats=1, out=tmp_path).records
    opened: list[str] = []
    plain = io.open

    def noted(file: Any, *arguments: Any, **options: Any) -> Any:
        opened.append(str(file))
        return plain(file, *arguments, **options)

    monkeypatch.setattr(io, "open", noted)  # what pathlib calls
    monkeypatch.setattr("builtins.open", noted)
    assert mine.benchmark(normal(0.5), "gaussian", n=50, n_repeats=1, out=tmp_path).records == [record]
    assert any(name.endswith(".json") for name in opened)
    assert not [name for name in opened if name.endswith(".py")]


def test_a_record_comes_back_as_it_was_written(tmp_path: Path) -> None:
    record = Record(
        "a/b:c", "m[k='x y']", 10, 0, "t", "v", 0.1 + 0.2, 1 / 3, None, 0.1, 0.0, None, True, diagnostics={"a": [1]}
    )
    store = Store(tmp_path)
    store.write(record)
    assert store.read() == {record.key: record}
    assert [path.suffix for path in store.folder.iterdir()] == [".json"]


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        mine.benchmark(normal(0.5), "gaussian", n=50, n_repeats=1, out=tmp_path / "file")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": []}, "n must be whole numbers"),
        ({"n": [100, 100]}, "twice"),
        ({"n": 2.5}, "n must"),
        ({"n_repeats": 0}, "n_repeats must"),
        ({"n_jobs": 0}, "n_jobs must"),
        ({"methods": "no_such_package:f"}, "cannot be imported"),
    ],
)
def test_arguments_that_cannot_be_used(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        mine.benchmark(normal(0.5), **{"methods": "gaussian", "n": 50, "n_repeats": 1, **arguments})


# === The command ===


@pytest.fixture
def catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {task.name: task for task in (normal(0.3), normal(0.8))}
    monkeypatch.setattr(registry, "_tasks", lambda: found)


def command(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["benchmark", *arguments])


def test_the_command_writes_tables_and_figures_and_enters_a_rival(catalogue: None, tmp_path: Path) -> None:
    rival = tmp_path / "rival.py"
    rival.write_text("class Half:\n    def __init__(self, k): self.k = k\n    def estimate(self, x, y): return self.k / 2\n")
    out = tmp_path / "out"
    done = command(
        "--methods", f"gaussian,{rival}:Half[k=1]", "--tasks", "normal-*", "--n", "100", "--repeats", "2", "--out", str(out)
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in out.iterdir()) == ["cells", "error_time.png", "heatmap.png", "summary.md", "table.csv"]
    assert len((out / "table.csv").read_text().splitlines()) == 1 + 2 * 2 * 2
    # the rival says .5 where the truth is -ln(1 - .09)/2 = .0472 and -ln(.36)/2 = .5108
    row = next(line for line in (out / "summary.md").read_text().splitlines() if "Half[k=1]" in line)
    assert [cell.strip() for cell in row.split("|")][3] == f"{(0.5 - 0.047155 + 0.510826 - 0.5) / 2:.4f}"
    assert "gaussian" in done.stdout and "Written:" in done.stdout


def test_tasks_are_listed_with_their_information(catalogue: None) -> None:
    done = command("--list")
    assert done.exit_code == 0
    heading, first, second = done.stdout.splitlines()
    assert heading == "suite published: 2 tasks"
    assert re.fullmatch(r"  normal-0\.3 +1 x 1 +0\.0472 nats  two correlated normals \(closed form\)", first)
    assert "0.5108 nats" in second


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--methods", "ksg"], "--out is missing"),
        (["--out", "x", "--n", "many"], "--n takes whole numbers"),
        (["--out", "x", "--repeats", "0"], "--repeats must be 1 or more"),
        (["--out", "x", "--tasks", "nothing*"], "No task of suite 'published' matches 'nothing*'"),
        (["--list", "--suite", "publishd"], "did you mean 'published'"),
        (["--out", "x", "--methods", "kgs", "--n", "50"], "did you mean 'ksg'"),
    ],
)
def test_the_command_refuses_in_one_sentence(
    arguments: list[str], message: str, catalogue: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = command(*arguments)
    assert done.exit_code == 2
    assert done.stderr.startswith("mine: error: ") and message in done.stderr and done.stderr.count("\n") == 1


def test_ctrl_c_says_how_to_go_on(catalogue: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mine.benchmarking import run

    written = run.Store.write

    def interrupt_after_the_second(self: Store, record: Record) -> None:
        written(self, record)
        if len(list(self.folder.glob("*.json"))) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(run.Store, "write", interrupt_after_the_second)
    arguments = ("--methods", "gaussian", "--n", "50,60", "--repeats", "1", "--out", str(tmp_path))
    done = command(*arguments)
    assert done.exit_code == 130
    assert "interrupted; finished cells are kept in" in done.stderr and "rerun the command to resume" in done.stderr
    assert len(cells(tmp_path)) == 2
    monkeypatch.undo()


def test_an_unknown_suite_is_named() -> None:
    with pytest.raises(UnknownNameError):
        mine.benchmark("normal-*", "gaussian", suite="no such suite")
