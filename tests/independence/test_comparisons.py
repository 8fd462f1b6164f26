"""Statistics of all permutations at once against sums over pairs of rows written out, and their combination."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from mine.conditional.shuffles import Shuffles
from mine.data.sides import as_variable
from mine.independence.comparisons import NEAREST, WEIGHTS, combined, compared
from mine.independence.neighbour_graph import NEIGHBOURS, nearest_rows
from mine.independence.views import FINE, FINEST, LINEAR, RADIUS, SQUARES, Views


def side(n: int, d: int, seed: int) -> Views:
    rng = np.random.default_rng(seed)
    return Views.of(as_variable(rng.normal(size=(n, d)), "x"), rng)


def neighbours(places: np.ndarray, units: np.ndarray) -> np.ndarray:
    """Adjacency of nearest rows by sorting all distances, row by row."""
    n = len(places)
    graph = np.zeros((n, n))
    far = cdist(places, places)
    for i in range(n):
        nearest = [j for j in np.argsort(far[i]) if units[j] != units[i]][:NEIGHBOURS]
        graph[i, nearest] += 1
        graph[nearest, i] += 1
    return graph


def test_every_statistic_is_its_double_sum_over_pairs_of_rows():
    n = 50
    x, y = side(n, 2, 0), side(n, 3, 1)
    assert x.places is not None and y.places is not None
    units = np.arange(n)
    orders = np.stack([np.arange(n), np.random.default_rng(2).permutation(n)])
    found = compared(x, y, units, [orders[:1], orders[1:]], np.random.default_rng(3))
    assert set(found) == set(WEIGHTS)
    graphs = neighbours(x.places, units), neighbours(y.places, units)
    for (a, b), values in found.items():
        left = graphs[0] if a == NEAREST else x.features[a] @ x.features[a].T
        right = graphs[1] if b == NEAREST else y.features[b] @ y.features[b].T
        direct = [(left * right[order][:, order]).sum() / n for order in orders]
        assert values == pytest.approx(direct, rel=1e-3, abs=1e-4), (a, b)


def test_neighbours_of_a_unit_are_rows_of_other_units_in_few_columns_and_in_many():
    rng = np.random.default_rng(4)
    units = np.repeat(np.arange(30), 2)
    for d in (2, 12):
        places = rng.normal(size=(30, d))[units] + 0.01 * rng.normal(size=(60, d))
        graph = nearest_rows(places, units, rng).toarray()
        assert np.array_equal(graph, neighbours(places, units))
        assert not graph[units[:, None] == units].any()


def test_ties_have_no_neighbours_by_their_place_in_the_file():
    graph = nearest_rows(np.zeros((400, 1)), np.arange(400), np.random.default_rng(5)).tocoo()
    apart = np.abs(graph.row - graph.col)
    assert 100 < apart.mean() < 167  # a third of the rows if all places are equally likely


def test_units_of_rows_follow_the_groups():
    groups = np.array([0, 0, 1, 1, 2, 2, 3, 3])
    shuffles = Shuffles.of(8, groups)
    assert np.array_equal(np.unique(groups[shuffles.rows], return_inverse=True)[1], shuffles.units)


def test_two_labels_have_one_comparison_and_a_label_and_numbers_those_that_differ():
    label = Views.of(as_variable(["a", "b"] * 30, "x"), np.random.default_rng(0))
    numbers = side(60, 1, 0)
    identity = [np.arange(60)[None]]
    rng = np.random.default_rng(0)
    assert set(compared(label, label, np.arange(60), identity, rng)) == {(LINEAR, LINEAR)}
    both = set(compared(numbers, label, np.arange(60), identity, rng))
    assert both >= {(SQUARES, LINEAR), (FINE, FINE), (FINEST, LINEAR), (NEAREST, LINEAR)}
    assert not any(b in (RADIUS, SQUARES, FINEST, NEAREST) for _, b in both)


def test_the_combination_does_not_care_which_row_is_the_true_one():
    values = np.random.default_rng(0).gamma(2.0, size=(60, 5))
    weights = np.arange(1.0, 6)
    order = np.random.default_rng(1).permutation(60)
    assert np.allclose(combined(values[order], weights)[0], combined(values, weights)[0][order])
    values[0, 3] = 30.0
    scores, largest = combined(values, weights)
    assert scores.argmax() == 0 and largest == 3


def test_what_does_not_vary_counts_nothing_and_rounding_is_no_difference():
    rng = np.random.default_rng(2)
    varying = rng.gamma(2.0, size=(40, 1))
    both = np.concatenate([np.full((40, 1), 3.0), varying], 1)
    assert np.allclose(combined(both, np.array([9.0, 1.0]))[0], combined(varying, np.ones(1))[0])
    assert not combined(both[:, :1], np.ones(1))[0].any()
    repeated = np.repeat(varying[:20], 2, axis=0) * (1 + 1e-8 * rng.normal(size=(40, 1)))
    scores = combined(repeated, np.ones(1))[0]
    assert np.array_equal(scores[::2], scores[1::2])
