"""Files are written whole or not at all, with the permissions of the umask, through links and to devices."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from mine.storage.files import check_place, write_whole


@pytest.fixture(params=[0o022, 0o077, 0o002])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def hello(stream: IO[bytes]) -> None:
    stream.write(b"hello")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_has_the_permissions_of_the_umask(tmp_path: Path, umask: int) -> None:
    write_whole(tmp_path / "a", hello)
    assert mode(tmp_path / "a") == 0o666 & ~umask


def test_an_old_file_keeps_its_permissions(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    (tmp_path / "a").chmod(0o640)
    write_whole(tmp_path / "a", hello)
    assert mode(tmp_path / "a") == 0o640 and (tmp_path / "a").read_bytes() == b"hello"


@pytest.mark.parametrize("exists", [True, False])
def test_a_link_is_followed(tmp_path: Path, exists: bool) -> None:
    target = tmp_path / "folder" / "target"
    target.parent.mkdir()
    if exists:
        target.write_text("old")
    (tmp_path / "link").symlink_to(target)
    write_whole(tmp_path / "link", hello)
    assert (tmp_path / "link").is_symlink() and target.read_bytes() == b"hello"
    assert [p.name for p in target.parent.iterdir()] == ["target"]


def test_a_device_stays_a_device(tmp_path: Path) -> None:
    write_whole(Path(os.devnull), hello)
    check_place(Path(os.devnull))
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_names_the_file() -> None:
    with pytest.raises(OSError, match="No space left") as caught:
        write_whole(Path("/dev/full"), hello)
    assert caught.value.filename == "/dev/full"


def test_a_failed_write_leaves_the_old_file_alone(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")

    def fail(stream: IO[bytes]) -> None:
        stream.write(b"new")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "a", fail)
    assert (tmp_path / "a").read_text() == "old" and len(list(tmp_path.iterdir())) == 1


def test_a_place_is_tried_and_left_empty(tmp_path: Path) -> None:
    check_place(tmp_path / "a")
    assert not list(tmp_path.iterdir())
    with pytest.raises(OSError, match="No such file"):
        check_place(tmp_path / "none" / "a")
