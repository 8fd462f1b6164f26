"""Errors of files and objects that cannot be read, as one sentence that names them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mine.errors import InputError, MineError

__all__ = ["first_line", "foreign", "readable"]


@contextmanager
def readable(path: str, kind: str) -> Iterator[None]:
    """Within this context, an error of reading becomes an InputError: one sentence that names the file.

    Arguments:
        path: The file, as the user wrote it.
        kind: The end of its name, or nothing.
    """
    what = f" as {kind.lstrip('.')}" if kind else ""
    try:
        yield
    except MineError:
        raise
    except MemoryError as error:  # a damaged length may ask for petabytes
        raise InputError(
            f"{path} cannot be read{what}: it needs more memory than there is, or it is damaged. Select fewer columns."
        ) from error
    except Exception as error:  # every library has errors of its own for what is damaged
        raise InputError(f"{path} cannot be read{what}: {first_line(error)}") from error


@contextmanager
def foreign(name: str) -> Iterator[None]:
    """Within this context, whatever a foreign object raises while it is read becomes an InputError that names the data.

    Arguments:
        name: The data, for the message.
    """
    try:
        yield
    except (MineError, MemoryError):
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        raise InputError(f"{name} cannot be read ({reason}): pass an array of numbers, a list of texts, or a table.") from error


def first_line(error: Exception) -> str:
    """The reason of an error: the first line of its message, at most 200 characters."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
