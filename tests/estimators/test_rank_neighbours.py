"""Neighbours on normal scores: against Kraskov's sums written out, under monotone maps, and on ties."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import digamma
from scipy.stats import norm, rankdata

from mine.estimators.rank_neighbours import Scores, heap_rows, rank_neighbours


def scores(a: np.ndarray, b: np.ndarray) -> tuple[Scores, Scores]:
    rng = np.random.default_rng(9)
    return Scores.of(np.asarray(a, float), rng), Scores.of(np.asarray(b, float), rng)


def by_hand(x: np.ndarray, y: np.ndarray, k: int) -> float:
    """Kraskov's first estimator on scores from all distances; distances that are equal up to rounding are equal."""
    apart = [np.abs(side[:, None] - side) for side in (x, y)]
    distance = np.sort(np.maximum(*apart), 1)[:, k, None]
    counts = [(one < distance * (1 - 1e-9)).sum(1) for one in apart]
    return digamma(k) + digamma(len(x)) - float(np.mean(digamma(counts[0]) + digamma(counts[1])))


@pytest.mark.parametrize(("n", "k"), [(40, 1), (300, 3), (301, 5)])
def test_the_sums_of_kraskov_written_out(n: int, k: int) -> None:
    rng = np.random.default_rng(n)
    a = rng.exponential(size=n)
    b = a**2 + rng.normal(size=n)
    found = rank_neighbours(*scores(a, b), k=k)
    x, y = (norm.ppf((rankdata(side) - 0.5) / n) for side in (a, b))
    assert found.value == pytest.approx(by_hand(x, y, k), abs=1e-9)
    assert found.coarse == pytest.approx(by_hand(x, y, 2 * k), abs=1e-9)


def test_increasing_maps_change_nothing() -> None:
    a, b = np.random.default_rng(0).normal(size=(2, 500))
    plain, bent = (rank_neighbours(*scores(*pair)) for pair in ((a, a + b), (np.exp(3 * a), np.cbrt(a + b))))
    np.testing.assert_array_equal(plain.rows, bent.rows)


def test_rare_ties_share_their_ranks_at_random_and_heaps_do_not() -> None:
    n = 2000
    numbers = np.maximum(np.random.default_rng(1).normal(size=n), 0).round(1)
    one, _ = scores(numbers, numbers)
    heap = numbers == 0
    assert (numbers == 0.1).sum() < heap_rows(n) < heap.sum()
    assert one.heap is not None and set(one.heap[heap]) == {heap.sum()} and set(one.heap[~heap]) == {1}
    assert len(set(one.values[heap])) == 1 and len(set(one.values[~heap])) == (~heap).sum()
    assert one.values[heap][0] == pytest.approx(norm.ppf(heap.mean() / 2))
    assert (np.diff(numbers[~heap][np.argsort(one.values[~heap])]) >= 0).all()
    share = np.unique(numbers, return_counts=True)[1] / n
    assert one.told == pytest.approx(-(share * np.log(share)).sum())


def test_labels_as_numbers_tell_what_their_table_tells() -> None:
    rng = np.random.default_rng(2)
    n = 3000
    x = rng.integers(0, 3, n)
    y = np.where(rng.random(n) < 0.7, x, rng.integers(0, 3, n))
    same, other = 0.7 + 0.1, 0.1
    truth = math.log(3) + same * math.log(same) + 2 * other * math.log(other)
    assert rank_neighbours(*scores(x, y)).value == pytest.approx(truth, abs=0.03)
