"""The result of a lag scan: information against lag, with intervals, p-values and what unrelated series show by chance."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mine.data.frames import as_frame
from mine.formats import bracket, fixed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["LEVEL", "LagScan"]

#: Adjusted p-value up to which a lag stands out.
LEVEL = 0.05
#: Lags that the text lists at most.
LISTED = 5


@dataclass(frozen=True, eq=False, repr=False)
class LagScan:
    """Information of two series against the lag between them. Plain data.

    Attributes:
        lags: Rows by which x is earlier, shape (k,), increasing; where negative, y is earlier.
        values: Estimate of ``I(X_{t-lag}; Y_t)`` in ``unit``, shape (k,).
        intervals: 95 % interval of each value, shape (k, 2); each for its lag alone. An end is infinite if it is open.
        p_values: Shape (k,), adjusted for all lags together: under independence any is at most 0.05 in one of twenty scans. NaN
            if the rows are too few for a test.
        null_band: Information in ``unit`` that the strongest of the lags seems to have by chance in one of twenty pairs of
            unrelated series of the same memory: what a lag needs to stand out, if its dependence is monotone. NaN likewise.
        n: Rows of either series.
        independent_rows: Rows that these are worth.
        method: The name of the estimator.
        unit: ``"nats"`` or ``"bits"``.
        warnings: Sentences to read before quoting the numbers.
    """

    lags: np.ndarray
    values: np.ndarray
    intervals: np.ndarray
    p_values: np.ndarray
    null_band: float
    n: int
    independent_rows: int
    method: str
    unit: str = "nats"
    warnings: list[str] = field(default_factory=list)

    @property
    def significant(self) -> np.ndarray:
        """True for each lag that stands out, with an adjusted p-value of 0.05 or less; shape (k,)."""
        return self.p_values <= LEVEL

    @property
    def best(self) -> int | None:
        """The lag with the largest value among those that stand out; None if none does."""
        found = np.flatnonzero(self.significant)
        return int(self.lags[found[self.values[found].argmax()]]) if len(found) else None

    def records(self) -> dict[str, list[Any]]:
        """The columns of :meth:`to_frame` by name, each with one entry per lag."""
        return {
            "lag": self.lags.tolist(),
            "value": self.values.tolist(),
            "low": self.intervals[:, 0].tolist(),
            "high": self.intervals[:, 1].tolist(),
            "p": self.p_values.tolist(),
            "unit": [self.unit] * len(self.lags),
        }

    def to_frame(self) -> Any:
        """One row per lag, as a frame of pandas (or of polars or pyarrow where that is missing).

        Columns: ``lag``, ``value``, ``low``, ``high``, ``p`` (adjusted for all lags), ``unit``.
        """
        return as_frame(self.records(), None)

    def plot(self) -> Figure:
        """Information against lag with its intervals and the null band, as a matplotlib figure.

        Needs the extra ``plot``: ``pip install "torch-mine[plot]"``.
        """
        from mine.reporting.lags import plot_lags

        return plot_lags(self)

    def __str__(self) -> str:
        head = f"Information at {len(self.lags)} lags from {self.lags[0]} to {self.lags[-1]}, n = {self.n:,}, {self.method}"
        found = np.flatnonzero(self.significant)
        if math.isnan(self.null_band):
            lines = ["  no test: too few rows for so many lags"]
        elif not len(found):
            lines = [f"  no lag stands out: p = {self.p_values.min():.2g} or more for all lags together"]
        else:
            lines = [f"  {len(found)} stand out (p ≤ {LEVEL:g} for all lags together); the strongest:"]
            strongest = found[np.argsort(-self.values[found], kind="stable")][:LISTED]
            lines += [f"  {self._line(i)}" for i in strongest]
        return "\n".join([head, *lines, *(f"  ! {warning}" for warning in self.warnings)])

    def _line(self, i: int) -> str:
        lag, (low, high) = int(self.lags[i]), self.intervals[i]
        who = "both at once" if lag == 0 else f"{'x' if lag > 0 else 'y'} leads by {abs(lag)}"
        shown = f"{fixed(self.values[i], 3)} {self.unit} {bracket(low, high, 3)}"
        return f"lag {lag:4d}   {shown}   p = {self.p_values[i]:.2g}   {who}"

    __repr__ = __str__
