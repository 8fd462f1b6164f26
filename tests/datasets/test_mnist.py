"""MNIST: where it is looked for, what is refused, and the way over OpenML, played by a stand-in for its server."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import io
import json
import os
import struct
from collections.abc import Callable
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.response import addinfourl

import numpy as np
import pytest

from mine.datasets import digits, mnist, mnist_set
from mine.datasets.idx import read_idx, write_idx
from mine.errors import InputError, MineError

NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


def small() -> tuple[np.ndarray, np.ndarray]:
    """Twelve images and labels that stand for MNIST, nine to train on."""
    rng = np.random.default_rng(3)
    return rng.integers(0, 256, (12, 28, 28), np.uint8), rng.permutation(12).astype(np.uint8) % 10


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, no MINE_DATA, and a checksum that the twelve images have."""
    images, labels = small()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("MINE_DATA", raising=False)
    monkeypatch.setattr(mnist_set, "SHA256", hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest())
    monkeypatch.setattr(mnist_set, "N_TRAIN", 9)
    return tmp_path / "torch-mine" / "mnist"


def lay_files(folder: Path, images: np.ndarray, labels: np.ndarray, gz: bool) -> None:
    """The four files by hand, as the format's description has them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, part in zip(NAMES, (images[:9], labels[:9], images[9:], labels[9:]), strict=True):
        magic = 2051 if part.ndim == 3 else 2049
        content = struct.pack(">" + "i" * (1 + part.ndim), magic, *part.shape) + part.tobytes()
        (folder / (name + ".gz" * gz)).write_bytes(gzip.compress(content) if gz else content)


@pytest.mark.parametrize("gz", [False, True])
@pytest.mark.parametrize("where", ["folder", "MINE_DATA", "cache"])
def test_the_files_are_found(where: str, gz: bool, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images, labels = small()
    folder = {"folder": tmp_path / "mine", "MINE_DATA": tmp_path / "data" / "mnist", "cache": cache}[where]
    lay_files(folder, images, labels, gz)
    if where == "MINE_DATA":
        monkeypatch.setenv("MINE_DATA", str(tmp_path / "data"))
    found = mnist(folder if where == "folder" else None, download=False)
    np.testing.assert_array_equal(found.images, images)
    np.testing.assert_array_equal(found.labels, labels)
    assert found.images.dtype == found.labels.dtype == np.uint8
    assert found.source == str(folder)
    np.testing.assert_array_equal(found.train[0], images[:9])
    np.testing.assert_array_equal(found.test[1], labels[9:])
    assert repr(found) == f"Images(9 to train and 3 to test, 28 x 28, from {folder})"


def test_one_wrong_pixel_is_noticed(cache: Path) -> None:
    images, labels = small()
    images[5, 3, 3] ^= 1
    lay_files(cache, images, labels, gz=True)
    with pytest.raises(InputError, match=r"is not MNIST: 12 images of checksum .*Remove the files"):
        mnist()


def damaged(cut: int | None = None, start: bytes = b"") -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        content = path.read_bytes()[:cut]
        path.write_bytes(start + content[len(start) :])

    return damage


@pytest.mark.parametrize(
    ("gz", "damage", "message"),
    [
        (True, damaged(cut=40), "cannot be read .*damaged, fetch it again"),
        (False, damaged(cut=400), "holds 384 bytes where its header promises 7,056, shape \\(9, 28, 28\\): it was cut short"),
        (False, damaged(cut=2), "no IDX file of bytes: it starts with 00 00"),
        (False, damaged(start=b"<html>"), "no IDX file of bytes: it starts with 3c 68 74 6d"),
    ],
)
def test_a_damaged_file_is_named(gz: bool, damage: Callable[[Path], None], message: str, cache: Path) -> None:
    lay_files(cache, *small(), gz=gz)
    path = cache / (NAMES[0] + ".gz" * gz)
    damage(path)
    with pytest.raises(InputError, match=message) as raised:
        mnist()
    assert str(path) in str(raised.value)


def test_a_named_folder_without_the_files_is_an_error_and_nothing_is_fetched(cache: Path, tmp_path: Path) -> None:
    lay_files(cache, *small(), gz=True)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"lacks train-images-idx3-ubyte, .*four files of MNIST"):
        mnist(tmp_path / "empty")


def test_idx_files_are_read_as_written(tmp_path: Path) -> None:
    array = small()[0]
    write_idx(tmp_path / "a", array)
    assert gzip.decompress((tmp_path / "a").read_bytes())[:16] == struct.pack(">iiii", 2051, 12, 28, 28)
    np.testing.assert_array_equal(read_idx(tmp_path / "a"), array)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    with pytest.raises(InputError, match="of uint8 only, got int64"):
        write_idx(tmp_path / "b", array.astype(np.int64))


class OpenML:
    """Answers as openml.org does for ``mnist_784``, with the twelve images."""

    def __init__(self, quote: str = "") -> None:
        images, labels = small()
        columns = [f"pixel{i}" for i in range(1, 785)]
        header = [f"@ATTRIBUTE {column} real" for column in columns] + [
            "@ATTRIBUTE class {" + ",".join(f"{quote}{i}{quote}" for i in range(10)) + "}"
        ]
        rows = [
            ",".join(map(str, [*image.ravel(), f"{quote}{label}{quote}"])) for image, label in zip(images, labels, strict=True)
        ]
        arff = "\n".join(["@RELATION mnist_784", *header, "@DATA", *rows, ""]).encode()
        features = [
            {"index": str(i), "name": name, "data_type": kind, "is_target": str(kind == "nominal").lower(),
             "is_ignore": "false", "is_row_identifier": "false", "number_of_missing_values": "0"}
            for i, (name, kind) in enumerate([*((column, "numeric") for column in columns), ("class", "nominal")])
        ]  # fmt: skip
        about = {
            "id": "554", "name": "mnist_784", "version": "1", "format": "ARFF", "status": "active", "file_id": "52667",
            "url": "https://www.openml.org/data/v1/download/52667/mnist_784.arff", "description": "digits",
            "default_target_attribute": "class", "md5_checksum": hashlib.md5(arff).hexdigest(),
        }  # fmt: skip
        self.asked: list[str] = []
        self.answers: list[tuple[str, bytes]] = [
            ("/json/data/list/", json.dumps({"data": {"dataset": [{"did": 554, "name": "mnist_784", "version": 1}]}}).encode()),
            ("/json/data/features/", json.dumps({"data_features": {"feature": features}}).encode()),
            ("/json/data/qualities/", json.dumps({"data_qualities": {"quality": []}}).encode()),
            ("/json/data/554", json.dumps({"data_set_description": about}).encode()),
            ("mnist_784.arff", arff),
        ]

    def __call__(self, request: Any, *_: Any, **__: Any) -> addinfourl:
        self.asked.append(request.full_url)
        content = next(content for part, content in self.answers if part in request.full_url)
        return addinfourl(io.BytesIO(content), Message(), request.full_url, 200)


@pytest.mark.parametrize("pandas", [False, True])
@pytest.mark.parametrize("quote", ["", "'"])
def test_without_files_openml_is_asked_once(quote: str, pandas: bool, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server, seen = OpenML(quote), []
    monkeypatch.setattr("sklearn.datasets._openml.urlopen", server)
    if not pandas:
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    images, labels = small()
    found = mnist(progress=lambda done, total, message: seen.append((done, total, message)))
    np.testing.assert_array_equal(found.images, images)
    np.testing.assert_array_equal(found.labels, labels)
    assert found.images.dtype == found.labels.dtype == np.uint8
    assert found.source == "OpenML"
    assert sum(url.endswith(".arff") for url in server.asked) == 1
    assert seen and all(0 <= done <= total and message == "fetching MNIST from OpenML" for done, total, message in seen)
    monkeypatch.undo()

    # what was fetched is kept as IDX files, and nothing else is left
    assert sorted(os.listdir(cache)) == sorted(f"{name}.gz" for name in NAMES)
    for name, part in zip(NAMES, (images[:9], labels[:9], images[9:], labels[9:]), strict=True):
        np.testing.assert_array_equal(read_idx(cache / f"{name}.gz"), part)


def test_the_cache_is_taken_the_next_time(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = OpenML()
    monkeypatch.setattr("sklearn.datasets._openml.urlopen", server)
    mnist()
    asked = len(server.asked)
    assert mnist().source == str(cache)
    assert len(server.asked) == asked


def test_what_openml_sends_is_checked_and_not_kept(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sklearn.datasets._openml.urlopen", OpenML())
    monkeypatch.setattr(mnist_set, "SHA256", "0" * 64)
    with pytest.raises(InputError, match="What OpenML holds is not MNIST"):
        mnist()
    assert os.listdir(cache) == []


@pytest.mark.parametrize("download", [False, True])
def test_offline_both_ways_are_named(download: bool, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_connection(*_: Any, **__: Any) -> None:
        raise URLError("no route to host")

    monkeypatch.setattr("sklearn.datasets._openml.urlopen", no_connection)
    monkeypatch.setattr("sklearn.datasets._openml.time.sleep", lambda seconds: None)
    with pytest.raises(MineError) as raised:
        mnist(download=download)
    message = str(raised.value)
    assert ("no route to host" in message) == download
    assert all(name in message for name in NAMES)
    assert str(cache) in message and "MINE_DATA" in message and "mine.datasets.mnist()" in message
    assert not download or os.listdir(cache) == []


@pytest.mark.skipif(not (Path(os.environ.get("MINE_DATA", "/nowhere")) / "mnist").is_dir(), reason="the real files")
def test_the_real_files() -> None:
    found = mnist(download=False)
    assert found.images.shape == (70_000, 28, 28)
    # the counts of the digits and the mean brightness that are published for MNIST
    assert np.bincount(found.train[1]).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(found.test[1]).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert abs(found.train[0].mean() / 255 - 0.1307) < 5e-5
    assert found.labels[:5].tolist() == [5, 0, 4, 1, 9]


def test_digits_are_scikit_learns() -> None:
    from sklearn.datasets import load_digits

    found = digits()
    np.testing.assert_array_equal(found.images.reshape(1797, 64), load_digits().data)
    np.testing.assert_array_equal(found.labels, load_digits().target)
    assert found.images.max() == found.white == 16
    assert len(found.train[0]) == 1437 and len(found.test[0]) == 360
    assert set(found.test[1]) == set(range(10))
