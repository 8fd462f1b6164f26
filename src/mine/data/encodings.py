"""Text files in other encodings than UTF-8."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator

from mine.errors import InputError

__all__ = ["as_utf8"]

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: Bytes that are decoded at a time.
PIECE_BYTES = 1 << 20
#: Bytes that text of one byte per letter does not hold.
_NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def as_utf8(data: bytes, source: str) -> tuple[bytes, list[str]]:
    """The text as UTF-8, and a sentence if it was in another encoding.

    UTF-16 and UTF-32 are known by their first bytes. What is no UTF-8 either, and holds no control characters, is taken for
    Windows-1252, of which Latin-1 is a part.

    Raises:
        InputError: It is no text in any of these.

    >>> as_utf8("größe".encode("latin-1"), "data.csv")[0].decode()
    'größe'
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            try:
                return _recoded(data, encoding), [f"{source} is {encoding.upper()} and was read as such."]
            except UnicodeError as error:
                raise _no_text(source) from error
    try:
        for _ in () if data.isascii() else _texts(data, "utf-8"):
            pass
    except UnicodeDecodeError as error:
        if _NO_TEXT.search(data):
            raise _no_text(source) from error
    else:
        return data, []
    try:
        recoded = _recoded(data, "cp1252")
    except UnicodeDecodeError:
        recoded = _recoded(data, "latin-1")
    doubt = "if letters look wrong, convert it to UTF-8, for example with iconv"
    return recoded, [f"{source} is not UTF-8 text and was read as Latin-1 (Windows-1252): {doubt}."]


def _recoded(data: bytes, encoding: str) -> bytes:
    """The text in UTF-8; raises UnicodeError."""
    out = io.BytesIO()
    for text in _texts(data, encoding):
        out.write(text.encode())
    return out.getvalue()


def _texts(data: bytes, encoding: str) -> Iterator[str]:
    """The text piece by piece: a letter in memory may take four times the room that it takes in the file."""
    decoder = codecs.getincrementaldecoder(encoding)()
    view = memoryview(data)
    for start in range(0, len(data), PIECE_BYTES):
        yield decoder.decode(view[start : start + PIECE_BYTES], final=start + PIECE_BYTES >= len(data))


def _no_text(source: str) -> InputError:
    return InputError(f"{source} is not UTF-8 text, nor Latin-1 or UTF-16: convert it, for example with iconv.")
