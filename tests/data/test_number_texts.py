"""Numbers written as text, against the numbers they were written from."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import mine
from mine.data.number_texts import numbers_written
from mine.errors import InputError

FORMS: dict[str, Callable[[float], str]] = {
    "pounds": lambda v: f"£{v:,.2f}",
    "euros": lambda v: f"{v:,.2f}".replace(",", "_").replace(".", ",").replace("_", ".") + " €",
    "percent": lambda v: f"{v:.2f} %",
    "unit": lambda v: f"{v:.2f}kg",
    "exponent": lambda v: f"{v:.6e} m/s",
    "thousands": lambda v: f"{v:,.2f}",
}


@pytest.mark.parametrize("form", FORMS)
def test_what_was_written_is_read(form: str) -> None:
    values = np.exp(np.random.default_rng(61).normal(8, 2, 200)).round(2)
    texts = [FORMS[form](v) for v in values]
    read = numbers_written(set(texts))
    assert [read[text] for text in texts] == pytest.approx(values, rel=1e-6)


@pytest.mark.parametrize("written", ["%d/%m/%Y", "%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y"])
def test_dates_are_microseconds(written: str) -> None:
    days = np.datetime64("2019-11-20") + np.arange(0, 400, 7)
    texts = [day.item().strftime(written) for day in days]
    read = numbers_written(texts)
    assert [read[text] for text in texts] == days.astype("datetime64[us]").astype(np.int64).tolist()


@pytest.mark.parametrize("texts", [["A-12", "B-7"], ["007", "012"], ["12 Oak", "9 Elm", "3 Ash", "4 Fir"], ["three", "x1"]])
def test_names_of_things_are_not_read(texts: list[str]) -> None:
    assert numbers_written(texts) == {}


def test_a_column_of_them_is_refused_and_read_on_demand() -> None:
    rng = np.random.default_rng(67)
    weight = rng.normal(70, 12, 400).round(2)
    height = weight + rng.normal(0, 12, 400)
    texts = [f"{w:.2f} kg" for w in weight]
    with pytest.raises(
        InputError, match=r"'y' holds numbers or dates written as text.*declare the column discrete.*parse=True"
    ):
        mine.estimate(height, texts, method="gaussian")
    read = mine.estimate(height, texts, method="gaussian", parse=True)
    assert read.value == mine.estimate(height, weight, method="gaussian").value
    assert read.diagnostics["read_as_numbers"] == ["y"] and "Text read as numbers: y." in read.warnings
    with pytest.raises(InputError, match=r"also 'unknown' \(row 5\)"):
        mine.estimate(height, [*texts[:5], "unknown", *texts[6:]], method="gaussian", parse=True)


def test_few_that_repeat_are_labels() -> None:
    doses = np.random.default_rng(71).integers(1, 4, 300)
    texts = [f"{dose} mg" for dose in doses]
    assert mine.estimate(texts, doses, random_state=0).diagnostics["discrete_columns"] == ["x", "y"]


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_columns_of_frames_keep_their_names(library: str) -> None:
    frames = pytest.importorskip(library)
    rng = np.random.default_rng(73)
    income = np.exp(rng.normal(10, 0.5, 300)).round(2)
    table = frames.DataFrame({"age": rng.normal(40, 9, 300), "income": [f"${v:,.2f}" for v in income]})
    spent = np.log(income) + rng.normal(size=300)
    read = mine.estimate(table, spent, method="gaussian", parse=True)
    assert read.diagnostics["read_as_numbers"] == ["income"]
    assert read.value == mine.estimate(np.c_[table["age"], income], spent, method="gaussian").value
