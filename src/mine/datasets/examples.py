"""Small real data sets that ship with the package, for a first look and for the documentation."""

from __future__ import annotations

from mine.data.examples import example_path
from mine.data.readers import Table, read_table

__all__ = ["load_example"]


def load_example(name: str) -> Table:
    """A shipped data set as a table of columns.

    >>> table = load_example("breast-cancer")
    >>> table.n_rows, table.columns[-1]
    (569, 'diagnosis')
    """
    return read_table(str(example_path(name)))
