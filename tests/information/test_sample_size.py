"""The check of the sample size: the line by hand, the levels of its interval and of its test, and what users see."""

from __future__ import annotations

import itertools
import json
import math
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

import mine
from mine.errors import InputError, NotEnoughDataError, UnknownNameError
from mine.information.extrapolation import fitted_line, nested_parts, summed_up
from mine.information.sample_size import _parts


def plug_in(x: np.ndarray, y: np.ndarray) -> float:
    """Information of normals from the sample's covariances: too high by about dx dy / 2 n."""
    whole, k = np.cov(x.T, y.T), x.shape[1]
    both, left, right = (np.linalg.slogdet(block)[1] for block in (whole, whole[:k, :k], whole[k:, k:]))
    return float(left + right - both) / 2


def normals(n: int, d: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """``d`` pairs of correlation 0.6: ``-d log(0.8)`` nats."""
    x, e = np.random.default_rng(seed).normal(size=(2, n, d))
    return x, 0.6 * x + 0.8 * e


def nested_values(rng: np.random.Generator, bias: Any, levels: int = 4) -> list[np.ndarray]:
    """Values on nested parts of rows: their common sampling error, errors of their own, and ``bias(parts)``."""
    leaves = 0.03 * 2 ** ((levels - 1) / 2) * rng.normal(size=2 ** (levels - 1))
    own = [0.01 * 2 ** (j / 2) * rng.normal(size=2**j) for j in range(levels)]
    return [leaves.reshape(2**j, -1).mean(1) + own[j] + bias(2.0**j) for j in range(levels)]


# === The line ===


def test_the_line_through_three_levels_by_hand() -> None:
    """Means 3, 2 and 0.6 at 1, 2 and 4 parts: slope -5.5 / 7, and the intercept from the centre (7 / 3, 5.6 / 3)."""
    line = fitted_line([[3.0], [2.1, 1.9], [0.9, 0.5, 0.6, 0.4]], math.nan)
    slope = ((1 - 7 / 3) * 3 + (2 - 7 / 3) * 2 + (4 - 7 / 3) * 0.6) / (14 / 3)
    assert line.slope == pytest.approx(slope)
    assert line.intercept == pytest.approx(5.6 / 3 - slope * 7 / 3)
    # halves minus the mean of their quarters: 1.4 and 1.4, so kappa is 0 and any misfit is too much
    assert line.p_value < 1e-6
    middle = sum(line.interval) / 2
    assert middle == pytest.approx(line.intercept)


def test_exact_lines_are_straight() -> None:
    line = fitted_line([[1.9] * 1, [1.8] * 2, [1.6] * 4, [1.2] * 8], math.nan)
    assert (line.intercept, line.slope, line.p_value) == (pytest.approx(2.0), pytest.approx(-0.1), 1.0)


def test_the_interval_covers_and_the_test_keeps_its_level() -> None:
    rng, runs = np.random.default_rng(0), 1000
    lines = [fitted_line(nested_values(rng, lambda parts: 2.0 - 0.05 * parts), math.nan) for _ in range(runs)]
    covered = np.mean([line.interval[0] <= 2.0 <= line.interval[1] for line in lines])
    assert 0.92 <= covered <= 0.98
    assert 0.03 <= np.mean([line.p_value < 0.05 for line in lines]) <= 0.07
    assert np.std([line.intercept for line in lines]) < np.mean([line.interval[1] - line.interval[0] for line in lines]) / 3


def test_a_bent_curve_is_found() -> None:
    rng = np.random.default_rng(1)
    found = [fitted_line(nested_values(rng, lambda parts: 2.0 - 0.4 * parts**0.4), math.nan).p_value < 0.05 for _ in range(100)]
    assert np.mean(found) > 0.9


def test_the_interval_is_no_narrower_than_the_sampling_error() -> None:
    values = [[1.9], [1.8, 1.8], [1.6] * 4, [1.2] * 8]
    low, high = fitted_line(values, 0.1).interval
    assert high - low == pytest.approx(2 * 1.96 * 0.1)


def whole(value: float, stderr: float, interval: tuple[float, float]) -> mine.Estimate:
    return mine.Estimate(value, None, stderr, interval, "auto", 1000)


def test_what_no_line_removes_stays_in_the_interval() -> None:
    """An estimate that may be far too low: its upper end is kept, beside the error of the line."""
    values = [[1.9], [1.8, 1.8], [1.6] * 4, [1.2] * 8]
    check = summed_up(whole(1.9, 0.1, (1.7, 3.1)), values, (1000, 500, 250, 125))
    assert check.line_interval == pytest.approx((2.0 - 0.196, 2.0 + 0.196))
    assert check.interval[1] - 2.0 == pytest.approx(1.2)  # the root of 0.196^2 + (1.2^2 - 0.196^2)
    assert 2.0 - check.interval[0] == pytest.approx(0.2)
    open_above = summed_up(whole(1.9, 0.1, (1.7, math.inf)), values, (1000, 500, 250, 125))
    assert open_above.interval[1] == math.inf and "∞)" in str(open_above) and open_above.to_dict()["interval"][1] is None
    without_error = summed_up(whole(1.9, math.nan, (-math.inf, math.inf)), values, (1000, 500, 250, 125))
    assert without_error.interval == without_error.line_interval


def test_parts_are_nested_and_disjoint() -> None:
    parts = nested_parts(np.random.default_rng(0).permutation(103), 4)
    for level, halves in itertools.pairwise(parts):
        for i, part in enumerate(level):
            np.testing.assert_array_equal(part, np.concatenate(halves[2 * i : 2 * i + 2]))
    assert sorted(np.concatenate(parts[-1])) == list(range(103))


# === On data ===


def test_the_known_bias_of_a_method_is_removed() -> None:
    x, y = normals(1600, 6, 7)
    check = mine.sample_size_check(x, y, method=plug_in, random_state=0)
    assert check.sizes == (1600, 800, 400, 200)
    assert [len(level) for level in check.values] == [1, 2, 4, 8]
    assert check.straight
    assert check.estimate.value == pytest.approx(plug_in(x, y))
    assert check.means[-1] - check.means[0] == pytest.approx(18 * 7 / 1600, abs=0.03)  # 36 / 2 n
    assert check.value < check.estimate.value < check.means[-1]
    assert check.interval[0] <= -6 * math.log(0.8) <= check.interval[1]


def test_too_few_rows_are_flagged() -> None:
    """Nearest neighbours in twenty dimensions: the error falls far slower than 1 / n, and from below."""
    x, e = np.random.default_rng(0).normal(size=(2, 800, 20))
    check = mine.sample_size_check(x, x + 0.3 * e, method="ksg", random_state=0)
    assert not check.straight and not check.settled
    assert check.p_value < 0.05
    assert any("do not lie on a line" in warning for warning in check.warnings)
    assert "too few rows for this method" in check.sentence
    low, high = check.estimate.interval
    assert check.interval[0] <= low and check.interval[1] >= high


def test_the_estimate_on_all_rows_is_that_of_estimate() -> None:
    x, y = normals(300, 2, 1)
    check = mine.sample_size_check(x, y, levels=3, method="mine", steps=5, random_state=4, unit="bits")
    alone = mine.estimate(x, y, method="mine", steps=5, random_state=4, unit="bits")
    assert (check.estimate.value, check.estimate.interval) == (alone.value, alone.interval)
    again = mine.sample_size_check(x, y, levels=3, method="mine", steps=5, random_state=4, unit="bits")
    assert again.values == check.values and check.unit == "bits"


def test_labels_stay_labels_in_small_parts() -> None:
    """Twelve values that average 50 rows are labels; in an eighth of the rows they average 6, and would be numbers."""
    rng = np.random.default_rng(2)
    x = rng.integers(12, size=600)
    y = np.where(rng.random(600) < 0.8, x % 3, rng.integers(3, size=600))
    check = mine.sample_size_check(pd.DataFrame({"a": x}), pd.DataFrame({"b": y}), method="discrete", random_state=0)
    assert check.estimate.diagnostics["discrete_columns"] == ["a", "b"]
    assert check.estimate.value == mine.estimate(x, y, method="discrete", random_state=0).value


def test_groups_stay_whole_and_time_stays_together() -> None:
    groups = np.repeat(np.arange(80), 5)
    seen: list[np.ndarray] = []

    def remember(x: np.ndarray, y: np.ndarray) -> float:
        seen.append(np.sort(x[:, 0]))
        return 0.0

    rows = np.arange(400.0)
    noise = np.random.default_rng(0).normal(size=400)
    mine.sample_size_check(rows, noise, levels=3, method=remember, groups=groups, random_state=0)
    assert [len(part) for part in seen] == [400, 200, 200, 100, 100, 100, 100]
    assert all((np.bincount(part.astype(int) // 5, minlength=80) % 5 == 0).all() for part in seen)
    assert not np.array_equal(seen[1], np.arange(200))

    backwards = _parts(400, 3, None, rows[::-1], seed=0)
    assert [mask.tolist() for mask in backwards[1]] == [[i >= 200 for i in range(400)], [i < 200 for i in range(400)]]


def test_given_z_missing_rows_and_progress() -> None:
    x, y = normals(420, 1, 5)
    z = x + np.random.default_rng(1).normal(size=x.shape)
    x[:20] = np.nan
    calls: list[tuple[int, int]] = []
    check = mine.sample_size_check(
        x, y, z, levels=3, method="gaussian", drop_missing=True, random_state=0,
        progress=lambda done, total, _: calls.append((done, total)),
    )  # fmt: skip
    assert check.sizes == (400, 200, 100)
    assert calls == [(i, 7) for i in range(7)]
    assert check.estimate.value == mine.estimate(x[20:], y[20:], z[20:], method="gaussian", random_state=0).value


# === What is refused, and what is shown ===


def test_an_error_of_a_part_says_so() -> None:
    x = np.repeat(["common", "rare"], [590, 10])
    with pytest.raises(InputError, match=r"In a part of 300 rows: .*constant"):
        mine.sample_size_check(x, normals(600, 1, 0)[1], method="ross", order="time")


def test_wrong_calls_are_refused_before_anything_is_estimated() -> None:
    x, y = normals(500, 1, 0)
    with pytest.raises(InputError, match="levels must be an integer of at least 3, got 2"):
        mine.sample_size_check(x, y, levels=2)
    with pytest.raises(NotEnoughDataError, match="500 rows in 16 parts leave 31 rows in the smallest, and 50 are needed"):
        mine.sample_size_check(x, y, levels=5)
    with pytest.raises(InputError, match="same number of rows"):
        mine.sample_size_check(x, y[:-1])
    with pytest.raises(UnknownNameError, match="column in discrete 'a'"):
        mine.sample_size_check(x, y, discrete=["a"])
    with pytest.raises(UnknownNameError, match="stepz"):
        mine.sample_size_check(x, y, stepz=3)
    with pytest.raises(InputError, match="sample_weight"):
        mine.sample_size_check(x, y, sample_weight=np.ones(500, int))


def test_the_result_prints_plots_and_becomes_json() -> None:
    x, y = normals(800, 6, 3)
    check = mine.sample_size_check(x, y, method=plug_in, random_state=0)
    text = str(check)
    assert re.search(r"^Extrapolated: 1\.\d{3} nats   95 % interval \[", text)
    assert "From half of the 800 rows to all of them the estimate moved by -0.0" in " ".join(text.split())
    assert "100 rows: " in text and "(mean of 8)" in text
    plain = json.loads(json.dumps(check.to_dict(), allow_nan=False))
    assert plain["sizes"] == [800, 400, 200, 100] and plain["straight"] is True
    assert plain["value"] == check.value
    figure = check.plot()
    (axis,) = figure.axes
    assert axis.get_xlabel() == "1 / rows"
    figure.draw_without_rendering()
