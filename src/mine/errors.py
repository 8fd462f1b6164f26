"""Errors, whose messages say what was received and what to do; and the warnings of old names."""

from __future__ import annotations

import difflib
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from importlib import import_module
from typing import Any, ParamSpec, TypeVar

from mine.escapes import printable

__all__ = [
    "InputError",
    "MineError",
    "NotEnoughDataError",
    "NumberTextError",
    "StaleCriticError",
    "UnknownNameError",
    "renamed_arguments",
    "renamed_message",
    "warn_renamed",
]

P = ParamSpec("P")
R = TypeVar("R")

#: A longer list of valid names than this hides the message.
_LIST_AT_MOST = 12


class MineError(Exception):
    """Base class of everything this library raises on purpose.

    Its text spells out control characters, which names of columns may contain and a terminal would obey.
    """

    def __str__(self) -> str:
        return printable(super().__str__())


class InputError(MineError, ValueError):
    """The data or an argument cannot be used as given; the message names the remedy."""


class NotEnoughDataError(InputError):
    """Too few rows, or too few groups, for an honest split."""


class NumberTextError(InputError):
    """A column of text that was meant as numbers: one that ``parse=True`` reads.

    Arguments:
        cause: The sentence up to the last remedy.
        outcome: What that remedy reads the texts as.
    """

    def __init__(self, cause: str, outcome: str = "numbers") -> None:
        super().__init__(f"{cause}, or pass parse=True to read them as {outcome}.")
        self.cause, self.outcome = cause, outcome

    def __reduce__(self) -> Any:
        return type(self), (self.cause, self.outcome)

    @property
    def for_command_line(self) -> str:
        """The message, its last remedy as an option of a command."""
        return f"{self.cause}, or pass --parse to read them as {self.outcome}."


class StaleCriticError(MineError, RuntimeError):
    """A model was about to be trained against a critic that has not been trained since the model last moved."""


class UnknownNameError(InputError):
    """A method, bound, column or device name that does not exist."""

    def __init__(self, what: str, name: object, valid: Iterable[str]) -> None:
        names = [str(v) for v in valid]
        close = difflib.get_close_matches(str(name), names, n=1, cutoff=0.5)
        message = f"Unknown {what} {name!r}" + (f": did you mean {close[0]!r}?" if close else ".")
        if not names:
            message += " There are none."
        elif len(names) <= _LIST_AT_MOST:
            message += f" Valid: {', '.join(names)}."
        elif not close:
            message += f" There are {len(names)}, the first: {', '.join(names[:_LIST_AT_MOST])}."
        if isinstance(name, str) and name == "seed" and what.endswith("option"):
            message = f"{_SEED} {message}"
        super().__init__(message)


#: What people write who come from a library whose generators take ``seed=``.
_SEED = "Pass random_state= in place of seed=."


def renamed_arguments(**names: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a function whose arguments have new names: the old ones still work as keywords, each with a ``FutureWarning``.

    The signature shows the new names alone. ``seed=`` is never taken; the error names ``random_state=``.

    Arguments:
        **names: The new name of each old one.

    Example:
        >>> @renamed_arguments(jobs="n_jobs")
        ... def measure(n_jobs: int = 1) -> int:
        ...     return n_jobs
        >>> with warnings.catch_warnings(record=True, action="always") as seen:
        ...     measure(jobs=2)
        2
        >>> print(seen[0].message)
        measure(jobs=...) is called measure(n_jobs=...) since version 0.9 (November 2026); the old name goes with version 1.1.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        label = function.__qualname__.removesuffix(".__init__").rpartition(">.")[2]

        @wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            if "seed" in kwargs:
                raise InputError(f"{label} has no argument 'seed'. {_SEED}")
            for old in [name for name in kwargs if name in names]:
                new = names[old]
                if new in kwargs:
                    raise InputError(f"{label} got both {new}= and {old}=, its old name: pass {new}= only.")
                warn_renamed(f"{label}({old}=...)", f"{label}({new}=...)")
                kwargs[new] = kwargs.pop(old)
            return function(*args, **kwargs)

        return call

    return decorate


def warn_renamed(old: str, new: str, *, stacklevel: int = 3) -> None:
    """Warn that ``old`` is called ``new`` now. The old names of version 0.1 are removed in version 1.1.

    Arguments:
        old: The old name, as users write it.
        new: The new name, as users write it.
        stacklevel: The frame of the line that used the old name, counted from here.
    """
    warnings.warn(renamed_message(old, new), FutureWarning, stacklevel=stacklevel)


def renamed_message(old: str, new: str) -> str:
    """The sentence that names the new name, the version and month of the change, and the version that removes the old name."""
    return f"{old} is called {new} since version 0.9 (November 2026); the old name goes with version 1.1."


def moved(module: str, name: str, places: Mapping[str, str]) -> Any:
    """A public name that has left ``module``, with a warning that names its new place.

    It is called by the ``__getattr__`` of that module, and puts the object there: each name warns once.

    Arguments:
        module: The old place, ``__name__`` in it.
        name: The attribute that was asked for.
        places: Names that have left the module, and the modules where they are now.

    Raises:
        AttributeError: The name was never there.
    """
    if name not in places:
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    place = places[name]
    warnings.warn(
        f"{module}.{name} has moved: use 'from {place} import {name}' (since 0.9; removed from {module} in 1.1).",
        FutureWarning,
        stacklevel=3,
    )
    value = getattr(import_module(place), name)
    vars(sys.modules[module])[name] = value  # a `from` import asks for an attribute of a package twice
    return value
