"""Mixtures of ratios where frequent and rare levels differ: one for each band of the levels of one column, or of both."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mine.estimators.counts.mixture import RatioFit, fit_ratios
from mine.estimators.counts.table import Margin, Table

__all__ = ["BandedFit", "fit_bands"]

#: Levels share a band if the logarithms of their counts round to the same multiple of this.
BAND_STEP = math.log(2.0)
#: Log-likelihood that each band must add. Chosen on 500 random tables of nine kinds (4 to 3,000 levels, 60 to 20,000 rows).
WORTH_A_BAND = 2.0
#: Bands of each column at most where pairs of them are told apart, and rows per level from which they are: with 10, mixtures of
#: pairs were likelier and yet farther off (hubs among 1,000 rare levels); with 12 to 50 they erred a tenth as much as others.
MOST_BANDS, ROWS_FOR_PAIRS = 4, 12


@dataclass(frozen=True)
class BandedFit:
    """Two fits of one table.

    Attributes:
        plain: One mixture for all cells.
        banded: One for each band of the levels of x, or of y, or for each pair of them, whichever makes the counts likelier;
            ``plain`` if none does so by enough.
    """

    plain: RatioFit
    banded: RatioFit


def fit_bands(table: Table) -> BandedFit:
    """Fit the ratios of ``table`` with and without bands.

    With rare and frequent levels the ratios depend on how frequent a level is. In a noisy copy with uniform noise, a rare
    level's rows are mostly noise and a frequent level's are mostly copies. One distribution for all then mixes what is known
    apart, and the information is wrong by a tenth or more. Within a band of equally frequent levels of one column it holds. If
    the noise of a level depends on how frequent it is, too, it only holds within a band of both.
    """
    plain = fit_ratios(table)
    x, y = _bands(table.x), _bands(table.y)
    choices = [(np.zeros_like(x), y), (x, np.zeros_like(y))]
    if table.n >= ROWS_FOR_PAIRS * max(len(table.x), len(table.y)):
        choices.append((_bands(table.x, MOST_BANDS), _bands(table.y, MOST_BANDS)))
    best, most = plain, plain.log_likelihood
    for of_x, of_y in choices:
        bands = of_x[:, None] * (int(of_y.max()) + 1) + of_y
        if not bands.any():
            continue
        fit = fit_ratios(table, bands)
        worth = fit.log_likelihood - WORTH_A_BAND * (int(bands.max()) + 1)
        if worth > most:
            best, most = fit, worth
    return BandedFit(plain, best)


def _bands(levels: Margin, most: int | None = None) -> np.ndarray:
    """Band of each group of levels, shape (g,), counted from 0; at most so many."""
    logs = np.log(levels.sizes)
    step = BAND_STEP if most is None else max(BAND_STEP, float(np.ptp(logs)) / (most - 1))
    return np.unique(np.rint((logs - logs.min()) / step) if most else np.rint(logs / step), return_inverse=True)[1].ravel()
