"""Finished cells on disk: one JSON file each, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from mine.benchmarking.grid import Cell, cell_key
from mine.storage.files import cells_folder, write_record
from mine.storage.seals import checked

__all__ = ["Record", "Store", "superseded"]

#: Cells from before NUMERICS name a digest of this package's code. This one is of commit 721daf8, whose numbers are NUMERICS 1.
_NUMERICS_OF_DIGEST = {"0.1.0+f028364a": 1}


@dataclass(frozen=True)
class Record:
    """A finished cell; nats and seconds, None where there is no such number.

    Attributes:
        task: Its name.
        method: The entrant's label.
        n: Rows.
        seed: Number of the draw.
        task_version: See :func:`mine.benchmarking.grid.task_version`.
        method_version: Version of the code behind the method: this package's for its own methods; otherwise a distribution's or
            a digest.
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
        numerics: Version of this package's numbers where the method is its own, None for other code. It alone decides whether
            an own method's cell counts; the package's version is recorded and not compared.
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
    numerics: int | None = None
    environment: str = ""
    diagnostics: dict[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> tuple[str, str, int, int]:
        return self.task, self.method, self.n, self.seed

    @property
    def key(self) -> str:
        """As :attr:`mine.benchmarking.grid.Cell.key`."""
        return cell_key(self.place, self.task_version, self.method_version, self.numerics)

    @property
    def code(self) -> str:
        """The code behind the method, in words."""
        return self.method_version if self.numerics is None else f"numerics {self.numerics}, torch-mine {self.method_version}"

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
        """Whether the interval contains the truth; None without one."""
        if not self.has_interval:
            return None
        return (self.low is None or self.low <= self.truth) and (self.high is None or self.truth <= self.high)

    @classmethod
    def of(cls, cell: Cell, **outcome: Any) -> Record:
        task, method, n, seed = cell.place
        return cls(
            task, method, n, seed, cell.task_version, cell.entrant.version, float(cell.task.mutual_information),
            numerics=cell.numerics, **outcome,
        )  # fmt: skip

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Record:
        """A record from what a file holds; entries that no field has are ignored.

        Raises:
            ValueError: It is damaged.
            TypeError: An entry is missing.
            AttributeError: ``content`` is no dictionary.
        """
        known = {f.name for f in fields(cls)}
        record = cls(**{key: value for key, value in checked(content).items() if key in known})
        if "numerics" in content:
            return record
        return replace(record, numerics=_NUMERICS_OF_DIGEST.get(record.method_version))


class Store:
    """The folder ``cells`` of a benchmark's output."""

    def __init__(self, folder: Path) -> None:
        self.folder = cells_folder(folder)
        self.unreadable: list[str] = []
        self._files: dict[str, Path] = {}

    def read(self) -> dict[str, Record]:
        """All finished cells by key; files that cannot be read are listed in ``unreadable`` and count as not finished."""
        records: dict[str, Record] = {}
        self.unreadable = []
        for path in sorted(self.folder.glob("*.json")):
            try:
                record = Record.from_json(json.loads(path.read_text(encoding="utf-8")))
            except (OSError, ValueError, TypeError, AttributeError):
                self.unreadable.append(path.name)
                continue
            records[record.key] = record
            self._files[record.key] = path
        return records

    def write(self, record: Record) -> None:
        """Write a cell so that a process killed at any moment leaves the whole file or none."""
        write_record(self.path(record), record)

    def path(self, record: Record) -> Path:
        """File of a cell: the one it was read from, or a new one, readable and told apart by a digest of its key."""
        if record.key in self._files:  # measured again, it replaces what was there, whatever that file is called
            return self._files[record.key]
        task, method, n, seed = record.place
        readable = "_".join(re.sub(r"[^\w.=+-]+", "-", part)[:60] for part in (task, method, f"n{n}", f"seed{seed}"))
        return self.folder / f"{readable}_{hashlib.sha256(record.key.encode()).hexdigest()[:10]}.json"


def superseded(stored: Iterable[Record], wanted: Iterable[Cell]) -> dict[tuple[str, str], int]:
    """How many stored cells stand at a wanted place but do not count there, by (method, its code)."""
    cells = {cell.place: cell.key for cell in wanted}
    counts: dict[tuple[str, str], int] = {}
    for record in stored:
        if record.place in cells and record.key != cells[record.place]:
            name = (record.method, record.code)
            counts[name] = counts.get(name, 0) + 1
    return counts
