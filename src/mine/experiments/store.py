"""Finished cells, one arm and one seed each, on disk: one folder per cell, finished when its ``result.json`` is there."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from mine.experiments.unversioned import with_versions
from mine.storage.files import cells_folder, write_record
from mine.storage.seals import checked

__all__ = ["Cell", "Record", "Store", "read_records"]

_RESULT = "result.json"


@dataclass(frozen=True)
class Cell:
    """What is to be run: an arm with its config, and a seed.

    Attributes:
        experiment: Its name.
        scale: Name of the scale.
        arm: Name of the arm.
        seed: Number of the repetition.
        config: The config as a dictionary.
        version: The experiment's own: it alone decides whether a stored result counts, in addition to the settings.
        numerics: ``NUMERICS`` of the package, which is recorded and not compared.
    """

    experiment: str
    scale: str
    arm: str
    seed: int
    config: Mapping[str, Any]
    version: int
    numerics: int

    @property
    def key(self) -> str:
        """Everything that the numbers depend on, as text."""
        config = json.dumps(dict(self.config), sort_keys=True)
        parts = [self.experiment, self.arm, self.seed, config, f"version {self.version}"]
        return "\x1f".join(map(str, parts))

    @property
    def name(self) -> str:
        """Of its folder: readable, and told apart by a digest of the key."""
        arm = re.sub(r"[^\w.=+-]+", "-", self.arm)
        return f"{arm}_seed{self.seed}_{hashlib.sha256(self.key.encode()).hexdigest()[:10]}"


@dataclass(frozen=True)
class Record:
    """A finished cell.

    Attributes:
        experiment: Its name.
        scale: Name of the scale.
        arm: Name of the arm.
        seed: Number of the repetition.
        config: The config as a dictionary.
        version: The experiment's own; 0 for results of unknown code, from before there were versions.
        numerics: ``NUMERICS`` of the package that gave the numbers; 0 as above. Told, not compared.
        package: That package's version, likewise.
        metrics: The numbers, by key.
        seconds: Wall time, over all the pieces that a resumed run took.
        environment: Versions and processor.
        error: Why it failed; None where it did not.
    """

    experiment: str
    scale: str
    arm: str
    seed: int
    config: Mapping[str, Any]
    version: int
    numerics: int
    package: str
    metrics: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    environment: str = ""
    error: str | None = None

    @property
    def cell(self) -> Cell:
        return Cell(self.experiment, self.scale, self.arm, self.seed, self.config, self.version, self.numerics)

    @property
    def code(self) -> str:
        """The code that gave the numbers, in words."""
        if self.version == 0:
            return f"unknown code of torch-mine {self.package}"
        return f"version {self.version} of the experiment, numerics {self.numerics}, torch-mine {self.package}"

    @property
    def failed(self) -> bool:
        return self.error is not None


class Store:
    """One experiment at one scale: the folder ``cells``, and next to it ``results.json`` with the numbers of all of them.

    The numbers alone are enough to go on from: a copy of ``results.json``, as in this repository, stands for finished cells.

    Raises:
        InputError: The folder cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = cells_folder(folder)
        self.results = folder / "results.json"
        self._folders: dict[str, Path] = {}

    def folder_of(self, cell: Cell) -> Path:
        """Where a cell keeps its files: where its result was read, whatever that folder is called, or a folder of its name."""
        return self._folders.get(cell.key, self.folder / cell.name)

    def open(self, cell: Cell) -> Path:
        """The cell's folder, made where it is not there, without the torn files of a killed run."""
        folder = self.folder_of(cell)
        folder.mkdir(exist_ok=True)
        for torn in folder.glob(".*.tmp"):
            torn.unlink(missing_ok=True)
        return folder

    def read(self) -> dict[str, Record]:
        """All finished cells by key; a file that cannot be read counts as not finished."""
        finished: dict[str, Record] = {}
        for path in (self.results, *sorted(self.folder.glob(f"*/{_RESULT}"))):  # a cell's own file comes last and holds
            try:
                records = {record.cell.key: record for record in read_records(path)}
            except (OSError, ValueError, TypeError, AttributeError):
                continue
            finished |= records
            if path != self.results:
                self._folders |= dict.fromkeys(records, path.parent)
        return finished

    def write(self, record: Record) -> None:
        """Write a cell's result, whole or not at all; its other files are already there."""
        write_record(self.folder_of(record.cell) / _RESULT, record)


def read_records(path: Path) -> list[Record]:
    """The records of a result file, of one cell or of all; entries that no field has are left out.

    Raises:
        OSError, ValueError, TypeError, AttributeError: It cannot be read, is damaged, or is no result file.
    """
    known = {f.name for f in fields(Record)}
    content = json.loads(path.read_text(encoding="utf-8"))
    entries = content if isinstance(content, list) else [content]
    return [Record(**{key: value for key, value in with_versions(checked(entry)).items() if key in known}) for entry in entries]
