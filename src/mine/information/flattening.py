"""Where information stops rising with the width of a bottleneck, and the result of ``mine.shared_dimensions``."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np

from mine.data.frames import as_frame
from mine.formats import bracket, fixed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Gains", "SharedDimensions", "gains_of", "where_flat"]

#: Share of the information below which a further dimension does not count; and nats times rows below which nothing does.
SHARE, FLOOR = 0.02, 20.0
#: Standard errors that the first dimension must stand above nothing, and every further one above the ones before.
FIRST, FURTHER = 3.0, 2.33
#: A dimension is certain if its gain is so many times the share that counts, at the lower end of its interval.
CERTAIN = 2.5
#: How near (nats) to its most a bound can be told from it.
NEAREST = 0.02


@dataclass(frozen=True)
class SharedDimensions:
    """The result of :func:`mine.shared_dimensions`. Plain data.

    Attributes:
        dimensions: Number of dimensions that the two sides share: the narrowest bottleneck that a wider one does not beat.
        interval: Fewest and most dimensions that the rows allow. The upper end is infinite if the information still rises at
            the widest bottleneck.
        widths: Widths of the bottlenecks, from 1.
        values: Held-out lower bound on the information that passes each, in ``unit``.
        intervals: 95 % interval of each of these bounds.
        gains: The information that each width adds to the one before, in ``unit``.
        gain_intervals: 95 % interval of each gain, from paired rows.
        unit: ``"nats"`` or ``"bits"``.
        n: Number of rows.
        diagnostics: ``start_correlations`` (of the canonical directions, held out), ``hidden_nats`` (what so few rows in so
            many columns may hide), ``largest_resolvable_nats``, ``seconds``, ``warnings``, and more.
    """

    dimensions: int
    interval: tuple[int, float]
    widths: tuple[int, ...]
    values: tuple[float, ...]
    intervals: tuple[tuple[float, float], ...]
    gains: tuple[float, ...]
    gain_intervals: tuple[tuple[float, float], ...]
    unit: str
    n: int
    diagnostics: dict[str, Any] = field(default_factory=dict)

    @property
    def warnings(self) -> list[str]:
        """Sentences to read before quoting the number."""
        return list(self.diagnostics.get("warnings", []))

    def to_frame(self) -> Any:
        """One row per width as a frame of pandas (or of polars or pyarrow where that is missing).

        Columns: ``width``, ``value``, ``low`` and ``high`` of the bound; ``gain``, ``gain_low`` and ``gain_high``.
        """
        return as_frame(self._columns(), None)

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON-ready values: an infinite end is None."""
        low, high = self.interval
        return {
            "dimensions": self.dimensions,
            "interval": [low, int(high) if math.isfinite(high) else None],
            **self._columns(),
            "unit": self.unit,
            "n": self.n,
            "warnings": self.warnings,
        }

    def plot(self) -> Figure:
        """The information against the width, with error bars and the number of dimensions, as a matplotlib figure.

        Needs the extra ``plot``: ``pip install "torch-mine[plot]"``.
        """
        from mine.reporting.shared_dimensions import plot_shared_dimensions

        return plot_shared_dimensions(self)

    def _columns(self) -> dict[str, list[Any]]:
        return {
            "width": list(self.widths),
            "value": list(self.values),
            "low": [low for low, _ in self.intervals],
            "high": [high for _, high in self.intervals],
            "gain": list(self.gains),
            "gain_low": [low for low, _ in self.gain_intervals],
            "gain_high": [high for _, high in self.gain_intervals],
        }

    def __str__(self) -> str:
        low, high = self.interval
        range_ = f"{low} or more" if not math.isfinite(high) else f"{low} to {high:.0f}" if low < high else f"{low}"
        lines = [f"Shared dimensions: {self.dimensions}   interval {range_}   (n = {self.n:,})"]
        lines += [
            f"  width {width}: {fixed(value)} {self.unit}   gain {fixed(gain)} {bracket(*ends)}"
            for width, value, gain, ends in zip(self.widths, self.values, self.gains, self.gain_intervals, strict=True)
        ]
        for warning in self.warnings:
            lines += wrap(f"! {warning}", 110, initial_indent="  ", subsequent_indent="    ")
        return "\n".join(lines)


@dataclass(frozen=True)
class Gains:
    """What each width adds to each narrower one: ``mean[k, j]`` is width j less width k, ``stderr`` its standard error."""

    mean: np.ndarray
    stderr: np.ndarray
    n: int

    @property
    def counts(self) -> float:
        """The least gain that counts."""
        return max(SHARE * float(self.mean[0].max()), FLOOR / self.n)

    def resolved(self, cap: float) -> Gains:
        """The gains without what the bound hides near its most, ``cap`` nats.

        With m rows to choose from, I nats show as about v with ``e^-v = e^-I + 1 / m``: of equal gains the later ones look
        small. The standard errors are stretched as the gains are.
        """
        values = self.mean[0].clip(max=cap - NEAREST)
        shown = np.exp(-values)
        slopes = shown / (shown - math.exp(-cap))
        real = -np.log(shown - math.exp(-cap))
        apart = values - values[:, None]
        near = np.abs(apart) < 1e-3
        stretch = np.where(near, 0.5 * (slopes + slopes[:, None]), (real - real[:, None]) / np.where(near, 1.0, apart))
        return Gains(self.mean * stretch, self.stderr * stretch, self.n)


def gains_of(rows: np.ndarray, folds: np.ndarray, stderr: Callable[[np.ndarray], float], worth: int) -> Gains:
    """Paired differences of all widths.

    Their standard error is that of the rows, or that of the folds where these differ more: critics that find something by luck
    do not find it in every fold.

    Arguments:
        rows: Influence of each row on the bound of each width, shape (n, widths + 1).
        folds: Number of the fold of each row, shape (n,).
        stderr: Standard error of the mean of such influences.
        worth: Number of independent rows.
    """
    each = np.stack([rows[folds == fold].mean(0) for fold in np.unique(folds)])
    k = rows.shape[1]
    mean, error = np.zeros((k, k)), np.zeros((k, k))
    for i in range(k):
        for j in range(i + 1, k):
            gain = rows[:, j] - rows[:, i]
            between = (each[:, j] - each[:, i]).std(ddof=1) / len(each) ** 0.5
            mean[i, j], error[i, j] = gain.mean(), max(stderr(gain), between)
    return Gains(mean, error, worth)


def where_flat(gains: Gains) -> tuple[int, tuple[int, float]]:
    """The number of dimensions, and the fewest and most.

    A width is enough if no wider one adds a gain that both counts and stands clear of its standard error. Fewest: the first
    width beyond which no gain is certain. Most: the first width beyond which every gain certainly does not count.

    >>> mean = np.array([[0, 0.5, 0.9, 0.9], [0, 0, 0.4, 0.4], [0, 0, 0, 0], [0, 0, 0, 0]])
    >>> where_flat(Gains(mean, np.full((4, 4), 0.005), 5000))
    (2, (2, 2))
    """
    counts, widest = gains.counts, len(gains.mean) - 1

    def first(enough: Callable[[float, np.ndarray, np.ndarray], bool]) -> int:
        widths = range(widest)
        found = (k for k in widths if enough(FURTHER if k else FIRST, gains.mean[k, k + 1 :], gains.stderr[k, k + 1 :]))
        return next(found, widest)

    dimensions = first(lambda z, mean, error: not np.any((mean > z * error) & (mean > counts)))
    fewest = first(lambda z, mean, error: not np.any(mean - z * error > CERTAIN * counts))
    most = first(lambda z, mean, error: bool(np.all(mean + 1.96 * error <= counts)))
    return dimensions, (min(fewest, dimensions), max(most, dimensions))
