"""Where a measured number comes from: the version of other people's code, and the machine."""

from __future__ import annotations

import hashlib
import inspect
import platform
from importlib.metadata import packages_distributions, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

__all__ = ["environment", "external_version", "object_version"]


def external_version(name: str) -> str:
    """Version of ``package.module:attribute`` or ``file.py:attribute``, found without importing it.

    A distribution's version; a digest of the file for code that none holds; ``"unknown"`` for what is not there.
    """
    place = name.rpartition(":")[0]
    if place.endswith(".py"):
        return _file_digest(Path(place))
    top = place.partition(".")[0]
    if top in packages_distributions():
        distribution = packages_distributions()[top][0]
        return f"{distribution} {version(distribution)}"
    for path in (Path(*place.split(".")).with_suffix(".py"), Path(top) / "__init__.py", Path(f"{top}.py")):
        if path.is_file():  # in the working directory, where the workers look too
            return _file_digest(path)
    try:
        spec = find_spec(top)
    except (ImportError, ValueError):
        spec = None
    return "unknown" if spec is None or spec.origin is None else _file_digest(Path(spec.origin))


def _file_digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8] if path.is_file() else "unknown"


def object_version(target: Any) -> str:
    """A digest of an object's source, or of its class's; ``"unknown"`` where Python cannot find it."""
    try:
        source = inspect.getsource(target if inspect.isroutine(target) or inspect.isclass(target) else type(target))
    except (OSError, TypeError):
        return "unknown"
    return hashlib.sha256(source.encode()).hexdigest()[:8]


def environment(device: str = "cpu") -> str:
    """Python, torch, numpy, the processor and a GPU at work, in one line: seconds are compared within one of these only."""
    processor = platform.processor() or platform.machine()
    with_cpuinfo = Path("/proc/cpuinfo")
    if with_cpuinfo.is_file():
        lines = (line.partition(":") for line in with_cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines())
        processor = next((value.strip() for key, _, value in lines if key.strip() == "model name"), processor)
    if device.startswith("cuda"):
        import torch

        processor += f", {torch.cuda.get_device_name(device)}"
    return f"Python {platform.python_version()}, torch {version('torch')}, numpy {version('numpy')}, {processor}"
