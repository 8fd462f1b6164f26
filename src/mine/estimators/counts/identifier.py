"""Columns of labels that name the rows: nothing can be learnt about what they say."""

from __future__ import annotations

import numpy as np

__all__ = ["is_identifier", "unidentifiable_sentence"]

#: Share of rows in levels seen twice or more, below which a column is an identifier: a few names that occur twice show little.
IDENTIFIER_SHARE = 0.15


def is_identifier(codes: np.ndarray) -> bool:
    """Whether (nearly) all entries of ``codes`` (n,) differ.

    >>> is_identifier(np.arange(20)), is_identifier(np.arange(20) % 10)
    (True, False)
    """
    counts = np.bincount(codes)
    return int((counts == 1).sum()) > (1 - IDENTIFIER_SHARE) * len(codes)


def unidentifiable_sentence(names: list[str]) -> str:
    """What to tell about identifiers called ``names``.

    >>> unidentifiable_sentence(["id"])
    "Column 'id' has a different label in (nearly) every row: how much it says about anything else cannot be known."
    """
    listed = " and ".join(repr(name) for name in names)
    several = len(names) > 1
    return (
        f"Column{'s' if several else ''} {listed} {'have' if several else 'has'} a different label in (nearly) every row: "
        f"how much {'they say about each other' if several else 'it says about anything else'} cannot be known."
    )
