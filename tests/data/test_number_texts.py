"""Numbers written as text, against the numbers they were written from; and texts that only look like numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from mine.data.number_texts import numbers_written

VALUES = np.exp(np.random.default_rng(61).normal(8, 2, 200)).round(2)


def european(text: str) -> str:
    """A number with comma and point exchanged."""
    return text.translate(str.maketrans(",.", ".,"))


FORMS: dict[str, tuple[Callable[[float], str], str]] = {
    "pounds": (lambda v: f"£{v:,.2f}", "money"),
    "negative dollars": (lambda v: f"-${v:,.2f}", "money"),
    "accountant's dollars": (lambda v: f"(${v:,.2f})", "money"),
    "brackets behind the sign": (lambda v: f"$({v:,.2f})", "money"),
    "code of a currency": (lambda v: f"EUR {v:.2f}", "money"),
    "euros": (lambda v: european(f"{v:,.2f}") + " €", "money"),
    "reais": (lambda v: "R$ " + european(f"{v:,.2f}"), "money"),
    "percent": (lambda v: f"{v:.2f} %", "percentages"),
    "unit": (lambda v: f"{v:.2f}kg", "numbers in kg"),
    "unit with a slash": (lambda v: f"{v:.2f} mg/dL", "numbers in mg/dL"),
    "exponent": (lambda v: f"{v:.6e} m/s", "numbers in m/s"),
    "thousands": (lambda v: f"{v:,.2f}", "numbers with separators of thousands"),
    "narrow spaces": (lambda v: f"{v:,.2f}".replace(",", "\u202f"), "numbers with separators of thousands"),
    "French": (lambda v: f"{v:,.2f}".translate(str.maketrans(",.", " ,")), "numbers with a decimal comma"),
    "Swiss": (lambda v: f"{v:,.2f}".replace(",", "’"), "numbers with separators of thousands"),
    "German": (lambda v: european(f"{v:,.2f}"), "numbers with a decimal comma"),
    "minus behind": (lambda v: f"{v:.2f}-", "numbers"),
    "minus sign": (lambda v: f"−{v:.2f}", "numbers"),
    "plain": (lambda v: f"{v:.2f}", "numbers"),
    "in thousands": (lambda v: f"{v / 1000:.5f}k", "numbers shortened by letters"),
}
NEGATIVE = {"negative dollars", "accountant's dollars", "brackets behind the sign", "minus behind", "minus sign"}


@pytest.mark.parametrize("name", FORMS)
def test_what_was_written_is_read(name: str) -> None:
    write, form = FORMS[name]
    texts = [write(v) for v in VALUES]
    written = numbers_written(list(dict.fromkeys(texts)))
    assert written is not None and written.doubt is None and written.form == form
    sign = -1 if name in NEGATIVE else 1
    assert [written.values[text] for text in texts] == pytest.approx(sign * VALUES, rel=1e-6)


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["5k", "300", "1.2M"], [5e3, 300, 1.2e6]),
        (["$3bn", "$12 mn"], [3e9, 12e6]),
        (["1,234", "999"], [1234, 999]),  # thousands, as the number without a mark is short
        (["1,234", "2,5"], [1.234, 2.5]),  # another number of the column has a decimal comma
        (["1.234", "2,5"], [1234, 2.5]),
        (["1.234", "0.5"], [1.234, 0.5]),
        (["1.234", "1500"], [1.234, 1500]),  # who writes 1500 writes no separators of thousands
        (["12,34,567.5", "5"], [1234567.5, 5]),
        (["12 %", "0"], [12, 0]),
        (["1st", "2nd", "13th"], [1, 2, 13]),
        (["-5", "+3", ".5"], [-5, 3, 0.5]),
        (["70 kg", "80 KG", "75"], [70, 80, 75]),
    ],
)
def test_the_column_decides(texts: list[str], values: list[float]) -> None:
    written = numbers_written(texts)
    assert written is not None and written.doubt is None
    assert [written.values[text] for text in texts] == pytest.approx(values)


@pytest.mark.parametrize(
    ("texts", "doubt"),
    [
        (["2,5", "12.5"], "'2,5' and '12.5' disagree on which mark is decimal"),
        (["1,234", "1.234"], "disagree on which mark is decimal"),
        (["1,234", "1234"], "next to '1234' nothing says whether '1,234' has thousands or decimals"),
        (["1.234 €", "999 €"], "next to '999 €' nothing says whether '1.234 €' has thousands or decimals"),
        (["3 kg", "40 g"], r"several units \('g', 'kg'\)"),
        (["$5", "7 €"], "several currencies"),
        (["12%", "0.15"], "'0.15' has no percent sign"),
        (["03/04/2020", "05/06/2020"], "nothing says whether '03/04/2020' has the day or the month first"),
        (["13/04/2020", "05/16/2020"], "disagree on the order of day and month"),
        (["59:31", "1:02:15"], "nothing says whether '59:31' has hours or minutes first"),
    ],
)
def test_what_can_be_read_in_two_ways_is_told(texts: list[str], doubt: str) -> None:
    import re

    written = numbers_written(texts)
    assert written is not None and written.doubt is not None and re.search(doubt, written.doubt)


@pytest.mark.parametrize(
    "texts",
    [
        ["A-12", "B-7"],
        ["007", "012", "345"],
        ["01234", "90210"],
        ["12 Oak", "9 Elm", "3 Ash", "4 Fir"],
        ["three", "x1"],
        ["4155551234", "2125556789"],  # telephone numbers
        ["+44 207 123 456", "+33 612 345 678"],
        ["612 345 678", "698 765 432"],
        ["612.345.678", "698.765.432"],
        ["24A", "3B", "17C", "9D"],  # seats
        ["25-34", "35-44"],
        ["51°30'N", "12°15'S"],
        ["12345678901234567890", "12345678901234567891"],  # float64 would make one of them
        ["1.2.3", "192.168.0.1"],
        ["10-20", "20-30"],
        ["120/80", "130/85"],
        ["ABC123", "XYZ9"],
        ["1_2", "1_3"],
        [],
    ],
)
def test_names_of_things_are_not_read(texts: list[str]) -> None:
    assert numbers_written(texts) is None


def test_leading_zeros_are_numbers_only_where_the_caller_says_so() -> None:
    written = numbers_written(["007", "123"], are_numbers=True)
    assert written is not None and written.values == {"007": 7.0, "123": 123.0} and written.whole


def test_a_text_below_a_limit_stands_for_the_limit() -> None:
    read = numbers_written(["<0,25 mg", "0,3 mg", "1,5 mg", "> 40 mg"])
    assert read is not None
    assert read.values == {"<0,25 mg": 0.25, "0,3 mg": 0.3, "1,5 mg": 1.5, "> 40 mg": 40.0}
    assert read.limits == ("<0,25 mg", "> 40 mg")
    assert read.doubt is None


@pytest.mark.parametrize(
    ("texts", "doubt"),
    [(["<2", "1.5", "7"], "'1.5' lies beyond the limit '<2'"), (["<2", "<3", "7"], "'<2' and '<3' are two limits")],
)
def test_limits_without_an_order_are_told(texts: list[str], doubt: str) -> None:
    read = numbers_written(texts)
    assert read is not None
    assert read.doubt is not None
    assert doubt in read.doubt


def test_limits_alone_are_names() -> None:
    assert numbers_written(["<30", "30-60", ">60"]) is None
    assert numbers_written(["<5", ">5"]) is None
