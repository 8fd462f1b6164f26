"""Dates and times written as text, whose order of day and month is read off the whole column."""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Mapping

__all__ = ["dates_written", "times_written"]

_TIME = (
    r"(?P<hour>\d{1,3}):(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d)(?:[.,](?P<part>\d{1,9}))?)?\s*(?P<half>[AaPp]\.?[Mm]\.?)?"
)
_CLOCK = re.compile(_TIME)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})[a-z]*\.?"
#: A time of day after a date, and the zone it is in.
_LATER = rf"(?:[T, ]\s*{_TIME}\s*(?P<zone>Z|UTC|GMT|[+-]\d\d:?\d\d)?)?"
_YEAR_FIRST = re.compile(rf"(?P<year>\d{{4}})(?P<mark>[-/.])(?P<month>\d{{1,2}})(?P=mark)(?P<day>\d{{1,2}}){_LATER}")
_YEAR_LAST = re.compile(rf"(?P<first>\d{{1,2}})(?P<mark>[-/.])(?P<second_>\d{{1,2}})(?P=mark)(?P<year>\d{{4}}|\d\d){_LATER}")
_NAMED = tuple(
    re.compile(rf"(?:[a-z]{{3,9}}\.?,? )?{date}{_LATER}", re.IGNORECASE)
    for date in (
        rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[-/. ]*{_MONTH}[-/., ]*(?P<year>\d{{4}}|\d\d)",
        rf"{_MONTH} ?(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<year>\d{{4}})",
    )
)
_EPOCH = datetime.datetime(1970, 1, 1)
_MICROSECOND = datetime.timedelta(microseconds=1)
_REMEDY = "write the year first, as in 2020-12-31"
#: Years of two digits up to this one are of this century, as in POSIX.
LAST_SHORT_YEAR = 68


def dates_written(texts: Collection[str]) -> tuple[dict[str, float], str, str | None, bool, tuple[str, ...]]:
    """Microseconds since 1970 of each date among the texts, how they are written, why they cannot be read or None; and False,
    for a date is no whole number, and the text that decided on the order of day and month.

    >>> dates_written(["2/1/1970", "13/1/1970 00:01"])[:3]
    ({'2/1/1970': 86400000000.0, '13/1/1970 00:01': 1036860000000.0}, 'dates, day first', None)
    >>> dates_written(["3/4/2020"])[2]
    "nothing says whether '3/4/2020' has the day or the month first: write the year first, as in 2020-12-31"
    """
    known: dict[str, re.Match[str]] = {}
    ordered: dict[str, re.Match[str]] = {}
    for text in texts:
        stripped = text.strip()
        if not (stripped[:1].isalnum() and len(stripped) > 5):
            continue
        if match := _YEAR_LAST.fullmatch(stripped):
            ordered[text] = match
        elif match := next(filter(None, (form.fullmatch(stripped) for form in (_YEAR_FIRST, *_NAMED))), None):
            known[text] = match
    month_first, doubt, evidence = _month_first(ordered)
    out = {text: _moment(match, match["month"], match["day"]) for text, match in known.items()}
    for text, match in ordered.items():
        day, month = match["first"], match["second_"]
        out[text] = _moment(match, day, month) if month_first else _moment(match, month, day)
    form = "dates" if not ordered else "dates, month first" if month_first else "dates, day first"
    return {text: moment for text, moment in out.items() if moment is not None}, form, doubt, False, evidence


def _month_first(dates: Mapping[str, re.Match[str]]) -> tuple[bool, str | None, tuple[str, ...]]:
    """Whether the month comes before the day, what keeps that from being known, and the text that decided it."""
    days = next((text for text, match in dates.items() if int(match["first"]) > 12), None)
    months = next((text for text, match in dates.items() if int(match["second_"]) > 12), None)
    if days is not None and months is not None:
        return False, f"{days!r} and {months!r} disagree on the order of day and month: {_REMEDY}", ()
    deciding = days if days is not None else months
    if deciding is not None:
        return months is not None, None, (deciding,)
    open_ = next((text for text, match in dates.items() if match["mark"] != "." and match["first"] != match["second_"]), None)
    if open_ is None:  # with points the day comes first
        return False, None, ()
    return False, f"nothing says whether {open_!r} has the day or the month first: {_REMEDY}", ()


def _moment(match: re.Match[str], month: str, day: str) -> float | None:
    """Microseconds since 1970, in UTC where a zone is named; None for a day that no calendar has."""
    year = int(match["year"])
    if len(match["year"]) == 2:
        year += 2000 if year <= LAST_SHORT_YEAR else 1900
    month_number = int(month) if month.isdecimal() else _MONTHS.index(month[:3].casefold()) + 1
    try:
        date = datetime.datetime(year, month_number, int(day))
    except ValueError:
        return None
    time = _microseconds(match) if match["hour"] else 0
    if time is None or time >= 86_400_000_000:
        return None
    return float((date - _EPOCH) // _MICROSECOND + time - _zone(match["zone"]))


def _zone(zone: str | None) -> int:
    """Microseconds by which a zone is ahead of UTC."""
    if zone is None or zone[0] not in "+-":
        return 0
    minutes = 60 * int(zone[1:3]) + int(zone[-2:])
    return (-1 if zone[0] == "-" else 1) * minutes * 60_000_000


def times_written(texts: Collection[str]) -> tuple[dict[str, float], str, str | None, bool, tuple[str, ...]]:
    """Microseconds of each time of day or duration among the texts, as :func:`dates_written` gives its dates.

    >>> times_written(["0:01", "1:30 pm"])[:3]
    ({'0:01': 60000000.0, '1:30 pm': 48600000000.0}, 'times', None)
    """
    matched = {text: match for text in texts if (match := _CLOCK.fullmatch(text.strip()))}
    read = {text: float(time) for text, match in matched.items() if (time := _microseconds(match)) is not None}
    short = next((text for text, match in matched.items() if not match["second"] and not match["half"]), None)
    full = next((text for text, match in matched.items() if match["second"]), None)
    doubt = None
    if short is not None and full is not None:
        doubt = f"next to {full!r} nothing says whether {short!r} has hours or minutes first: write all of them as h:mm:ss"
    return read, "times", doubt, False, ()


def _microseconds(match: re.Match[str]) -> int | None:
    """Microseconds since midnight, or of a duration; None for an hour that no clock has."""
    hour = int(match["hour"])
    if match["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match["half"][0] in "Pp" else 0)
    part = int((match["part"] or "").ljust(6, "0")[:6])
    return ((hour * 60 + int(match["minute"])) * 60 + int(match["second"] or 0)) * 1_000_000 + part
