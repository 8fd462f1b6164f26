"""Saved results: one JSON file with the arrays inside, and a checksum over every byte. Nothing is unpickled.

A file says what it holds and the version of its format; one from a newer version, or a damaged one, is an error that says so.
Files of version 1 kept their arrays in a second file (safetensors), without a checksum: they can still be read.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from mine.errors import InputError
from mine.storage.files import write_whole

__all__ = ["FORMAT_VERSION", "read_archive", "seal", "write_archive"]

#: Raised when older versions of this library could misread what is written.
FORMAT_VERSION = 2
#: How a number that JSON lacks is written, and which there are.
_NUMBER, _NUMBERS = "$number", ("nan", "inf", "-inf")
#: Stands for the checksum while the checksum is computed.
_UNSEALED = "0" * 64


def write_archive(path: str | Path, kind: str, content: Mapping[str, Any], arrays: Mapping[str, Tensor]) -> None:
    """Write ``content`` and ``arrays`` to ``path``, whole or not at all.

    Arguments:
        path: The file; its folder exists.
        kind: What it holds, checked when it is read.
        content: JSON-ready fields, numbers of any kind, arrays as lists.
        arrays: Tensors by name.

    Raises:
        InputError: The file cannot be written.
    """
    from safetensors.torch import save

    path = Path(path)
    record: dict[str, Any] = {
        "format": f"torch-mine {kind}",
        "version": FORMAT_VERSION,
        "sha256": _UNSEALED,
        "arrays": {name: list(array.shape) for name, array in arrays.items()},
        "content": _encoded(content),
    }
    if arrays:
        data = save({name: array.detach().cpu().contiguous() for name, array in arrays.items()})
        record["data"] = base64.b64encode(data).decode()
    try:
        write_whole(path, lambda stream: stream.write(seal(record)))
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}.") from error


def seal(record: dict[str, Any]) -> bytes:
    """The bytes of a file with this record, its checksum in ``sha256``."""
    blank = json.dumps({**record, "sha256": _UNSEALED}, allow_nan=False, indent=1).encode()
    return blank.replace(_UNSEALED.encode(), hashlib.sha256(blank).hexdigest().encode(), 1)


def read_archive(path: str | Path, kind: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The content and the arrays that :func:`write_archive` wrote.

    Raises:
        InputError: No such file, a damaged one, one of another kind or of a newer version.
    """
    path = Path(path)
    try:
        if path.is_char_device():  # /dev/zero never ends
            raise InputError(f"{path} is a device and no file.")
        raw = path.read_bytes()
        record = json.loads(raw.decode())
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error
    except InputError:
        raise
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is damaged or no file of this library: it is not whole JSON ({error}).") from error
    if not isinstance(record, dict) or not str(record.get("format", "")).startswith("torch-mine "):
        raise InputError(f"{path} was not written by this library.")
    version = record.get("version")
    if type(version) is not int or version > FORMAT_VERSION:
        raise InputError(
            f"{path} has version {str(version)[:40]} of the format, and this torch-mine reads up to {FORMAT_VERSION}: upgrade "
            "torch-mine."
        )
    if record["format"] != f"torch-mine {kind}":
        raise InputError(f"{path} holds a {str(record['format']).removeprefix('torch-mine ')[:40]}, not a {kind}.")
    if version >= 2 or "sha256" in record:
        _check_seal(path, raw, record.get("sha256"))
    content, shapes = record.get("content"), record.get("arrays")
    if not isinstance(content, dict) or not isinstance(shapes, dict):
        raise InputError(f"{path} is damaged: its content is missing.")
    arrays = _arrays(path, record, shapes, version)
    try:
        content = _decoded(content)
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError(f"{path} is damaged: {error}.") from error
    if version < 2:
        message = f"{path} is of an earlier version, which has no checksum: damage goes unseen. Save it again."
        warnings.warn(message, UserWarning, stacklevel=3)
    return content, arrays


def _check_seal(path: Path, raw: bytes, checksum: Any) -> None:
    """Raise unless the checksum is that of the file's bytes, in which it stands once."""
    known = isinstance(checksum, str) and len(checksum) == len(_UNSEALED) and raw.count(checksum.encode()) == 1
    if not known or hashlib.sha256(raw.replace(checksum.encode(), _UNSEALED.encode())).hexdigest() != checksum:
        raise InputError(f"{path} is damaged or was edited: its checksum differs.")


def _arrays(path: Path, record: dict[str, Any], shapes: dict[str, Any], version: int) -> dict[str, Tensor]:
    """The arrays, from the file itself or, in version 1, from the file of that name that ends in ``.safetensors``."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    if not shapes and "data" not in record:
        return {}
    beside = path.with_name(f"{path.stem if path.suffix == '.json' else path.name}.safetensors")
    home = path if version >= 2 else beside
    try:
        data = base64.b64decode(record["data"], validate=True) if version >= 2 else beside.read_bytes()
        arrays = load(data)
    except OSError as error:
        raise InputError(f"{path} needs {beside.name} next to it, which cannot be read: {error.strerror or error}.") from error
    except (SafetensorError, ValueError, TypeError, KeyError, RuntimeError) as error:
        raise InputError(f"{home} is damaged or cut short: {error}") from error
    if {name: list(array.shape) for name, array in arrays.items()} != shapes:
        raise InputError(f"{home} does not belong to {path}: its arrays have other names or shapes.")
    return arrays


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
        if set(value) != {_NUMBER}:
            return {key: _decoded(item) for key, item in value.items()}
        if value[_NUMBER] not in _NUMBERS:
            raise ValueError(f"{str(value[_NUMBER])[:40]!r} is no number")
        return float(value[_NUMBER])
    return [_decoded(item) for item in value] if isinstance(value, list) else value
