"""The runner: what is finished is kept, a killed run goes on to the same numbers, and the command says so."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import mine
from mine.cli.app import app
from mine.errors import InputError, UnknownNameError
from mine.experiments import DivergedError, Experiment, Metric, get_experiment, names, reproduce
from mine.experiments.summary import as_csv, as_markdown, mean_and_error
from mine.storage import versions

SOURCE = str(Path(mine.__file__).parents[1])


@dataclass(frozen=True)
class Config:
    size: int = 1
    fails: bool = False
    widths: tuple[int, ...] = (2, 3)


def toy(calls: list[tuple[int, int]]) -> Experiment:
    """Gives size + seed, and writes down that it was called."""

    def run(config: Config, seed: int, out: Path, progress: Any, device: str) -> dict[str, float]:
        calls.append((config.size, seed))
        progress(1, 2, "half")
        if config.fails and seed == 1:
            raise DivergedError("step 7: loss nan")
        (out / "checkpoint.pt").write_text("to be removed")
        (out / "samples.txt").write_text("kept")
        return {"sum": config.size + seed, "extra": 0.5}

    def plot(cells: Sequence[tuple[Any, Path]], out: Path) -> list[Path]:
        assert all((folder / "samples.txt").read_text() == "kept" for _, folder in cells)
        (out / "figure.png").write_bytes(b"png")
        return [out / "figure.png"]

    return Experiment(
        "toy", "Adds.", "nobody", {"one": {}, "ten": {"size": 10}, "bad": {"fails": True}},
        {"smoke": Config(), "default": Config(2), "paper": Config(3)}, {"smoke": 0.1, "default": 1, "paper": 1},
        [Metric("sum", "sum (%)", 1, 100, {"one": "95 ± 2", "ten": "–"})], run, plot,
        drawn_from="samples.txt",
    )  # fmt: skip


def test_only_what_is_new_is_run(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    experiment = toy(calls)
    reproduce(experiment, out=tmp_path, scale="smoke", n_repeats=1, arms=["one"])
    first = calls.copy()
    found = reproduce(experiment, out=tmp_path, scale="smoke", n_repeats=2, arms=["one", "ten"])
    assert first == [(1, 0)]
    assert calls == [(1, 0), (10, 0), (1, 1), (10, 1)]  # seed by seed
    assert [(r.arm, r.seed, r.metrics["sum"]) for r in found.records] == [
        ("one", 0, 1),
        ("one", 1, 2),
        ("ten", 0, 10),
        ("ten", 1, 11),
    ]
    # another config or another version is another cell
    reproduce(replace(experiment, scales={"smoke": Config(4)}), out=tmp_path, scale="smoke", arms=["one"])
    reproduce(replace(experiment, version=2), out=tmp_path, scale="smoke", arms=["one"])
    assert calls[4:] == [(4, 0), (1, 0)]


@pytest.mark.parametrize("step", [-1, 1])
def test_cells_of_other_numerics_count_and_say_so(step: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[int, int]] = []
    reproduce(toy(calls), out=tmp_path, scale="smoke", arms=["one"])
    gave = versions.NUMERICS
    monkeypatch.setattr(versions, "NUMERICS", gave + step)
    found = reproduce(toy(calls), out=tmp_path, scale="smoke", arms=["one"])
    assert calls == [(1, 0)]
    assert [record.numerics for record in found.records] == [gave]


def test_another_release_with_the_same_numbers_is_gone_on_from_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[int, int]] = []
    reproduce(toy(calls), out=tmp_path, scale="smoke", arms=["one"])
    first = versions.__version__
    monkeypatch.setattr(versions, "__version__", "9.9.9")
    found = reproduce(toy(calls), out=tmp_path, scale="smoke", n_repeats=2, arms=["one"])
    assert calls == [(1, 0), (1, 1)]
    rows = list(csv.DictReader(found.files[1].read_text().splitlines()))
    numerics = str(versions.NUMERICS)
    assert [(row["version"], row["numerics"], row["package"]) for row in rows] == [
        ("1", numerics, first),
        ("1", numerics, "9.9.9"),
    ]
    for package in (first, "9.9.9"):
        assert f"- Code: version 1 of the experiment, numerics {numerics}, torch-mine {package}." in str(found)


def test_no_source_file_decides_whether_a_cell_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reproduce(toy([]), out=tmp_path, scale="smoke", arms=["one"])
    opened: list[str] = []
    plain = io.open

    def noted(file: Any, *arguments: Any, **options: Any) -> Any:
        opened.append(str(file))
        return plain(file, *arguments, **options)

    monkeypatch.setattr(io, "open", noted)  # what pathlib calls
    monkeypatch.setattr("builtins.open", noted)
    calls: list[tuple[int, int]] = []
    reproduce(toy(calls), out=tmp_path, scale="smoke", arms=["one"])
    assert calls == [] and any(name.endswith(".json") for name in opened)
    assert not [name for name in opened if name.endswith(".py")]


def test_what_the_folder_holds_is_reported_by_any_call(tmp_path: Path) -> None:
    experiment = toy([])
    reproduce(experiment, out=tmp_path, scale="smoke", n_repeats=3, arms=["ten"])
    reproduce(replace(experiment, version=2), out=tmp_path, scale="smoke", n_repeats=[5], arms=["ten"])
    found = reproduce(experiment, out=tmp_path, scale="smoke", n_repeats=1, arms=["one"])
    assert [(r.arm, r.seed) for r in found.records] == [("one", 0), ("ten", 0), ("ten", 1), ("ten", 2)]


def test_numbers_alone_are_gone_on_from(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    reproduce(toy(calls), out=tmp_path / "a", scale="smoke", n_repeats=2, arms=["ten"])
    copy = tmp_path / "b" / "toy" / "smoke"
    copy.mkdir(parents=True)
    copy.joinpath("results.json").write_bytes((tmp_path / "a" / "toy" / "smoke" / "results.json").read_bytes())
    found = reproduce(toy(calls), out=tmp_path / "b", scale="smoke", n_repeats=3, arms=["ten"])
    assert calls == [(10, 0), (10, 1), (10, 2)]
    assert [(r.seed, r.metrics["sum"]) for r in found.records] == [(0, 10), (1, 11), (2, 12)]
    assert found.files[-1] == copy / "figure.png"  # of the one cell that has its files
    assert len(reproduce(toy(calls), out=tmp_path / "b", scale="smoke", n_repeats=1, arms=["ten"]).records) == 3


def test_what_is_written(tmp_path: Path) -> None:
    experiment = toy([])
    found = reproduce(experiment, out=tmp_path, scale="smoke", n_repeats=[0, 2], arms=["one", "ten"])
    folder = tmp_path / "toy" / "smoke"
    assert found.files == [folder / name for name in ("results.json", "table.csv", "summary.md", "figure.png")]
    stored = json.loads((folder / "results.json").read_text())
    assert [(r["arm"], r["seed"], r["metrics"], r["config"]["widths"]) for r in stored][1] == (
        "one",
        2,
        {"sum": 3, "extra": 0.5},
        [2, 3],
    )
    rows = list(csv.DictReader((folder / "table.csv").read_text().splitlines()))
    assert [(row["arm"], row["seed"], row["sum"], row["extra"], row["failure"]) for row in rows][2] == (
        "ten",
        "0",
        "10.0",
        "0.5",
        "",
    )
    text = (folder / "summary.md").read_text()
    # one: 100 and 300, mean 200, standard error 100; ten: 1000 and 1200
    assert "| one | 2 | 200.0 ± 100.0 | 0.0 |\n| one, published |  | 95 ± 2 |  |\n| ten | 2 | 1100.0 ± 100.0 | 0.0 |" in text
    assert "ten, published" not in text and str(found) in text
    with pytest.warns(FutureWarning, match=r"Reproduction\.line is called str\(Reproduction\)"):
        assert found.line == str(found)
    cells = sorted((folder / "cells").iterdir())
    assert len(cells) == 4
    assert all(sorted(os.listdir(cell)) == ["result.json", "samples.txt"] for cell in cells)


def test_a_diverged_cell_is_told_and_run_again_only_if_asked(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    found = reproduce(toy(calls), out=tmp_path, scale="smoke", n_repeats=2, arms=["bad"])
    assert [record.error for record in found.records] == [None, "step 7: loss nan"]
    assert "| bad | 1 | 100.0 |" in str(found) and "Failed: bad, seed 1: step 7: loss nan" in str(found)
    assert "bad,1,,,0.0,step 7: loss nan" in as_csv(found.experiment, found.records)
    reproduce(toy(calls), out=tmp_path, scale="smoke", n_repeats=2, arms=["bad"])
    assert len(calls) == 2
    reproduce(toy(calls), out=tmp_path, scale="smoke", n_repeats=2, arms=["bad"], retry_failed=True)
    assert calls[2:] == [(1, 1)]
    nothing = reproduce(toy(calls), out=tmp_path / "all", scale="smoke", n_repeats=[1], arms=["bad"])
    assert "| bad | 0 |" in str(nothing) and len(nothing.files) == 3  # nothing to draw


def test_a_torn_result_counts_as_not_finished(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    reproduce(toy(calls), out=tmp_path, scale="smoke", arms=["one"])
    (cell,) = (tmp_path / "toy" / "smoke" / "cells").iterdir()
    (cell / "result.json").write_text('{"experiment": "toy", "sc')
    (cell / ".left.tmp").write_text("torn")
    (cell.parents[1] / "results.json").write_text("[{")
    reproduce(toy(calls), out=tmp_path, scale="smoke", arms=["one"])
    assert len(calls) == 2
    assert not (cell / ".left.tmp").exists()


def test_progress_covers_the_whole_run(tmp_path: Path) -> None:
    seen: list[tuple[int, int, str]] = []
    reproduce(toy([]), out=tmp_path, scale="smoke", n_repeats=2, arms=["one"], progress=lambda *a: seen.append(a))
    assert seen == [(500, 2000, "toy, one, seed 0: half"), (1500, 2000, "toy, one, seed 1: half")]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"scale": "small"}, UnknownNameError, "Unknown scale 'small'.*smoke, default, paper"),
        ({"arms": ["three"]}, UnknownNameError, "Unknown arm 'three'.*one, ten, bad"),
        ({"n_repeats": 0}, InputError, "n_repeats must be 1 or more"),
        ({"n_repeats": [1, 1]}, InputError, "different whole numbers"),
    ],
)
def test_arguments_that_cannot_be_used(arguments: dict[str, Any], error: type[Exception], message: str, tmp_path: Path) -> None:
    with pytest.raises(error, match=message):
        reproduce(toy([]), out=tmp_path, **arguments)
    assert list(tmp_path.iterdir()) == []


def test_mean_and_standard_error_by_hand() -> None:
    assert mean_and_error([4.0]) == (4.0, None)
    assert mean_and_error([2.0, 4.0, 6.0, 8.0]) == (5.0, pytest.approx(math.sqrt(20 / 3) / 2))


def test_every_experiment_is_described_and_its_arms_make_configs() -> None:
    assert {"gan-25-gaussians", "gan-spiral", "stacked-mnist"} <= set(names())
    for name in names():
        experiment = get_experiment(name)
        assert experiment.name == name
        assert experiment.shows and experiment.source and "\n" not in experiment.shows
        assert list(experiment.scales) == list(experiment.minutes) == ["smoke", "default", "paper"]
        assert experiment.minutes["smoke"] * len(experiment.arms) < 20 / 60
        assert experiment.minutes["default"] < 20
        for metric in experiment.metrics:
            assert set(metric.published) <= set(experiment.arms)
        for scale in experiment.scales:
            for arm in experiment.arms:
                json.dumps(asdict(experiment.config(arm, scale)))
    with pytest.raises(UnknownNameError, match="did you mean 'gan-spiral'"):
        get_experiment("gan-spirals")


SCRIPT = """
import sys
from dataclasses import replace
from mine.experiments import checkpoint, get_experiment, reproduce
checkpoint.Checkpoint.__init__.__defaults__ = (0.0,)  # saved whenever it may be
experiment = get_experiment("gan-25-gaussians")
small = replace(experiment.scales["smoke"], steps=int(sys.argv[2]), evaluated=200)
found = reproduce(replace(experiment, scales={"smoke": small}), out=sys.argv[1], scale="smoke", n_repeats=2, arms=["GAN", "GAN+MINE"])
print([r.metrics for r in found.records])
"""


def start(folder: Path, steps: int) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": SOURCE, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, "-c", SCRIPT, str(folder), str(steps)], stdout=subprocess.PIPE, text=True, env=env)


def finished(folder: Path) -> dict[str, bytes]:
    return {path.parent.name: path.read_bytes() for path in folder.glob("gan-25-gaussians/smoke/cells/*/result.json")}


@pytest.mark.slow
def test_a_killed_run_goes_on_inside_an_arm_to_the_same_numbers(tmp_path: Path) -> None:
    killed = start(tmp_path / "killed", 600)
    deadline = time.monotonic() + 120
    cut = None
    while cut is None and time.monotonic() < deadline:  # wait for a finished cell, and a checkpoint of the next one
        done = finished(tmp_path / "killed")
        started = [path for path in tmp_path.glob("killed/*/smoke/cells/*/checkpoint.pt") if path.parent.name not in done]
        cut = started[0] if done and started else None
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    kept = finished(tmp_path / "killed")
    assert cut is not None and cut.exists()
    assert 1 <= len(kept) < 4

    again, _ = start(tmp_path / "killed", 600).communicate(timeout=300)
    after = finished(tmp_path / "killed")
    assert len(after) == 4 and kept.items() <= after.items()  # taken over, not run again
    assert not list(tmp_path.glob("killed/*/smoke/cells/*/checkpoint.pt"))
    fresh, _ = start(tmp_path / "fresh", 600).communicate(timeout=300)
    assert again == fresh and again.count("modes") == 4


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[int, int]] = []
    monkeypatch.setattr(
        "mine.experiments.registry._experiments", lambda: {"toy": replace(toy(calls), arms={"one": {}, "ten": {"size": 10}})}
    )
    run = CliRunner()
    listed = run.invoke(app, ["reproduce", "--list"])
    assert (
        "toy\n  Adds.\n  arms: one; ten\n  an arm and seed on two cores: smoke 6 s, default 1 min, paper 1 min" in listed.stdout
    )
    done = run.invoke(
        app, ["reproduce", "toy", "--scale", "smoke", "--arms", "ten,one", "--repeats", "2", "--out", str(tmp_path)]
    )
    assert done.exit_code == 0, done.output
    assert "| ten | 2 | 1050.0 ± 50.0 |" in done.stdout
    assert f"Written: {tmp_path / 'toy' / 'smoke' / 'results.json'}" in done.stdout
    done = run.invoke(app, ["reproduce", "all", "--scale", "smoke", "--repeats", "3", "--out", str(tmp_path)])
    assert done.exit_code == 0 and len(calls) == 6
    more = run.invoke(
        app,
        ["reproduce", "toy", "--scale", "smoke", "--arms", "one", "--repeats", "2", "--seed", "2", "--out", str(tmp_path)],
    )
    assert more.exit_code == 0 and calls[6:] == [(1, 3)]  # seed 2 was there
    for arguments, message in [
        ([], "NAME is missing"),
        (["toy"], "--out is missing"),
        (["toy", "--repeats", "0", "--out", str(tmp_path)], "--repeats must be 1 or more and --seed 0 or more, got 0 and 0"),
        (["toy", "--seed", "-1", "--out", str(tmp_path)], "--seed 0 or more, got 1 and -1"),
        (["toy", "--device", "gpu", "--out", str(tmp_path)], "Unknown device 'gpu'"),
        (["toi", "--out", str(tmp_path)], "did you mean 'toy'"),
    ]:
        failed = run.invoke(app, ["reproduce", *arguments])
        assert failed.exit_code == 2 and message in failed.stderr


def test_interrupting_the_command_says_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> dict[str, float]:
        raise KeyboardInterrupt

    monkeypatch.setattr("mine.experiments.registry._experiments", lambda: {"toy": replace(toy([]), run=interrupted)})
    done = CliRunner().invoke(app, ["reproduce", "toy", "--out", str(tmp_path)])
    assert done.exit_code == 130
    assert f"finished cells are kept in {tmp_path}; rerun the command to resume" in done.stderr


def test_the_table_of_nothing_finished_still_has_its_rows(tmp_path: Path) -> None:
    found = reproduce(toy([]), out=tmp_path, scale="smoke", n_repeats=[1], arms=["bad"])
    rows = as_markdown(found.experiment, found.records).split("\n\n")[0].splitlines()
    assert rows == ["| arm | seeds | sum (%) | minutes |", "| --- | --: | --: | --: |", "| bad | 0 |  |  |"]
