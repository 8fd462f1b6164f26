"""The finished parts of a long run: one JSON file each in the folder ``cells`` of ``out=``, so that the same call resumes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from mine.errors import InputError
from mine.storage.files import cells_folder, write_whole
from mine.storage.seals import checked_content, sealed_content

__all__ = ["CellStore", "digest"]

T = TypeVar("T", bound="dict[str, Any] | list[Any]")


def digest(*arrays: np.ndarray) -> str:
    """A fingerprint of arrays of numbers or of labels.

    >>> digest(np.arange(3)) == digest(np.arange(3)) != digest(np.arange(4))
    True
    """
    found = hashlib.sha256()
    for array in arrays:
        content = repr(array.tolist()).encode() if array.dtype.kind == "O" else np.ascontiguousarray(array).tobytes()
        found.update(f"{array.shape}{array.dtype}".encode() + content)
    return found.hexdigest()


class CellStore:
    """Results by name, kept in a folder.

    Arguments:
        out: The folder; None keeps nothing.
        about: Everything that the results depend on, JSON-ready: results of another run in the same folder do not count.
        random_state: What the caller passed: results can be resumed only if the same call draws the same numbers.

    Raises:
        InputError: The folder cannot be made, or ``random_state`` is no integer.
    """

    def __init__(self, out: str | Path | None, about: dict[str, Any], random_state: Any) -> None:
        if out is not None and (not isinstance(random_state, (int, np.integer)) or isinstance(random_state, bool)):
            raise InputError("out= needs an integer random_state: the same call, when it resumes, must draw the same numbers.")
        self.folder = None if out is None else cells_folder(Path(out))
        self.about = json.dumps({**about, "seed": repr(random_state)}, sort_keys=True, default=repr)

    def read(self, name: str) -> Any:
        """The stored result of that name; None if there is none, or a file that is damaged."""
        if self.folder is None:
            return None
        try:
            return checked_content(self._path(self.folder, name).read_bytes())
        except (OSError, ValueError):
            return None

    def write(self, name: str, result: Any) -> None:
        """Keep a result, JSON-ready, whole or not at all."""
        if self.folder is not None:
            content = sealed_content(result)
            write_whole(self._path(self.folder, name), lambda stream: stream.write(content))

    def fetch(self, name: str, compute: Callable[[], T]) -> T:
        """The stored result of that name, or what ``compute`` returns, stored; results are never None."""
        result = self.read(name)
        if result is None:
            result = compute()
            self.write(name, result)
        return result

    def _path(self, folder: Path, name: str) -> Path:
        key = hashlib.sha256("\x1f".join((self.about, name)).encode()).hexdigest()
        return folder / f"cell_{key[:24]}.json"
