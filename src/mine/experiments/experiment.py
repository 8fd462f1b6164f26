"""What an experiment is: arms that are compared, scales to run them at, what is measured and what others published."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from mine.errors import MineError, UnknownNameError

if TYPE_CHECKING:
    from mine.experiments.store import Record
    from mine.experiments.targets import Target, Values

__all__ = ["SCALES", "DivergedError", "Experiment", "Metric", "Progress"]

SCALES = ("smoke", "default", "paper")

#: What ``run`` calls: steps done, steps in all, what is being done.
Progress: TypeAlias = Callable[[int, int, str], None]


class DivergedError(MineError):
    """Training gave numbers that are not finite: the cell counts as failed, and the others go on."""


@dataclass(frozen=True)
class Metric:
    """One measured number.

    Attributes:
        key: Its name in the result files.
        label: Its name in tables, with the unit.
        digits: Decimals in tables.
        scale: What tables multiply by, such as 100 for a percentage.
        published: What others published, as they print it, by arm; ``"–"`` for what one would like to know and nobody printed.
        better: ``"more"`` or ``"less"``, so that the page can say whether a published number is reached; ``""`` if neither is.
    """

    key: str
    label: str
    digits: int = 2
    scale: float = 1.0
    published: Mapping[str, str] = field(default_factory=dict)
    better: str = ""


@dataclass(frozen=True)
class Experiment:
    """A figure or table of a paper, to be run again.

    Attributes:
        name: As on the command line.
        shows: One line.
        source: Paper and place, and where the published numbers are from.
        arms: What is compared: the fields of the config that an arm sets, by the arm's name.
        scales: A frozen dataclass, the config, for each of ``"smoke"``, ``"default"`` and ``"paper"``.
        minutes: How long one arm and seed takes at each scale on two cores, roughly.
        metrics: What a cell gives, in the order of the table.
        run: ``(config, seed, folder, progress, device) -> numbers by key``. It writes what the figure needs into ``folder``,
            keeps a :class:`mine.experiments.checkpoint.Checkpoint` there, takes all randomness from ``seed``, and trains on the
            device of that name what is not too small for it.
        plot: ``(records with their folders, folder) -> files``, called when all cells are finished.
        drawn_from: The file in a cell's folder that ``plot`` reads; cells of which only the numbers are kept are not drawn.
            None where the numbers are all it needs.
        targets: What the larger scales have to reach, for the verdict on the page.
        seen: One or two sentences with the numbers of a run, for the page; ``shows`` stands there if an arm is missing.
        limits: How the default scale differs from the paper, and what its numbers do not show.
        version: Raised, by one, by the commit that means to change what the experiment's cells come to. Stored cells of another
            version do not count. Whoever raises ``NUMERICS`` runs the experiments that the change reaches, and raises theirs.
    """

    name: str
    shows: str
    source: str
    arms: Mapping[str, Mapping[str, Any]]
    scales: Mapping[str, Any]
    minutes: Mapping[str, float]
    metrics: Sequence[Metric]
    run: Callable[[Any, int, Path, Progress, str], Mapping[str, float]]
    plot: Callable[[Sequence[tuple[Record, Path]], Path], Sequence[Path]]
    targets: Sequence[Target] = ()
    seen: Callable[[Values], str] | None = None
    limits: str = ""
    drawn_from: str | None = None
    version: int = 1

    def config(self, arm: str, scale: str) -> Any:
        """The config of an arm at a scale.

        Raises:
            UnknownNameError: No such arm or scale.
        """
        if arm not in self.arms:
            raise UnknownNameError("arm", arm, self.arms)
        if scale not in self.scales:
            raise UnknownNameError("scale", scale, self.scales)
        return replace(self.scales[scale], **self.arms[arm])
