"""A result of many rows as CSV, and as JSON one line per row."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import Any

from mine.escapes import for_spreadsheet

__all__ = ["records_as_csv", "records_as_json"]


def records_as_csv(records: dict[str, list[Any]]) -> str:
    """Columns by name as CSV; a number that does not exist is an empty cell, an open end ``inf``.

    >>> records_as_csv({"lag": [0, 1], "p": [0.5, float("nan")]})
    'lag,p\\n0,0.5\\n1,\\n'
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(records)
    for row in zip(*records.values(), strict=True):
        writer.writerow("" if isinstance(v, float) and math.isnan(v) else for_spreadsheet(v) for v in row)
    return out.getvalue()


def records_as_json(records: dict[str, list[Any]]) -> str:
    """Columns by name as one JSON object a row; what is not finite is null.

    >>> records_as_json({"lag": [0], "high": [float("inf")]})
    '{"lag": 0, "high": null}'
    """
    lines = []
    for row in zip(*records.values(), strict=True):
        values = (None if isinstance(value, float) and not math.isfinite(value) else value for value in row)
        lines.append(json.dumps(dict(zip(records, values, strict=True)), allow_nan=False))
    return "\n".join(lines)
