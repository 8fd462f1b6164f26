"""Named columns of a file, selected by name or glob."""

from __future__ import annotations

import fnmatch
import re
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from mine.errors import InputError, UnknownNameError

if TYPE_CHECKING:
    import pyarrow as pa

    from mine.data.outofcore import NamedRows

__all__ = ["Table", "check_names", "split_names"]

#: An entry of a list of columns: in double quotes, which are doubled inside it, or up to the next comma.
_ENTRY = re.compile(r'\s*(?:"((?:[^"]|"")*)"|([^,]*))\s*(?:,|$)')


@dataclass(frozen=True)
class Table:
    """Named columns of equal length; only those selected are read where the format allows it.

    Attributes:
        columns: Names of the columns, in order.
        n_rows: Number of rows.
        load: Names -> a pyarrow table of the columns, or what stands for one that is left in its file.
        blocks: Arrays of three or more dimensions, by name: selected whole, as they are.
        families: Other names that stand for several columns, as an NPZ file's matrix for its columns.
        files: Removes the temporary files that hold selected columns; a ``with`` block calls it.
        notes: Sentences on how the file was read that whoever asked for it should see.
    """

    columns: tuple[str, ...]
    n_rows: int
    load: Callable[[list[str]], pa.Table | NamedRows]
    blocks: dict[str, Any] = field(default_factory=dict)
    families: dict[str, tuple[str, ...]] = field(default_factory=dict)
    files: ExitStack = field(default_factory=ExitStack)
    notes: tuple[str, ...] = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Delete the files that a large table was converted into."""
        self.files.close()

    def names(self, spec: str, what: str = "column") -> list[str]:
        """Columns that a comma-separated list of names and globs stands for, each once, in the order of the list.

        An exact name wins over its meaning as a glob; a name that holds a comma is written in double quotes.

        Arguments:
            spec: The list.
            what: How messages call an entry.

        Raises:
            UnknownNameError: A name or glob that matches no column; the nearest is suggested.
            InputError: An empty list.
        """
        known = dict.fromkeys((*self.columns, *self.blocks))
        out: dict[str, None] = {}  # a set that keeps its order
        for item in split_names(spec):
            if item in known:
                matches: Sequence[str] = (item,)
            elif item in self.families:
                matches = self.families[item]
            else:
                matches = [name for name in known if fnmatch.fnmatchcase(name, item)]
            if not matches:
                raise UnknownNameError(what, item, [*known, *self.families])
            out |= dict.fromkeys(matches)
        if not out:
            raise InputError(f"No {what} was named: pass a comma-separated list of names or globs.")
        return list(out)

    def select(self, spec: str | Sequence[str]) -> Any:
        """The columns of ``spec`` (a list as in :meth:`names`, or names) in the form that :func:`mine.estimate` takes."""
        names = self.names(spec) if isinstance(spec, str) else list(spec)
        blocks = [name for name in names if name in self.blocks]
        if blocks and len(names) > 1:
            raise InputError(f"{blocks[0]!r} has three or more dimensions and must be selected alone.")
        return self.blocks[blocks[0]] if blocks else self.load(names)


def split_names(spec: str) -> list[str]:
    """The entries of a comma-separated list; double quotes keep a comma inside an entry.

    >>> split_names('height, "weight, kg"')
    ['height', 'weight, kg']
    """
    entries = [quoted.replace('""', '"') or plain.strip() for quoted, plain in _ENTRY.findall(spec)]
    return [entry for entry in entries if entry]


def check_names(names: list[str], source: str) -> None:
    """Raise InputError if two columns have the same name."""
    twice = next((name for name, count in Counter(names).items() if count > 1), None)
    if twice is not None:
        raise InputError(f"{source} has two columns called {twice!r}: rename one.")
