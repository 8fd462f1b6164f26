"""Files of several tables: Excel workbooks and SQLite databases."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from mine.data.cells import column_of_cells, distinct_names
from mine.data.table import Table
from mine.errors import InputError, MineError, UnknownNameError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["read_excel", "read_sqlite"]


def read_excel(file: Path, sheet: str | None) -> Table:
    """The columns of a sheet of an Excel workbook: its first row names them, and formulas have the values last computed.

    Needs the extra ``excel``: ``pip install "torch-mine[excel]"``.

    Arguments:
        file: The file.
        sheet: Name of the sheet; None takes the first.

    Raises:
        UnknownNameError: There is no such sheet.
        InputError: No header, or no rows.
        MineError: openpyxl is not installed.
    """
    try:
        from openpyxl import load_workbook
    except ImportError:
        raise MineError('Excel files need openpyxl: pip install "torch-mine[excel]", or save the sheet as CSV.') from None
    with file.open("rb") as stream, closing(load_workbook(stream, read_only=True, data_only=True)) as book:
        names = [one.title for one in book.worksheets]
        if not names:
            raise InputError(f"{file} has no sheets: nothing to estimate from.")
        name = _chosen(sheet, names, "sheet") if sheet is not None else names[0]
        rows = [[_excel_value(cell) for cell in row] for row in book[name].iter_rows()]
    notes = [] if sheet is not None or len(names) == 1 else [
        f"{file} has {len(names)} sheets and the first, {name!r}, was read: --table takes the name of another."
    ]  # fmt: skip
    while rows and all(value is None for value in rows[-1]):
        rows.pop()
    while rows and all(value is None for value in rows[0]):
        rows.pop(0)
    if len(rows) < 2:
        raise InputError(f"{file} has no rows below a header in the sheet {name!r}: nothing to estimate from.")
    header = ["" if value is None else str(value).strip() for value in rows[0]]
    while header and not header[-1] and all(row[len(header) - 1] is None for row in rows if len(row) >= len(header)):
        header.pop()
    width = len(header)
    header, renamed = distinct_names([cell or f"unnamed {i}" for i, cell in enumerate(header)], str(file))
    body = [[*row[:width], *[None] * (width - len(row))] for row in rows[1:]]
    return _of_rows(header, body, [*notes, *renamed])


def _excel_value(cell: Any) -> Any:
    if cell.data_type == "e":  # an error such as #DIV/0!
        return None
    return cell.value.strip() or None if isinstance(cell.value, str) else cell.value


def read_sqlite(file: Path, table: str | None) -> Table:
    """The columns of a table or view of a SQLite database, which is opened to be read only.

    Arguments:
        file: The file.
        table: Name of the table; None takes the only one.

    Raises:
        UnknownNameError: There is no such table.
        InputError: Several tables and no name, no rows, or a damaged file.
    """
    with _database(file) as connection:
        kinds = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite@_%' ESCAPE '@'"
        names = [name for (name,) in connection.execute(kinds)]
        if not names:
            raise InputError(f"{file} has no tables: nothing to estimate from.")
        if table is None and len(names) > 1:
            raise InputError(f"{file} has {len(names)} tables: name one with --table, such as --table {names[0]}.")
        name = names[0] if table is None else _chosen(table, names, "table")
        quoted = name.replace('"', '""')
        (n_rows,) = connection.execute(f'SELECT count(*) FROM "{quoted}"').fetchone()
        columns = [column for (column, *_) in connection.execute(f'SELECT * FROM "{quoted}" LIMIT 0').description]
    if n_rows == 0:
        raise InputError(f"{file} has no rows in {name!r}: nothing to estimate from.")
    header, renamed = distinct_names(columns, str(file))
    place = {column: i for i, column in enumerate(header)}

    def load(wanted: list[str]) -> pa.Table:
        import pyarrow as pa

        with _database(file) as connection:
            rows = connection.execute(f'SELECT * FROM "{quoted}"').fetchall()
        return pa.table({column: column_of_cells([row[place[column]] for row in rows], column) for column in wanted})

    return Table(tuple(header), n_rows, load, notes=tuple(renamed))


@contextmanager
def _database(file: Path) -> Iterator[sqlite3.Connection]:
    """A connection that writes nothing, and runs no function of the file's schema that has side effects."""
    try:
        with closing(sqlite3.connect(f"file:{quote(str(file.absolute()))}?mode=ro", uri=True)) as connection:
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.text_factory = lambda text: text.decode(errors="backslashreplace")
            yield connection
    except sqlite3.Error as error:
        raise InputError(f"{file} cannot be read as SQLite: {error}") from error


def _chosen(name: str, names: list[str], what: str) -> str:
    if name not in names:
        raise UnknownNameError(what, name, names)
    return name


def _of_rows(header: list[str], rows: list[list[Any]], notes: list[str]) -> Table:
    place = {name: i for i, name in enumerate(header)}

    def load(wanted: list[str]) -> pa.Table:
        import pyarrow as pa

        return pa.table({name: column_of_cells([row[place[name]] for row in rows], name) for name in wanted})

    return Table(tuple(header), len(rows), load, notes=tuple(notes))
