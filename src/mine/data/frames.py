"""A table of results as a frame of the library that its data came from."""

from __future__ import annotations

from typing import Any

from mine.errors import MineError

__all__ = ["as_frame"]


def as_frame(records: dict[str, list[Any]], like: Any) -> Any:
    """The columns as a frame of the library of ``like``; for anything else pandas, or what there is of polars and pyarrow.

    Raises:
        MineError: None of them is installed.
    """
    import narwhals as nw

    native: Any = nw.from_native(like, allow_series=True, eager_only=True, pass_through=True)
    if isinstance(native, (nw.DataFrame, nw.Series)):
        return nw.from_dict(records, backend=nw.get_native_namespace(native)).to_native()
    for backend in ("pandas", "polars", "pyarrow"):
        try:
            return nw.from_dict(records, backend=backend).to_native()
        except ImportError:
            continue
    raise MineError("A table of results needs pandas, polars or pyarrow: pip install pandas.")
