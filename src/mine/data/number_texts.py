"""Numbers written as text: with a currency, a unit, a percent sign, separators of thousands, or as dates."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable

import numpy as np

__all__ = ["numbers_written", "plain_number"]

#: Sign and currency, digits with their separators, exponent, and a percent sign, currency or unit.
_NUMBER = re.compile(
    r"\s*(?P<sign>[-+−]?)\s*(?P<before>[$€£¥₹]|USD|EUR|GBP|CHF)?\s*(?P<minus>[-−]?)"
    r"(?P<digits>\d+(?:[.,]\d+)?|\d{1,3}(?:,\d{3})+(?:\.\d+)?"
    r"|\d{1,3}(?:\.\d{3})+(?:,\d+)?|\d{1,3}(?:['’   ]\d{3})+(?:[.,]\d+)?)"
    r"(?P<exponent>[eE][-+]?\d+)?\s*(?P<after>%|[$€£¥₹]|[A-Za-zµμΩ°²³/]{1,8})?\s*"
)
_COMMA_DECIMAL = re.compile(r"\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:\.\d{3}){2,}|\d+,(?:\d{1,2}|\d{4,})|\d{4,},\d+|0,\d+")
_POINT_DECIMAL = re.compile(r"\d{1,3}(?:,\d{3})+\.\d+|\d{1,3}(?:,\d{3}){2,}|\d+\.(?:\d{1,2}|\d{4,})|\d{4,}\.\d+|0\.\d+")
_DATE = re.compile(r"(?:(\d{4})-(\d{1,2})-(\d{1,2})|(\d{1,2})([/.])(\d{1,2})\5(\d{4}))")
#: More kinds of units than this in one column are names of things, as in '12 Baker'.
MOST_UNITS = 3


def numbers_written(texts: Iterable[str]) -> dict[str, float]:
    """The number that each of the distinct ``texts`` of a column stands for; those that stand for none are left out.

    Dates are microseconds since 1970, as other dates are. Whether a comma is decimal, and whether the day comes first, is read
    off the whole column. Numbers with leading zeros are labels, and so are all where units are many or differ in the meaning
    of a comma.

    >>> numbers_written(["$23,456.78", "-12.3 %", "1e3 kg", "007", "A-12"])
    {'$23,456.78': 23456.78, '-12.3 %': -12.3, '1e3 kg': 1000.0}
    >>> numbers_written(["1.234,5", "2,5"]), numbers_written(["02/01/1970"])
    ({'1.234,5': 1234.5, '2,5': 2.5}, {'02/01/1970': 86400000000.0})
    """
    texts = list(texts)
    dates = {text: match for text in texts if (match := _DATE.fullmatch(text.strip()))}
    matched = {text: match for text in texts if text not in dates and (match := _NUMBER.fullmatch(text))}
    matched = {text: match for text, match in matched.items() if not re.match(r"0\d", match["digits"])}
    digits = [match["digits"] for match in matched.values()]
    comma = any(map(_COMMA_DECIMAL.fullmatch, digits))
    if comma and any(map(_POINT_DECIMAL.fullmatch, digits)):
        matched = {}
    if len({match["after"] for match in matched.values() if match["after"]}) > MOST_UNITS:
        matched = {}
    return {text: _value(match, comma) for text, match in matched.items()} | _moments(dates)


def plain_number(text: str) -> bool:
    """Whether Python reads the text as a number as it stands."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _value(match: re.Match[str], comma: bool) -> float:
    digits = re.sub(r"['’   ]", "", match["digits"])
    digits = digits.replace(".", "").replace(",", ".") if comma else digits.replace(",", "")
    value = float(digits + (match["exponent"] or ""))
    return -value if (match["sign"] or match["minus"] or "+") in "-−" else value


def _moments(dates: dict[str, re.Match[str]]) -> dict[str, float]:
    slashed = [match for match in dates.values() if match[1] is None]
    month_first = all(int(match[4]) <= 12 for match in slashed) and any(int(match[6]) > 12 for match in slashed)
    out = {}
    for text, match in dates.items():
        if match[1] is not None:
            year, month, day = int(match[1]), int(match[2]), int(match[3])
        else:
            first, second = int(match[4]), int(match[6])
            year, month, day = int(match[7]), *((first, second) if month_first else (second, first))
        try:
            moment = datetime.date(year, month, day)
        except ValueError:
            continue
        out[text] = float(np.datetime64(moment, "us").astype(np.int64))
    return out
