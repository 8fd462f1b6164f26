"""What correlation misses: the section of the report on pairs of numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape

import numpy as np
from scipy.stats import rankdata

from mine.formats import fixed
from mine.reporting.axes import in_reach
from mine.reporting.markup import head, number, table_of
from mine.reporting.panels import gap_plot
from mine.result import UNITS
from mine.tables.listing import strongest
from mine.tables.measured import Pairwise
from mine.tables.significance import is_found

__all__ = ["Gap", "gaps", "missed_section"]

#: Pairs that are listed, and what both correlations must miss (in nats or bits) for it.
LISTED, LEAST_MISSED = 10, 0.0005


@dataclass(frozen=True)
class Gap:
    """A pair of numbers: both correlations, what they explain at most, and the pair's information, in one unit.

    Attributes:
        x: Name of one column.
        y: Name of the other.
        pearson: Pearson's correlation.
        spearman: Spearman's, of the ranks.
        explained: The information of a normal pair with that Pearson correlation, or with that Spearman correlation if that is
            more.
        total: The estimate.
        low: The lower end of its interval.
    """

    x: str
    y: str
    pearson: float
    spearman: float
    explained: float
    total: float
    low: float

    @property
    def missed(self) -> float:
        """What neither correlation explains."""
        return self.total - self.explained


def gaps(pairwise: Pairwise) -> list[Gap]:
    """Every pair of numbers, the pairs that correlation misses most first.

    A normal pair of correlation r has the information ``-log(1 - r^2) / 2``, and the Spearman correlation s belongs to
    ``r = 2 sin(pi s / 6)``.

    References:
        Kruskal, 1958, 'Ordinal measures of association' (doi 10.2307/2281954), for Spearman's correlation of a normal pair.
    """
    scale = UNITS[pairwise.unit]
    out = []
    for cell in pairwise.cells:
        if cell.kind != "number-number" or cell.value is None:
            continue
        x, y = pairwise.columns[cell.x], pairwise.columns[cell.y]
        rows = x.present & y.present
        values = x.values[rows], y.values[rows]
        pearson, spearman = _correlation(*(in_reach(v)[0] for v in values)), _correlation(*map(rankdata, values))
        if not (math.isfinite(pearson) and math.isfinite(spearman)):
            continue
        explained = max(_of_normal(pearson), _of_normal(2 * math.sin(math.pi * spearman / 6)))
        low = -math.inf if cell.low is None else cell.low
        out.append(Gap(cell.x, cell.y, pearson, spearman, explained / scale, cell.value / scale, low / scale))
    return sorted(out, key=lambda gap: -gap.missed)


def missed_section(pairwise: Pairwise) -> str:
    """A picture of what correlations explain against the whole information, and the pairs that they miss most."""
    every = gaps(pairwise)
    if not every:
        return ""
    unit = pairwise.unit
    titles = [f"{g.x} and {g.y}: explained {fixed(g.explained)}, total {fixed(g.total)} {unit}" for g in every]
    svg = gap_plot([g.explained for g in every], [g.total for g in every], titles, unit)
    found = {(row["x"], row["y"]) for row in strongest(pairwise) if is_found(row)}
    listed = [g for g in every if (g.x, g.y) in found and g.missed >= LEAST_MISSED][:LISTED]
    names = [("x", False), ("y", False), ("Pearson", True), ("Spearman", True)]
    first = head([*names, ("explained", True), ("total", True), ("missed", True)])
    body = "".join(
        f'<tr><th scope="row">{escape(g.x)}</th><td class="name">{escape(g.y)}</td>{number(g.pearson, 2)}'
        f"{number(g.spearman, 2)}{number(g.explained)}{number(g.total)}{number(g.missed)}</tr>"
        for g in listed
    )
    table = (
        table_of("Most missed by correlation", first, body) if listed else "<p>No pair that was found has more than that.</p>"
    )
    surely = sum(g.low > g.explained for g in every)
    count = f"In {surely:,} of {len(every):,} pairs of numbers the whole interval lies above what correlation explains."
    return (
        f'<p>{count} <span class="soft">Explained is the information ({unit}) of a normal pair with the same Pearson '
        "correlation, or with the same Spearman correlation if that gives more. Above the line: curves that turn, clusters, "
        'changing spread. Below it: outliers that a correlation takes for information.</span></p><div class="beside">'
        f"{svg}{table}</div>"
    )


def _correlation(x: np.ndarray, y: np.ndarray) -> float:
    return float(np.corrcoef(x, y)[0, 1])


def _of_normal(r: float) -> float:
    """The information (nats) of a normal pair of correlation r."""
    return -0.5 * math.log1p(-min(r * r, 1 - 1e-12))
