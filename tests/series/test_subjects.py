"""Several series in one table, as of several subjects: no lag and no past crosses from one to another."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import mine
from mine.data.subjects import Subjects, by_subject
from mine.errors import InputError, NotEnoughDataError, UnknownNameError

N_SUBJECTS, ROWS, DELAY = 5, 160, 2
TRUTH = math.log(2) / 2


def recordings(subjects: int = N_SUBJECTS, rows: int = ROWS, seed: int = 0, offset: float = 0.0) -> pd.DataFrame:
    """y follows x two rows later, in every subject's own recording; information log(2) / 2 without offsets."""
    rng = np.random.default_rng(seed)
    parts = []
    for subject in range(subjects):
        x = rng.normal(size=rows + DELAY)
        y = x[:-DELAY] + rng.normal(size=rows)
        x, y = (side + offset * rng.normal() for side in (x[DELAY:], y))
        parts.append(pd.DataFrame({"x": x, "y": y, "who": f"s{subject}", "t": np.arange(rows) + 7.0 * subject}))
    return pd.concat(parts, ignore_index=True)


FRAME = recordings()


def scanned(frame: pd.DataFrame, **options: Any) -> mine.LagScan:
    found = {"method": "gaussian", "random_state": 0, **options}
    return mine.lag_scan(frame["x"].to_numpy(), frame["y"].to_numpy(), 3, groups=frame["who"].to_numpy(), **found)


@pytest.mark.parametrize("method", ["auto", "gaussian"])
def test_the_lag_is_found_with_its_true_value(method: str):
    scan = scanned(FRAME, method=method)
    assert scan.best == DELAY and int(scan.significant.sum()) == 1
    assert scan.values[scan.lags == DELAY] == pytest.approx(TRUTH, abs=0.08)
    assert np.delete(scan.values, 5) == pytest.approx(np.zeros(6), abs=0.05)
    assert scan.intervals[5, 0] < TRUTH < scan.intervals[5, 1]


def test_rows_in_any_order_are_the_same_recordings():
    scan = scanned(FRAME, order=FRAME["t"].to_numpy())
    mixed = FRAME.sample(frac=1, random_state=0)
    again = scanned(mixed, order=mixed["t"].to_numpy())
    assert np.array_equal(scan.values, again.values) and np.array_equal(scan.p_values, again.p_values)
    alternating = FRAME.sort_values("t", kind="stable")  # as they come, each subject in its order
    assert np.array_equal(scan.values, scanned(alternating).values)


def test_no_lag_crosses_a_border():
    """Each subject's y is another one's x: side by side they would match, and within a subject nothing does."""
    rng = np.random.default_rng(0)
    signal = rng.normal(size=(21, 40))
    x, y = signal[1:].ravel(), signal[:-1].ravel()  # y of a subject is x of the one before: 40 rows back
    who = np.repeat(np.arange(20), 40)
    assert mine.lag_scan(x, y, [-19, 0, 19], method="gaussian").best is None
    joined = mine.lag_scan(x, y, range(38, 43), method="gaussian", random_state=0)
    assert joined.best == 40
    with pytest.raises(NotEnoughDataError, match="20 groups"):
        mine.lag_scan(x, y, range(38, 43), groups=who)
    rows = Subjects(np.full(20, 40)).rows(3, 2)
    assert len(rows) == 20 * 35 and ((rows - 3) // 40 == (rows + 2) // 40).all()


def test_differences_between_subjects_are_no_lag():
    """Every subject has a level of its own on both sides: unrelated within, and no p-value small."""
    rng = np.random.default_rng(1)
    level = np.repeat(3 * rng.normal(size=8), 80)
    x, y = (level + rng.normal(size=640) for _ in range(2))
    scan = mine.lag_scan(x, y, 3, groups=np.repeat(np.arange(8), 80), method="gaussian", random_state=0)
    assert (scan.p_values > 0.05).all() and scan.values.min() > 0.1  # the level is shared, and counts in the values


@pytest.mark.parametrize("phi", [0.0, 0.9])
def test_the_level_of_the_test(phi: float):
    """At most 12 of 100 scans of unrelated recordings have a lag that stands out at 5 %: the 99.5 % point is 11."""
    from mine.information.series import Series
    from mine.series.subject_lag_test import subject_lag_test

    rng = np.random.default_rng(5)
    noise = rng.normal(size=(100, 2, 6, 150))
    for t in range(1, 150):
        noise[..., t] += phi * noise[..., t - 1]
    rejected = 0
    for i, pair in enumerate(noise):
        x, y = (Series(side.reshape(-1, 1), (False,)) for side in pair)
        rejected += subject_lag_test(x, y, np.arange(-3, 4), Subjects(np.full(6, 150)), i).p_values.min() <= 0.05
    assert rejected <= 12


def test_short_series_of_long_memory_are_called_so():
    walks = np.random.default_rng(0).normal(size=(2, 12, 40)).cumsum(-1).reshape(2, -1)
    scan = mine.lag_scan(*walks, 2, groups=np.repeat(np.arange(12), 40), method="gaussian", random_state=0)
    assert any("differences of each" in warning for warning in scan.warnings)


def test_gaps_are_those_of_each_series():
    frame = FRAME.drop(index=[10, 11, 200])
    with pytest.raises(InputError, match="2 gaps"):
        scanned(frame, order=frame["t"].to_numpy())
    scan = scanned(frame, order=frame["t"].to_numpy(), drop_missing=True)
    assert scan.best == DELAY and scan.values[5] == pytest.approx(TRUTH, abs=0.1)
    with pytest.raises(InputError, match=r"one row per time.*groups="):
        mine.lag_scan(FRAME["x"], FRAME["y"], 3, order=[*range(400), *range(400)], method="gaussian")


def test_finished_lags_are_kept_by_their_groups(tmp_path: Path):
    first = scanned(FRAME, out=tmp_path)
    assert np.array_equal(first.values, scanned(FRAME, out=tmp_path).values)
    regrouped = FRAME.assign(who=np.repeat(np.arange(4), 200))
    assert np.array_equal(scanned(regrouped, out=tmp_path).values, scanned(regrouped).values)


# === transfer entropy ===


def driven(subjects: int, rows: int, seed: int = 0) -> pd.DataFrame:
    """a drives b by one row: log(1 + 0.75^2) / 2 = 0.22 nats; nothing comes back."""
    rng = np.random.default_rng(seed)
    parts = []
    for subject in range(subjects):
        a = rng.normal(size=rows)
        b = np.append(0.0, 0.75 * a[:-1]) + rng.normal(size=rows)
        parts.append(pd.DataFrame({"a": a, "b": b, "who": subject}))
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize(("subjects", "rows"), [(3, 500), (20, 70)])
def test_transfer_entropy_of_several_series(subjects: int, rows: int):
    frame, truth = driven(subjects, rows), 0.5 * math.log(1 + 0.75**2)
    given: dict[str, Any] = {"groups": frame["who"], "random_state": 0}
    there = mine.transfer_entropy(frame["a"], frame["b"], **given)
    back = mine.transfer_entropy(frame["b"], frame["a"], **given)
    assert there.value == pytest.approx(truth, abs=0.06) and there.interval[0] < truth < there.interval[1]
    assert abs(back.value) < 0.05 and back.interval[0] < 0.01
    if subjects >= 10:
        assert there.n == subjects * (rows - 1)  # one row of past for each, and no more


def test_the_table_takes_a_column_of_groups_and_its_copies_stay_within():
    frame = driven(12, 60)
    table = mine.transfer_table(frame, groups="who", method="gaussian", random_state=0)
    assert table.names == ("a", "b") and table.found == [("a", "b")]
    same = mine.transfer_table(frame[["a", "b"]], groups=frame["who"], method="gaussian", random_state=0)
    assert [pair["value"] for pair in table.pairs] == [pair["value"] for pair in same.pairs]
    with pytest.raises(UnknownNameError, match="whom"):
        mine.transfer_table(frame, groups="whom")


def test_lags_are_chosen_within_series():
    est = mine.transfer_entropy(
        *(driven(12, 90)[c] for c in "ab"), history="auto", groups=driven(12, 90)["who"], random_state=0
    )
    assert est.diagnostics["lags"]["x"] == [1]


def test_series_too_short_for_the_past():
    frame = driven(12, 4)
    with pytest.raises(NotEnoughDataError, match="in 12 groups"):
        mine.transfer_entropy(frame["a"], frame["b"], lag=5, groups=frame["who"])


def test_shifts_stay_within_their_series():
    subjects = Subjects(np.array([5, 3, 1]))
    rows = np.arange(9)
    assert subjects.shifted(rows, [7, 1, 4]).tolist() == [2, 3, 4, 0, 1, 6, 7, 5, 8]
    assert set(subjects.shifted(rows, [2, 2, 0])) == set(range(9))


@pytest.mark.parametrize("groups", [["a", "b"], [None] * 4, [1.0, 2.0, np.nan, 1.0]])
def test_groups_that_cannot_be_read(groups: Any):
    with pytest.raises(InputError, match="groups"):
        by_subject(groups, "time", x=[1.0, 2.0, 3.0, 4.0])
