"""Axes of the report's figures: what they reach, and their round numbers."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

__all__ = ["are_whole", "drawn_range", "in_reach", "round_values", "scale", "short", "tick_text"]


def short(name: str, most: int) -> str:
    """The name in ``most`` characters.

    >>> short("worst concave points", 10)
    'worst con…'
    """
    return name if len(name) <= most else name[: most - 1] + "…"


def in_reach(values: np.ndarray) -> tuple[np.ndarray, int]:
    """The values, and 0; those near an end of float64 divided by a power of ten, and its exponent.

    Sums and squares of what comes back neither overflow nor vanish.

    >>> in_reach(np.array([1e300, -2e300]))
    (array([ 1., -2.]), 300)
    """
    most = float(np.abs(values).max(initial=0.0))
    if most == 0 or 1e-100 < most < 1e100:
        return values, 0
    exponent = math.floor(math.log10(most))
    half = exponent // 2  # ten to the power of 324 is no float
    return values * 10.0**-half * 10.0 ** (half - exponent), exponent


def drawn_range(values: np.ndarray) -> tuple[float, float]:
    """What is drawn: without the outermost thousandth where it would squeeze the rest to a line."""
    low, high = float(values.min()), float(values.max())
    inner_low, inner_high = (float(q) for q in np.quantile(values, [0.005, 0.995]))
    if high - low > 3 * (inner_high - inner_low) > 0:
        low, high = inner_low, inner_high
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def are_whole(values: np.ndarray) -> bool:
    """Whether all values are whole numbers, whose axis then has no halves."""
    return bool((values == np.round(values)).all())


def scale(low: float, high: float, length: float) -> Callable[[float], float]:
    """The place of a value on an axis of that length."""
    span = high - low
    return lambda value: (value - low) / span * length


def round_values(low: float, high: float, *, whole: bool = False) -> list[float]:
    """Three or four round numbers between two ends; whole ones if ``whole``.

    >>> round_values(0.0, 1.0), round_values(0.2, 2.9, whole=True), round_values(0.0, 1.0, whole=True)
    ([0.0, 0.5, 1.0], [1.0, 2.0], [0.0, 1.0])
    """
    step = 10.0 ** math.floor(math.log10((high - low) / 2))
    step *= next((k for k in (5, 2, 1) if (high - low) / (k * step) >= 2), 1)
    step = max(step, 1.0) if whole else step
    first = math.ceil(low / step) * step
    values = (first + i * step for i in range(8))
    return [0.0 if abs(value) < 1e-9 * step else value for value in values if value <= high + 1e-9 * step]


def tick_text(value: float, exponent: int = 0) -> str:
    """A round number as it is written at an axis whose numbers are ``10**exponent`` times as large.

    >>> tick_text(1200.0), tick_text(1.5, 300), tick_text(0.0, 300)
    ('1200', '1.5e300', '0')
    """
    text = f"{value:.4g}"
    return f"{text}e{exponent}" if exponent and text != "0" else text
