"""Numbers written as text: with a currency, a unit, a percent sign, separators of thousands, or as dates and times."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mine.data.limit_texts import bare_limits, doubtful_limits
from mine.data.moment_texts import dates_written, times_written

__all__ = ["DECIMAL_COMMAS", "Written", "is_missing_text", "numbers_written", "plain_number"]

_CURRENCY = (
    r"[A-Z]{0,3}[$€£¥₹₽₩₪₫₴₦₱₺₿฿₡₲₵₸]|USD|EUR|GBP|CHF|JPY|CNY|INR|SEK|NOK|DKK|PLN|CZK|HUF|CAD|AUD|NZD|SGD|HKD|MXN|BRL|ZAR|TRY"
    r"|RUB|KRW|kr\.?|Rs\.?|zł"
)
#: Spaces and apostrophes that separate thousands: plain, narrow and no-break spaces.
_GAPS = " '’\u00a0\u2009\u202f"
_DIGITS = (
    r"\d+(?:[.,]\d+)?|[.,]\d+|\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,2}(?:,\d{2})+,\d{3}(?:\.\d+)?|\d{1,3}(?:\.\d{3})+(?:,\d+)?"
    rf"|\d{{1,3}}(?:[{_GAPS}]\d{{3}})+(?:[.,]\d+)?"
)
#: Sign or accountants' bracket, currency, digits with separators, exponent, then a percent sign, currency or unit.
_NUMBER = re.compile(
    rf"(?P<sign>[-+−]?)\s*(?P<outer>\()?(?P<before>{_CURRENCY})?\s*(?P<inner>\()?(?P<minus>[-−]?)(?P<digits>{_DIGITS})"
    rf"(?P<exponent>[eE][-+]?\d+)?\s*(?:(?P<money>{_CURRENCY})|(?P<unit>[%‰]|[A-Za-zµμΩ°/²³·%]{{1,10}}))?"
    r"(?(inner)\))(?(outer)\))(?P<last>[-−]?)"
)
_COMMA_DECIMAL = re.compile(
    rf"\d{{1,3}}(?:\.\d{{3}})+,\d+|\d{{1,3}}(?:\.\d{{3}}){{2,}}|\d*,(?:\d{{1,2}}|\d{{4,}})|\d{{4,}},\d+|0+,\d+|,\d+|.*[{_GAPS}].*,\d+"
)
_POINT_DECIMAL = re.compile(
    rf"\d{{1,3}}(?:,\d{{3}})+\.\d+|\d{{1,3}}(?:,\d{{3}}){{2,}}|\d*\.(?:\d{{1,2}}|\d{{4,}})|\d{{4,}}\.\d+|0+\.\d+|\.\d+"
    rf"|.*[{_GAPS}].*\.\d+|\d{{1,2}}(?:,\d{{2}})+,\d{{3}}(?:\.\d+)?"
)
_WHOLE = re.compile(rf"\d+|\d{{1,3}}(?:[.,{_GAPS}]\d{{3}})+")
#: One mark with three digits behind it: decimal or of thousands.
_EITHER = re.compile(r"[1-9]\d{0,2}[.,]\d{3}")
#: What a letter behind the digits multiplies by, in columns where all such letters are of these.
_SCALES = {"k": 1e3, "K": 1e3, "m": 1e6, "M": 1e6, "mn": 1e6, "b": 1e9, "B": 1e9, "bn": 1e9, "T": 1e12, "tn": 1e12}
#: Endings of '1st', '2nd', '3rd', '4th' are one unit.
_ORDINALS = {"st", "nd", "rd", "th"}
#: More kinds of units than this in one column are names of things, as in '12 Baker'.
MOST_UNITS = 3
#: Whole numbers that all have as many digits as this, or more, are telephone or account numbers; float64 merges longer ones.
FEWEST_DIGITS_OF_A_CODE, MOST_DIGITS = 9, 15
_REMEDY = "write them with a decimal point and without separators of thousands"
#: The form of numbers such as '1.234,5'.
DECIMAL_COMMAS = "numbers with a decimal comma"
_MISSING = frozenset(
    ("", "-", "--", "–", "—", ".", "..", "?", "na", "n/a", "#n/a", "nan", "nat", "null", "none", "nil", "<na>", "missing")
)


@dataclass(frozen=True)
class Written:
    """How the texts of a column stand for numbers.

    Attributes:
        values: The number of each text; texts that stand for none are left out.
        form: How they are written, a noun in the plural: ``"percentages"``, ``"dates, day first"``, or ``"numbers"``.
        doubt: Why the column cannot be read although each text can: a clause with its remedy; None where it can.
        whole: Whether all are whole numbers in digits alone, so that they may as well be names.
        evidence: The text that decided which mark is decimal, or whether the day comes first: at most one.
        limits: The texts that name a limit, as ``<0.5``; ``values`` has the limit itself.
    """

    values: dict[str, float]
    form: str
    doubt: str | None = None
    whole: bool = False
    evidence: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()


def numbers_written(texts: Collection[str], *, are_numbers: bool = False, others: Collection[float] = ()) -> Written | None:
    """The numbers that the distinct ``texts`` of a column stand for; None where they are names of things.

    Whether a comma is decimal, and whether the day or the month comes first, is read off the whole column; where the column
    does not tell, or contradicts itself, ``doubt`` says so. Dates are microseconds since 1970, times microseconds since
    midnight. Numbers with leading zeros are names, and so are telephone numbers, and numbers with many units. ``<0.5`` next to
    numbers from 0.5 on is 0.5, the limit.

    Arguments:
        texts: The distinct texts.
        are_numbers: The caller knows that they are numbers: then leading zeros and equally many digits are no sign of names.
        others: Numbers of the column that are no text.

    >>> read = numbers_written(["$23,456.78", "-$12.30", "($1,000)"])
    >>> read.form, list(read.values.values())
    ('money', [23456.78, -12.3, -1000.0])
    >>> numbers_written(["1.234,5", "2,5"]).values, numbers_written(["22/01/1970"]).form
    ({'1.234,5': 1234.5, '2,5': 2.5}, 'dates, day first')
    >>> numbers_written(["007", "123"]), numbers_written(["3 kg", "40 g"]).doubt
    (None, "its values have several units ('g', 'kg'): convert them to one")
    """
    limits = bare_limits(texts)
    plain = [text for text in texts if text not in limits]
    written = _read(plain, are_numbers) if plain or not limits else None
    if limits and (written is not None or others or are_numbers):
        with_limits = _with_limits(plain, limits, are_numbers, others)
        written = with_limits or written
    return written


def _read(texts: Collection[str], are_numbers: bool) -> Written | None:
    readings = (_numbers(texts, are_numbers), dates_written(texts), times_written(texts))
    written = max((Written(*reading) for reading in readings), key=lambda one: len(one.values))
    return written if written.values else None


def _with_limits(
    plain: list[str], limits: Mapping[str, tuple[bool, str]], are_numbers: bool, others: Collection[float]
) -> Written | None:
    """The plain texts and the limits, read together; None where they are no numbers."""
    bare = list(dict.fromkeys([*plain, *(text for _, text in limits.values())]))
    written = _read(bare, are_numbers)
    if written is None:
        return None
    numbers = {text: value for text, value in written.values.items() if text in plain}
    known = {text: (lower, written.values[own]) for text, (lower, own) in limits.items() if own in written.values}
    if not known:
        return None
    values = {**numbers, **{text: limit for text, (_, limit) in known.items()}}
    doubt = written.doubt or doubtful_limits(known, numbers, others)
    return replace(written, values=values, doubt=doubt, whole=False, limits=tuple(known))


def is_missing_text(text: str) -> bool:
    """Whether a text among numbers says that there is none, as ``n/a`` or a dash."""
    return text.strip().casefold() in _MISSING


def plain_number(text: str) -> bool:
    """Whether Python reads the text as a number as it stands."""
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text


def _numbers(texts: Collection[str], are_numbers: bool) -> tuple[dict[str, float], str, str | None, bool, tuple[str, ...]]:
    """The fields of :class:`Written` for the numbers among the texts."""
    matched = {text: match for text in texts if (match := _NUMBER.fullmatch(text.strip())) and not _is_telephone(match)}
    scaled, form, doubt = _unit(matched)
    bare = [match["digits"] for match in matched.values() if not any(match[part] for part in ("before", "money", "unit"))]
    if not matched or form is None or (not are_numbers and _are_codes(bare, len(matched))):
        return {}, "", None, False, ()
    comma, confusion, evidence = _decimal_comma({text: match["digits"] for text, match in matched.items()})
    whole = all(match[0].isdecimal() for match in matched.values())
    if form == "numbers" and comma:
        form = DECIMAL_COMMAS
    elif form == "numbers" and any(re.search(rf"[,{_GAPS}]", digits) for digits in bare):
        form = "numbers with separators of thousands"
    values = {text: _value(match, comma) * scaled.get(match["unit"], 1.0) for text, match in matched.items()}
    return values, form, doubt or confusion, whole, evidence


def _value(match: re.Match[str], comma: bool) -> float:
    digits = re.sub(rf"[{_GAPS}]", "", match["digits"])
    digits = digits.replace(".", "").replace(",", ".") if comma else digits.replace(",", "")
    value = float(digits + (match["exponent"] or ""))
    negative = any(match[part] in ("(", "-", "−") for part in ("sign", "outer", "inner", "minus", "last"))
    return -value if negative else value


# === What they are numbers of ===


def _unit(matched: Mapping[str, re.Match[str]]) -> tuple[dict[str, float], str | None, str | None]:
    """Factors of the letters behind the digits, the form (None for names of things), and a doubt or None."""
    currencies = sorted({money for match in matched.values() if (money := match["before"] or match["money"])})
    written = {match["unit"] for match in matched.values() if match["unit"]}
    if written and written <= set(_SCALES) and written != {"m"}:
        form = "money" if currencies else "numbers shortened by letters"
        return {unit: _SCALES[unit] for unit in written}, form, _several("currencies", currencies)
    units = sorted({_one_unit(unit): unit for unit in sorted(written)}.values())
    if len(units) > MOST_UNITS:
        return {}, None, None
    doubt = _several("currencies", currencies) or _several("units", units)
    if units and units[0] in "%‰":
        plain = next((text for text, match in matched.items() if not match["unit"] and set(match["digits"]) - set("0.,")), None)
        if plain is not None and doubt is None:
            doubt = f"{plain!r} has no percent sign and others have: write all of them in one way"
        return {}, "percentages", doubt
    return {}, "money" if currencies else _in_units(units), doubt


def _in_units(units: list[str]) -> str:
    if not units:
        return "numbers"
    return "ordinal numbers" if units[0].casefold() in _ORDINALS else f"numbers in {' and '.join(units)}"


def _one_unit(unit: str) -> str:
    """One spelling of a unit: 'KG' is 'kg', but 'M' is not 'm'."""
    folded = unit.casefold()
    return "th" if folded in _ORDINALS else folded if len(unit) > 1 else unit


def _several(what: str, kinds: list[str]) -> str | None:
    if len(kinds) < 2:
        return None
    return f"its values have several {what} ({', '.join(map(repr, kinds))}): convert them to one"


def _is_telephone(match: re.Match[str]) -> bool:
    return match["sign"] == "+" and any(gap in match["digits"] for gap in _GAPS)


def _are_codes(bare: list[str], n_matched: int) -> bool:
    """Whether digits without a unit are names: one has a leading zero, or all have equally many digits, and many."""
    if any(re.match(r"0\d", digits) for digits in bare):
        return True
    lengths = [len(re.sub(r"\D", "", digits)) for digits in bare if _WHOLE.fullmatch(digits)]
    if any(length > MOST_DIGITS for length in lengths):
        return True
    return len(lengths) == n_matched > 1 and min(lengths) >= FEWEST_DIGITS_OF_A_CODE and min(lengths) == max(lengths)


# === Which mark is decimal ===


def _decimal_comma(digits: Mapping[str, str]) -> tuple[bool, str | None, tuple[str, ...]]:
    """Whether a comma is decimal in this column, what keeps that from being known, and the text that decided it.

    ``digits`` are the digits of each text.
    """
    comma, point = (_first(digits, form.fullmatch) for form in (_COMMA_DECIMAL, _POINT_DECIMAL))
    if comma is not None and point is not None:
        return False, f"{comma!r} and {point!r} disagree on which mark is decimal: {_REMEDY}", ()
    deciding = comma if comma is not None else point
    if deciding is not None:
        return comma is not None, None, (deciding,)
    either = {text: figures for text, figures in digits.items() if _EITHER.fullmatch(figures)}
    with_comma, with_point = (_first(either, lambda figures, mark=mark: mark in figures) for mark in ",.")
    if with_comma is not None and with_point is not None:
        return False, f"{with_comma!r} and {with_point!r} disagree on which mark is decimal: {_REMEDY}", ()
    example = with_comma or with_point
    if example is None:
        return False, None, ()
    # Where all have the mark, both readings differ by a factor of 1,000 only, which the information does not see.
    short = with_point is not None  # 999 next to 1.234, but 1234 next to 1,234
    plain = _first(digits, lambda figures: figures.isdecimal() and bool(figures.strip("0")) and (len(figures) < 4) == short)
    if plain is None:
        return False, None, (example,) if with_comma else ()
    return False, f"next to {plain!r} nothing says whether {example!r} has thousands or decimals: {_REMEDY}", ()


def _first(digits: Mapping[str, str], holds: Callable[[str], Any]) -> str | None:
    """The first text of whose digits it holds."""
    return next((text for text, figures in digits.items() if holds(figures)), None)
