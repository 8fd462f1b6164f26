"""Errors and warnings: every message says what was received and what to do about it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["InputError", "MineError", "MineWarning", "NotEnoughDataError", "UnknownNameError"]


class MineError(Exception):
    """Base class of everything this library raises on purpose."""


class InputError(MineError, ValueError):
    """The data or an argument cannot be used as given; the message names the remedy."""


class NotEnoughDataError(InputError):
    """Too few rows, or too few groups, for an honest split."""


class UnknownNameError(InputError):
    """A method, bound, column or device name that does not exist."""

    def __init__(self, what: str, name: object, valid: Iterable[str]) -> None:
        names = [str(v) for v in valid]
        close = difflib.get_close_matches(str(name), names, n=1, cutoff=0.5)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        shown = ", ".join(names[:30]) + (", ..." if len(names) > 30 else "")
        super().__init__(f"Unknown {what} {name!r}.{hint} Valid: {shown}.")


class MineWarning(UserWarning):
    """Something worth knowing that does not stop the computation."""
