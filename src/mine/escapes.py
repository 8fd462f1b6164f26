"""Names that others chose, on their way to a terminal or a spreadsheet."""

from __future__ import annotations

import re

__all__ = ["for_spreadsheet", "printable"]

#: Control characters except line feed and tab, and those that reorder text.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
#: What makes a spreadsheet take the text of a cell for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def printable(text: str) -> str:
    r"""``text`` with its control characters spelt out, so that none of them reaches a terminal.

    >>> printable("a\x1b[31m")
    'a\\x1b[31m'
    """
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}" if ord(found[0]) < 256 else f"\\u{ord(found[0]):04x}", text)


def for_spreadsheet(value: object) -> object:
    """``value``, with an apostrophe in front of a text that a spreadsheet would run as a formula, and as :func:`printable`.

    >>> for_spreadsheet("=1+1"), for_spreadsheet(-1.5), for_spreadsheet("a-b")
    ("'=1+1", -1.5, 'a-b')
    """
    if not isinstance(value, str):
        return value
    return printable(f"'{value}" if value.startswith(_FORMULA) else value)
