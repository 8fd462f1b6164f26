"""Feather, Arrow, ORC and JSON lines files, by pyarrow."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mine.data.arrow import times_as_numbers
from mine.data.table import Table, check_names
from mine.data.text_files import may_be_digits
from mine.errors import InputError, MineError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["read_feather", "read_json_lines", "read_orc"]


def read_feather(file: Path) -> Table:
    """The columns of a Feather or Arrow file (version 2, or a stream), read when they are selected.

    Raises:
        InputError: No rows, or two columns of one name.
    """
    import pyarrow as pa
    from pyarrow import feather

    try:
        table = feather.read_table(str(file), memory_map=True)
    except pa.ArrowInvalid:
        with pa.memory_map(str(file)) as source, pa.ipc.open_stream(source) as stream:
            table = stream.read_all()
    return _table(table, str(file), check=True)


def read_orc(file: Path) -> Table:
    """The columns of an ORC file, read when they are selected.

    Raises:
        InputError: This pyarrow has no ORC, no rows, or two columns of one name.
    """
    try:
        from pyarrow import orc
    except ImportError:
        raise MineError(
            "This build of pyarrow cannot read ORC: install another (pip install pyarrow), or use Parquet."
        ) from None
    reader = orc.ORCFile(str(file))
    names = list(reader.schema.names)
    check_names(names, str(file))
    _check_rows(reader.nrows, str(file))

    def load(wanted: list[str]) -> pa.Table:
        return times_as_numbers(reader.read(columns=wanted).select(wanted))

    return Table(tuple(names), reader.nrows, load)


def read_json_lines(data: bytes, source: str) -> Table:
    """The columns of JSON lines: one object per line, whose keys are the columns.

    Arguments:
        data: The whole text, UTF-8.
        source: What messages call it.

    Raises:
        InputError: Other text, no rows, or values of several types under one key.
    """
    import io

    import pyarrow as pa
    from pyarrow import json

    if not data.strip():
        raise InputError(f"{source} is empty: it needs one JSON object per line.")
    if data.lstrip()[:1] == b"[":
        raise InputError(f"{source} is one JSON array: write one object per line (jq -c '.[]').")
    options = json.ReadOptions(block_size=max(1 << 20, min(len(data) + 1, (1 << 31) - 1)))
    try:
        table = json.read_json(io.BytesIO(data), options, json.ParseOptions(newlines_in_values=False))
    except pa.ArrowException as error:
        reason = str(error).splitlines()[0].removeprefix("JSON parse error: ")[:200]
        raise InputError(f"{source} cannot be read as JSON lines: {reason}") from error
    return _table(_with_long_integers(table, data), source)


def _with_long_integers(table: pa.Table, data: bytes) -> pa.Table:
    """The table, its integers beyond 64 bits as text where float64 would merge them, as numbers that identify rows do."""
    import json

    import pyarrow as pa

    for place, name in enumerate(table.column_names):
        numbers = table[name]
        if not pa.types.is_floating(numbers.type) or not may_be_digits(numbers):
            continue
        values = [json.loads(line).get(name) for line in data.splitlines() if line.strip()]
        known = {value for value in values if value is not None}
        if all(isinstance(value, int) for value in known) and len(known) > len(set(map(float, known))):
            texts = [None if value is None else str(value) for value in values]
            table = table.set_column(place, name, pa.array(texts, pa.string()))
    return table


def _table(table: pa.Table, source: str, *, check: bool = False) -> Table:
    """The columns of a table; ``check`` looks at every value before its columns are used, as in a file that is only mapped."""
    check_names(list(table.column_names), source)
    _check_rows(table.num_rows, source)

    def load(wanted: list[str]) -> pa.Table:
        selected = table.select(wanted)
        if check:
            selected.validate(full=True)  # a damaged offset would end the process, not raise an error
        return times_as_numbers(selected)

    return Table(tuple(table.column_names), table.num_rows, load)


def _check_rows(n_rows: int, source: str) -> None:
    if n_rows == 0:
        raise InputError(f"{source} has no rows: nothing to estimate from.")
