"""Pairs of a table that are distinguished from independence, and the sentence if interval and test seem to disagree."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

__all__ = ["LEVEL", "disagreement", "is_found", "p_text", "smallest_p"]

#: Share of false discoveries up to which a pair counts as found.
LEVEL = 0.05


def is_found(row: Mapping[str, Any]) -> bool:
    """Whether a pair is distinguished from independence: by its q, or without a test by an interval above 0.

    Arguments:
        row: A pair of :meth:`mine.tables.measured.Pairwise.records`; a number that does not exist is NaN.

    >>> is_found({"q": 0.2, "low": 0.1}), is_found({"low": 0.1}), is_found({"q": float("nan"), "low": 0.1})
    (False, True, False)
    """
    return bool(row["q"] <= LEVEL) if "q" in row else bool(row["low"] > 0)


def disagreement(row: Mapping[str, Any]) -> str:
    """What is said of a pair whose interval and q seem to disagree, in few words; nothing of others.

    >>> disagreement({"q": 0.01, "low": -0.02}), disagreement({"q": 0.2, "low": 0.01})
    ('interval contains 0: the test is more sensitive', 'interval above 0: q is adjusted for all pairs')
    """
    if "q" not in row or math.isnan(row["q"]) or math.isnan(row["low"]):
        return ""
    above, found = row["low"] > 0, is_found(row)
    if above == found:
        return ""
    return "interval contains 0: the test is more sensitive" if found else "interval above 0: q is adjusted for all pairs"


def smallest_p(row: Mapping[str, Any]) -> bool:
    """Whether the p of a pair is the smallest that so many permutations can give: more would make it smaller."""
    return row["permutations"] > 0 and row["p"] <= 1.000001 / (row["permutations"] + 1)


def p_text(row: Mapping[str, Any], shown: str) -> str:
    """The text of a p-value, ``≤`` in front of the smallest that the permutations can give.

    >>> p_text({"p": 0.001, "permutations": 999}, "0.001"), p_text({"p": 0.002, "permutations": 999}, "0.002")
    ('≤ 0.001', '0.002')
    """
    return f"≤ {shown}" if smallest_p(row) else shown
