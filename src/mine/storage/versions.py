"""The version of the package, and that of its numbers. Stored results name both."""

from __future__ import annotations

__all__ = ["NUMERICS", "__version__", "cell_numerics"]

__version__ = "0.1.0"

#: Raised, by one, by the commit that means to change what an estimate comes to; nothing else makes a stored result stale.
NUMERICS = 2
#: Raises that changed no number that a stored cell can hold (of a benchmark, of ``mine.pairwise``, of an experiment).
#: 2: ``mine.kl_divergence`` and ``conditional="shuffle"``, whose critics train in the one loop since then.
_NOT_IN_CELLS = frozenset({2})


def cell_numerics() -> int:
    """The version of the numbers in stored cells: the last raise that changed them."""
    return max(number for number in range(1, NUMERICS + 1) if number not in _NOT_IN_CELLS)
