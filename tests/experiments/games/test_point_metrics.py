"""Counts and distances of points, against numbers worked by hand and closed forms; the data they are taken of."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from mine.datasets.points import GRID_CENTRES, GRID_STD, SPIRAL_STD, gaussian_grid, nearest_on_spirals, spirals
from mine.experiments.games.point_metrics import (
    code_information,
    covered,
    energy_distance,
    inner_width,
    nearest_centre,
    purity,
    reverse_kl,
)


def test_the_grid_is_that_of_the_papers() -> None:
    points, labels = gaussian_grid(50_000, random_state=0)
    assert GRID_CENTRES.shape == (25, 2) and set(GRID_CENTRES.ravel()) == {-4, -2, 0, 2, 4}
    clusters, distance = nearest_centre(points, GRID_CENTRES)
    np.testing.assert_array_equal(clusters, labels)
    # within three deviations in the plane: 1 - exp(-9 / 2), with a standard error of 0.0005
    assert abs((distance < 3 * GRID_STD).mean() - (1 - math.exp(-4.5))) < 0.002
    assert reverse_kl(clusters, distance < 3 * GRID_STD, 25) < 0.001
    assert points.std(0) == pytest.approx([math.sqrt(8 + GRID_STD**2)] * 2, rel=0.01)


def test_the_spirals_are_those_of_mine_pytorch() -> None:
    points, labels = spirals(20_000, random_state=0)
    radius = np.linalg.norm(points, axis=1)
    # its curve at angle n is n (cos, sin) with n = 780 degrees sqrt(U), turned by half a turn for the other arm
    angle = math.radians(780) * radius + np.pi * labels
    on_curve = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
    outer = radius > 0.3  # further in, noise along the radius turns the angle too far
    gap = np.linalg.norm(points - on_curve, axis=1)[outer]
    assert np.quantile(gap, 0.99) < 13.7 * 4 * SPIRAL_STD  # the angle follows the radius 13.6 times as fast
    assert abs((radius**2).mean() - 0.5 - 2 * SPIRAL_STD**2) < 0.01  # U has mean 1/2
    assert abs(labels.mean() - 0.5) < 0.02


def test_pieces_of_the_spirals_are_equally_likely_and_know_their_arm() -> None:
    points, labels = spirals(20_000, random_state=1)
    pieces, distance = nearest_on_spirals(points, 25)
    assert (pieces // 25 == labels).mean() > 0.99
    counts = np.bincount(pieces, minlength=50)
    assert counts.shape == (50,) and abs(counts[3:25] - 400).max() < 120  # the innermost pieces lie within the noise
    # the distance to a curve is that of one normal coordinate: 99.73 % within three deviations
    assert abs((distance < 3 * SPIRAL_STD).mean() - 0.9973) < 0.003
    ends = math.radians(780)
    on = np.array([[math.cos(ends), math.sin(ends)], [-math.cos(ends), -math.sin(ends)], [0, 0]]) * [[1], [1], [0]]
    assert nearest_on_spirals(on, 10)[0].tolist() == [9, 19, 0]


CENTRES = np.array([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0]])
POINTS = np.array([[0.05, 0.0], [-0.05, 0.0], [2.1, 0.0], [0.0, 1.0], [0.0, 1.2]])


def test_counts_by_hand() -> None:
    clusters, distance = nearest_centre(POINTS, CENTRES)
    assert clusters[[0, 1, 2, 4]].tolist() == [0, 0, 1, 2]
    np.testing.assert_allclose(distance, [0.05, 0.05, 0.1, 1.0, 0.8])
    good = distance < 0.15
    assert covered(clusters, good) == 2
    # 2/3 and 1/3 against 1/4 each: log 4 minus the entropy
    assert reverse_kl(clusters, good, 4) == pytest.approx(math.log(4) + 2 / 3 * math.log(2 / 3) + 1 / 3 * math.log(1 / 3))


def test_reverse_kl_of_nothing_good_and_of_one_cluster_is_its_maximum() -> None:
    clusters = np.zeros(5, int)
    assert reverse_kl(clusters, np.zeros(5, bool), 25) == pytest.approx(math.log(25))
    assert reverse_kl(clusters, np.ones(5, bool), 25) == pytest.approx(math.log(25))


def test_purity_by_hand() -> None:
    assert purity(np.array([0, 0, 0, 1, 1, 1]), np.array([2, 2, 0, 1, 1, 1])) == pytest.approx(5 / 6)
    assert purity(np.array([0, 1, 2]), np.array([4, 4, 4])) == 1


def test_information_between_labels() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(5, size=4000)
    assert code_information(codes, codes) == pytest.approx(math.log(5), abs=0.01)
    assert abs(code_information(codes, rng.integers(5, size=4000))) < 0.01
    # half of the labels are told, the rest is at random among all: p(right) = 0.6, p(each other) = 0.1
    mixed = np.where(rng.uniform(size=4000) < 0.5, codes, rng.integers(5, size=4000))
    truth = math.log(5) + 0.6 * math.log(0.6) + 0.4 * math.log(0.1)
    assert abs(code_information(codes, mixed) - truth) < 0.06
    assert code_information(codes, np.zeros(4000, int)) == 0


def test_information_between_a_normal_code_and_its_quadrant() -> None:
    codes = np.random.default_rng(0).normal(size=(500, 2))
    quadrant = (codes[:, 0] > 0) + 2 * (codes[:, 1] > 0)
    assert abs(code_information(codes, quadrant) - math.log(4)) < 0.25


def test_energy_distance_is_that_of_all_pairs() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(400, 2)), np.array([1.0, -0.5]) + rng.normal(size=(300, 2)) * [2.0, 0.2]
    squared = 2 * cdist(x, y).mean() - cdist(x, x).mean() - cdist(y, y).mean()
    assert energy_distance(x, y) == pytest.approx(math.sqrt(squared), rel=1e-3)
    assert energy_distance(x, x) == pytest.approx(0, abs=1e-7)


def test_energy_distance_of_two_points_is_the_root_of_twice_their_distance() -> None:
    assert energy_distance(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0]])) == pytest.approx(math.sqrt(10), rel=1e-3)


def test_energy_distance_of_two_large_samples_of_one_law_is_small() -> None:
    (x, _), (y, _) = (spirals(100_000, seed) for seed in (0, 1))
    assert energy_distance(x, y) < 0.008  # the root of 2 E|x - x'| / n is 0.004


def test_the_width_of_clusters_is_around_their_own_means() -> None:
    points = np.random.default_rng(0).normal(size=(20_000, 2)) * 0.05
    clusters = np.arange(20_000) % 2
    assert inner_width(points + 7 * clusters[:, None], clusters) == pytest.approx(0.05, rel=0.02)
