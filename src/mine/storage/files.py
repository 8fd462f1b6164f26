"""Files that are written whole or not at all, and where downloads are kept."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from mine.errors import InputError

__all__ = ["cache_folder", "cells_folder", "write_record", "write_whole"]


def write_whole(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Let ``write`` fill a file so that a process killed at any moment leaves the whole file, the old one or none.

    Arguments:
        path: Where the file shall stand; its folder exists.
        write: Called with an open binary file beside it, which takes the name only when all is on disk.
    """
    handle, name = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_record(path: Path, record: Any) -> None:
    """Write a dataclass as JSON, whole or not at all; numbers must be finite."""
    content = json.dumps(asdict(record), allow_nan=False, indent=1)
    write_whole(path, lambda stream: stream.write(content.encode()))


def cells_folder(out: Path) -> Path:
    """The folder ``cells`` of a command's ``--out``, made where it is not there.

    Raises:
        InputError: It cannot be made.
    """
    folder = out / "cells"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out cannot be written: {out} ({error.strerror or error}). Name a folder.") from error
    return folder


def cache_folder(name: str) -> Path:
    """``$XDG_CACHE_HOME/torch-mine/NAME``, by default below ``~/.cache``; may not exist."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "torch-mine" / name
