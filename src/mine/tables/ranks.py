"""Whether the strongest pairs of a table really differ: each against the next, on the rows that they share."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mine.data.problem import Problem
from mine.errors import NotEnoughDataError
from mine.estimators.counts.choose import information
from mine.estimators.counts.table import distinct_codes
from mine.estimators.gaussian import GaussianCopula
from mine.estimators.ties import TiesError
from mine.result import Estimate
from mine.tables.blocks import Cell, cell_seed
from mine.tables.columns import Column, row_copies
from mine.tables.measured import Pairwise
from mine.tables.significance import LEVEL

__all__ = ["Rank", "ranks"]

#: Rows for each of the cells that two columns of numbers are cut into, and cells of a column at most.
ROWS_PER_CELL, MOST_CELLS = 5, 32


@dataclass(frozen=True)
class Rank:
    """A pair, the next one in the order of values, and the difference of their values in the unit of the table."""

    pair: tuple[str, str]
    next: tuple[str, str]
    difference: Estimate

    @property
    def above(self) -> bool:
        """Whether the whole interval of the difference lies above 0."""
        return self.difference.interval[0] > 0


def ranks(pairwise: Pairwise, places: int) -> list[Rank]:
    """The difference of each of the first ``places`` pairs from the next one.

    The differences are those of the values in the table, with its standard errors. How far the errors of two pairs are shared
    comes from log-ratios of their rows that need no training: by a Gaussian copula, or from a contingency table in which
    numbers are cut into cells. Coarse ones make the correlation smaller and so the interval wider, not narrower.

    Arguments:
        pairwise: A measured table; of one with a test, the pairs that it told from independence.
        places: Number of differences at most.
    """
    found = [True] * len(pairwise.cells) if pairwise.q is None else [q is not None and q <= LEVEL for q in pairwise.q]
    known = [
        (cell.value, cell)
        for cell, counts in zip(pairwise.cells, found, strict=True)
        if counts and cell.value is not None and cell.value > 0
    ]
    ordered = sorted((item for item in known if not item[1].unidentifiable), key=lambda item: -item[0])
    cells = [cell for _, cell in ordered[: places + 1]]
    groups, _ = row_copies(list(pairwise.columns.values()))
    estimates = [_estimate(cell, pairwise.columns, groups) for cell in cells]
    return [
        Rank((a.x, a.y), (b.x, b.y), one.difference(other, paired=True).to(pairwise.unit))
        for a, b, one, other in zip(cells, cells[1:], estimates, estimates[1:], strict=False)
    ]


def _estimate(cell: Cell, columns: dict[str, Column], groups: np.ndarray | None) -> Estimate:
    """A cell of the table as an estimate (nats) from all rows of the table, of which some did not contribute."""
    assert cell.value is not None and cell.stderr is not None
    interval = (-math.inf if cell.low is None else cell.low, math.inf if cell.high is None else cell.high)
    rows = _contributions(cell, columns)
    return Estimate(
        cell.value, cell.lower_bound, cell.stderr, interval, cell.method, len(rows), influence=rows, groups=groups
    )  # fmt: skip


def _contributions(cell: Cell, columns: dict[str, Column]) -> np.ndarray:
    """How far each row of the table moved the cell's value, as deviations in a mean over all rows, shape (rows,).

    Rows that the pair did not use moved it by nothing: two pairs share the error of the rows that both used. If the cell
    comes from a random part of its rows, another random part of that size overlaps with the other pair's as much on average.
    """
    x, y = columns[cell.x], columns[cell.y]
    rows = np.flatnonzero(x.present & y.present)
    if cell.n < len(rows):
        rows = np.sort(np.random.default_rng(cell_seed(0, cell.x, cell.y)).choice(rows, cell.n, replace=False))
    log_ratios = _of_copula(cell, x, y, rows)
    if log_ratios is None:
        log_ratios = _of_table(x, y, rows)
    out = np.zeros(len(x.values))
    out[rows] = (log_ratios - log_ratios.mean()) * len(out) / len(rows)
    return out


def _of_copula(cell: Cell, x: Column, y: Column, rows: np.ndarray) -> np.ndarray | None:
    """Log-ratios of a Gaussian copula, shape of ``rows``; None unless it accounts for most of the cell's value."""
    if x.kind != "number" or y.kind != "number":
        return None
    try:
        found = GaussianCopula().run(Problem(x.variable(rows), y.variable(rows)))
    except (NotEnoughDataError, TiesError):
        return None
    return found.influence if found.value > 0.5 * (cell.value or 0.0) else None


def _of_table(x: Column, y: Column, rows: np.ndarray) -> np.ndarray:
    """Log-ratios of the contingency table of labels, and of numbers cut into cells, shape of ``rows``."""
    budget = len(rows) / ROWS_PER_CELL
    levels = [len(column.levels) if column.kind == "label" else None for column in (x, y)]
    known = [count for count in levels if count is not None]
    each = budget / known[0] if len(known) == 1 else math.sqrt(budget)
    cells = int(np.clip(each, 2, MOST_CELLS))
    return information(*(_codes(column, rows, cells) for column in (x, y))).influence


def _codes(column: Column, rows: np.ndarray, cells: int) -> np.ndarray:
    """Labels, or numbers in cells of about equally many rows, as integers from 0 with no number left out."""
    values = column.values[rows]
    if column.kind == "number":
        values = np.searchsorted(np.sort(values), values) * cells // len(values)  # tied values share a cell
    return distinct_codes(values.astype(np.int64))
