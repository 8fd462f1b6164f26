"""Dates and times written as text, against the moments they were written from."""

from __future__ import annotations

import datetime

import numpy as np
import pytest

from mine.data.number_texts import numbers_written

DAYS = np.datetime64("2019-11-20") + np.arange(0, 400, 7)
MOMENTS = np.datetime64("2021-05-03T08:15:30", "us") + np.arange(60) * np.timedelta64(100_003, "s")


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("%Y-%m-%d", "dates"),
        ("%Y/%m/%d", "dates"),
        ("%d/%m/%Y", "dates, day first"),
        ("%m/%d/%Y", "dates, month first"),
        ("%d.%m.%Y", "dates, day first"),
        ("%d-%m-%Y", "dates, day first"),
        ("%m/%d/%y", "dates, month first"),
        ("%d %b %Y", "dates"),
        ("%d-%b-%y", "dates"),
        ("%B %d, %Y", "dates"),
        ("%a, %d %b %Y", "dates"),
    ],
)
def test_dates_are_microseconds(written: str, form: str) -> None:
    texts = [day.item().strftime(written) for day in DAYS]
    read = numbers_written(texts)
    assert read is not None and (read.form, read.doubt) == (form, None)
    assert [read.values[text] for text in texts] == DAYS.astype("datetime64[us]").astype(np.int64).tolist()


@pytest.mark.parametrize(
    "written", ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S.%fZ", "%d/%m/%Y %I:%M:%S %p", "%d %b %Y, %H:%M:%S"]
)
def test_dates_with_times(written: str) -> None:
    texts = [moment.item().strftime(written) for moment in MOMENTS]
    read = numbers_written(texts)
    assert read is not None and read.doubt is None
    assert [read.values[text] for text in texts] == MOMENTS.astype(np.int64).tolist()


def test_zones_count() -> None:
    text = "2021-05-03T08:15:30+02:30"
    read = numbers_written([text])
    assert read is not None
    assert read.values[text] == datetime.datetime.fromisoformat(text).timestamp() * 1e6


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("8:05", 29_100), ("08:05:30", 29_130), ("12:00 AM", 0), ("12:30 p.m.", 45_000), ("100:00:01.25", 360_001.25)],
)
def test_times_and_durations(text: str, seconds: float) -> None:
    read = numbers_written([text])
    assert read is not None and read.form == "times" and read.values[text] == seconds * 1e6


@pytest.mark.parametrize("text", ["31/02/2020", "2020-13-01", "8:75", "13:00 pm", "2020-01-01 25:00"])
def test_what_no_calendar_or_clock_has_is_not_read(text: str) -> None:
    assert numbers_written([text]) is None


def test_points_put_the_day_first_and_equal_numbers_need_no_order() -> None:
    read = numbers_written(["3.4.2020", "5.6.2020"])
    assert read is not None and (read.form, read.doubt) == ("dates, day first", None)
    same = numbers_written(["3/3/2020", "5/5/2020"])
    assert same is not None and same.doubt is None
