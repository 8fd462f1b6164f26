"""Files that are written whole or not at all, and where downloads are kept."""

from __future__ import annotations

import errno
import json
import os
import secrets
import stat
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from mine.errors import InputError
from mine.storage.seals import sealed

__all__ = ["cache_folder", "cells_folder", "check_place", "write_record", "write_whole"]


def write_whole(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Let ``write`` fill a file so that a process killed at any moment leaves the whole file, the old one or none.

    A new file gets the permissions that the umask says, an old one keeps its own. A symbolic link is followed. What is no
    file, such as ``/dev/stdout`` or a pipe, is written to as it is.

    Arguments:
        path: Where the file shall stand; its folder exists.
        write: Called with an open binary file next to it, which takes the name only when all is on disk.

    Raises:
        OSError: It cannot be written; ``filename`` is ``path``.
    """
    try:
        target = _target(path)
        if target.exists() and not target.is_file():
            with target.open("wb") as stream:
                write(stream)
            return
        handle, draft = _draft(target)
        try:
            with os.fdopen(handle, "wb") as stream:
                write(stream)
                stream.flush()
                os.fsync(stream.fileno())
            if target.exists():
                draft.chmod(stat.S_IMODE(target.stat().st_mode))
            draft.replace(target)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


def check_place(path: Path) -> None:
    """Raise OSError where :func:`write_whole` could not even begin to write ``path``; nothing is left behind."""
    target = _target(path)
    if target.exists() and not target.is_file():
        return
    handle, draft = _draft(target)
    os.close(handle)
    draft.unlink(missing_ok=True)


def _target(path: Path) -> Path:
    """The file that a path, or the link of that name, stands for."""
    try:
        return Path(os.path.realpath(path))
    except ValueError as error:  # a NUL in the name
        raise OSError(errno.EINVAL, str(error), str(path)) from error


def _draft(target: Path) -> tuple[int, Path]:
    """A new file in the folder of ``target``, with the permissions of the umask: its handle and its name."""
    draft = target.with_name(f".{secrets.token_hex(8)}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    return os.open(draft, flags, 0o666), draft


def write_record(path: Path, record: Any) -> None:
    """Write a dataclass as JSON with its checksum, whole or not at all; numbers must be finite."""
    content = json.dumps(sealed(asdict(record)), allow_nan=False, indent=1)
    write_whole(path, lambda stream: stream.write(content.encode()))


def cells_folder(out: Path) -> Path:
    """The folder ``cells`` of a command's ``--out``, made where it is not there.

    Raises:
        InputError: It cannot be made.
    """
    folder = out / "cells"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        check_place(folder / "cell.json")
    except OSError as error:
        raise InputError(f"--out cannot be written: {out} ({error.strerror or error}). Name a folder.") from error
    return folder


def cache_folder(name: str) -> Path:
    """``$XDG_CACHE_HOME/torch-mine/NAME``, by default below ``~/.cache``; may not exist."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "torch-mine" / name
