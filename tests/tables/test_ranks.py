"""Whether the first pair of a table is above the second: against closed forms and simulated truth."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from mine.tables.blocks import Cell
from mine.tables.measured import Pairwise
from mine.tables.pairwise import measure
from mine.tables.ranks import _contributions, ranks


def cell(x: str, y: str, value: float | None, n: int, stderr: float = 0.02, **changes: object) -> Cell:
    low, high = (None, None) if value is None else (value - 1.96 * stderr, value + 1.96 * stderr)
    kind, method = "number-number", "gaussian"
    known = {"lower_bound": None, "stderr": stderr, "low": low, "high": high, "p": None, "permutations": None, "kind": kind}
    return Cell(**{"x": x, "y": y, "value": value, **known, "method": method, "n": n, "note": "", **changes})  # pyright: ignore


def columns_of(table: pd.DataFrame) -> Pairwise:
    return measure(table, method="gaussian", random_state=0, drop_missing=True)


def shared_noise(n: int, seed: int = 0) -> pd.DataFrame:
    """Two measurements of y that share nearly all of their noise, and one with noise of its own."""
    rng = np.random.default_rng(seed)
    y, e = rng.normal(size=(2, n))
    return pd.DataFrame({"y": y, "a": y + 0.9 * e, "b": y + e + 0.1 * rng.normal(size=n), "c": y + rng.normal(size=n)})


def test_each_place_is_compared_with_the_next():
    table = shared_noise(1000)
    pairs = measure(table, "y", method="gaussian", random_state=0)
    found = ranks(pairs, 5)
    values = {(c.x, c.y): c.value for c in pairs.cells}
    order = sorted(values, key=lambda pair: -(values[pair] or 0.0))
    assert [r.pair for r in found] == order[:-1] and [r.next for r in found] == order[1:]
    for rank in found:
        first, second = (values[pair] or math.nan for pair in (rank.pair, rank.next))
        assert rank.difference.value == pytest.approx(first - second)  # those of the table
    assert order[0] == ("a", "y") and len(ranks(pairs, 1)) == 1


def test_noise_that_two_columns_share_cancels():
    found = [ranks(measure(shared_noise(1000, seed), "y", method="gaussian", random_state=0), 1)[0] for seed in range(8)]
    alike = [r for r in found if set(r.pair + r.next) == {"a", "b", "y"}]
    assert len(alike) >= 3 and all(r.difference.diagnostics["correlation"] > 0.9 for r in alike)
    assert np.mean([r.above for r in alike]) > 0.7  # 0.056 nats apart, each with a standard error of 0.03


def test_equal_columns_are_rarely_told_apart():
    above = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        y = rng.normal(size=300)
        table = pd.DataFrame({"y": y, "a": y + rng.normal(size=300), "b": y + rng.normal(size=300)})
        above.append(ranks(measure(table, "y", method="gaussian", random_state=0), 1)[0].above)
    assert np.mean(above) <= 0.12  # 5 %, and two standard errors


def test_pairs_share_the_rows_that_both_have():
    """By hand: labels on all rows, and on the first half only, where each log-ratio counts twice."""
    a, b = (np.tile(part, 25) for part in (["u", "u", "v", "v"], ["u", "u", "v", "u"]))
    table = pd.DataFrame({"a": a, "b": b, "c": pd.Series(b).where(np.arange(100) < 50)})
    pairs = measure(table, drop_missing=True, random_state=0)
    cells = {(c.x, c.y): c for c in pairs.cells}
    rows = _contributions(cells["a", "b"], pairs.columns)
    # p(u, u) = 1/2 against 1/2 * 3/4, p(v, v) = 1/4 against 1/8, p(v, u) = 1/4 against 3/8
    ratio = np.tile(np.log([4 / 3, 4 / 3, 2, 2 / 3]), 25)
    np.testing.assert_allclose(rows, ratio - ratio.mean(), atol=1e-12)
    half = _contributions(cells["a", "c"], pairs.columns)
    assert not half[50:].any() and half[:50].sum() == pytest.approx(0)
    # 50 rows are 12 times the four and two more of (u, u)
    counts = np.array([26, 12, 12]) / 50
    by_cell = np.log(counts / [(26 / 50) * (38 / 50), (24 / 50) * (12 / 50), (24 / 50) * (38 / 50)])
    expected = np.append(np.tile(by_cell[[0, 0, 1, 2]], 12), by_cell[[0, 0]])
    np.testing.assert_allclose(half[:50], 2 * (expected - expected.mean()), atol=1e-12)


def test_pairs_without_a_value_an_identifier_or_information_have_no_place():
    table = shared_noise(200)
    pairs = columns_of(table)
    cells = [
        cell("a", "y", 0.5, 200),
        cell("b", "y", 0.4, 200),
        cell("c", "y", None, 200),
        cell("a", "b", 0.9, 200, unidentifiable=True),
        cell("a", "c", -0.01, 200),
    ]
    found = ranks(Pairwise(cells, pairs.columns, None, "nats", 0), 5)
    assert [(r.pair, r.next) for r in found] == [(("a", "y"), ("b", "y"))]
    assert ranks(Pairwise(cells[:1], pairs.columns, None, "nats", 0), 5) == []


def test_open_intervals_and_units():
    pairs = columns_of(shared_noise(200))
    open_above = cell("b", "y", 0.4, 200, high=None)
    cells = [cell("a", "y", 0.5, 200), open_above]
    (nats,) = ranks(Pairwise(cells, pairs.columns, None, "nats", 0), 5)
    assert nats.difference.interval[0] == -math.inf and not nats.above
    (bits,) = ranks(Pairwise(cells, pairs.columns, None, "bits", 0), 5)
    assert bits.difference.unit == "bits" and bits.difference.value == pytest.approx(0.1 / math.log(2))


def test_default_methods_of_all_kinds_of_pairs():
    rng = np.random.default_rng(0)
    n = 400
    region = rng.choice(["north", "south"], n)
    table = pd.DataFrame(
        {
            "region": region,
            "coast": np.where(rng.random(n) < 0.05, "no", np.where(region == "north", "no", "yes")),
            "height": np.where(region == "north", 1.5, 0) + rng.normal(size=n),
            "wave": np.cos(3 * rng.normal(size=n)),
        }
    )
    found = ranks(measure(table, random_state=0), 5)
    assert set(found[0].pair) == {"region", "coast"} and found[0].above  # 0.55 against 0.25 nats
    assert {frozenset(found[1].pair), frozenset(found[1].next)} == {frozenset({c, "height"}) for c in ("region", "coast")}
    # height says about coast what it says about region, less a little: 19 of 20 rows are the same
    assert found[1].difference.diagnostics["correlation"] > 0.3
