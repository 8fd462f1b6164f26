"""Result files of commit 721daf8 and earlier: a known digest counts as version 1 and NUMERICS 1, any other for nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from mine.experiments import Experiment, get_experiment, names, reproduce
from mine.experiments.page import read_section
from mine.experiments.store import Record, read_records
from mine.storage import versions

RESULTS = Path(__file__).parents[2] / "docs" / "results"

#: Of each experiment, what commit 721daf8 computed.
DIGESTS = {
    "bigan-25-gaussians": "4edc91f9",
    "bigan-mnist": "75b33b81",
    "bottleneck": "f60c5696",
    "functions": "6396de63",
    "gan-25-gaussians": "8007452e",
    "gan-spiral": "8007452e",
    "gaussians": "fc6399d5",
    "information-plane": "a83e558a",
    "information-plane-mnist": "28cd8e56",
    "self-consistency": "15e52124",
    "stacked-mnist": "360b65ab",
}


@pytest.fixture(autouse=True)
def the_first_numerics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "NUMERICS", 1)


def stub(name: str, calls: list[int]) -> Experiment:
    """The experiment with a run that only counts, and no figure."""

    def run(config: Any, seed: int, out: Path, progress: Any, device: str) -> dict[str, float]:
        calls.append(seed)
        return {}

    return replace(get_experiment(name), run=run, plot=lambda cells, out: [])


def old_config(config: dict[str, Any]) -> dict[str, Any]:
    """With the two fields that a bidirectional GAN's average had."""
    average = config.get("averaging")
    if not isinstance(average, (list, tuple)):
        return config
    form, amount = average
    two = {"moving": {"averaging": amount, "averaged_share": 0.0}, "late": {"averaging": 0.999, "averaged_share": amount}}
    return {**config, **two[form]}


def old_entry(name: str, version: str) -> dict[str, Any]:
    experiment = get_experiment(name)
    arm = next(iter(experiment.arms))
    return {
        "experiment": name, "scale": "default", "arm": arm, "seed": 0,
        "config": old_config(asdict(experiment.config(arm, "default"))), "version": version, "metrics": {"m": 0.25},
        "seconds": 5.0, "environment": "a machine", "error": None,
    }  # fmt: skip


def put(folder: Path, entries: Sequence[dict[str, Any]]) -> Path:
    """``results.json`` where the command looks for it."""
    target = folder / entries[0]["experiment"] / entries[0]["scale"] / "results.json"
    target.parent.mkdir(parents=True)
    target.write_text(json.dumps(entries))
    return target


def test_every_experiment_has_its_digest() -> None:
    assert sorted(DIGESTS) == sorted(names())


@pytest.mark.parametrize("name", DIGESTS)
def test_what_the_last_code_without_numerics_gave_is_gone_on_from(name: str, tmp_path: Path) -> None:
    entry = old_entry(name, f"0.1.0+{DIGESTS[name]}")
    put(tmp_path, [entry])
    calls: list[int] = []
    first = replace(stub(name, calls), version=1)  # later versions of an experiment do not go on from these
    found = reproduce(first, out=tmp_path, n_repeats=2, arms=[entry["arm"]])
    assert calls == [1]
    old, new = found.records
    assert (old.version, old.numerics, old.package, old.metrics, old.seconds) == (1, 1, entry["version"], {"m": 0.25}, 5.0)
    assert (new.version, new.numerics, new.package) == (1, 1, versions.__version__)
    # the file is written anew with the versions, and still counts
    (stored, _) = json.loads((tmp_path / name / "default" / "results.json").read_text())
    assert (stored["version"], stored["numerics"], stored["package"]) == (1, 1, entry["version"])
    reproduce(first, out=tmp_path, n_repeats=2, arms=[entry["arm"]])
    assert calls == [1]


@pytest.mark.parametrize("version", ["0.1.0+0badc0de", "0.2.0+4edc91f9", "0.1.0", "0.1.0+75b33b81"])
def test_an_unknown_digest_does_not_count(version: str, tmp_path: Path) -> None:
    """The last is that of another experiment."""
    target = put(tmp_path, [old_entry("bigan-25-gaussians", version)])
    assert f"Code: unknown code of torch-mine {version}." in read_section(target.parent).facts
    calls: list[int] = []
    (record,) = reproduce(stub("bigan-25-gaussians", calls), out=tmp_path, arms=["BiGAN"]).records
    assert calls == [0] and record.package == versions.__version__


def test_old_numbers_are_of_the_first_version_alone(tmp_path: Path) -> None:
    calls: list[int] = []
    entries = [old_entry("gan-spiral", "0.1.0+8007452e")]
    experiment = stub("gan-spiral", calls)
    put(tmp_path / "version", entries)
    reproduce(replace(experiment, version=2), out=tmp_path / "version", arms=["GAN"])
    assert calls == [0]


@pytest.mark.parametrize("path", sorted(RESULTS.glob("*/*/results.json")), ids=lambda path: "-".join(path.parts[-3:-1]))
def test_the_kept_results_count_as_they_are_and_as_they_were(path: Path, tmp_path: Path) -> None:
    """As in docs/results, and those from before versions in the form that they had: the digest in the place of one."""
    kept = json.loads(path.read_text())
    digests = all("+" in entry["package"] for entry in kept)
    old = [{**entry, "version": entry["package"], "config": old_config(entry["config"])} for entry in kept]
    old = [{key: value for key, value in entry.items() if key not in ("numerics", "package")} for entry in old]
    name, scale = path.parts[-3:-1]
    for folder, entries in (("now", kept), *([("then", old)] if digests else [])):
        target = put(tmp_path / folder, entries)
        assert read_records(target) == read_records(path)
        calls: list[int] = []
        first = entries[0]
        found = reproduce(
            stub(name, calls), out=tmp_path / folder, scale=scale, n_repeats=[first["seed"]], arms=[first["arm"]]
        )  # fmt: skip
        assert calls == []
        assert sorted((r.arm, r.seed, str(r.metrics)) for r in found.records) == sorted(
            (entry["arm"], entry["seed"], str(entry["metrics"])) for entry in kept
        )


def test_files_beside_an_old_result_are_drawn(tmp_path: Path) -> None:
    """The folder of a cell has a name from before, which today's settings do not give."""
    entry = old_entry("bigan-mnist", "0.1.0+75b33b81")
    cell = tmp_path / "bigan-mnist" / "default" / "cells" / "BiGAN_seed0_0123456789"
    cell.mkdir(parents=True)
    (cell / "result.json").write_text(json.dumps(entry))
    (cell / "samples.npz").write_bytes(b"")
    drawn: list[Path] = []

    def plot(cells: Sequence[tuple[Record, Path]], out: Path) -> list[Path]:
        drawn.extend(folder for _, folder in cells)
        return []

    calls: list[int] = []
    reproduce(replace(stub("bigan-mnist", calls), plot=plot), out=tmp_path, arms=["BiGAN"])
    assert calls == [] and drawn == [cell]
    # run again, it keeps its folder
    failed = {**entry, "metrics": {}, "error": "step 7: loss nan"}
    (cell / "result.json").write_text(json.dumps(failed))
    (tmp_path / "bigan-mnist" / "default" / "results.json").unlink()
    reproduce(stub("bigan-mnist", calls), out=tmp_path, arms=["BiGAN"], retry_failed=True)
    assert calls == [0] and list(cell.parent.iterdir()) == [cell]


@pytest.mark.parametrize(
    ("two", "one"),
    [
        ({"averaging": 0.999, "averaged_share": 0.4}, ["late", 0.4]),
        ({"averaging": 0.9, "averaged_share": 0.0}, ["moving", 0.9]),
        ({"averaging": 0.0, "averaged_share": 0.0}, ["moving", 0.0]),
    ],
)
def test_two_fields_of_a_bidirectional_gan_become_one(two: dict[str, float], one: list[Any], tmp_path: Path) -> None:
    entry = old_entry("bigan-25-gaussians", "0.1.0+4edc91f9")
    entry["config"] = {"beta": 1.0, **two, "spread": 2.0}
    (record,) = read_records(put(tmp_path, [entry]))
    assert record.config == {"beta": 1.0, "averaging": one, "spread": 2.0}


@pytest.mark.parametrize("content", [[3], [None], ["text"], [{"experiment": "toy"}], {"version": "0.1.0"}])
def test_what_is_no_record_is_refused_as_before(content: Any, tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(json.dumps(content))
    with pytest.raises((TypeError, AttributeError)):
        read_records(path)
