"""The difference of two estimates: by hand, against simulated truth, and what it refuses to assume."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

import mine
from mine.comparison import fingerprints
from mine.data.sides import as_variable
from mine.errors import InputError
from mine.result import Estimate

LOG2 = math.log(2)
#: Rows whose mean has a standard error of exactly 1 (sum of squares 12 over 4 * 3).
UP, SIDE = np.array([1.0, -1, 1, -1]) * math.sqrt(3), np.array([1.0, 1, -1, -1]) * math.sqrt(3)


def made(value: float = 0.5, rows: np.ndarray | None = None, **changes: Any) -> Estimate:
    """An estimate of four rows whose standard error is 1 and whose interval is sampling error alone."""
    fields: dict[str, Any] = {
        "value": value,
        "lower_bound": None,
        "stderr": 1.0,
        "interval": (value - 1.96, value + 1.96),
        "method": "auto",
        "n": 4,
        "influence": rows,
    }
    return Estimate(**{**fields, **changes})


# === the standard error, by hand ===


@pytest.mark.parametrize(
    ("first", "second", "stderr", "correlation"),
    [(UP, UP, 0.0, 1.0), (UP, SIDE, math.sqrt(2), 0.0), (UP, -UP, 2.0, -1.0), (UP, (UP + SIDE) / math.sqrt(2), math.sqrt(2 - math.sqrt(2)), math.sqrt(0.5))],
)  # fmt: skip
def test_rows_that_move_both_values_alike_cancel(first: np.ndarray, second: np.ndarray, stderr: float, correlation: float):
    found = made(rows=first).difference(made(0.25, rows=second), paired=True)
    assert found.value == 0.25 and found.stderr == pytest.approx(stderr, abs=1e-7)
    assert found.diagnostics["correlation"] == pytest.approx(correlation, abs=1e-12)
    assert found.interval == pytest.approx((0.25 - 1.96 * stderr, 0.25 + 1.96 * stderr), abs=1e-7)
    assert found.contributions is not None
    np.testing.assert_allclose(found.contributions, first - second)


def test_pointwise_values_serve_where_there_are_no_other_contributions():
    found = made(pointwise_values=UP).difference(made(pointwise_values=UP + 7.0), paired=True)
    assert found.stderr == pytest.approx(0, abs=1e-7)  # a constant moves nothing


def test_error_that_is_not_of_the_rows_is_not_shared():
    # Of a standard error of 2 only 1 comes from the rows: 4 + 1 - 2 * 1 * 1.
    noisy = made(rows=UP, stderr=2.0, interval=(-3.42, 4.42))
    assert noisy.difference(made(rows=UP), paired=True).stderr == pytest.approx(math.sqrt(3))
    assert noisy.difference(made(rows=-UP), paired=True).stderr == pytest.approx(3)  # it may well be opposed


def test_groups_are_the_unit_of_what_is_shared():
    # By rows the two are uncorrelated; by groups of two rows, (UP sums to 0 in each) the first does not move at all.
    groups = np.array([0, 0, 1, 1])
    by_group = made(rows=SIDE, groups=groups).difference(made(rows=SIDE + UP, groups=groups), paired=True)
    # SIDE's group sums are +-2 sqrt(3): standard error sqrt(24 * 2) / 4 = sqrt(3), of which an stderr of 1 takes 1.
    assert by_group.diagnostics["correlation"] == pytest.approx(1.0)
    assert made(rows=SIDE).difference(made(rows=SIDE + UP), paired=True).diagnostics["correlation"] < 0.8
    one_of_them = made(rows=SIDE).difference(made(rows=SIDE + UP, groups=groups), paired=True)
    assert one_of_them.diagnostics["correlation"] == pytest.approx(1.0)


def test_independent_and_unknown_rows():
    first, second = made(rows=UP), made(0.25, rows=SIDE, stderr=0.75, interval=(-1.22, 1.72))
    apart = first.difference(second, paired=False)
    assert (apart.stderr, apart.n, apart.warnings) == (pytest.approx(1.25), 8, [])
    assert apart.contributions is None
    unknown = first.difference(second)
    assert unknown.stderr == pytest.approx(1.75)  # what any correlation allows
    assert unknown.diagnostics["paired"] is None and "paired=True" in unknown.warnings[0]
    lacking = first.difference(made(method="smile"), paired=True)
    assert lacking.stderr == pytest.approx(2) and "contribution of each row is not known for smile" in lacking.warnings[0]
    assert "methods differ (auto and smile)" in lacking.warnings[1]


# === the interval and its p-value ===


def test_what_an_interval_holds_beyond_sampling_error_does_not_cancel():
    # Beyond sampling the first reaches 0.3 down and 0.4 up, the second nothing down and infinitely far up.
    def beyond(down: float, up: float, value: float = 0.5) -> Estimate:
        return made(value, rows=UP, interval=(value - math.hypot(1.96, down), value + math.hypot(1.96, up)))

    first, second = beyond(0.3, 0.4, 1.0), beyond(0.6, 0.8, 0.25)
    found = first.difference(second, paired=True)  # the same rows: no sampling error at all
    assert found.interval == pytest.approx((0.75 - math.hypot(0.3, 0.8), 0.75 + math.hypot(0.4, 0.6)), abs=1e-7)
    assert found.p_value == pytest.approx(2 * norm.sf(1.96 * 0.75 / math.hypot(0.3, 0.8)))
    turned = second.difference(first, paired=True)
    assert turned.interval == pytest.approx((-found.interval[1], -found.interval[0]))
    assert turned.p_value == pytest.approx(found.p_value)


def test_an_open_end_leaves_the_difference_open():
    endless = made(9.0, rows=UP, interval=(7.04, math.inf))
    above = endless.difference(made(0.25, rows=SIDE), paired=True)
    assert above.interval[0] > 0 and above.interval[1] == math.inf and above.p_value is not None and above.p_value < 0.001
    assert above.diagnostics["saturated"] and "first estimate has no upper limit" in above.warnings[0]
    below = made(10.0, rows=UP).difference(endless, paired=True)
    assert below.interval[0] == -math.inf and below.p_value == 1.0  # the second may be far larger
    unknown = made(stderr=math.inf).difference(made(), paired=False)
    assert unknown.interval == (-math.inf, math.inf) and unknown.p_value == 1.0


def test_the_p_value_is_small_exactly_if_the_interval_excludes_zero():
    rng = np.random.default_rng(0)
    verdicts = []
    for _ in range(300):
        values, ends = rng.normal(size=2), rng.exponential(0.5, (2, 2))
        first, second = (
            made(value, rows=rng.normal(size=4), stderr=0.3, interval=(value - down, value + up))
            for value, (down, up) in zip(values, ends, strict=True)
        )
        found = first.difference(second, paired=True)
        assert found.p_value is not None
        verdicts.append(found.interval[0] > 0 or found.interval[1] < 0)
        assert (found.p_value <= 0.05) == verdicts[-1]
    assert 30 < sum(verdicts) < 270  # both happen
    assert made(rows=UP).difference(made(rows=UP), paired=True).p_value == 1.0


# === which rows ===


def test_a_shared_side_shows_that_the_rows_are_the_same():
    rng = np.random.default_rng(0)
    y = rng.normal(size=(200, 2)) @ [1, 0]
    x1, x2 = y + rng.normal(size=200), y + rng.normal(size=200)

    def of(x: Any, y: Any) -> Estimate:
        return mine.estimate(x, y, method="gaussian", random_state=0)

    assert of(x1, y).difference(of(x2, y)).diagnostics["paired"] is True
    assert of(x1, y).difference(of(y, x2)).diagnostics["paired"] is True  # either way round
    order = rng.permutation(200)  # the same values in another order are other rows
    assert of(x1, y).difference(of(x2[order], y[order])).diagnostics["paired"] is None
    # as many rows show nothing
    assert of(x1, y).difference(of(x2, y + rng.normal(size=200))).diagnostics["paired"] is None
    twice = of(x1, y).difference(of(x2, y), paired=False)
    assert "Both estimates use the same values of one side" in twice.warnings[0]


def test_fingerprints_know_values_and_not_names():
    def of(values: Any, name: str = "x", **settings: Any) -> tuple[str, ...]:
        return fingerprints(as_variable(values, name, settings.get("discrete")))

    v = np.arange(40.0)
    assert of(v) == of(v.tolist(), "other") != of(v[::-1])
    assert of(np.array(["a", "b"] * 20)) == of(np.array(["c", "d"] * 20)) != of(np.array(["a", "b", "b", "a"] * 10))
    assert of(np.where(v < 1, -0.0, v)) == of(v)
    assert of(np.stack([v, v**2], 1)) != of(np.stack([v**2, v], 1))


def test_conditional_estimates_pair_with_others():
    rng = np.random.default_rng(0)
    z = rng.normal(size=400)
    x, y = z + rng.normal(size=400), z + rng.normal(size=400)
    given, whole = (mine.estimate(x, y, *rest, method="gaussian") for rest in ((z,), ()))
    found = whole.difference(given)  # interaction information, 0.144
    assert found.diagnostics["paired"] is True and found.diagnostics["correlation"] is not None
    assert found.interval[0] < 0.5 * math.log(4 / 3) < found.interval[1]


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(InputError, match="another Estimate, got float"):
        made().difference(0.25)  # pyright: ignore[reportArgumentType]
    with pytest.raises(InputError, match="paired must be True, False or 'auto', got 'yes'"):
        made().difference(made(), paired="yes")  # pyright: ignore[reportArgumentType]
    with pytest.raises(InputError, match="one is of 4 rows and the other of 5"):
        made(rows=UP).difference(made(n=5, rows=np.arange(5.0)), paired=True)


def test_an_identifier_says_nothing_about_a_difference():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 300).astype(str)
    ids = [f"id {i}" for i in range(300)]
    copy = mine.estimate(np.where(rng.random(300) < 0.1, "0", y), y)
    found = copy.difference(mine.estimate(ids, y))
    assert found.diagnostics["unidentifiable"] and found.warnings[0].startswith("The information with an identifier")
    # the identifier may name y: log 3 for it
    assert found.interval[0] < copy.value - 1.0 and found.p_value is not None and found.p_value > 0.05


# === units and files ===


def test_another_unit_is_converted_and_said():
    first, second = made(0.5, rows=UP), made(0.25, rows=SIDE)
    nats = first.difference(second, paired=True)
    mixed = first.difference(second.to("bits"), paired=True)
    assert (mixed.value, mixed.stderr, *mixed.interval) == pytest.approx((nats.value, nats.stderr, *nats.interval))
    assert mixed.warnings == ["The second estimate was converted from bits to nats."]
    bits = first.to("bits").difference(second.to("bits"), paired=True)
    assert bits.unit == "bits" and bits.value == pytest.approx(0.25 / LOG2) and bits.stderr == pytest.approx(nats.stderr / LOG2)
    assert bits.p_value == pytest.approx(nats.p_value) and not bits.warnings
    assert bits.contributions is not None
    np.testing.assert_allclose(bits.contributions, (UP - SIDE) / LOG2)


def test_it_reads_and_saves_as_an_estimate(tmp_path: Path):
    groups = np.array([0, 0, 1, 1])
    first = made(rows=UP, groups=groups, sides=("one", "two"))
    found = first.difference(made(0.25, rows=SIDE, groups=groups, sides=("three", "two")))
    first_line, second_line = repr(found).splitlines()
    interval = f"[{found.interval[0]:.3f}, {found.interval[1]:.3f}]"
    assert first_line == f"Difference: 0.250 ± {found.stderr:.3f} nats   95 % interval {interval}   p = {found.p_value:.3g}"
    assert second_line == "  method auto - auto, n = 4"
    assert found.to_dict()["p_value"] == found.p_value and "p_value" not in first.to_dict()
    found.save(tmp_path / "difference.json")
    back = Estimate.load(tmp_path / "difference.json")
    assert repr(back) == repr(found) and (back.p_value, back.sides) == (found.p_value, found.sides)
    np.testing.assert_array_equal(back.contributions, found.contributions)  # pyright: ignore[reportArgumentType]
    np.testing.assert_array_equal(back.groups, groups)  # pyright: ignore[reportArgumentType]
    assert back.difference(back).stderr == 0.0


def test_files_of_the_first_releases_load(tmp_path: Path):
    made().save(tmp_path / "old.json")
    record = json.loads((tmp_path / "old.json").read_text())
    del record["content"]["sides"], record["content"]["p_value"]
    del record["sha256"]
    (tmp_path / "old.json").write_text(json.dumps({**record, "version": 1}))
    with pytest.warns(UserWarning, match="no checksum"):
        back = Estimate.load(tmp_path / "old.json")
    assert (back.value, back.sides, back.p_value) == (0.5, (), None)


# === the methods ===


@pytest.mark.parametrize("method", ["gaussian", "ksg", "ross", "discrete"])
def test_contributions_are_the_log_ratios_of_the_rows(method: str):
    rng = np.random.default_rng(0)
    n = 2000
    if method in ("gaussian", "ksg"):
        x = rng.normal(size=n)
        y = 0.6 * x + 0.8 * rng.normal(size=n)
        truth = -math.log(0.8) + 0.5 * y**2 - 0.5 * ((y - 0.6 * x) / 0.8) ** 2
    elif method == "ross":
        label = rng.integers(0, 2, n)
        x, y = 2.0 * label + rng.normal(size=n), label.astype(str)
        truth = LOG2 - np.logaddexp(0, -(2 * label - 1) * (2 * x - 2))
    else:
        label, same = rng.integers(0, 2, n), rng.random(n) < 0.8
        x, y = np.where(same, label, 1 - label).astype(str), label.astype(str)
        truth = np.where(same, math.log(1.6), math.log(0.4))
    found = mine.estimate(x, y, method=method, random_state=0)
    assert found.contributions is not None and found.contributions.shape == (n,)
    assert found.contributions.mean() == pytest.approx(found.value, abs=0.01)
    least = 0.6 if method in ("ksg", "ross") else 0.99  # three neighbours tell a row's own log-ratio roughly
    assert np.corrcoef(found.contributions, truth)[0, 1] > least
    assert found.stderr == pytest.approx(truth.std() / math.sqrt(n), rel=0.6)


def test_rows_that_a_method_leaves_out_are_not_paired():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 300))
    x[150:200], y[150:200] = x[:50], y[:50]  # neighbours are counted without copies
    found = mine.estimate(x, y, method="ksg", random_state=0)
    other = mine.estimate(rng.normal(size=300), y, method="ksg", random_state=0)
    assert found.contributions is None and found.n == 250
    difference = found.difference(other)
    assert difference.diagnostics["paired"] is True and difference.stderr == pytest.approx(found.stderr + other.stderr)


def test_intervals_cover_and_pairing_narrows_them():
    """Two columns that share nine tenths of their noise: one of them is better by 0.0555 nats."""
    truth = 0.5 * (math.log1p(0.9**-2) - LOG2)
    covered, found, narrower = [], [], []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        y, common, *own = rng.normal(size=(4, 200))
        noise = [math.sqrt(0.9) * common + math.sqrt(0.1) * e for e in own]
        better, worse = (mine.estimate(y + s * e, y, method="gaussian") for s, e in zip((0.9, 1.0), noise, strict=True))
        paired, apart = better.difference(worse), better.difference(worse, paired=False)
        covered.append(paired.interval[0] <= truth <= paired.interval[1])
        found.append(paired.interval[0] > 0)
        narrower.append(paired.stderr / apart.stderr)
    assert np.mean(covered) >= 0.9
    assert np.mean(found) > 0.5  # of independent errors it would be found in one of twelve
    assert np.median(narrower) < 0.4
