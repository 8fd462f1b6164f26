"""Checksums of finished parts of a long run, so that a damaged file is measured again and never taken for a result."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

__all__ = ["checked", "checked_content", "checked_data", "sealed", "sealed_content", "sealed_data"]

_SEAL, _CONTENT = "sha256", "content"
#: How a sealed file of bytes begins: this, the checksum of all that follows, and a line break.
_HEAD, _LENGTH = b"torch-mine sha256 ", 64


def sealed(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record, JSON-ready, with the checksum of its other entries in ``sha256``.

    >>> checked(sealed({"value": 0.1}))
    {'value': 0.1}
    """
    as_read = json.loads(json.dumps(record))  # keys are text there, tuples lists
    return {**as_read, _SEAL: _digest(as_read)}


def checked(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record as it was sealed; one of a version that wrote no checksum as it is.

    Raises:
        ValueError: It differs from what was sealed.
        AttributeError: It is no mapping.
    """
    rest = dict(record.items())
    seal = rest.pop(_SEAL, None)
    if seal is not None and seal != _digest(rest):
        raise ValueError("The checksum differs.")
    return rest


def sealed_content(content: Any) -> bytes:
    """A file with any JSON-ready content and its checksum."""
    return json.dumps(sealed({_CONTENT: content})).encode()


def checked_content(raw: bytes) -> Any:
    """The content of a file that :func:`sealed_content` made, or all of a file of a version that wrote no checksum.

    Raises:
        ValueError: It is damaged.
    """
    record = json.loads(raw.decode())
    if not isinstance(record, dict) or not {_SEAL, _CONTENT} & record.keys():
        return record
    if record.keys() != {_SEAL, _CONTENT}:
        raise ValueError("The checksum or the content is missing.")
    return checked(record)[_CONTENT]


def sealed_data(data: bytes) -> bytes:
    """Bytes behind a line with their checksum.

    >>> checked_data(sealed_data(b"abc"))
    b'abc'
    """
    return _HEAD + hashlib.sha256(data).hexdigest().encode() + b"\n" + data


def checked_data(raw: bytes) -> bytes:
    """The bytes that :func:`sealed_data` took, or a ZIP archive as it is, which is how versions without checksums wrote them.

    Raises:
        ValueError: They are damaged.
    """
    if raw.startswith(b"PK"):
        return raw
    start = len(_HEAD) + _LENGTH + 1
    data = raw[start:]
    if raw[:start] != sealed_data(data)[:start]:
        raise ValueError("The checksum differs.")
    return data


def _digest(record: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()
