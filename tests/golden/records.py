"""Golden values as a file: JSON that a person can read and compare, every number to its last digit."""

from __future__ import annotations

import json
import math
import os
import tempfile
from pathlib import Path
from typing import Any

#: Numbers of one case; None where an estimate has none.
Numbers = dict[str, float | None]

#: Beside the numbers of a case stands whether it trains.
KIND = "kind"


def encoded(numbers: Numbers) -> dict[str, Any]:
    """Numbers as JSON knows them: what is not finite becomes "inf", "-inf" or "nan"."""
    plain = {name: None if value is None else float(value) for name, value in numbers.items()}
    return {name: value if value is None or math.isfinite(value) else str(value) for name, value in plain.items()}


def decoded(case: dict[str, Any]) -> Numbers:
    """The numbers of a case read from a file, without its kind."""
    return {name: None if value is None else float(value) for name, value in case.items() if name != KIND}


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def write(path: Path, content: dict[str, Any]) -> None:
    """Replace the file at once: whoever is killed here leaves the old one."""
    text = json.dumps(content, indent=1, sort_keys=True, allow_nan=False) + "\n"
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(temporary, 0o644)  # mkstemp's file is its owner's alone
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def distance(one: float | None, other: float | None) -> float:
    """How far two numbers are apart: infinite where only one of them exists, is open or is not a number."""
    if one is None or other is None:
        return 0.0 if one is other else math.inf
    if one == other or (math.isnan(one) and math.isnan(other)):
        return 0.0
    return abs(one - other) if math.isfinite(one) and math.isfinite(other) else math.inf


def distances(one: dict[str, Any], other: dict[str, Any]) -> dict[str, float]:
    """How far all numbers of two files are apart, by case and name; what only one of them has is infinitely far."""
    found: dict[str, float] = {}
    for case in sorted(one["cases"].keys() | other["cases"].keys()):
        first, second = (decoded(content["cases"].get(case, {})) for content in (one, other))
        for name in sorted(first.keys() | second.keys()):
            in_both = name in first and name in second
            found[f"{case}: {name}"] = distance(first[name], second[name]) if in_both else math.inf
    return found
