"""Versions of the code that was measured: a cell of other code is another cell."""

from __future__ import annotations

import ast
import hashlib
import inspect
import platform
import sys
from collections.abc import Iterable
from functools import cache
from importlib.metadata import packages_distributions, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import mine

__all__ = ["environment", "external_version", "modules_version", "object_version", "package_version"]

_ROOT = Path(mine.__file__).parent

#: Parts of this package that change no estimate.
_ASIDE = {"benchmarking", "cli", "datasets", "experiments", "files", "models", "progress", "report", "tables", "tasks"}


@cache
def package_version() -> str:
    """This package's version and a digest of the code below ``mine.estimate``; comments and docstrings do not count."""
    names = ("/".join(path.relative_to(_ROOT).with_suffix("").parts) for path in sorted(_ROOT.rglob("*.py")))
    return modules_version(name for name in names if name.split("/")[0] not in _ASIDE and not name.startswith("__"))


def modules_version(names: Iterable[str]) -> str:
    """This package's version and a digest of the code of some of its modules, ``"benchmarking/versions"`` for this one."""
    digest = hashlib.sha256()
    for name in names:
        source = (_ROOT / f"{name}.py").read_text(encoding="utf-8")
        digest.update(name.encode() + _meaning(source).encode())
    return f"{mine.__version__}+{digest.hexdigest()[:8]}"


def _meaning(source: str) -> str:
    """The syntax tree without docstrings, as text that is the same from all versions of Python."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    # as Python 3.11 writes it: 3.12 knows type parameters, and 3.13 would leave out empty lists
    options: dict[str, Any] = {"show_empty": True} if sys.version_info >= (3, 13) else {}
    return ast.dump(tree, **options).replace(", type_params=[]", "")


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
