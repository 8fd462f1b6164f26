"""Values beyond a limit, as ``<0.5`` for less than a detection limit: one of these in a column stands for the limit."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

__all__ = ["bare_limits", "doubtful_limits"]

_LIMIT = re.compile(r"\s*(?P<mark><=?|>=?|[≤≥])\s*(?P<number>\S.*)")


def bare_limits(texts: Collection[str]) -> dict[str, tuple[bool, str]]:
    """Those of ``texts`` that name a limit: whether it is a lower one, and the text without its mark.

    >>> bare_limits(["<0.5", "0.7", ">= 3 kg"])
    {'<0.5': (True, '0.5'), '>= 3 kg': (False, '3 kg')}
    """
    matches = {text: match for text in texts if (match := _LIMIT.fullmatch(text))}
    return {text: (match["mark"][0] in "<≤", match["number"].strip()) for text, match in matches.items()}


def doubtful_limits(
    limits: Mapping[str, tuple[bool, float]], numbers: Mapping[str, float], others: Collection[float] = ()
) -> str | None:
    """Why texts of limits cannot be read as their limits; None where they can.

    Values under one limit are known to be the smallest, and equal as far as is known: the limit stands for all. Under two
    limits, or next to numbers beyond the limit, nobody knows their order.

    Arguments:
        limits: Of each text, whether it is a lower limit, and the limit.
        numbers: The other texts of the column and their numbers.
        others: Numbers of the column that are no text.
    """
    every = [*numbers.items(), *((f"{value:g}", value) for value in others)]
    for lower in (True, False):
        found = {text: limit for text, (is_lower, limit) in limits.items() if is_lower == lower}
        if len(set(found.values())) > 1:
            first, second, *_ = sorted(found)
            return f"{first!r} and {second!r} are two limits: set both to one"
        for text, limit in found.items():
            beyond = next((name for name, value in every if (value < limit if lower else value > limit)), None)
            if beyond is not None:
                return f"{beyond!r} lies beyond the limit {text!r}: set both to one value"
    return None
