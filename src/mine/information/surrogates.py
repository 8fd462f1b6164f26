"""Shifted copies of a driver: what an estimate comes to where nothing can be driven, and how surely it is more than that."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from scipy.stats import pearson3, skew

from mine.data.subjects import Subjects
from mine.errors import InputError
from mine.progress import progress_callback
from mine.result import UNITS, Estimate
from mine.storage.cells import CellStore

__all__ = ["COPIES", "TRAINED_COPIES", "Copies", "Shift"]

#: By how many rows a driver is shifted, or each of several series.
Shift: TypeAlias = int | list[int]

#: Copies by default, and where each trains a network: the fewest that can reach 5 %.
COPIES, TRAINED_COPIES = 99, 19
#: A copy is shifted by so many times the longest lag at least, and by this share of the series, so that little of the true
#: order is left.
TIMES_THE_LAG, SHARE = 10, 20
#: Copies that reach a value from which on their share is its p-value, and the skewness of a tail at most: that of chi-square
#: with one degree of freedom. The level of the tail was measured on normal and chi-square values.
ENOUGH_REACHED, MOST_SKEWED = 5, 2.9


@dataclass(frozen=True)
class Copies:
    """``count`` copies of a driver of ``n`` rows, each shifted in time by another length, its end to its beginning.

    A copy keeps all that the driver is by itself, and has lost its time against the other series.

    Attributes:
        n: Rows of the series.
        longest: The longest lag that counts.
        count: Number of copies, at least 19.
        subjects: Which rows are whose where there are several series, each of which is shifted by itself.
    """

    n: int
    longest: int
    count: int
    subjects: Subjects | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.count, (int, np.integer)) or isinstance(self.count, bool) or self.count < TRAINED_COPIES:
            raise InputError(f"n_permutations must be an integer of at least {TRAINED_COPIES}, got {self.count!r}.")

    def shifts(self, seed: int = 0) -> np.ndarray:
        """By how many rows each copy is shifted, shape (count,): all different if there are enough rows.

        Of several series each has a shift of its own: shape (count, s).

        >>> shifts = Copies(1000, 2, 99).shifts()
        >>> len(set(shifts.tolist())), int(shifts.min()) >= 50, int(shifts.max()) <= 950
        (99, True, True)
        """
        rng = np.random.default_rng(seed)
        if self.subjects is not None:
            each = [self._possible(int(length)) for length in self.subjects.lengths]
            return np.stack([rng.choice(possible, self.count) for possible in each], 1)
        possible = self._possible(self.n)
        return rng.choice(possible, self.count, replace=self.count > len(possible))

    def _possible(self, n: int) -> np.ndarray:
        least = min(max(TIMES_THE_LAG * self.longest, n // SHARE), n // 4)
        return np.arange(least, n - least + 1)

    def values(self, value: Callable[[Shift], float], store: CellStore, progress: Any) -> np.ndarray:
        """``value`` (nats) of every shift, shape (count,), each kept in ``store``."""
        found: list[float] = []
        with progress_callback(progress) as on_progress:
            for shift in self.shifts().tolist():
                if on_progress is not None:
                    on_progress(len(found), self.count, f"{len(found):,} of {self.count:,} shifted copies")
                found.append(store.fetch(f"shift {shift}", lambda shift=shift: {"nats": value(shift)})["nats"])
        return np.array(found)

    def effective(self, found: Estimate, value: Callable[[Shift], float], store: CellStore, progress: Any) -> Estimate:
        """``found`` less the mean of the copies, with its p-value ``(b + 1) / (m + 1)``.

        Arguments:
            found: The estimate of the series as they are.
            value: The value (nats) by the same method for a driver that is shifted by so many rows.
            store: Keeps the values.
            progress: As in :func:`mine.estimate`.
        """
        values = self.values(value, store, progress)
        p_value = float(((values / UNITS[found.unit] >= found.value).sum() + 1) / (self.count + 1))
        return replace(self.less_their_mean(found, values), p_value=p_value)

    def less_their_mean(self, found: Estimate, values: np.ndarray) -> Estimate:
        """``found`` less the mean of the copies' ``values`` (nats), whose own error widens the interval."""
        copies = values / UNITS[found.unit]
        mean, spread = float(copies.mean()), float(copies.std(ddof=1))
        error = spread / self.count**0.5
        (low, high), raw = found.interval, found.value
        below, above = (float(np.hypot(reach, 1.96 * error)) for reach in (raw - low, high - raw))
        diagnostics = {**found.diagnostics, "uncorrected": raw, "copies_mean": mean, "copies_std": spread}
        return replace(
            found,
            value=raw - mean,
            lower_bound=None,
            stderr=float(np.hypot(found.stderr, error)),
            interval=(raw - mean - below, raw - mean + above),
            method=f"{found.method}, effective",
            diagnostics={**diagnostics, "n_permutations": self.count},
        )

    def tail_p(self, values: np.ndarray, value: float) -> float:
        """The p-value of ``value`` against the copies' ``values``, both in nats, beyond what they can count.

        If several copies reach it, it is their share. Else it is the tail of a Pearson III distribution with their mean, spread
        and skewness, the last two taken larger by what so few copies leave uncertain.

        >>> values = np.random.default_rng(0).normal(size=99)
        >>> copies = Copies(1000, 1, 99)
        >>> copies.tail_p(values, 0.0) > 0.3, 1e-5 < copies.tail_p(values, 4.0) < 2e-3
        (True, True)
        """
        reached, m = int((values >= value).sum()), self.count
        if reached >= ENOUGH_REACHED:
            return (reached + 1) / (m + 1)
        spread = float(values.std(ddof=1))
        if spread == 0:
            return (reached + 1) / (m + 1)
        skewness = max(0.0, float(skew(values, bias=False))) + math.sqrt(6 / m)
        wider = spread * math.sqrt(1 + 1 / m) * (1 + 0.5 / math.sqrt(m))
        return float(pearson3.sf((value - values.mean()) / wider, min(skewness, MOST_SKEWED)))
