"""A damaged file in the folder of a long run is measured again: the result is the very same, or it was never believed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mine.benchmarking.store import Record as BenchmarkRecord
from mine.benchmarking.store import Store as BenchmarkStore
from mine.experiments.checkpoint import Checkpoint
from mine.experiments.store import Record as ExperimentRecord
from mine.experiments.store import Store as ExperimentStore
from mine.storage.cells import CellStore
from mine.storage.seals import checked, checked_content, checked_data, sealed, sealed_content, sealed_data
from mine.tables.blocks import Block, BlockStore, Cell
from mine.tables.columns import read_columns

CELL = Cell("a", "b", 0.25, None, 0.01, 0.2, None, 0.001, 999, "number-number", "screen", 60, "saturated: a note")
STATE = {"step": 3, "weights": torch.arange(4.0), "best": [1.5, None], "name": "arm"}
EXPERIMENT = ExperimentRecord("toy", "smoke", "arm", 0, {"steps": 3, "width": [8, 8]}, 1, 7, "0.1.0", {"mi": 0.25}, 1.5, "cpu")
BENCHMARK = BenchmarkRecord(
    "task", "ksg", 100, 0, "1", "0.1.0", 0.5, 0.25, None, 0.1, -0.5, None, diagnostics={"k": 3, "of": [1, 2]}
)

#: Kind -> (folder) -> (the file, a call that reads the result).
Kept = tuple[Path, Callable[[], Any]]


def block(folder: Path) -> Kept:
    columns = read_columns(np.random.default_rng(0).normal(size=(60, 2)), "x", None, drop_missing=True)
    store = BlockStore(folder, {"seed": 0}, columns, None)
    pairs = Block((tuple(columns),), False)
    cell = Cell(*columns, *list(asdict(CELL).values())[2:])
    store.write(pairs, [cell])
    return store.path(pairs), lambda: store.read(pairs)


def cell(folder: Path) -> Kept:
    store = CellStore(folder, {"of": "test"}, 0)
    store.write("shift 1", {"nats": 0.125, "lags": [1, 2]})
    return next(store.folder.glob("*.json")), lambda: store.read("shift 1")


def of_benchmark(folder: Path) -> Kept:
    store = BenchmarkStore(folder)
    store.write(BENCHMARK)
    return store.path(BENCHMARK), lambda: store.read() or None


def of_experiment(folder: Path) -> Kept:
    store = ExperimentStore(folder)
    path = store.open(EXPERIMENT.cell) / "result.json"
    store.write(EXPERIMENT)
    return path, lambda: store.read() or None


def checkpoint(folder: Path) -> Kept:
    kept = Checkpoint(folder / "checkpoint.pt")
    kept.save(STATE)

    def load() -> Any:
        state = kept.load()
        return None if state is None else {name: np.asarray(value, object).tolist() for name, value in state.items()}

    return kept.path, load


KINDS: dict[str, Callable[[Path], Kept]] = {
    "block": block,
    "cell": cell,
    "benchmark": of_benchmark,
    "experiment": of_experiment,
    "checkpoint": checkpoint,
}


def flip(path: Path, whole: bytes, place: int, bit: int) -> None:
    damaged = bytearray(whole)
    damaged[place] ^= 1 << bit
    path.write_bytes(damaged)


@pytest.mark.parametrize("kind", KINDS)
def test_flipped_bits_are_the_same_result_or_none(kind: str, tmp_path: Path) -> None:
    path, read = KINDS[kind](tmp_path)
    whole, right = path.read_bytes(), read()
    assert right is not None
    rng = np.random.default_rng(0)
    unseen = 0
    for place, bit in zip(rng.integers(0, len(whole), 300), rng.integers(0, 8, 300), strict=True):
        flip(path, whole, int(place), int(bit))
        found = read()
        assert found is None or repr(found) == repr(right)
        unseen += found is None
    assert unseen > 200


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_two_thousand_flipped_bits_likewise(kind: str, tmp_path: Path) -> None:
    path, read = KINDS[kind](tmp_path)
    whole, right = path.read_bytes(), read()
    rng = np.random.default_rng(1)
    for place, bit in zip(rng.integers(0, len(whole), 2000), rng.integers(0, 8, 2000), strict=True):
        flip(path, whole, int(place), int(bit))
        found = read()
        assert found is None or repr(found) == repr(right)


@pytest.mark.parametrize("kind", KINDS)
def test_files_of_versions_without_checksums_are_read(kind: str, tmp_path: Path) -> None:
    path, read = KINDS[kind](tmp_path)
    right = read()
    raw = path.read_bytes()
    if kind == "checkpoint":
        path.write_bytes(raw[raw.index(b"\n") + 1 :])
    else:
        record = json.loads(raw)
        assert len(record.pop("sha256")) == 64
        path.write_text(json.dumps(record["content"] if kind in ("block", "cell") else record))
    assert repr(read()) == repr(right)


def test_what_is_sealed_comes_back() -> None:
    record = {"b": 1, "a": [0.1, None, {"10": 1, "9": float("nan")}]}
    assert repr(checked(sealed(record))) == repr(record)
    assert checked(sealed({"numbers": {10: 1, 9: (2, 3)}})) == {"numbers": {"10": 1, "9": [2, 3]}}
    for content in (record, [1, 2], "text", None, {"content": 1}, {"sha256": 2}):
        assert repr(checked_content(sealed_content(content))) == repr(content)
    assert checked_data(sealed_data(b"")) == b""


def test_what_was_edited_is_refused() -> None:
    assert checked({"a": 1}) == {"a": 1}
    for record in ({**sealed({"a": 1}), "a": 2}, {**sealed({"a": 1}), "b": 1}, {"a": 1, "sha256": 3}):
        with pytest.raises(ValueError, match="checksum"):
            checked(record)
    for raw in (b'{"content": 1}', b'{"sha256": 1}', sealed_content(1)[:-1], b"\xff"):
        with pytest.raises(ValueError):
            checked_content(raw)
    for raw in (b"", sealed_data(b"abc")[:-1], b"torch-mine sha256 "):
        with pytest.raises(ValueError, match="checksum"):
            checked_data(raw)
