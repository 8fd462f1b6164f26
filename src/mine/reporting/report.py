"""``mine.report``: the page on a table, from Python and in a notebook."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from mine.data.columns import DiscreteSpec
from mine.data.frames import as_frame
from mine.errors import InputError
from mine.escapes import printable
from mine.reporting.page import render_report
from mine.storage.files import check_place, write_whole
from mine.storage.versions import __version__
from mine.surroundings import plain_modes
from mine.tables.listing import as_terminal
from mine.tables.measured import Pairwise
from mine.tables.pairwise import measure

__all__ = ["Report", "report", "write_page"]

#: Pairs that are printed, letters of a line, and the height of the page in a notebook, in pixels.
PRINTED, WIDTH, HEIGHT = 10, 120, 800


@dataclass(frozen=True, repr=False)
class Report:
    """A page on a table: shown in a notebook, written by :meth:`save`; printed, it lists the strongest pairs.

    Attributes:
        html: The page, with all that it needs inside.
        pairwise: What was measured.
        source: The table: :meth:`to_frame` gives a frame of its library.
    """

    html: str = field(compare=False)
    pairwise: Pairwise
    source: Any = field(default=None, compare=False)

    def save(self, path: str | Path) -> Path:
        """Write the page, whole or not at all.

        Arguments:
            path: The file, whose name ends in ``.html``.

        Returns:
            The file.

        Raises:
            InputError: Another ending, a folder that does not exist, or a place that cannot be written.
        """
        path = Path(path)
        if path.suffix.lower() not in (".html", ".htm"):
            raise InputError(f"A report cannot be written as {path.name!r}: end the name in .html.")
        try:
            check_place(path)
            write_page(path, self.html)
        except OSError as error:
            raise InputError(f"The report cannot be written to {path}: {error.strerror or error}.") from error
        return path

    def to_frame(self) -> Any:
        """The pairs, one row each, as :func:`mine.pairwise` returns them."""
        return as_frame(self.pairwise.records(), self.source)

    def __repr__(self) -> str:
        return printable(as_terminal(self.pairwise, PRINTED, WIDTH))

    def _repr_html_(self) -> str:
        """The page in a frame of its own: its styles stay away from the notebook's."""
        style = f"width:100%;height:{HEIGHT}px;border:1px solid #8884;border-radius:6px"
        return f'<iframe title="Report" style="{style}" srcdoc="{escape(self.html)}"></iframe>'


def write_page(path: Path, html: str) -> None:
    """Write a page, whole or not at all; names in it may hold any byte.

    Raises:
        OSError: The file cannot be written.
    """
    write_whole(path, lambda stream: stream.write(html.encode(errors="backslashreplace")))


@plain_modes()
def report(
    data: Any,
    target: Any = None,
    *,
    title: str = "Table",
    test: bool = True,
    effort: str = "screen",
    discrete: DiscreteSpec = None,
    groups: Any = None,
    order: Any = None,
    drop_missing: bool = True,
    parse: bool = False,
    unit: str = "nats",
    random_state: int | np.random.Generator | np.random.RandomState | None = None,
    out: str | Path | None = None,
    n_jobs: int | None = None,
    progress: bool | Callable[[int, int, str], None] | None = None,
) -> Report:
    """A page on a whole table: strongest dependences, all pairs at a glance, what correlation misses, every column.

    The same page as the command ``mine report`` writes. It loads nothing from the network.

    Arguments:
        data: A pandas, polars or other frame; or an array or tensor of shape (n, d).
        target: Names of columns to pair with every other column. None takes all pairs.
        title: Of the page.
        test: Permutation tests of independence: without them a pair counts as found if its interval lies above 0.
        effort: As in :func:`mine.pairwise`.
        discrete: As in :func:`mine.pairwise`.
        groups: As in :func:`mine.pairwise`.
        order: As in :func:`mine.pairwise`.
        drop_missing: As in :func:`mine.pairwise`.
        parse: As in :func:`mine.pairwise`.
        unit: ``"nats"`` or ``"bits"``.
        random_state: As in :func:`mine.pairwise`.
        out: As in :func:`mine.pairwise`.
        n_jobs: As in :func:`mine.pairwise`.
        progress: As in :func:`mine.pairwise`.

    Returns:
        The report: the last line of a notebook's cell shows it, ``.save("report.html")`` writes it.

    Raises:
        InputError: As :func:`mine.pairwise`.
        UnknownNameError: As :func:`mine.pairwise`.

    Example:
        >>> import mine
        >>> rng = np.random.default_rng(0)
        >>> a = rng.normal(size=200); table = np.stack([a, a + rng.normal(size=200), rng.normal(size=200)], 1)
        >>> page = mine.report(table, random_state=0)
        >>> page.save("report.html").name, page.html.startswith("<!DOCTYPE html>")
        ('report.html', True)
    """
    pairs = measure(
        data, target, test=test, effort=effort, discrete=discrete, groups=groups, order=order, drop_missing=drop_missing,
        parse=parse, unit=unit, random_state=random_state, out=out, n_jobs=n_jobs, progress=progress,
    )  # fmt: skip
    seed = repr(random_state) if isinstance(random_state, (int, np.integer)) else "none: another call draws other numbers"
    settings = {"torch-mine": __version__, "effort": effort, "seed": seed, "unit": unit}
    call = f"mine.report(data{'' if target is None else ', target=...'})"
    return Report(render_report(pairs, title=title, command=call, settings=settings), pairs, data)
