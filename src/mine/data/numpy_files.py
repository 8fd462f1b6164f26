"""NPY and NPZ files: matrices, columns and records of plain arrays as named columns."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mine.data.arrow import for_arrow
from mine.data.table import Table, check_names
from mine.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

    from mine.data.outofcore import NamedRows

__all__ = ["read_numpy"]


def read_numpy(file: Path, kind: str) -> Table:
    """The columns of an array, or of all arrays of an archive; the numbers of a large array stay in its file.

    Arguments:
        file: The file.
        kind: ``".npy"`` or ``".npz"``.

    Raises:
        InputError: Python objects, arrays of different length, no rows, or two columns of one name.
    """
    import numpy as np
    import pyarrow as pa

    from mine.data.bigfiles import is_large_file, named_rows

    try:
        with file.open("rb") as stream:  # numpy leaves a file open that turns out to be no archive
            large = kind == ".npy" and is_large_file(file)
            loaded: Any = np.load(file, mmap_mode="r") if large else np.load(stream, allow_pickle=False)
            arrays = {name: loaded[name] for name in loaded.files} if hasattr(loaded, "files") else {"": loaded}
            strays = [name for name, array in arrays.items() if not isinstance(array, np.ndarray)]
            if strays:
                raise InputError(f"{file} holds {strays[0]!r}, which is no array: leave it out of the archive.")
    except ValueError as error:
        if "allow_pickle" not in str(error) and "Python objects" not in str(error):
            raise
        raise InputError(f"{file} is no {kind[1:]} file of plain arrays: save numbers or text, not Python objects.") from error

    columns: list[tuple[str, Any]] = []
    blocks: dict[str, Any] = {}
    families: dict[str, tuple[str, ...]] = {}
    for name, array in arrays.items():
        if array.ndim == 0:
            continue
        if array.ndim > 2:
            blocks[name or "all"] = array
        elif array.ndim == 1 and not array.dtype.names:
            columns.append((name or "0", array))
        else:
            parts = {field_: array[field_] for field_ in array.dtype.names} if array.dtype.names else dict(enumerate(array.T))
            inner = [(f"{name}[{part}]" if name else str(part), values) for part, values in parts.items()]
            columns += inner
            if inner:
                families[name or "all"] = tuple(column for column, _ in inner)
    check_names([*(name for name, _ in columns), *blocks], str(file))
    lengths = {len(array) for array in (*(values for _, values in columns), *blocks.values())}
    if len(lengths) != 1 or 0 in lengths:
        shapes = ", ".join(f"{name or 'an array'} of shape {array.shape}" for name, array in arrays.items())
        raise InputError(
            f"{file} must hold arrays of one and the same number of rows, at least one: it has {shapes or 'none'}."
        )
    by_name = dict(columns)
    place = {name: i for i, name in enumerate(by_name)}

    def load(names: list[str]) -> pa.Table | NamedRows:
        unread = named_rows(arrays[""], names, [place[name] for name in names]) if large else None
        return unread or pa.table({name: for_arrow(by_name[name], name) for name in names})

    return Table(tuple(by_name), lengths.pop(), load, blocks, families)
