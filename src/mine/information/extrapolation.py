"""The line through estimates on smaller and smaller parts of the rows: its intercept, its error, and whether it is a line."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from mine.formats import bracket, fixed
from mine.result import Estimate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Line", "SampleSizeCheck", "fitted_line", "nested_parts", "summed_up"]

#: Level of the test of straightness.
LEVEL = 0.05


@dataclass(frozen=True)
class SampleSizeCheck:
    """The result of :func:`mine.sample_size_check`, as plain data.

    Attributes:
        value: The estimate extrapolated to unlimited rows, in ``unit``.
        interval: 95 % interval of the true value. No line removes an error that does not shrink with n, such as a critic that
            misses dependence: what the interval of ``estimate`` holds beyond sampling error is kept on either side. If the
            points are not on a line, it also contains that interval.
        line_interval: 95 % interval of the intercept alone, if the error is proportional to ``1 / n``.
        estimate: The estimate on all rows, as :func:`mine.estimate` gives it.
        sizes: Rows of the parts of each level, largest first.
        values: The estimates on the parts of each level.
        straight: Whether the points may lie on a line: False if the test rejects it at the 5 % level.
        p_value: Of the test that the mean values lie on a line in ``1 / n``.
        unit: ``"nats"`` or ``"bits"``.
        warnings: Sentences to read before quoting the number.
    """

    value: float
    interval: tuple[float, float]
    line_interval: tuple[float, float]
    estimate: Estimate
    sizes: tuple[int, ...]
    values: tuple[tuple[float, ...], ...]
    straight: bool
    p_value: float
    unit: str
    warnings: list[str] = field(default_factory=list)

    @property
    def means(self) -> tuple[float, ...]:
        """Mean estimate of each level, as ``sizes``."""
        return tuple(float(np.mean(level)) for level in self.values)

    @property
    def settled(self) -> bool:
        """True if the points are straight and the step from all rows to unlimited rows is within the interval of ``estimate``.

        If that interval has an open end, half the width of ``line_interval`` stands in its place.
        """
        half = (self.line_interval[1] - self.line_interval[0]) / 2
        low, high = self.estimate.interval
        low = low if math.isfinite(low) else self.estimate.value - half
        high = high if math.isfinite(high) else self.estimate.value + half
        return self.straight and low <= self.value <= high

    @property
    def sentence(self) -> str:
        """The finding in plain words."""
        by = self.means[0] - self.means[1]
        moved = f"From half of the {self.estimate.n:,} rows to all of them the estimate moved by {by:+.3f} {self.unit}"
        if not self.straight:
            return f"{moved}, and the points are not on a line in 1 / n: there are too few rows for this method."
        change = "a step within its error" if self.settled else "a step beyond its error, so that more rows would change it"
        return f"{moved}. With unlimited rows it would be about {self.value:.3f}: {change}."

    def to_dict(self) -> dict[str, Any]:
        """The fields as JSON-ready values: a number that is not finite is None."""
        return {
            "value": _finite(self.value),
            "interval": [_finite(end) for end in self.interval],
            "line_interval": [_finite(end) for end in self.line_interval],
            "straight": self.straight,
            "settled": self.settled,
            "p_value": _finite(self.p_value),
            "sizes": list(self.sizes),
            "values": [[_finite(value) for value in level] for level in self.values],
            "unit": self.unit,
            "estimate": self.estimate.to_dict(),
            "sentence": self.sentence,
            "warnings": list(self.warnings),
        }

    def plot(self) -> Figure:
        """The estimates against ``1 / n`` with the line and its intercept, as a matplotlib figure.

        Needs the extra ``plot``: ``pip install "torch-mine[plot]"``.
        """
        from mine.reporting.sample_size import plot_sample_size

        return plot_sample_size(self)

    def __str__(self) -> str:
        lines = [
            f"Extrapolated: {fixed(self.value)} {self.unit}   95 % interval {bracket(*self.interval)}",
            *wrap(self.sentence, 100, initial_indent="  ", subsequent_indent="  "),
            *(
                f"  {size:>9,} rows: {fixed(mean)}" + (f" (mean of {len(level)})" if len(level) > 1 else "")
                for size, mean, level in zip(self.sizes, self.means, self.values, strict=True)
            ),
        ]
        return "\n".join([*lines, *(f"  ! {warning}" for warning in self.warnings)])


def summed_up(whole: Estimate, values: Sequence[Sequence[float]], sizes: Sequence[int]) -> SampleSizeCheck:
    """The result of the estimate on all rows and of the values on the parts of each level, all in one unit."""
    line = fitted_line(values, whole.stderr)
    straight = line.p_value >= LEVEL
    half = line.interval[1] - line.intercept
    low, high = (math.hypot(half, _beyond_sampling(whole, end)) for end in (0, 1))
    interval, warnings = (line.intercept - low, line.intercept + high), list(whole.warnings)
    if not straight:
        interval = min(interval[0], whole.interval[0]), max(interval[1], whole.interval[1])
        warnings.insert(
            0,
            f"The estimates do not lie on a line in 1 / n (p = {line.p_value:.2g}): there are too few rows for this method, "
            "and the extrapolated value means little. Use more rows, fewer columns, or a method made for these data.",
        )
    return SampleSizeCheck(
        value=line.intercept, interval=interval, line_interval=line.interval, estimate=whole, sizes=tuple(sizes),
        values=tuple(tuple(level) for level in values), straight=straight, p_value=line.p_value, unit=whole.unit,
        warnings=warnings,
    )  # fmt: skip


def _finite(number: float) -> float | None:
    return float(number) if math.isfinite(number) else None


def _beyond_sampling(estimate: Estimate, end: int) -> float:
    """How far an end of the interval reaches beyond sampling error; 0 for a method without an error bar."""
    if not math.isfinite(estimate.stderr):
        return 0.0
    reach = abs(estimate.interval[end] - estimate.value)
    return math.sqrt(max(reach**2 - (1.96 * estimate.stderr) ** 2, 0.0))


def nested_parts(sequence: np.ndarray, levels: int) -> list[list[np.ndarray]]:
    """The sequence, its two halves, their four halves, and so on.

    >>> nested_parts(np.arange(4), 3)[1:]
    [[array([0, 1]), array([2, 3])], [array([0]), array([1]), array([2]), array([3])]]
    """
    parts = [[sequence]]
    while len(parts) < levels:
        parts.append([half for part in parts[-1] for half in np.array_split(part, 2)])
    return parts


@dataclass(frozen=True)
class Line:
    """A line through the mean values of the levels, against the number of parts, which is ``n`` times ``1 / size``.

    Attributes:
        intercept: Its value at no parts, that is, at unlimited rows.
        slope: Change per part.
        interval: 95 % interval of the intercept.
        p_value: Of the test that the means lie on a line.
    """

    intercept: float
    slope: float
    interval: tuple[float, float]
    p_value: float


def fitted_line(values: Sequence[Sequence[float]], stderr: float) -> Line:
    r"""Fit the line to nested values: part i of a level consists of the parts 2 i and 2 i + 1 of the next level.

    The error of a value on one of g parts has two pieces, both of a variance proportional to g. The first is the sampling error
    of the mean log-ratio. It is the same for the mean of every level, since all levels consist of the same rows, so that it
    moves the whole line and does not bend it. The second, of variance ``kappa g``, belongs to the part: training, and the
    bias of these very rows. A part minus the mean of its two halves is free of the first piece and has variance
    ``2 kappa g``, which gives ``kappa``. The mean of each level then has variance ``kappa``, whatever the level: the weights
    of the line are equal, which weighs each part by its rows.

    Arguments:
        values: The values of each level, 1, 2, 4, ... of them.
        stderr: Standard error of the value on all rows, or NaN: the sampling error is taken to be at least as large.
    """
    parts = np.array([len(level) for level in values], float)
    means = np.array([np.mean(level) for level in values])
    kappa, kappa_df = _own_variance(values)
    slope, intercept = np.polyfit(parts, means, 1)
    residuals = means - intercept - slope * parts
    misfit = float(residuals @ residuals) / (len(parts) - 2)
    tiny = 1e-18 * max(1.0, float(np.abs(means).max())) ** 2  # rounding
    p_value = float(stats.f.sf(misfit / max(kappa, tiny), len(parts) - 2, kappa_df)) if misfit > tiny else 1.0

    leverage = 1 / len(parts) + parts.mean() ** 2 / float(((parts - parts.mean()) ** 2).sum())
    sampling, sampling_df = _sampling_variance(values, kappa, stderr)
    half = _half_width((sampling, sampling_df), (leverage * kappa, kappa_df))
    return Line(float(intercept), float(slope), (float(intercept) - half, float(intercept) + half), p_value)


def _own_variance(values: Sequence[Sequence[float]]) -> tuple[float, float]:
    """``kappa`` of :func:`fitted_line` and its degrees of freedom, from parts minus the mean of their halves."""
    total, df = 0.0, 0
    for level, halves in itertools.pairwise(values):
        moved = np.asarray(level) - np.asarray(halves).reshape(-1, 2).mean(1)
        total += float(((moved - moved.mean()) ** 2).sum()) / (2 * len(level))
        df += len(level) - 1
    return total / df, df


def _sampling_variance(values: Sequence[Sequence[float]], kappa: float, stderr: float) -> tuple[float, float]:
    """Variance of the sampling error on all rows: from the spread of the smallest parts, and at least ``stderr ** 2``."""
    smallest = np.asarray(values[-1])
    spread = max(float(smallest.var(ddof=1)) / len(smallest) - kappa, 0.0)
    if math.isfinite(stderr) and stderr**2 > spread:
        return stderr**2, math.inf
    return spread, len(smallest) - 1


def _half_width(*pieces: tuple[float, float]) -> float:
    """Of a 95 % interval with these variances and their degrees of freedom (Satterthwaite, 1946)."""
    variance = sum(v for v, _ in pieces)
    uncertain = sum(v**2 / df for v, df in pieces)
    if variance == 0:
        return 0.0
    df = variance**2 / uncertain if uncertain > 0 else math.inf
    return float(stats.t.ppf(0.975, df)) * math.sqrt(variance) if math.isfinite(df) else 1.96 * math.sqrt(variance)
