"""What the shell offers after a tab: names of methods, efforts, units, shipped data, and files that can be read."""

from __future__ import annotations

from pathlib import Path

__all__ = ["efforts", "files", "method_names", "table_efforts", "units"]


def method_names(incomplete: str) -> list[str]:
    """Methods that begin so.

    >>> method_names("ks")
    ['ksg']
    """
    from mine.estimators import methods

    return [name for name in methods() if name.startswith(incomplete)]


def efforts(incomplete: str) -> list[str]:
    """Values of ``--effort`` that begin so."""
    return [name for name in ("fast", "default", "thorough") if name.startswith(incomplete)]


def table_efforts(incomplete: str) -> list[str]:
    """Values of ``--effort`` of whole tables that begin so."""
    return [name for name in ("screen", "fast", "default", "thorough") if name.startswith(incomplete)]


def units(incomplete: str) -> list[str]:
    """Values of ``--unit`` that begin so."""
    return [name for name in ("nats", "bits") if name.startswith(incomplete)]


def files(incomplete: str) -> list[str]:
    """Shipped data, and folders and files of a readable format, whose names begin so; no file is opened."""
    from mine.data.readers import FORMATS
    from mine.datasets import EXAMPLES

    names = [f"example:{name}" for name in EXAMPLES if f"example:{name}".startswith(incomplete)]
    typed = Path(incomplete)
    folder, start = (typed, "") if incomplete.endswith("/") else (typed.parent, typed.name)
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return names
    lead = incomplete[: len(incomplete) - len(start)]
    for entry in entries:
        if entry.name.startswith(start) and (start or not entry.name.startswith(".")):
            if entry.is_dir():
                names.append(f"{lead}{entry.name}/")
            elif entry.name.lower().endswith(FORMATS):
                names.append(f"{lead}{entry.name}")
    return names
