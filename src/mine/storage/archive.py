"""What is kept on disk: a JSON file, and beside it a safetensors file where there are arrays. Nothing is unpickled.

A file says what it holds and the version of its format; one from a newer version, or a damaged one, is an error that says so.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from mine.errors import InputError
from mine.storage.files import write_whole

__all__ = ["FORMAT_VERSION", "read_archive", "write_archive"]

#: Raised when older versions of this library could misread what is written.
FORMAT_VERSION = 1
#: How a number that JSON lacks is written.
_NUMBER = "$number"


def write_archive(path: str | Path, kind: str, content: Mapping[str, Any], arrays: Mapping[str, Tensor]) -> None:
    """Write ``content`` to ``path`` and ``arrays`` to the file of that name that ends in ``.safetensors``.

    Each file is written whole or not at all.

    Arguments:
        path: The JSON file; its folder exists.
        kind: What it holds, checked when it is read.
        content: JSON-ready fields, numbers of any kind, arrays as lists.
        arrays: Tensors by name.

    Raises:
        InputError: The files cannot be written.
    """
    from safetensors.torch import save

    path = Path(path)
    beside = _beside(path)
    record = {
        "format": f"torch-mine {kind}",
        "version": FORMAT_VERSION,
        "arrays": {name: list(array.shape) for name, array in arrays.items()},
        "content": _encoded(content),
    }
    try:
        if arrays:
            data = save({name: array.detach().cpu().contiguous() for name, array in arrays.items()})
            write_whole(beside, lambda stream: stream.write(data))
        text = json.dumps(record, allow_nan=False, indent=1)
        write_whole(path, lambda stream: stream.write(text.encode()))
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}.") from error


def read_archive(path: str | Path, kind: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The content and the arrays that :func:`write_archive` wrote.

    Raises:
        InputError: No such file, a damaged one, one of another kind or of a newer version.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    path = Path(path)
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        raise InputError(f"{path} is damaged or no file of this library: it is not whole JSON ({error}).") from error
    if not isinstance(record, dict) or not str(record.get("format", "")).startswith("torch-mine "):
        raise InputError(f"{path} was not written by this library.")
    version = record.get("version")
    if not isinstance(version, int) or version > FORMAT_VERSION:
        raise InputError(
            f"{path} has version {version} of the format, and this torch-mine reads up to {FORMAT_VERSION}: upgrade torch-mine."
        )
    if record["format"] != f"torch-mine {kind}":
        raise InputError(f"{path} holds a {record['format'].removeprefix('torch-mine ')}, not a {kind}.")
    content, shapes = record.get("content"), record.get("arrays")
    if not isinstance(content, dict) or not isinstance(shapes, dict):
        raise InputError(f"{path} is damaged: its content is missing.")
    arrays: dict[str, Tensor] = {}
    if shapes:
        beside = _beside(path)
        try:
            arrays = load(beside.read_bytes())
        except OSError as error:
            raise InputError(
                f"{path} needs {beside.name} beside it, which cannot be read: {error.strerror or error}."
            ) from error
        except (SafetensorError, ValueError) as error:
            raise InputError(f"{beside} is damaged or cut short: {error}") from error
        if {name: list(array.shape) for name, array in arrays.items()} != shapes:
            raise InputError(f"{beside} does not belong to {path}: its arrays have other names or shapes.")
    return _decoded(content), arrays


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.stem if path.suffix == '.json' else path.name}.safetensors")


def _encoded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _encoded(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_encoded(item) for item in value]
    if isinstance(value, np.ndarray):
        return _encoded(value.tolist())
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else {_NUMBER: str(float(value))}
    return value if value is None or isinstance(value, str) else str(value)


def _decoded(value: Any) -> Any:
    if isinstance(value, dict):
        return float(value[_NUMBER]) if set(value) == {_NUMBER} else {key: _decoded(item) for key, item in value.items()}
    return [_decoded(item) for item in value] if isinstance(value, list) else value
