"""Text files in other encodings than UTF-8."""

from __future__ import annotations

import codecs
import re

from mine.errors import InputError

__all__ = ["as_utf8"]

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
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
                return data.decode(encoding).encode(), [f"{source} is {encoding.upper()} and was read as such."]
            except UnicodeError as error:
                raise _no_text(source) from error
    try:
        codecs.utf_8_decode(data, "strict", True)
    except UnicodeDecodeError as error:
        if _NO_TEXT.search(data):
            raise _no_text(source) from error
    else:
        return data, []
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    doubt = "if letters look wrong, convert it to UTF-8, for example with iconv"
    return text.encode(), [f"{source} is not UTF-8 text and was read as Latin-1 (Windows-1252): {doubt}."]


def _no_text(source: str) -> InputError:
    return InputError(f"{source} is not UTF-8 text, nor Latin-1 or UTF-16: convert it, for example with iconv.")
