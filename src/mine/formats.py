"""Numbers as text."""

from __future__ import annotations

import math

__all__ = ["bracket", "fixed"]


def fixed(value: float, digits: int = 3) -> str:
    """The number with so many decimal places; one that rounds to nothing has no sign.

    >>> fixed(-0.0004), fixed(-0.0006), fixed(2.5, 1)
    ('0.000', '-0.001', '2.5')
    """
    return f"{value:z.{digits}f}"


def bracket(low: float, high: float, digits: int = 3) -> str:
    """An interval; an upper end that is open is infinite.

    >>> bracket(-0.0001, 0.5), bracket(0.25, math.inf, 2)
    ('[0.000, 0.500]', '[0.25, ∞)')
    """
    return f"[{fixed(low, digits)}, " + (f"{fixed(high, digits)}]" if math.isfinite(high) else "∞)")
