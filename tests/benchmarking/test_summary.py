"""The summary against numbers worked out by hand, and the figures against the records they show."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mine.benchmarking.figures import plot_error_time, plot_heatmap
from mine.benchmarking.run import BenchmarkResult
from mine.benchmarking.store import Record
from mine.benchmarking.summary import as_csv, as_markdown, as_terminal, summarise


def record(task: str, seed: int, value: float | None, **more: Any) -> Record:
    base = Record(task, "auto[steps=5]", 100, seed, "t", "v", 1.0, value)
    return replace(base, **more)


RECORDS = [
    # errors +.1, -.3 | +.2, +.4; intervals hold 1, miss 1, hold 1 (open above), none
    record("a", 0, 1.1, has_interval=True, low=0.9, high=1.2, seconds=1.0, oracle=1.02, lower_bound=1.05, stderr=0.02),
    record("a", 1, 0.7, has_interval=True, low=0.6, high=0.8, seconds=2.0, oracle=0.96, lower_bound=1.05, stderr=0.03),
    record("b", 0, 1.2, has_interval=True, low=0.9, high=None, seconds=6.0),
    record("b", 1, 1.4, seconds=3.0),
    record("c", 0, None, error="ValueError: no", oracle=3.0),
]


def test_every_number_of_a_line() -> None:
    (line,) = summarise(RECORDS)
    assert (line.method, line.n, line.cells, line.failed) == ("auto[steps=5]", 100, 5, 1)
    assert line.mae == pytest.approx((0.1 + 0.3 + 0.2 + 0.4) / 4)
    assert line.bias == pytest.approx((0.1 - 0.3 + 0.2 + 0.4) / 4)
    assert (line.oracle_mae, line.oracle_cells) == (pytest.approx((0.02 + 0.04) / 2), 2)  # the failed cell's is left out
    assert line.worst_task == "b"
    assert (line.worst_error, line.worst_bias) == (pytest.approx(0.3), pytest.approx(0.3))
    assert (line.coverage, line.intervals) == (pytest.approx(2 / 3), 3)
    assert line.bound_above == pytest.approx(1 / 2)  # 1.05 > 1 + .04, but not > 1 + .06
    assert (line.mean_seconds, line.max_seconds) == (3.0, 6.0)


def test_the_worst_task_is_the_one_with_the_largest_mean_absolute_error() -> None:
    # a: -.5 and +.5 cancel in the bias, b: +.3 and +.3 do not
    errors = {("a", 0): -0.5, ("a", 1): 0.5, ("b", 0): 0.3, ("b", 1): 0.3}
    (line,) = summarise(record(task, seed, 1 + error) for (task, seed), error in errors.items())
    assert (line.worst_task, line.worst_error, line.worst_bias) == ("a", pytest.approx(0.5), pytest.approx(0))


def test_a_method_that_always_fails_has_a_line_without_numbers() -> None:
    (line,) = summarise([RECORDS[-1]])
    assert (line.failed, line.mae, line.coverage, line.worst_task) == (1, None, None, None)
    assert "1 of 1" in as_terminal([line], "title", 150)


def test_lines_are_sorted_by_n_and_keep_the_order_of_methods() -> None:
    records = [replace(RECORDS[0], n=n, method=method) for n in (200, 100) for method in ("z", "a")]
    assert [(line.n, line.method) for line in summarise(records)] == [(100, "z"), (100, "a"), (200, "z"), (200, "a")]


def test_the_tables_print_the_numbers() -> None:
    lines = summarise(RECORDS)
    row = next(line for line in as_markdown(lines, "Title", ["a note"]).splitlines() if line.startswith("| 100"))
    assert [cell.strip() for cell in row.strip("|").split("|")] == [
        "100", "auto[steps=5]", "0.2500", "0.0300", "+0.1000", "b", "0.300", "+0.300", "66.7%", "50.0%", "3.00", "6.00", "1 of 5",
    ]  # fmt: skip
    assert as_markdown(lines, "Title", ["a note"]).endswith("\n- a note\n")
    printed = as_terminal(lines, "Title", 150)
    assert "auto[steps=5]" in printed and "66.7%" in printed and "nats" in printed


def test_the_csv_has_one_row_a_cell() -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(RECORDS))))
    assert len(rows) == 5
    assert float(rows[1]["error"]) == pytest.approx(-0.3) and rows[1]["covered"] == "False"
    assert (rows[2]["interval_high"], rows[3]["interval_high"], rows[3]["covered"]) == ("inf", "", "")
    assert (rows[4]["value"], rows[4]["failure"]) == ("", "ValueError: no")


def test_the_heat_map_shows_mean_errors_beside_the_oracle() -> None:
    figure = plot_heatmap([*RECORDS, replace(RECORDS[0], n=200)])
    left, right = (axis for axis in figure.axes if axis.get_title(loc="left"))
    assert [axis.get_title(loc="left") for axis in (left, right)] == ["n = 100", "n = 200"]
    assert [label.get_text() for label in left.get_yticklabels()] == ["a", "b", "c"]
    assert [label.get_text() for label in left.get_xticklabels()] == ["oracle", "auto[steps=5]"]
    shown = left.images[0].get_array()
    assert shown is not None
    assert shown[0].tolist() == pytest.approx([-0.01, -0.1]) and shown[1, 1] == pytest.approx(0.3)
    texts = [text.get_text() for text in left.texts]
    assert texts == ["-.010", "-.100", "", "+.300", "+2.00", "failed"]


def test_a_point_a_method_and_effort_stands_at_its_seconds_and_error() -> None:
    fast = replace(RECORDS[0], method="auto[effort=fast]", seconds=1.0)
    slow = replace(RECORDS[2], method="auto[effort=slow]", seconds=9.0)
    other = replace(RECORDS[1], method="ksg", oracle=None)
    (axis,) = plot_error_time(summarise([slow, fast, other])).axes
    auto, ksg, oracle = axis.get_lines()
    assert list(auto.get_xdata()) == [1.0, 9.0] and list(auto.get_ydata()) == pytest.approx([0.1, 0.2])
    assert list(ksg.get_xdata()) == [2.0] and list(ksg.get_ydata()) == pytest.approx([0.3])
    assert oracle.get_ydata()[0] == pytest.approx(0.02)
    assert {text.get_text() for text in axis.texts} == {"fast", "slow"}


@pytest.mark.parametrize("records", [RECORDS, RECORDS[-1:], RECORDS[3:4], [replace(RECORDS[0], value=1.0)]], ids=len)
def test_whatever_came_out_is_written(records: list[Record], tmp_path: Path) -> None:
    files = BenchmarkResult(records, summarise(records), [], "Title").save(tmp_path / "new")
    assert [path.name for path in files] == ["table.csv", "summary.md", "heatmap.png", "error_time.png"]
    assert all(path.stat().st_size > 100 for path in files)


def test_an_interval_may_be_open_or_absent() -> None:
    assert record("a", 0, 1.0).covered is None
    assert record("a", 0, 1.0, has_interval=True, low=None, high=0.9).covered is False
    assert record("a", 0, 1.0, has_interval=True, low=None, high=1.1).covered is True
