"""Finished cells on disk: one JSON file each, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from mine.benchmarking.grid import Cell
from mine.storage.files import cells_folder, write_record

__all__ = ["Record", "Store"]


@dataclass(frozen=True)
class Record:
    """A finished cell; nats and seconds, None where there is no such number.

    Attributes:
        task: Its name.
        method: The entrant's label.
        n: Rows.
        seed: Number of the draw.
        task_version: Digest of the task.
        method_version: Of the code behind the method.
        truth: The task's mutual information.
        value: The estimate.
        lower_bound: Its held-out bound.
        stderr: Its standard error.
        low: Lower end of the 95 % interval.
        high: Upper end; None where it is open.
        has_interval: Whether the method gave an interval at all.
        seconds: Wall time of the estimate alone, in a warm process with one thread.
        oracle: Mean of the true log-ratio over the same rows.
        error: Why the cell failed; None where it did not.
        environment: Versions and processor.
        diagnostics: The estimate's own.
    """

    task: str
    method: str
    n: int
    seed: int
    task_version: str
    method_version: str
    truth: float
    value: float | None = None
    lower_bound: float | None = None
    stderr: float | None = None
    low: float | None = None
    high: float | None = None
    has_interval: bool = False
    seconds: float | None = None
    oracle: float | None = None
    error: str | None = None
    environment: str = ""
    diagnostics: dict[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> tuple[str, str, int, int]:
        return self.task, self.method, self.n, self.seed

    @property
    def key(self) -> str:
        """As :attr:`mine.benchmarking.grid.Cell.key`."""
        return "\x1f".join(map(str, (*self.place, self.task_version, self.method_version)))

    @property
    def failed(self) -> bool:
        return self.error is not None

    @property
    def signed_error(self) -> float | None:
        """Estimate minus truth."""
        return None if self.value is None else self.value - self.truth

    @property
    def oracle_error(self) -> float | None:
        """What the rows themselves are off by: mean true log-ratio minus truth."""
        return None if self.oracle is None else self.oracle - self.truth

    @property
    def covered(self) -> bool | None:
        """Whether the interval holds the truth; None without one."""
        if not self.has_interval:
            return None
        return (self.low is None or self.low <= self.truth) and (self.high is None or self.truth <= self.high)

    @classmethod
    def of(cls, cell: Cell, **outcome: Any) -> Record:
        task, method, n, seed = cell.place
        return cls(
            task, method, n, seed, cell.task_version, cell.entrant.version, float(cell.task.mutual_information), **outcome
        )


class Store:
    """The folder ``cells`` of a benchmark's output."""

    def __init__(self, folder: Path) -> None:
        self.folder = cells_folder(folder)
        self.unreadable: list[str] = []

    def read(self) -> dict[str, Record]:
        """All finished cells by key; files that cannot be read are listed in ``unreadable`` and count as not finished."""
        known = {f.name for f in fields(Record)}
        found: dict[str, Record] = {}
        self.unreadable = []
        for path in sorted(self.folder.glob("*.json")):
            try:
                content = json.loads(path.read_text(encoding="utf-8"))
                record = Record(**{key: value for key, value in content.items() if key in known})
            except (OSError, ValueError, TypeError, AttributeError):
                self.unreadable.append(path.name)
                continue
            found[record.key] = record
        return found

    def write(self, record: Record) -> None:
        """Write a cell so that a process killed at any moment leaves the whole file or none."""
        write_record(self.path(record), record)

    def path(self, record: Record) -> Path:
        """File of a cell: readable, and told apart by a digest of its key."""
        task, method, n, seed = record.place
        readable = "_".join(re.sub(r"[^\w.=+-]+", "-", part)[:60] for part in (task, method, f"n{n}", f"seed{seed}"))
        return self.folder / f"{readable}_{hashlib.sha256(record.key.encode()).hexdigest()[:10]}.json"


def superseded(stored: Iterable[Record], wanted: Iterable[Cell]) -> dict[tuple[str, str], int]:
    """How many stored cells stand at a wanted place but were measured by other code, by (method, its version)."""
    cells = {cell.place: cell.key for cell in wanted}
    counts: dict[tuple[str, str], int] = {}
    for record in stored:
        if record.place in cells and record.key != cells[record.place]:
            name = (record.method, record.method_version)
            counts[name] = counts.get(name, 0) + 1
    return counts
