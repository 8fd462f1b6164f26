"""The IDX format of MNIST's files: bytes behind a short header, plain or gzipped."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from mine.errors import InputError
from mine.storage.files import write_whole

__all__ = ["read_idx", "write_idx"]

#: The header's code for unsigned bytes, the only kind that MNIST uses.
_BYTES = 0x08


def read_idx(path: Path) -> np.ndarray:
    """An array of unsigned bytes from an IDX file; gzipped ones are recognised by their content, not by their name.

    Raises:
        InputError: The file is damaged, cut short, or no IDX file of bytes.
    """
    try:
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} cannot be read ({error}): it is damaged, fetch it again.") from error

    if len(content) < 4 or content[:3] != bytes([0, 0, _BYTES]) or len(content) < 4 + 4 * content[3]:
        raise InputError(f"{path} is no IDX file of bytes: it starts with {content[:4].hex(' ') or 'nothing'}, not 00 00 08.")
    n_dims = content[3]
    shape = struct.unpack(f">{n_dims}I", content[4 : 4 + 4 * n_dims])
    data = content[4 + 4 * n_dims :]
    if len(data) != math.prod(shape):
        raise InputError(
            f"{path} holds {len(data):,} bytes where its header promises {math.prod(shape):,}, shape {shape}: "
            "it was cut short, fetch it again."
        )
    return np.frombuffer(data, np.uint8).reshape(shape)


def write_idx(path: Path, array: np.ndarray) -> None:
    """Write an array of unsigned bytes as a gzipped IDX file, whole or not at all."""
    if array.dtype != np.uint8:
        raise InputError(f"IDX files are written of uint8 only, got {array.dtype}.")
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, _BYTES, array.ndim, *array.shape)
    content = gzip.compress(header + array.tobytes(), compresslevel=6, mtime=0)
    write_whole(path, lambda stream: stream.write(content))
