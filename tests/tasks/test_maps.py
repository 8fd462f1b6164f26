"""Inverses undo their maps; maps are what they say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from mine import tasks
from mine.tasks import maps
from mine.tasks import mixing_maps as mixing
from mine.tasks.task import Map

MAPS = {
    "asinh": maps.ASINH,
    "cubic": maps.CUBIC,
    "half cube": maps.HALF_CUBE,
    "power": maps.power(0.4),
    "normal cdf": maps.NORMAL_CDF,
    "scale": maps.scale(-3.0),
    "wiggly x": maps.WIGGLY_X,
    "wiggly y": maps.WIGGLY_Y,
    "mixture": maps.to_normal_mixture((0.3, 0.7), (0.0, 5.0)),
    "spiral": maps.spiral(0.7, (1, 3)),
    "chain": maps.chain(maps.spiral(0.7), maps.HALF_CUBE),
    "linear": mixing.linear(np.triu(np.ones((4, 4)))),
    "rotation": mixing.rotation(4, 0),
    "between rotations": mixing.between_rotations(4, 0, maps.CUBIC, maps.ASINH),
    "coupling": mixing.coupling(4, 0),
    "henon": mixing.henon(0.4),
    "shells": mixing.bend_shells(2.0, 0.7),
}


@pytest.mark.parametrize("name", MAPS)
def test_inverse_undoes(name: str) -> None:
    u = np.random.default_rng(0).normal(size=(500, 4))
    m = MAPS[name]
    kept = u.copy()
    v = m.forward(u)
    np.testing.assert_array_equal(u, kept)
    assert not np.allclose(v, u)
    assert m.inverse is not None
    np.testing.assert_allclose(m.inverse(v), u, rtol=1e-9, atol=1e-9)


def test_swiss_roll_keeps_the_length_along_the_roll() -> None:
    u = np.linspace(0, 1, 11)[:, None]
    rolled = maps.SWISS_ROLL.forward(u)
    np.testing.assert_allclose(np.linalg.norm(rolled, axis=1), 1.5 * np.pi * (1 + 2 * u[:, 0]) / 21)
    np.testing.assert_allclose(rolled[0], [0, -1.5 * np.pi / 21], atol=1e-15)
    assert maps.SWISS_ROLL.inverse is not None
    np.testing.assert_allclose(maps.SWISS_ROLL.inverse(rolled), u, atol=1e-12)


@pytest.mark.parametrize("m", [maps.WIGGLY_X, maps.WIGGLY_Y])
def test_wiggles_increase(m: Map) -> None:
    assert (np.diff(m.forward(np.linspace(-20, 20, 40_001))) > 0).all()


def test_a_map_without_inverse_takes_it_from_the_chain() -> None:
    assert maps.chain(maps.ASINH, Map(np.abs)).inverse is None


def test_rotation_keeps_lengths_and_follows_its_seed() -> None:
    u = np.random.default_rng(0).normal(size=(20, 5))
    turned = mixing.rotation(5, 3).forward(u)
    np.testing.assert_allclose(np.linalg.norm(turned, axis=1), np.linalg.norm(u, axis=1))
    np.testing.assert_array_equal(turned, mixing.rotation(5, 3).forward(u))
    assert not np.allclose(turned, mixing.rotation(5, 4).forward(u))


def test_henon_by_hand() -> None:
    np.testing.assert_allclose(mixing.henon(0.5).forward(np.array([[1.0, 2.0]])), [[2.0, 1.0]])  # -1 + 0.5 * 4


def test_mixed_tasks_hide_the_dependence_from_single_coordinates() -> None:
    """What the suite is for: a Gaussian copula of the coordinates misses at least a tenth of a nat."""
    for name in tasks.names("mixed"):
        task = tasks.get_task(name)
        rows = np.hstack(task.sample(5_000, random_state=0))
        normal = stats.norm.ppf(stats.rankdata(rows, axis=0) / 5_001)
        c, d = np.corrcoef(normal.T), task.dx
        copula = (np.linalg.slogdet(c[:d, :d])[1] + np.linalg.slogdet(c[d:, d:])[1] - np.linalg.slogdet(c)[1]) / 2
        assert copula < task.mutual_information - 0.1, name
