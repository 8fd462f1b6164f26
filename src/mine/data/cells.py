"""Columns of cells of any type, as spreadsheets and SQLite have them, and headers with the same name twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mine.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["column_of_cells", "distinct_names"]


def column_of_cells(values: Sequence[Any], name: str) -> pa.Array:
    """Cells (n,) as a column of one type; cells of several types become text, as in a CSV file.

    Raises:
        InputError: Cells that no column holds.

    >>> column_of_cells([1, None, 2.5], "a").to_pylist(), column_of_cells([1, "n/a"], "a").to_pylist()
    ([1.0, None, 2.5], ['1', 'n/a'])
    """
    import pyarrow as pa

    kinds = {type(value) for value in values if value is not None}
    try:
        if len(kinds) > 1 and not kinds <= {int, float}:
            return pa.array([None if value is None else _text(value) for value in values], pa.string())
        if kinds == {int, float}:
            return pa.array([None if value is None else float(value) for value in values], pa.float64())
        return pa.array(values)
    except (pa.ArrowException, OverflowError, UnicodeError) as error:
        raise InputError(f"Column {name!r} cannot be read: {str(error).splitlines()[0][:200]}.") from error


def _text(value: Any) -> str:
    return value.decode(errors="backslashreplace") if isinstance(value, bytes) else str(value)


def distinct_names(names: Sequence[str], source: str) -> tuple[list[str], list[str]]:
    """The names, a repeated one with ``.1``, ``.2``, ... behind it as in pandas, and a sentence for each that was repeated.

    >>> distinct_names(["a", "b", "a", "a.1"], "data.csv")
    (['a', 'b', 'a.2', 'a.1'], ["data.csv has several columns called 'a': the later ones are called 'a.2'."])
    """
    out: list[str] = []
    taken = set(names)
    seen: set[str] = set()
    renamed: dict[str, list[str]] = {}
    for name in names:
        new = name
        if name in seen:
            number = 1
            while (new := f"{name}.{number}") in taken:
                number += 1
            renamed.setdefault(name, []).append(new)
        seen.add(name)
        taken.add(new)
        out.append(new)
    sentences = [
        f"{source} has several columns called {name!r}: the later ones are called {', '.join(map(repr, others))}."
        for name, others in renamed.items()
    ]
    return out, sentences
