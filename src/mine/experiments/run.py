"""``mine reproduce``: run the arms and seeds that are not finished, then say what came out."""

from __future__ import annotations

import json
import os
import time
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from zipfile import BadZipFile

from mine.benchmarking.provenance import environment
from mine.errors import InputError, renamed_arguments, warn_renamed
from mine.experiments.checkpoint import Checkpoint
from mine.experiments.experiment import DivergedError, Experiment
from mine.experiments.registry import get_experiment
from mine.experiments.store import Cell, Record, Store
from mine.experiments.summary import as_csv, as_markdown
from mine.progress import Callback, progress_callback
from mine.storage import versions
from mine.storage.files import write_whole
from mine.storage.seals import sealed
from mine.surroundings import plain_modes

__all__ = ["Reproduction", "reproduce"]

#: Parts of a cell that the progress bar distinguishes.
_PARTS = 1000


@dataclass(frozen=True)
class Reproduction:
    """A finished experiment.

    Attributes:
        experiment: What was run.
        records: One record per cell, arm by arm.
        files: The files written: JSON, CSV, Markdown and figures.
    """

    experiment: Experiment
    records: list[Record]
    files: list[Path]

    @property
    def line(self) -> str:
        """Deprecated: the table of ``str(...)`` has the published numbers in rows of their own."""
        warn_renamed("Reproduction.line", "str(Reproduction)")
        return str(self)

    def __str__(self) -> str:
        return as_markdown(self.experiment, self.records)


@renamed_arguments(seeds="n_repeats")
@plain_modes()
def reproduce(
    name: str | Experiment,
    *,
    out: str | os.PathLike[str],
    scale: str = "default",
    n_repeats: int | Sequence[int] = 1,
    arms: Sequence[str] | None = None,
    retry_failed: bool = False,
    device: str = "auto",
    progress: bool | Callback | None = None,
) -> Reproduction:
    """Run an experiment, or the rest of it: finished cells are reused, and an interrupted cell resumes from its checkpoint.

    All files are in ``out/NAME/SCALE``: ``cells`` with one folder per arm and seed, ``results.json``, ``table.csv``,
    ``summary.md`` and the figure. A ``results.json`` alone, as kept in this repository, can be extended too. The figure then
    shows only the cells whose files exist.

    Arguments:
        name: As in ``mine reproduce --list``, or an experiment.
        out: Folder. The same call with more repetitions or arms runs only the new cells. It reports all cells in the folder
            that have the same versions and settings.
        scale: ``"smoke"`` (does it run), ``"default"`` (two CPU cores) or ``"paper"`` (the paper's size).
        n_repeats: Number of repetitions, with the seeds 0, 1, 2 and so on; or a list of seeds.
        arms: Some of the arms; None for all.
        retry_failed: Run cells again whose training diverged.
        device: As in :func:`mine.estimate`. An interrupted cell may resume on another device.
        progress: As in :func:`mine.estimate`.

    Raises:
        UnknownNameError: No such experiment, scale, arm or device.
        InputError: ``n_repeats`` is empty, the device cannot be used, or ``out`` cannot be written.
    """
    from mine.data.problem import problem_device

    experiment = get_experiment(name) if isinstance(name, str) else name
    numbers = list(range(n_repeats)) if isinstance(n_repeats, int) else list(n_repeats)
    if not numbers or min(numbers) < 0 or len(set(numbers)) < len(numbers):
        raise InputError(f"n_repeats must be 1 or more, or different whole numbers from 0; got {n_repeats!r}.")
    chosen = list(experiment.arms) if arms is None else list(arms)
    where = problem_device(device)
    configs = {arm: experiment.config(arm, scale) for arm in chosen}
    cells = [_cell(experiment, scale, arm, seed) for arm in chosen for seed in numbers]

    folder = Path(out) / experiment.name / scale
    store = Store(folder)
    done = {key: record for key, record in store.read().items() if not (retry_failed and record.failed)}
    # Seed by seed, so that a run cut short has compared all arms on the seeds that are finished.
    todo = sorted((cell for cell in cells if cell.key not in done), key=lambda cell: cell.seed)
    with progress_callback(progress) as on_progress:
        for count, cell in enumerate(todo):
            message = f"{experiment.name}, {cell.arm}, seed {cell.seed}"
            done[cell.key] = _run(
                experiment, cell, configs[cell.arm], store, where, _nested(on_progress, count, len(todo), message)
            )
            store.write(done[cell.key])
            Checkpoint(store.folder_of(cell) / "checkpoint.pt").remove()

    records = _comparable(experiment, scale, done)
    files = _save(experiment, records, folder, store)
    return Reproduction(experiment, records, files)


def _cell(experiment: Experiment, scale: str, arm: str, seed: int) -> Cell:
    """The cell of today's settings and versions."""
    config = asdict(experiment.config(arm, scale))
    return Cell(experiment.name, scale, arm, seed, config, experiment.version, versions.NUMERICS)


def _comparable(experiment: Experiment, scale: str, done: dict[str, Record]) -> list[Record]:
    """The finished cells of today's settings and versions, arm by arm, from whichever call they are."""
    arms = list(experiment.arms)
    records = [
        record
        for key, record in done.items()
        if record.arm in arms and key == _cell(experiment, scale, record.arm, record.seed).key
    ]
    return sorted(records, key=lambda record: (arms.index(record.arm), record.seed))


def _nested(on_progress: Callback | None, count: int, total: int, message: str) -> Callback:
    """A cell's own steps as part of the whole run's."""

    def report(step: int, steps: int, detail: str) -> None:
        if on_progress is not None:
            place = f"{message}: {detail}" if detail else message
            on_progress(count * _PARTS + round(_PARTS * step / max(1, steps)), total * _PARTS, place)

    return report


def _run(experiment: Experiment, cell: Cell, config: object, store: Store, device: str, progress: Callback) -> Record:
    folder = store.open(cell)
    clock = _Clock(folder / "seconds.json")
    error, metrics = None, {}
    try:
        metrics = {
            key: float(value)
            for key, value in experiment.run(config, cell.seed, folder, clock.ticking(progress), device).items()
        }
    except DivergedError as raised:
        error = str(raised)
    record = Record(
        **vars(cell), package=versions.__version__, metrics=metrics, seconds=clock.seconds(), environment=environment(device),
        error=error,
    )  # fmt: skip
    clock.remove()
    return record


class _Clock:
    """Wall time of a cell over the runs that it takes, written down every few seconds."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.earlier = float(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            self.earlier = 0.0
        self.start = self.written = time.monotonic()

    def seconds(self) -> float:
        return self.earlier + time.monotonic() - self.start

    def ticking(self, progress: Callback) -> Callback:
        def report(done: int, total: int, message: str) -> None:
            if time.monotonic() - self.written > 5:
                self.written = time.monotonic()
                write_whole(self.path, lambda stream: stream.write(json.dumps(self.seconds()).encode()))
            progress(done, total, message)

        return report

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)


def _save(experiment: Experiment, records: list[Record], folder: Path, store: Store) -> list[Path]:
    """JSON, CSV, Markdown, and the figure where any cell has something to draw."""
    title = f"# {experiment.name}, {records[0].scale} scale\n\n{experiment.shows}\n\n"
    texts = {
        "results.json": json.dumps([sealed(asdict(record)) for record in records], allow_nan=False, indent=1) + "\n",
        "table.csv": as_csv(experiment, records),
        "summary.md": title + as_markdown(experiment, records),
    }
    for name, text in texts.items():
        content = text.encode()
        write_whole(folder / name, lambda stream, content=content: stream.write(content))
    good = [(record, store.folder_of(record.cell)) for record in records if not record.failed]
    if experiment.drawn_from is not None:
        good = [(record, path) for record, path in good if (path / experiment.drawn_from).is_file()]
    try:
        figures = experiment.plot(good, folder) if good else []
    except (ValueError, KeyError, EOFError, BadZipFile, zlib.error) as error:  # arrays of a cell, read for the figure
        raise InputError(
            f"The figure of {experiment.name} cannot be drawn, since a file in {store.folder} is damaged ({error}). Delete the "
            "folder of that cell, and run the command again."
        ) from error
    return [*(folder / name for name in texts), *figures]
