"""Total correlation and divergence against closed forms."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import torch

import mine
from mine.errors import InputError, NotEnoughDataError


def test_total_correlation_of_a_normal_vector() -> None:
    covariance = np.array([[1, 0.5, 0.3], [0.5, 1, -0.2], [0.3, -0.2, 1]])
    rows = np.random.default_rng(0).multivariate_normal(np.zeros(3), covariance, 5000)
    truth = -0.5 * math.log(np.linalg.det(covariance))
    est = mine.total_correlation({"a": rows[:, 0], "b": rows[:, 1], "c": rows[:, 2]}, method="gaussian")
    assert est.value == pytest.approx(truth, abs=0.03) and est.lower_bound is None
    assert sum(est.diagnostics["terms_nats"]) == pytest.approx(est.value)


def test_the_sum_of_bounds_is_a_bound_and_the_mean_of_its_rows() -> None:
    x = np.random.default_rng(0).normal(size=(300, 3))
    x[:, 2] += x[:, 0] + x[:, 1]
    est = mine.total_correlation(list(x.T), random_state=0, steps=40)
    assert est.lower_bound == pytest.approx(est.pointwise().mean())
    assert est.value == pytest.approx(0.5 * math.log(3), abs=0.15)


def test_blocks_share_their_rows() -> None:
    a = np.arange(30.0)
    with pytest.raises(InputError, match="at least two"):
        mine.total_correlation([a])
    with pytest.raises(InputError, match="block2 has 20"):
        mine.total_correlation([a, a**2, a[:20]])


def test_divergence_of_normals() -> None:
    rng = np.random.default_rng(0)
    shift, scale = np.array([0.5, -0.5]), np.array([1.0, 0.5])
    p, q = shift + scale * rng.normal(size=(2000, 2)), rng.normal(size=(3000, 2))
    truth = 0.5 * float((scale**2 + shift**2 - 1 - 2 * np.log(scale)).sum())
    est = mine.kl_divergence(p, q, random_state=0, steps=60)
    assert abs(est.value - truth) < 3 * est.stderr < 0.15
    assert est.lower_bound == pytest.approx(est.pointwise().mean())
    assert len(est.pointwise()) == 2000 and est.diagnostics["rows_of_q"] == 3000


def test_divergence_of_laplace_laws_which_no_gaussian_knows() -> None:
    rng = np.random.default_rng(1)
    est = mine.kl_divergence(rng.laplace(size=4000), 2 * rng.laplace(size=4000), random_state=0, steps=150)
    assert est.value == pytest.approx(math.log(2) - 0.5, abs=0.04)


def test_equal_laws_and_far_ones() -> None:
    rng = np.random.default_rng(2)
    same = mine.kl_divergence(*rng.normal(size=(2, 500)), random_state=0, steps=40)
    assert same.interval[0] < 0 < same.interval[1]
    far = mine.kl_divergence(rng.normal(12, 1, 500), rng.normal(size=500), random_state=0, steps=40)  # 72 nats
    assert far.interval[1] == math.inf and any("rows of q" in w for w in far.warnings)


def test_divergence_needs_two_samples_of_one_width() -> None:
    x = np.random.default_rng(0).normal(size=(50, 2))
    with pytest.raises(InputError, match="2 columns of numbers and samples_q 1"):
        mine.kl_divergence(x, x[:, 0])
    with pytest.raises(NotEnoughDataError, match="at least 20"):
        mine.kl_divergence(x[:5], x)


def test_series_in_the_order_of_time(autoregression: Callable[[int, float, np.random.Generator], np.ndarray]) -> None:
    """Three slow series, two of them the same but for a third: the interval is made of stretches of time."""
    inside = {"time": 0, None: 0}
    truth = -0.5 * math.log(1 - 0.8)  # a makes up 4 fifths of c's variance, and b is independent of both
    for seed in range(12):
        rng = np.random.default_rng(seed)
        a, b, rest = (autoregression(1500, 0.97, rng) for _ in range(3))
        for order in inside:
            est = mine.total_correlation([a, b, a + 0.5 * rest], method="gaussian", order=order)
            inside[order] += est.interval[0] <= truth <= est.interval[1]
            assert any("order='time'" in warning for warning in est.warnings) == (order is None)
    assert inside["time"] >= 11 and inside[None] < 9


def test_folds_of_a_series_are_stretches_of_time(
    autoregression: Callable[[int, float, np.random.Generator], np.ndarray],
) -> None:
    rng = np.random.default_rng(3)
    a, b = autoregression(900, 0.9, rng), autoregression(900, 0.9, rng)
    est = mine.total_correlation({"a": a, "b": b}, order="time", effort="fast", steps=60, random_state=0)
    mixed = rng.permutation(900)
    same = mine.total_correlation({"a": a[mixed], "b": b[mixed]}, order=mixed, effort="fast", steps=60, random_state=0)
    assert est.interval[0] <= 0 <= est.interval[1] and est.stderr == pytest.approx(same.stderr, rel=0.5)
    with pytest.raises(InputError, match="order has 3 values for 900 rows"):
        mine.total_correlation([a, b], order=[1, 2, 3])


# === Missing values ===


def test_total_correlation_leaves_out_incomplete_rows_of_any_block() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(300, 3))
    x[:, 2] += x[:, 0]
    groups = rng.integers(0, 60, 300)
    holes = x.copy()
    holes[3, 0], holes[50, 1], holes[50, 2], holes[299, 2] = np.nan, np.nan, np.nan, np.inf
    keep = np.isfinite(holes).all(1)
    found = mine.total_correlation(list(holes.T), groups=groups, method="gaussian", drop_missing=True, random_state=0)
    expected = mine.total_correlation(list(x[keep].T), groups=groups[keep], method="gaussian", random_state=0)
    assert (found.value, found.stderr, found.n) == (expected.value, expected.stderr, 297)
    assert found.diagnostics["dropped_missing_rows"] == 3 and expected.diagnostics["dropped_missing_rows"] == 0
    assert "1 row with an infinite value was left out." in found.warnings
    with pytest.raises(InputError, match="drop_missing=True"):
        mine.total_correlation(list(holes.T), method="gaussian")
    named = {"groups": holes[:, 0], "order": holes[:, 1]}  # blocks may be called as the arguments are
    assert mine.total_correlation(named, method="gaussian", drop_missing=True).n == 298


def test_a_divergence_leaves_out_incomplete_rows_of_each_sample() -> None:
    rng = np.random.default_rng(5)
    p, q = rng.normal(size=(200, 2)), rng.normal(size=(150, 2))
    p_holes, q_holes = p.copy(), q.copy()
    p_holes[7, 1], q_holes[[1, 2], 0] = np.nan, [np.inf, np.nan]
    found = mine.kl_divergence(p_holes, q_holes, steps=3, drop_missing=True, random_state=0)
    expected = mine.kl_divergence(np.delete(p, 7, 0), q[np.r_[0, 3:150]], steps=3, random_state=0)
    assert (found.value, found.stderr, found.n) == (expected.value, expected.stderr, 199)
    assert found.diagnostics["dropped_missing_rows"] == 3
    assert "samples_q: 1 row with an infinite value was left out." in found.warnings


def test_a_divergence_tells_its_steps() -> None:
    rng = np.random.default_rng(0)
    told: list[tuple[int, int, str]] = []
    sides = rng.normal(size=(2, 200))
    mine.kl_divergence(*sides, steps=40, random_state=0, progress=lambda *said: told.append(said))
    assert told[-1][:2] == (40, 40) and "bound" in told[-1][2]


def test_a_table_stands_for_its_columns() -> None:
    rows = np.random.default_rng(1).multivariate_normal([0, 0, 0], np.eye(3) / 2 + 0.5, 400)
    apart = mine.total_correlation(list(rows.T), method="gaussian").value
    for table in (rows, torch.as_tensor(rows), pd.DataFrame(rows, columns=["a", "b", "c"]), rows.astype(np.float32)):
        assert mine.total_correlation(table, method="gaussian").value == pytest.approx(apart, abs=1e-6)
    with pytest.raises(InputError, match="at least two blocks"):
        mine.total_correlation(rows[:, :1])
    with pytest.raises(NotEnoughDataError, match="3 rows"):
        mine.total_correlation(rows.T)


def _codes(rng: np.random.Generator, levels: int, n: int) -> np.ndarray:
    return np.char.add("v", rng.integers(0, levels, n).astype(str))


def test_total_correlation_of_labels_stays_within_their_entropies() -> None:
    rng = np.random.default_rng(61)
    names = _codes(rng, 50, 400)
    alike = mine.total_correlation([names, np.char.add("a", names), np.char.add("b", names)], random_state=0)
    assert alike.value == pytest.approx(2 * math.log(50), abs=0.15)
    assert alike.interval[1] < 2 * math.log(50) + 0.2
    apart = mine.total_correlation([_codes(rng, 50, 400) for _ in range(3)], effort="fast", random_state=0)
    assert -0.1 < apart.interval[0] <= 0 <= apart.interval[1]


def test_total_correlation_of_two_blocks_is_their_estimate() -> None:
    rng = np.random.default_rng(62)
    x, y = _codes(rng, 40, 300), _codes(rng, 40, 300)
    pair, whole = mine.estimate(x, y, random_state=0), mine.total_correlation([x, y], random_state=0)
    assert whole.value == pytest.approx(pair.value, abs=1e-12)
    assert whole.interval == pytest.approx(pair.interval, abs=0.06)


def test_total_correlation_is_open_where_numbers_are_copied() -> None:
    rng = np.random.default_rng(63)
    x = rng.exponential(size=300)
    y = np.where(rng.random(300) < 0.5, x, rng.exponential(size=300))
    found = mine.total_correlation({"a": x, "b": y, "c": rng.normal(size=300)}, effort="fast", random_state=0)
    assert math.isinf(found.interval[1])
    assert any("a and b have exactly the same number" in warning for warning in found.warnings)


def test_messages_about_blocks_name_the_block() -> None:
    rng = np.random.default_rng(64)
    money = [f"${value:.2f}" for value in rng.exponential(size=60)]
    with pytest.raises(mine.InputError, match="'price'"):
        mine.total_correlation({"price": money, "size": rng.normal(size=60)})
    with pytest.raises(mine.InputError, match="flat is constant"):
        mine.total_correlation({"flat": np.ones(60), "size": rng.normal(size=60)})


def test_a_divergence_from_a_law_without_rows_there_is_open() -> None:
    rng = np.random.default_rng(65)
    p, q = np.maximum(rng.normal(size=500), 0), rng.normal(size=500)
    found = mine.kl_divergence(p, np.where(q < 1, 0, q), random_state=0)
    assert math.isinf(found.interval[1])
    assert "where no row of q does" in found.warnings[0]


def test_where_no_row_of_q_lies_the_divergence_is_a_lower_end() -> None:
    """Four deviations apart, 80 rows each: 13.6 to infinity for 8 nats while scores had no end where q has no rows."""
    rng = np.random.default_rng(31)
    found = mine.kl_divergence(rng.normal(4, 1, 80), rng.normal(0, 1, 80), steps=100, random_state=0)
    assert found.interval[0] < found.value < 8 < found.interval[1] == math.inf
    assert any("lower end" in warning for warning in found.warnings)
