"""The version of the package, and that of its numbers. Stored results name both."""

from __future__ import annotations

__all__ = ["NUMERICS", "__version__"]

__version__ = "0.1.0"

#: Raised, by one, by the commit that means to change what an estimate comes to; nothing else makes a stored result stale.
NUMERICS = 1
